"""What a count of images, or a mean over them, says about all images: intervals and tests."""

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

LEAST_EQUAL = 10  # values without spread that are taken to have none


class Interval(NamedTuple):
    """Bounds of an interval, 95 % unless it says otherwise."""

    low: float
    high: float


def wilson(successes: int, count: int, confidence: float = 0.95) -> Interval:
    """Interval of a proportion. Source: Wilson 1927."""
    interval = stats.binomtest(int(successes), int(count)).proportion_ci(
        confidence, method="wilson"
    )
    return Interval(interval.low, interval.high)


def difference(
    first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95
) -> Interval:
    """Interval of how far one proportion lies above another one, of other images.

    Of the same images it is too wide, for these vary together. Source: Newcombe 1998, method 10.

    Args:
        first, second: successes and count of each.
    """
    shares = [successes / count for successes, count in (first, second)]
    (low, high), (other_low, other_high) = (
        wilson(*counted, confidence) for counted in (first, second)
    )
    down = math.hypot(shares[0] - low, other_high - shares[1])
    up = math.hypot(high - shares[0], shares[1] - other_low)
    return Interval(shares[0] - shares[1] - down, shares[0] - shares[1] + up)


def paired_change(lost: int, gained: int, count: int) -> Interval:
    """Interval of the change of a proportion of the same images.

    Source: Bonett & Price 2012, adjusted Wald interval for a difference of paired proportions.

    Args:
        lost: images that were right and are wrong.
        gained: images that were wrong and are right.
        count: of all images.
    """
    down, up = (lost + 1) / (count + 2), (gained + 1) / (count + 2)
    half = stats.norm.ppf(0.975) * math.sqrt((down + up - (up - down) ** 2) / (count + 2))
    return Interval(max(-1, up - down - half), min(1, up - down + half))


def mean(values: np.ndarray) -> Interval | None:
    """Interval of a mean by Student's t; None where it can't be told: of one value, or of a few equal ones."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return None
    if np.ptp(values) == 0:
        return Interval(values[0], values[0]) if len(values) >= LEAST_EQUAL else None
    return Interval(
        *stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=stats.sem(values))
    )


def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    """p-value of as large an excess of the first proportion over the second, if they were the same.

    Source: Fisher 1935.

    Args:
        first, second: successes and count of each.
    """
    table = [[successes, count - successes] for successes, count in (first, second)]
    return stats.fisher_exact(table, alternative="greater").pvalue


def mcnemar(lost: int, gained: int) -> float:
    """Two-sided p-value of as uneven a change of paired answers, if each were as likely lost as gained.

    Source: McNemar 1947, in its exact form: a sign test of the answers that changed.
    """
    return stats.binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
