"""Intervals and tests against values from the literature."""

import pytest

from convprobe import intervals


def test_wilson_interval_of_the_textbook():
    # Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263 and 1 of 29.
    assert intervals.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert intervals.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_interval_of_a_fall_of_the_textbook():
    # Newcombe 1998, Statistics in Medicine 17:873, table II: 9 of 10 less 3 of 10.
    assert intervals.fall(0.9, 0.3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_mcnemars_exact_test_by_counting():
    # Of 10 changed answers at most 1 gained: 2 · (1 + 10) of the 2^10 ways.
    assert intervals.mcnemar(9, 1) == pytest.approx(22 / 1024)
    assert intervals.mcnemar(1, 9) == pytest.approx(22 / 1024)
    assert intervals.mcnemar(5, 5) == intervals.mcnemar(0, 0) == 1
