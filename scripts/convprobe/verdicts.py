"""When does a number say something? If its effect is worth naming, and no effect of chance."""

from collections.abc import Sequence

import scipy

from convprobe.intervals import BINARY, Count, Interval

# The least effects that are worth naming.
ACCURACY = 0.005  # half a point
CONFIDENCE = 0.01  # of a mean probability
SHARE = 0.1  # of images
# A published accuracy is reproduced if ours certainly lies within two points of it. It is rounded
# to whole points, and was itself counted on a sample.
SAME_ACCURACY = 0.02
ROUNDING = 0.005

CHANCE = 0.025  # how often chance may pass a one-sided test: as often as it exceeds a 95 % interval
TWO_SIDED = 2 * CHANCE  # how often it lies outside of one, on either side

HOLDS = "holds"
FAILS = "fails"
UNDECIDED = "undecided"


def above(measured: float, interval: Interval | None, null: float = 0, worth: float = 0) -> str:
    """Whether a value lies above what chance would give, and by an effect worth naming.

    Returns:
        `holds`: the interval lies above `null`, and the value by `worth` or more; `fails`: the
        interval lies below `null + worth`, so there is nothing worth naming; else `undecided`.
    """
    if interval is None:
        return UNDECIDED
    # One that is just worth naming may miss it by its rounding.
    if interval.low > null and measured >= null + worth - BINARY:
        return HOLDS
    if interval.high < null + worth:
        return FAILS
    return UNDECIDED


def confirmed(verdict: str, p_value: float) -> str:
    """The verdict of an interval that is an approximation, by an exact two-sided test: it may fail.

    Args:
        p_value: of the test that there is no effect.
    """
    return UNDECIDED if verdict == HOLDS and p_value > TWO_SIDED else verdict


def all_of(verdicts: Sequence[str]) -> str:
    """The verdict on a claim that needs all of these to hold."""
    if FAILS in verdicts:
        return FAILS
    if UNDECIDED in verdicts:
        return UNDECIDED
    return HOLDS


def agreed(verdict: str, other: str) -> str:
    """The verdict that two kinds of evidence come to, if it is the same one."""
    return verdict if verdict == other else UNDECIDED


def better_than_chance(right: Count, counts: Sequence[Count], chosen_among: int = 1) -> bool:
    """Whether predictions are certainly right more often than the same answer for every image.

    An exact test: intervals are too narrow at small shares.

    Args:
        right: how many images are predicted right.
        counts: images of each class.
        chosen_among: of how many epochs this one was chosen, as the one that is right most often.
    """
    chance = max(counts) / sum(counts)
    as_many_by_chance = scipy.special.bdtrc(right - 1, sum(counts), chance)
    return bool(as_many_by_chance < CHANCE / chosen_among)
