"""The line by which a job says how far it is: how it is printed, and how it is read again."""

import re
from collections.abc import Iterator
from typing import NamedTuple

NUMBER = r"\d+(?:\.\d+)?(?:e[+-]\d+)?"
LINE = re.compile(rf"^(\d+)/(\d+) (.+), ({NUMBER}) a second, (\d+) s left$", re.MULTILINE)


class ProgressLine(NamedTuple):
    """How far a job is.

    Attributes:
        done: in units.
        total: likewise.
        unit: what is counted, in the plural.
        rate: units a second.
        left: seconds until the end.
    """

    done: int
    total: int
    unit: str
    rate: float
    left: float

    @property
    def so_far(self) -> str:
        return f"{self.done}/{self.total} {self.unit}"

    def __str__(self) -> str:
        rate = f"{self.rate:.0f}" if self.rate >= 1000 else f"{self.rate:.3g}"
        return f"{self.so_far}, {rate} a second, {self.left:.0f} s left"


def lines(log: str) -> Iterator[ProgressLine]:
    """Those lines of a log that say how far its job was."""
    for done, total, unit, rate, left in LINE.findall(log):
        yield ProgressLine(int(done), int(total), unit, float(rate), float(left))


def ends(log: str) -> Iterator[ProgressLine]:
    """The last lines of all that a job counted to its end."""
    return (line for line in lines(log) if line.done == line.total)
