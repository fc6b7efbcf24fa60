"""When does a number say something? An effect worth naming, and an interval that excludes its absence."""

from convprobe.intervals import Interval, wilson

# The least effects that are worth naming.
ACCURACY = 0.005  # half a point
CONFIDENCE = 0.01  # of a mean probability
SHARE = 0.1  # of images
# A published accuracy is repeated where ours certainly lies within two points of it. It is rounded to
# whole points, and was itself counted on a sample.
SAME_ACCURACY = 0.02
ROUNDING = 0.005

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


def above(measured: float, interval: Interval | None, null: float = 0, worth: float = 0) -> str:
    """Whether a value lies above what would be seen by chance, and by an effect worth naming.

    Returns:
        `holds`: the interval lies above `null`, and the value by `worth` or more; `fails`: the interval lies
        below `null + worth`, so that there is nothing worth naming; otherwise `undecided`.
    """
    if interval is None:
        return UNDECIDED
    if interval.low > null and measured >= null + worth:
        return HOLDS
    return FAILS if interval.high < null + worth else UNDECIDED


def all_of(verdicts: list[str]) -> str:
    """The verdict on a claim that needs all of these to hold."""
    if FAILS in verdicts:
        return FAILS
    return UNDECIDED if UNDECIDED in verdicts else HOLDS


def better_than_chance(right: int, counts: list[int]) -> bool:
    """Whether predictions are certainly right more often than the same answer for all images would be.

    Args:
        right: how many images are predicted right.
        counts: images of each class.
    """
    return bool(wilson(right, sum(counts)).low > max(counts) / sum(counts))
