"""When does a number say something? An effect worth naming, and an interval that excludes its absence."""

from scipy import stats

from convprobe.intervals import Interval

# The least effects that are worth naming.
ACCURACY = 0.005  # half a point
CONFIDENCE = 0.01  # of a mean probability
SHARE = 0.1  # of images
# A published accuracy is repeated where ours certainly lies within two points of it. It is rounded to
# whole points, and was itself counted on a sample.
SAME_ACCURACY = 0.02
ROUNDING = 0.005

CHANCE = 0.025  # how often a one-sided test may be passed by chance: as often as an interval of 95 % lies above

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


def above(measured: float, interval: Interval | None, null: float = 0, worth: float = 0) -> str:
    """Whether a value lies above what would be seen by chance, and by an effect worth naming.

    Returns:
        `holds`: the interval lies above `null`, and the value by `worth` or more; `fails`: the interval lies
        below `null + worth`, so that there is nothing worth naming; otherwise `undecided`.
    """
    if interval is None:
        return UNDECIDED
    if (
        interval.low > null and measured >= null + worth - 1e-9
    ):  # shares are subtracted in binary fractions
        return HOLDS
    return FAILS if interval.high < null + worth else UNDECIDED


def all_of(verdicts: list[str]) -> str:
    """The verdict on a claim that needs all of these to hold."""
    if FAILS in verdicts:
        return FAILS
    return UNDECIDED if UNDECIDED in verdicts else HOLDS


def better_than_chance(right: int, counts: list[int], chosen_among: int = 1) -> bool:
    """Whether predictions are certainly right more often than the same answer for all images would be.

    An exact test, for intervals are too narrow at small shares.

    Args:
        right: how many images are predicted right.
        counts: images of each class.
        chosen_among: of how many epochs this one was chosen as the one that is right most often.
    """
    test = stats.binomtest(right, sum(counts), max(counts) / sum(counts), alternative="greater")
    return bool(test.pvalue < CHANCE / chosen_among)
