"""Means over seeds and intervals between them, against values computed by hand."""

import pytest

from convprobe import intervals
from convprobe.intervals import Interval
from convprobe.report import seeds


def test_the_interval_between_seeds_is_students():
    # Deviation 0.02, so ± t(2) 4.3027 × 0.02 / √3; deviation 0.01414, so ± t(1) 12.7062 × 0.01.
    three = seeds.between([0.80, 0.82, 0.84])
    assert three == pytest.approx((0.82 - 0.049683, 0.82 + 0.049683), abs=1e-6)
    two = seeds.between([0.80, 0.82])
    assert two == pytest.approx((0.81 - 0.127062, 0.81 + 0.127062), abs=1e-6)


def test_a_higher_confidence_widens_it():
    # t(2) at 97.5 %, two-sided, is 6.2053.
    interval = seeds.between([0.010, 0.012, 0.014], confidence=0.975)
    assert interval == pytest.approx((0.012 - 0.007165, 0.012 + 0.007165), abs=1e-6)


@pytest.mark.parametrize("values", [[0.8], [0.8, 0.8], [0.8] * 12])
def test_of_one_seed_or_equal_ones_nothing_is_said(values):
    assert seeds.between(values) is None


def test_of_one_seed_the_interval_is_that_of_counting():
    counting = Interval(0.7, 0.9)
    one = seeds.measured([0.8], counting, 0, 1)
    assert one == (0.8, counting, counting, 1)


def test_of_several_it_lies_between_them_and_ends_where_such_a_number_does():
    several = seeds.measured([0.7, 0.9], Interval(0.78, 0.82), 0, 1)
    assert several == (pytest.approx(0.8), Interval(0, 1), Interval(0.78, 0.82), 2)
    assert seeds.measured([0.8, 0.8], None, 0, 1) == (0.8, None, None, 2)


def test_how_far_two_values_are_apart():
    # Down √(0.04² + 0.04²), up √(0.03² + 0.03²).
    interval = seeds.apart(0.9, Interval(0.86, 0.93), 0.8, Interval(0.77, 0.84))
    assert interval == pytest.approx((0.1 - 0.056569, 0.1 + 0.042426), abs=1e-6)
    assert seeds.apart(0.9, None, 0.8, Interval(0.77, 0.84)) is None


def test_two_shares_of_images_are_as_far_apart_as_newcombe_says():
    ours, theirs = (81, 100), (150, 200)
    interval = seeds.apart(0.81, intervals.wilson(*ours), 0.75, intervals.wilson(*theirs))
    assert interval == pytest.approx(intervals.difference(ours, theirs))


@pytest.mark.parametrize(
    ("between", "counting", "verdict"),
    [
        ((0.6, 0.8), (0.55, 0.85), "holds"),
        ((0.6, 0.8), (0.45, 0.95), "undecided"),
        ((0.45, 0.95), (0.6, 0.8), "undecided"),
        ((0.6, 0.8), None, "undecided"),
    ],
)
def test_what_lies_above_chance_does_so_between_seeds_and_by_counting(between, counting, verdict):
    by_counting = Interval(*counting) if counting else None
    measured = seeds.Measured(0.7, Interval(*between), by_counting, 3)
    assert seeds.above(measured, null=0.5) == verdict


def test_above_chance_by_less_than_is_worth_naming_fails():
    small = Interval(0.001, 0.003)
    assert seeds.above(seeds.Measured(0.002, small, small, 1), worth=0.005) == "fails"


@pytest.mark.parametrize(
    ("values", "place"), [([3.0], 0), ([3.0, 1.0], 1), ([3.0, 1.0, 2.0], 2), ([1.0, 1.0, 1.0], 1)]
)
def test_the_seed_in_the_middle(values, place):
    assert seeds.middle(values) == place
