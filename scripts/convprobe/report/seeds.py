"""What several seeds say together: the mean over them, and the interval between them."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from convprobe import intervals, verdicts
from convprobe.intervals import Interval


class Measured(NamedTuple):
    """A number that was measured with each seed.

    Attributes:
        value: the mean over seeds.
        interval: 95 %, by which it is decided: between seeds, how far the mean over all seeds may
            lie from this one; of one seed, that of counting. None if nothing can be said.
        counting: 95 %, of the mean for counting a sample of images. All seeds are tested on the
            same ones, so it says nothing about seeds, and `interval` nothing about images. None if
            nothing can be said.
        seeds: how many.
    """

    value: float
    interval: Interval | None
    counting: Interval | None
    seeds: int


def measured(
    values: Collection[float], counting: Interval | None, least: float, most: float
) -> Measured:
    """What was measured with each seed, put together.

    Args:
        values: one for each seed.
        counting: the interval of counting images.
        least, most: between which such a number lies, and so its interval.
    """
    interval = counting
    if len(values) > 1:
        interval = between(values)
        if interval is not None:
            interval = Interval(max(interval.low, least), min(interval.high, most))
    return Measured(float(np.mean(values)), interval, counting, len(values))


def decided(measured: Measured, verdict: Callable[[Interval | None], str]) -> str:
    """A verdict by the interval, which counting images must come to as well.

    Few images that all seeds agree on may be few images of a kind.

    Args:
        verdict: by an interval of what was measured.
    """
    return verdicts.agreed(verdict(measured.interval), verdict(measured.counting))


def above(measured: Measured, null: float = 0, worth: float = 0) -> str:
    """Whether what was measured lies above chance: verdicts.above, as `decided` takes it."""
    return decided(measured, lambda interval: verdicts.above(measured.value, interval, null, worth))


def middle(values: Sequence[float]) -> int:
    """Which seed's value is the one in the middle; of two, the lower one. Counted from 0."""
    order = sorted(range(len(values)), key=lambda seed: values[seed])
    return order[(len(values) - 1) // 2]


def between(values: Collection[float], confidence: float = 0.95) -> Interval | None:
    """Interval of the mean over all seeds, of which these are a sample, by Student's t.

    None of one value, or of equal ones: these are few, and don't say that there is no spread.
    """
    if len(values) < 2 or intervals.are_equal(values):
        return None
    return intervals.student(values, confidence)


def apart(
    value: float, interval: Interval | None, other: float, of_other: Interval
) -> Interval | None:
    """Interval of how far a value lies above another one that was measured independently of it.

    Of two shares of images with Wilson's intervals it is that of intervals.difference.
    Source: Zou & Donner 2008.
    """
    if interval is None:
        return None
    down = math.hypot(value - interval.low, of_other.high - other)
    up = math.hypot(interval.high - value, other - of_other.low)
    return Interval(value - other - down, value - other + up)
