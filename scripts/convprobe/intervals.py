"""What a count of images, or a mean over them, says about all images: intervals and tests."""

import math
from collections.abc import Collection
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import scipy  # a part is loaded when it is used: scipy.stats takes longer than most jobs

LEAST_EQUAL = 10  # so many equal values are believed to have no spread
# Shares are subtracted in binary fractions: equal ones may differ by this.
BINARY = 1e-9

Count = int | np.integer
Counted = tuple[Count, Count]  # successes, and of how many


class Interval(NamedTuple):
    """Bounds of an interval, at 95 % confidence unless it says otherwise."""

    low: float
    high: float


def wilson(successes: Count, count: Count, confidence: float = 0.95) -> Interval:
    """Interval of a proportion. Source: Wilson 1927."""
    share = successes / count
    weight = _normal_quantile(confidence) ** 2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(weight * (share * (1 - share) + weight / 4)) / (1 + weight)
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def _normal_quantile(confidence: float) -> float:
    """Within how many standard deviations of its mean a normal value lies, so confidently."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def difference(first: Counted, second: Counted, confidence: float = 0.95) -> Interval:
    """Interval of how far one proportion lies above another one, of other images.

    Of the same images it is too wide, for these vary together.
    Source: Newcombe 1998, method 10.
    """
    first_share = first[0] / first[1]
    second_share = second[0] / second[1]
    first_low, first_high = wilson(*first, confidence)
    second_low, second_high = wilson(*second, confidence)
    down = math.hypot(first_share - first_low, second_high - second_share)
    up = math.hypot(first_high - first_share, second_share - second_low)
    change = first_share - second_share
    return Interval(change - down, change + up)


def paired_change(lost: Count, gained: Count, count: Count) -> Interval:
    """Interval of the change of a proportion of the same images.

    Source: Bonett & Price 2012, adjusted Wald interval for a difference of paired proportions.

    Args:
        lost: images that were right and are wrong.
        gained: images that were wrong and are right.
        count: of all images.
    """
    down = (lost + 1) / (count + 2)
    up = (gained + 1) / (count + 2)
    change = up - down
    half = _normal_quantile(0.95) * math.sqrt((down + up - change**2) / (count + 2))
    return Interval(max(-1, change - half), min(1, change + half))


def mean(values: Collection[float]) -> Interval | None:
    """Interval of a mean by Student's t.

    None if nothing can be said: of one value, or of a few equal ones.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return None
    if are_equal(values):
        return Interval(values[0], values[0]) if len(values) >= LEAST_EQUAL else None
    return student(values)


def are_equal(values: Collection[float]) -> bool:
    """Whether values differ by no more than their rounding."""
    return bool(np.ptp(values) <= BINARY)


def student(values: Collection[float], confidence: float = 0.95) -> Interval:
    """Interval of a mean of at least two values. Source: Student 1908."""
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    half = scipy.special.stdtrit(len(values) - 1, (1 + confidence) / 2) * error
    centre = np.mean(values)
    return Interval(float(centre - half), float(centre + half))


def fisher(first: Counted, second: Counted) -> float:
    """p-value of as large an excess of the first proportion over the second, if they were equal.

    Source: Fisher 1935.
    """
    table = [[successes, count - successes] for successes, count in (first, second)]
    return scipy.stats.fisher_exact(table, alternative="greater").pvalue


def mcnemar(lost: Count, gained: Count) -> float:
    """Two-sided p-value of as uneven a change of paired answers, if none were likelier lost.

    Source: McNemar 1947, in its exact form: a sign test of the answers that changed.
    """
    changed = lost + gained
    if not changed:
        return 1.0
    return min(1.0, 2 * float(scipy.special.bdtr(min(lost, gained), changed, 0.5)))
