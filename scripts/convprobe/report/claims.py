"""A claim as a row of the reproduction card, and the verdicts that kinds of claims share."""

from typing import NamedTuple

from convprobe import verdicts
from convprobe.report import reasons, seeds
from convprobe.report.seeds import Measured

NO_RUN = f"{reasons.UNTESTED}no such run"
NO_INTERVAL = (None, None)


class Row(NamedTuple):
    """One claim.

    Attributes:
        published: what the study says of it, a number or a word; None if it isn't the study's.
        measured: the mean over seeds; None if it wasn't.
        low, high: 95 % interval of that, Measured.interval; None if there is none.
        seeds: how many; None if nothing was measured.
        counting_low, counting_high: Measured.counting; None if there is none.
        verdict: whether the claim holds, or why that wasn't tested.
    """

    claim: str
    published: int | float | str | None = None
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int | None = None
    counting_low: float | None = None
    counting_high: float | None = None
    verdict: str = ""

    def of(self, measured: Measured, verdict: str) -> "Row":
        """The same claim with what was measured."""
        low, high = measured.interval or NO_INTERVAL
        counting_low, counting_high = measured.counting or NO_INTERVAL
        return self._replace(
            measured=measured.value,
            low=low,
            high=high,
            seeds=measured.seeds,
            counting_low=counting_low,
            counting_high=counting_high,
            verdict=verdict,
        )


COLUMNS = Row._fields


def is_lost(fall: Measured) -> str:
    """Whether there is a loss worth naming."""
    return seeds.above(fall, worth=verdicts.ACCURACY)
