"""What a count of images says about all images: intervals and a test."""

import math

from scipy import stats


def wilson(successes, count):
    """95 % interval (low, high) of a proportion. Source: Wilson 1927."""
    interval = stats.binomtest(int(successes), int(count)).proportion_ci(0.95, method="wilson")
    return interval.low, interval.high


def fall(before, after, count):
    """95 % interval (low, high) of how far a share fell, of `count` images each time.

    It takes the two for independent; shares of the same images differ by less. Source: Newcombe 1998, method 10.
    """
    (low_before, high_before), (low_after, high_after) = (
        wilson(round(share * count), count) for share in (before, after)
    )
    down = math.hypot(before - low_before, high_after - after)
    up = math.hypot(high_before - before, after - low_after)
    return before - after - down, before - after + up


def mcnemar(lost, gained):
    """Two-sided p-value of as uneven a change of paired answers, if each were as likely lost as gained.

    Source: McNemar 1947, in its exact form: a sign test of the answers that changed.
    """
    return stats.binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
