"""Claims of epochs: which one is best, and how far test accuracy falls after it."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from convprobe import intervals, verdicts
from convprobe.intervals import Interval
from convprobe.report import claims, published, reasons, seeds
from convprobe.report.claims import Row
from convprobe.report.evidence import Evidence
from convprobe.report.seeds import Measured

EpochNumber = int | np.integer
Fall = Callable[[EpochNumber, EpochNumber], Interval | None]


class Course:
    """Test accuracy from epoch to epoch, the mean over seeds.

    The best of many epochs lies above any other one by chance alone: intervals of how far it does
    are widened until all of them together hold with 95 %. Source: Bonferroni's inequality; Dunn
    1961.

    Attributes:
        accuracy: by epoch.
        best, last: epochs.
    """

    def __init__(self, curves: Sequence[pd.DataFrame], images: int) -> None:
        of_seeds = [curve.set_index("epoch")["test_accuracy"] for curve in curves]
        # Whole images: shares that are equal but for their rounding would differ.
        self._right = (pd.concat(of_seeds, axis=1) * images).round()
        self.accuracy = self._right.mean(axis=1) / images
        self.seeds = len(curves)
        self.best = int(self.accuracy.idxmax())
        self.last = int(self.accuracy.index[-1])
        self._images = images
        self._confidence = 1 - verdicts.TWO_SIDED / max(1, len(self.accuracy) - 1)

    def fall(self, first: EpochNumber, second: EpochNumber) -> Interval | None:
        """How far accuracy is lower after the second epoch than after the first one.

        Of several seeds between these, each compared with itself.
        """
        if self.seeds == 1:
            return self.counted_fall(first, second)
        falls = self._right.loc[first] - self._right.loc[second]
        return seeds.between(falls.to_numpy() / self._images, self._confidence)

    def counted_fall(self, first: EpochNumber, second: EpochNumber) -> Interval:
        """The same, for counting images."""
        return intervals.difference(self._count(first), self._count(second), self._confidence)

    def _count(self, epoch: EpochNumber) -> tuple[int, int]:
        """Images that are right after an epoch, in the mean over seeds, and all."""
        return round(float(self.accuracy[epoch]) * self._images), self._images

    def as_good_as_the_best(self, fall: Fall) -> list[int]:
        """Epochs that can't be told from the best one by such intervals, and that one."""
        return [int(epoch) for epoch in self.accuracy.index if self._is_as_good(epoch, fall)]

    def _is_as_good(self, epoch: EpochNumber, fall: Fall) -> bool:
        if epoch == self.best:
            return True
        interval = fall(self.best, epoch)
        return interval is None or interval.low <= 0


def best_epoch(evidence: Evidence) -> Row:
    """Epoch 13 was the best one; the interval spans all that can't be told from our best."""
    claim = "epoch of the highest test accuracy"
    if "normalised" not in evidence.curves:
        return Row(claim, verdict=claims.NO_RUN)
    course = Course(evidence.curves["normalised"], evidence.images)
    as_good = course.as_good_as_the_best(course.fall)
    as_good_in_images = course.as_good_as_the_best(course.counted_fall)
    measured = Measured(
        course.best,
        Interval(as_good[0], as_good[-1]),
        Interval(as_good_in_images[0], as_good_in_images[-1]),
        course.seeds,
    )
    as_good_at_all = sorted({*as_good, *as_good_in_images})
    verdict = evidence.other_study or _best_epoch_verdict(course, as_good_at_all)
    return Row(claim, published.EPOCH).of(measured, verdict)


def _best_epoch_verdict(course: Course, as_good_at_all: list[int]) -> str:
    """Verdict on the published epoch.

    Args:
        as_good_at_all: epochs that can't be told from the best one between seeds, or by counting
            images.
    """
    if published.EPOCH not in course.accuracy.index:
        return f"{reasons.UNTESTED}no epoch {published.EPOCH}"
    if published.EPOCH not in as_good_at_all:
        return "differs"
    if as_good_at_all == [published.EPOCH]:
        return verdicts.HOLDS
    return verdicts.UNDECIDED


def fall_after_the_best_epoch(evidence: Evidence) -> Row:
    """After its best epoch test accuracy fell."""
    claim = "fall of test accuracy from its best epoch to the last"
    if "normalised" not in evidence.curves:
        return Row(claim, verdict=claims.NO_RUN)
    course = Course(evidence.curves["normalised"], evidence.images)
    if course.best == course.last:
        none = Measured(0.0, None, None, course.seeds)
        return Row(claim, "positive").of(none, evidence.unlearned or _no_fall_verdict(course))
    fall = Measured(
        course.accuracy[course.best] - course.accuracy[course.last],
        course.fall(course.best, course.last),
        course.counted_fall(course.best, course.last),
        course.seeds,
    )
    return Row(claim, "positive").of(fall, evidence.unlearned or claims.is_lost(fall))


def _no_fall_verdict(course: Course) -> str:
    """No fall was seen: is there certainly none worth naming, from any epoch?"""
    earlier = course.accuracy.index[:-1]
    if earlier.empty:
        return f"{reasons.UNTESTED}one epoch"
    for fall, epoch in itertools.product((course.fall, course.counted_fall), earlier):
        interval = fall(epoch, course.last)
        if interval is None or interval.high >= verdicts.ACCURACY:
            return verdicts.UNDECIDED
    return verdicts.FAILS
