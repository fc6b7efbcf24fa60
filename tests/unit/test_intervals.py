"""Intervals and tests against values from the literature."""

import pytest

from convprobe import intervals


def test_wilson_interval_of_the_textbook():
    # Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263 and 1 of 29.
    assert intervals.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert intervals.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_interval_of_a_difference_of_the_textbook():
    # Newcombe 1998, Statistics in Medicine 17:873, table II: 9 of 10 minus 3 of 10.
    assert intervals.difference((9, 10), (3, 10)) == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_interval_of_a_paired_change_of_the_textbook():
    # The example of ci.prop.ps in Bonett's package statpsych: 4 and 26 of 48 changed.
    assert intervals.paired_change(4, 26, 48) == pytest.approx((0.2548067, 0.6251933), abs=5e-8)


def test_interval_of_a_mean_needs_two_values():
    # Differences 0.4, -0.4, 0.4, -0.4: mean 0, deviation 0.4619, t(3) 3.1824, so ± 0.7350.
    assert intervals.mean([0.4, -0.4, 0.4, -0.4]) == pytest.approx((-0.7350, 0.7350), abs=1e-4)
    assert intervals.mean([0.3, 0.3]) is None, "two may be equal by chance"
    assert intervals.mean([0.3] * 10) == (0.3, 0.3)
    assert intervals.mean([0.3]) is None


def test_mcnemars_exact_test_by_counting():
    # Of 10 changed answers at most 1 gained: 2 · (1 + 10) of the 2^10 ways.
    assert intervals.mcnemar(9, 1) == pytest.approx(22 / 1024)
    assert intervals.mcnemar(1, 9) == pytest.approx(22 / 1024)
    assert intervals.mcnemar(5, 5) == intervals.mcnemar(0, 0) == 1


def test_fishers_exact_test_of_the_lady_tasting_tea():
    # Fisher 1935: 4 of 4 cups against 0 of 4, one of 70 ways; 3 of 4 against 1 of 4, 17 of 70.
    assert intervals.fisher((4, 4), (0, 4)) == pytest.approx(1 / 70)
    assert intervals.fisher((3, 4), (1, 4)) == pytest.approx(17 / 70)
