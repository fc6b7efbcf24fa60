"""A verdict needs an interval that excludes nothing-happens, and an effect worth naming."""

import pytest

from convprobe import verdicts
from convprobe.intervals import Interval


@pytest.mark.parametrize(
    ("measured", "interval", "verdict"),
    [
        (0.05, (0.02, 0.08), "holds"),
        (0.004, (0.001, 0.007), "fails"),  # certainly there, and nothing worth naming
        (0.05, (-0.01, 0.11), "undecided"),
        (0.009, (0.001, 0.017), "undecided"),
        (-0.05, (-0.08, -0.02), "fails"),
        (0.0, (0.0, 0.0), "fails"),
    ],
)
def test_a_verdict_needs_both(measured, interval, verdict):
    assert verdicts.above(measured, Interval(*interval), worth=0.01) == verdict


def test_what_can_not_be_told_is_undecided():
    assert verdicts.above(0.05, None) == "undecided"


def test_a_network_must_beat_the_same_answer_for_every_image():
    assert not verdicts.better_than_chance(100, [100, 100, 100])
    assert (
        verdicts.better_than_chance(130, [100, 100, 100]) is True
    )  # and no number of numpy's, which JSON refuses
    assert not verdicts.better_than_chance(120, [100, 100, 100], chosen_among=15)
    assert verdicts.better_than_chance(120, [100, 100, 100])
    # As right as it is, the commonest class alone would be, too.
    assert not verdicts.better_than_chance(200, [200, 50, 50])


def test_a_claim_that_needs_all_is_as_sure_as_the_least():
    assert verdicts.all_of(["holds", "holds"]) == "holds"
    assert verdicts.all_of(["holds", "undecided"]) == "undecided"
    assert verdicts.all_of(["undecided", "fails", "holds"]) == "fails"
