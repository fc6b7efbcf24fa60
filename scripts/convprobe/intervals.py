"""What a count of images says about all images: intervals and a test."""

from scipy import stats


def wilson(successes, count):
    """95 % interval (low, high) of a proportion. Source: Wilson 1927."""
    interval = stats.binomtest(int(successes), int(count)).proportion_ci(0.95, method="wilson")
    return interval.low, interval.high


def mcnemar(lost, gained):
    """Two-sided p-value of as uneven a change of paired answers, if each were as likely lost as gained.

    Source: McNemar 1947, in its exact form: a sign test of the answers that changed.
    """
    return stats.binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
