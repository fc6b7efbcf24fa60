"""A verdict needs an interval that excludes the absence of an effect, and one worth naming."""

import json

import pytest

from convprobe import verdicts
from convprobe.intervals import Interval


@pytest.mark.parametrize(
    ("measured", "interval", "verdict"),
    [
        (0.05, (0.02, 0.08), "holds"),
        (0.004, (0.001, 0.007), "fails"),  # certainly there, but not worth naming
        (0.05, (-0.01, 0.11), "undecided"),
        (0.009, (0.001, 0.017), "undecided"),
        (-0.05, (-0.08, -0.02), "fails"),
        (0.0, (0.0, 0.0), "fails"),
    ],
)
def test_a_verdict_needs_an_interval_and_an_effect(measured, interval, verdict):
    assert verdicts.above(measured, Interval(*interval), worth=0.01) == verdict


def test_without_an_interval_a_verdict_is_undecided():
    assert verdicts.above(0.05, None) == "undecided"


def test_a_network_must_be_better_than_the_same_answer_for_every_image():
    assert not verdicts.better_than_chance(100, [100, 100, 100])
    assert verdicts.better_than_chance(120, [100, 100, 100])
    # The most frequent class for every image is right as often.
    assert not verdicts.better_than_chance(200, [200, 50, 50])


def test_the_best_of_many_epochs_must_be_better_still():
    assert not verdicts.better_than_chance(120, [100, 100, 100], chosen_among=15)


def test_better_than_chance_can_be_written_as_json():
    assert json.dumps(verdicts.better_than_chance(130, [100, 100, 100])) == "true"


def test_a_claim_that_needs_several_verdicts_is_as_certain_as_the_least_of_them():
    assert verdicts.all_of(["holds", "holds"]) == "holds"
    assert verdicts.all_of(["holds", "undecided"]) == "undecided"
    assert verdicts.all_of(["undecided", "fails", "holds"]) == "fails"
