"""Claims of class pairs: images of one class that are predicted as a certain other one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from convprobe import intervals, verdicts
from convprobe.ablation import tabulation
from convprobe.intervals import Interval
from convprobe.report import published, reasons, seeds
from convprobe.report.claims import Row
from convprobe.report.evidence import Evidence

ABOVE_CHANCE = "above chance"  # as the study says of a pair of classes, without a number

ClassPair = tuple[str, str]  # true → predicted


class PredictedAs(NamedTuple):
    """Of some images those that are predicted as a class."""

    predicted: int
    images: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.predicted / self.images


def flips_under_the_largest_window(evidence: Evidence) -> list[Row]:
    """Covered cats were predicted as dogs, and cars and trucks as one another."""
    window = max(evidence.windows)
    changed = []
    for probed in evidence.probed:
        images = probed.summary[probed.summary["window"] == window]
        flipped = images[images["flipped_to"].notna()]
        # An image that is predicted wrong without a window may flip to its own class.
        flipped = flipped[flipped["flipped_to"] != flipped["class"]]
        changed.append(flipped.rename(columns={"flipped_to": "predicted"}))
    claim = f"images of {{}} whose prediction flips mostly to {{}} under window {window}"
    return _named_pairs(claim, changed, published.FLIPS, evidence.other_data)


def confusions_of_the_ablated_network(evidence: Evidence) -> list[Row]:
    """Images lost without ten filters were predicted as certain other classes."""
    if not evidence.chosen:
        return []
    changed = []
    for probed in evidence.probed:
        lost = tabulation.lost_images(probed.predictions)
        changed.append(lost[["class", "ablated"]].rename(columns={"ablated": "predicted"}))
    claim = "images of {} lost with the chosen filters switched off that are predicted as {}"
    return _named_pairs(claim, changed, published.CONFUSIONS, evidence.other_data)


def _named_pairs(
    claim: str,
    changed: Sequence[pd.DataFrame],
    pairs: tuple[ClassPair, ...],
    reason: str | None,
) -> list[Row]:
    """A row for each pair of classes.

    Args:
        claim: with a place for each class of the pair.
        changed: images whose prediction is changed, `class` and `predicted`, of each seed.
        reason: why this can't be tested, if it can't.
    """
    rows = []
    for pair in pairs:
        described = claim.format(*pair)
        if reason:
            row = Row(described, ABOVE_CHANCE, verdict=reason)
        else:
            row = _named_pair(described, changed, pair, tried=len(pairs))
        rows.append(row)
    return rows


def _named_pair(claim: str, changed: Sequence[pd.DataFrame], pair: ClassPair, tried: int) -> Row:
    """Whether images of a class are predicted as the named one more often than others are.

    Chance is what images of all other classes do: a window may look like the named class, whatever
    it covers.

    Args:
        changed: as of _named_pairs; seeds without an image of the class are left out.
        tried: how many pairs are, any of which may pass by chance.
    """
    hits = []
    chances = []
    for images in changed:
        of_class, of_others = _of_class_and_others(images, pair)
        if of_class.images:
            hits.append(of_class)
            chances.append(of_others)
    if not hits:
        return Row(claim, ABOVE_CHANCE, verdict=f"{reasons.UNTESTED}no such image")
    measured = seeds.measured([count.share for count in hits], _of_mean_share(hits), 0, 1)
    if len(changed) == 1:
        verdict = _more_often(hits[0], chances[0], tried)
    else:
        verdict = _more_often_with_most_seeds(hits, chances, tried)
    return Row(claim, ABOVE_CHANCE).of(measured, verdict)


def _of_mean_share(counts: Sequence[PredictedAs]) -> Interval:
    """Interval of a mean share, as wide as if all seeds had counted the same images.

    Source: Zou & Donner 2008, of estimates that vary together entirely.
    """
    bounds = [intervals.wilson(*count) for count in counts]
    low, high = np.mean(bounds, axis=0)
    return Interval(float(low), float(high))


def _of_class_and_others(changed: pd.DataFrame, pair: ClassPair) -> tuple[PredictedAs, PredictedAs]:
    """Images of a class that are predicted as the named one, and those of all other classes."""
    true, named = pair
    # No comparison: images of the named class, and predictions as the class that images leave.
    is_other = ~changed["class"].isin(pair) & (changed["predicted"] != true)
    of_class = _predicted_as(changed[changed["class"] == true], named)
    return of_class, _predicted_as(changed[is_other], named)


def _predicted_as(images: pd.DataFrame, named: str) -> PredictedAs:
    """How many images are predicted as the named class."""
    return PredictedAs(int((images["predicted"] == named).sum()), len(images))


def _more_often(hits: PredictedAs, chance: PredictedAs, tried: int) -> str:
    """Whether images are predicted as a class certainly more often than others are."""
    if not chance.images:
        return verdicts.UNDECIDED
    excess = hits.share - chance.share
    interval = intervals.difference(hits, chance)
    verdict = verdicts.above(excess, interval, worth=verdicts.SHARE)
    if verdict != verdicts.HOLDS:
        return verdict
    # The interval is of one pair: of several, one may lie above chance by chance.
    p_value = intervals.fisher(hits, chance)
    return verdicts.HOLDS if p_value < verdicts.CHANCE / tried else verdicts.UNDECIDED


def _more_often_with_most_seeds(
    hits: Sequence[PredictedAs], chances: Sequence[PredictedAs], tried: int
) -> str:
    """Whether images are predicted as a class more often than others are, between seeds.

    All seeds see the same images: those of the seed in the middle must come to the same verdict.
    """
    compared = []
    excesses = []
    for of_class, of_others in zip(hits, chances, strict=True):
        if of_others.images:
            compared.append((of_class, of_others))
            excesses.append(of_class.share - of_others.share)
    if not compared:
        return verdicts.UNDECIDED
    excess = float(np.mean(excesses))
    verdict = verdicts.above(excess, seeds.between(excesses), worth=verdicts.SHARE)
    if verdict == verdicts.HOLDS:
        # The interval is of one pair: of several, one may lie above chance by chance.
        of_all = seeds.between(excesses, confidence=1 - verdicts.TWO_SIDED / tried)
        verdict = verdicts.above(excess, of_all)
    of_class, of_others = compared[seeds.middle(excesses)]
    return verdicts.agreed(verdict, _more_often(of_class, of_others, tried))
