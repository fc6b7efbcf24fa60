"""The reproduction card: which of the study's claims hold in this run, one row per claim."""

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from convprobe import intervals, verdicts
from convprobe.ablation import tabulation
from convprobe.intervals import Interval
from convprobe.report import published

AT_CHANCE = "can't be told from chance"
LOWER = "measured lower"
HIGHER = "measured higher"
NO_RUN = "not tested: no such run"
UNLEARNED = f"not tested: the network's accuracy {AT_CHANCE}"
ABOVE_CHANCE = "above chance"  # as the study says of a pair of classes, without a number
NO_INTERVAL = (None, None)

Epoch = int | np.integer
ClassPair = tuple[str, str]  # true → predicted


class Row(NamedTuple):
    """One claim.

    Attributes:
        published: what the study says of it, a number or a word; None if it isn't the study's.
        measured: in this run; None if it wasn't.
        low, high: 95 % interval of what was measured; None if there is none.
        verdict: whether the claim holds, or why that wasn't tested.
    """

    claim: str
    published: int | float | str | None = None
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = ""


COLUMNS = Row._fields


class Count(NamedTuple):
    """Of some images those that are predicted as a class."""

    predicted: int
    images: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.predicted / self.images


@dataclass(frozen=True)
class Evidence:
    """What the claims are held against.

    Attributes:
        curves: tables of `learning-curve.csv` by role, `normalised` and `raw`; a role that no run
            plays is missing.
        selection: content of the normalised run's `selection.json`; None without such a run.
        accuracies: of the probed network's variants, `accuracy.csv`.
        predictions: of the probed network, `predictions.csv`.
        summary, localisation: of its occlusion maps.
        normalisation: content of `normalisation.json`.
        classes: names of the data set's.
        network: the config's.
        chosen: names of the filters that the ablated network is without.
        mode: in which they are switched off.
    """

    curves: dict[str, pd.DataFrame]
    selection: dict[str, Any] | None
    accuracies: pd.DataFrame
    predictions: pd.DataFrame
    summary: pd.DataFrame
    localisation: pd.DataFrame
    normalisation: dict[str, Any]
    classes: list[str]
    network: dict[str, Any]
    chosen: list[str]
    mode: str

    @property
    def images(self) -> int:
        """How many test images an accuracy was counted on."""
        return int(self.accuracies["images"].iloc[0])

    @property
    def has_learned(self) -> bool:
        """Whether the probed network is certainly better than chance."""
        chosen_among = self.selection["chosen_among"] if self.selection else 1
        return tabulation.better_than_chance(self.predictions, chosen_among)

    @property
    def other_data(self) -> str | None:
        """Why claims about CIFAR-10's classes can't be tested, or None."""
        return published.other_data(self.classes, self.normalisation)

    @property
    def other_study(self) -> str | None:
        """Why accuracies can't be held against the study's, or None."""
        return self.other_data or published.other_network(self.network)

    @property
    def other_ablation(self) -> str | None:
        """Why the loss of accuracy can't be held against the study's, or None."""
        return self.other_study or published.other_ablation(self.chosen, self.mode)


def card(evidence: Evidence) -> pd.DataFrame:
    """The reproduction card.

    Returns:
        table of COLUMNS.
    """
    of_accuracy = [
        better_than_chance(evidence),
        *classes_without_images(evidence),
        accuracy_without_normalisation(evidence),
        accuracy_with_normalisation(evidence),
        accuracy_of_the_ablated_network(evidence),
        fall_by_the_ablation(evidence),
        *falls_by_random_ablations(evidence),
        best_epoch(evidence),
        fall_after_the_best_epoch(evidence),
    ]
    of_probes = [
        predictions_kept_under_the_smallest_window(evidence),
        *falls_of_confidence_with_the_window(evidence),
        confidence_lost_on_the_object(evidence),
        *flips_under_the_largest_window(evidence),
        *confusions_of_the_ablated_network(evidence),
    ]
    if not evidence.has_learned:
        of_probes = [row._replace(verdict=UNLEARNED) for row in of_probes]
    return pd.DataFrame([*of_accuracy, *of_probes], columns=COLUMNS)


# Accuracy


def better_than_chance(evidence: Evidence) -> Row:
    """Whether there is anything to test: the probed network has learned something."""
    claim = "test accuracy of the probed network, above that of the same answer for every image"
    clean = evidence.accuracies.set_index("variant").loc["clean"]
    verdict = verdicts.HOLDS if evidence.has_learned else AT_CHANCE
    return Row(claim, None, clean["accuracy"], clean["low"], clean["high"], verdict)


def classes_without_images(evidence: Evidence) -> list[Row]:
    """A warning if a class has no test image."""
    tested = set(evidence.predictions["class"])
    untested = [name for name in evidence.classes if name not in tested]
    if not untested:
        return []
    reason = f"not tested: no test image of class {', '.join(untested)}"
    return [Row("accuracies are those of all classes", verdict=reason)]


def accuracy_without_normalisation(evidence: Evidence) -> Row:
    """Without normalised input the study reached 77 % at best."""
    claim = "test accuracy without normalisation, best epoch"
    if "raw" not in evidence.curves:
        return Row(claim, published.RAW_ACCURACY, verdict=NO_RUN)
    best = evidence.curves["raw"]["test_accuracy"].max()
    return _accuracy(claim, published.RAW_ACCURACY, best, evidence.images, evidence.other_study)


def accuracy_with_normalisation(evidence: Evidence) -> Row:
    """With normalised input it reached 81 % after epoch 13, whose weights it probed."""
    claim = "test accuracy with normalisation, selected epoch"
    claimed = published.NORMALISED_ACCURACY
    if "normalised" not in evidence.curves:
        return Row(claim, claimed, verdict=NO_RUN)
    selected = evidence.selection["test_accuracy"]
    return _accuracy(claim, claimed, selected, evidence.images, evidence.other_study)


def accuracy_of_the_ablated_network(evidence: Evidence) -> Row:
    """Without ten filters 68 % were left of it."""
    claim = "test accuracy with the chosen filters switched off"
    claimed = published.ABLATED_ACCURACY
    ablated = tabulation.cost(evidence.accuracies).ablated
    return _accuracy(claim, claimed, ablated, evidence.images, evidence.other_ablation)


def _accuracy(claim: str, claimed: float, measured: float, images: int, reason: str | None) -> Row:
    """Whether an accuracy is the published one, which was counted on a sample as ours was.

    Args:
        claimed: the published accuracy.
        images: on which ours was counted.
        reason: why it can't be held against the published one, if it can't.
    """
    right = round(measured * images)
    interval = intervals.wilson(right, images)
    right_in_study = round(claimed * published.TEST_IMAGES)
    above = intervals.difference((right, images), (right_in_study, published.TEST_IMAGES))
    verdict = reason or _against_published(above, verdicts.ROUNDING)
    return Row(claim, claimed, measured, *interval, verdict)


def _against_published(above: Interval, margin: float) -> str:
    """Verdict on a number that the study claims.

    Args:
        above: how far ours lies above it.
        margin: from which on ours is another one, for the published number is rounded.
    """
    if above.low > -verdicts.SAME_ACCURACY and above.high < verdicts.SAME_ACCURACY:
        return verdicts.HOLDS
    if above.high < -margin:
        return LOWER
    if above.low > margin:
        return HIGHER
    return verdicts.UNDECIDED


def fall_by_the_ablation(evidence: Evidence) -> Row:
    """So ten filters cost 13 points."""
    claim = "fall of test accuracy with the chosen filters switched off"
    cost = tabulation.cost(evidence.accuracies)
    if evidence.other_ablation:
        verdict = evidence.other_ablation
    elif not evidence.has_learned:
        verdict = UNLEARNED
    else:
        verdict = _fall_verdict(cost)
    return Row(claim, published.FALL, cost.fall, *cost.interval, verdict)


def _fall_verdict(cost: tabulation.Cost) -> str:
    """Whether a loss worth naming is as large as the published one."""
    if cost.verdict != verdicts.HOLDS:
        return cost.verdict
    low, high = cost.interval
    above = Interval(low - published.FALL, high - published.FALL)
    # The published fall is the difference of two rounded numbers.
    return _against_published(above, verdicts.SAME_ACCURACY)


def falls_by_random_ablations(evidence: Evidence) -> list[Row]:
    """The study didn't ask how often random filters cost as much."""
    claim = "share of random draws of as many filters that lower the accuracy at least as much"
    cost = tabulation.cost(evidence.accuracies)
    if not cost.draws:
        return []
    if not evidence.has_learned:
        verdict = UNLEARNED
    elif cost.verdict == verdicts.HOLDS:
        verdict = "not a claim of the study"
    else:
        verdict = "not tested: no loss worth naming"
    share = cost.as_costly / cost.draws
    return [Row(claim, None, share, *intervals.wilson(cost.as_costly, cost.draws), verdict)]


# Epochs


class Course:
    """Test accuracy from epoch to epoch.

    The best of many epochs lies above any other one by chance alone: intervals of how far it does
    are widened until all of them together hold with 95 %. Source: Bonferroni's inequality; Dunn
    1961.

    Attributes:
        accuracy: by epoch.
        best, last: epochs.
    """

    def __init__(self, curve: pd.DataFrame, images: int) -> None:
        self.accuracy = curve.set_index("epoch")["test_accuracy"]
        self.best = int(self.accuracy.idxmax())
        self.last = int(self.accuracy.index[-1])
        self._images = images
        self._confidence = 1 - 0.05 / max(1, len(self.accuracy) - 1)

    def fall(self, first: Epoch, second: Epoch) -> Interval:
        """How far accuracy is lower after the second epoch than after the first one."""
        return intervals.difference(self._count(first), self._count(second), self._confidence)

    def _count(self, epoch: Epoch) -> tuple[int, int]:
        """Images that are right after an epoch, and all."""
        return round(self.accuracy[epoch] * self._images), self._images

    def as_good_as_the_best(self) -> list[int]:
        """Epochs that can't be told from the best one, and that one."""
        return [int(epoch) for epoch in self.accuracy.index if self._is_as_good(epoch)]

    def _is_as_good(self, epoch: Epoch) -> bool:
        return epoch == self.best or self.fall(self.best, epoch).low <= 0


def best_epoch(evidence: Evidence) -> Row:
    """Epoch 13 was the best one; the interval spans all that can't be told from our best."""
    claim = "epoch of the highest test accuracy"
    if "normalised" not in evidence.curves:
        return Row(claim, verdict=NO_RUN)
    course = Course(evidence.curves["normalised"], evidence.images)
    as_good = course.as_good_as_the_best()
    verdict = evidence.other_study or _best_epoch_verdict(course, as_good)
    return Row(claim, published.EPOCH, course.best, as_good[0], as_good[-1], verdict)


def _best_epoch_verdict(course: Course, as_good: list[int]) -> str:
    if published.EPOCH not in course.accuracy.index:
        return f"not tested: no epoch {published.EPOCH}"
    if published.EPOCH not in as_good:
        return "differs"
    if as_good == [published.EPOCH]:
        return verdicts.HOLDS
    return verdicts.UNDECIDED


def fall_after_the_best_epoch(evidence: Evidence) -> Row:
    """After its best epoch test accuracy fell."""
    claim = "fall of test accuracy from its best epoch to the last"
    if "normalised" not in evidence.curves:
        return Row(claim, verdict=NO_RUN)
    course = Course(evidence.curves["normalised"], evidence.images)
    if course.best == course.last:
        return Row(claim, "positive", 0.0, verdict=_no_fall_verdict(course))
    fall = course.accuracy[course.best] - course.accuracy[course.last]
    interval = course.fall(course.best, course.last)
    verdict = verdicts.above(fall, interval, worth=verdicts.ACCURACY)
    return Row(claim, "positive", fall, *interval, verdict)


def _no_fall_verdict(course: Course) -> str:
    """No fall was seen: is there certainly none worth naming, from any epoch?"""
    earlier = course.accuracy.index[:-1]
    if earlier.empty:
        return "not tested: one epoch"
    for epoch in earlier:
        if course.fall(epoch, course.last).high >= verdicts.ACCURACY:
            return verdicts.UNDECIDED
    return verdicts.FAILS


# Occlusion


def predictions_kept_under_the_smallest_window(evidence: Evidence) -> Row:
    """Under a small window most positions kept the prediction."""
    summary = evidence.summary
    smallest = summary["window"].min()
    claim = f"share of positions that keep the prediction under window {smallest}"
    kept = 1 - summary.loc[summary["window"] == smallest, "flipped_fraction"]
    interval = _mean_interval(kept, 0, 1)
    verdict = verdicts.above(kept.mean(), interval, null=0.5)
    return Row(claim, "most", kept.mean(), *(interval or NO_INTERVAL), verdict)


def falls_of_confidence_with_the_window(evidence: Evidence) -> list[Row]:
    """With the window confidence fell: from each size to the next, and from first to last."""
    confidence = evidence.summary.pivot(index="image", columns="window", values="mean_confidence")
    windows = list(confidence.columns)
    pairs = list(itertools.pairwise(windows))
    if len(windows) > 2:
        pairs.append((windows[0], windows[-1]))
    rows = []
    for smaller, larger in pairs:
        claim = f"fall of mean confidence from window {smaller} to {larger}"
        falls = confidence[smaller] - confidence[larger]
        interval = _mean_interval(falls, -1, 1)
        verdict = verdicts.above(falls.mean(), interval, worth=verdicts.CONFIDENCE)
        row = Row(claim, "positive", falls.mean(), *(interval or NO_INTERVAL), verdict)
        rows.append(row)
    return rows


def _mean_interval(values: pd.Series, least: int, most: int) -> Interval | None:
    """Interval of a mean over the images; it ends where the values do, at `least` and `most`."""
    interval = intervals.mean(values.to_numpy())
    if interval is None:
        return None
    return Interval(max(interval.low, least), min(interval.high, most))


def confidence_lost_on_the_object(evidence: Evidence) -> Row:
    """Covering the object cost confidence, covering the background did not."""
    claim = (
        "confidence that the largest window costs more on the object than beside it, "
        "beyond other images' objects"
    )
    if evidence.localisation.empty:
        return Row(claim, "positive", verdict="not tested: the object's place is not known")
    contrasts = evidence.localisation[evidence.localisation["measure"] == "contrast"]
    row = contrasts.loc[contrasts["window"].idxmax()]
    return Row(claim, "positive", row["difference"], row["low"], row["high"], row["verdict"])


# Class pairs


def flips_under_the_largest_window(evidence: Evidence) -> list[Row]:
    """Covered cats were predicted as dogs, and cars and trucks as one another."""
    window = evidence.summary["window"].max()
    images = evidence.summary[evidence.summary["window"] == window]
    flipped = images[images["flipped_to"].notna()]
    # An image that is predicted wrong without a window may flip to its own class.
    flipped = flipped[flipped["flipped_to"] != flipped["class"]]
    changed = flipped.rename(columns={"flipped_to": "predicted"})
    claim = f"images of {{}} whose prediction flips mostly to {{}} under window {window}"
    return _named_pairs(claim, changed, published.FLIPS, evidence.other_data)


def confusions_of_the_ablated_network(evidence: Evidence) -> list[Row]:
    """Images lost without ten filters were predicted as certain other classes."""
    lost = tabulation.lost_images(evidence.predictions)
    changed = lost[["class", "ablated"]].rename(columns={"ablated": "predicted"})
    claim = "images of {} lost with the chosen filters switched off that are predicted as {}"
    return _named_pairs(claim, changed, published.CONFUSIONS, evidence.other_data)


def _named_pairs(
    claim: str, changed: pd.DataFrame, pairs: tuple[ClassPair, ...], reason: str | None
) -> list[Row]:
    """A row for each pair of classes.

    Args:
        claim: with a place for each class of the pair.
        changed: images whose prediction is changed, `class` and `predicted`.
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


def _named_pair(claim: str, changed: pd.DataFrame, pair: ClassPair, tried: int) -> Row:
    """Whether images of a class are predicted as the named one more often than others are.

    Chance is what images of all other classes do: a window may look like the named class, whatever
    it covers.

    Args:
        changed: images whose prediction is changed, `class` and `predicted`.
        tried: how many pairs are, any of which may pass by chance.
    """
    true, named = pair
    of_class = changed[changed["class"] == true]
    if of_class.empty:
        return Row(claim, ABOVE_CHANCE, verdict="not tested: no such image")
    # No comparison: images of the named class, and predictions as the class that images leave.
    is_other = ~changed["class"].isin(pair) & (changed["predicted"] != true)
    hits = _count(of_class, named)
    chance = _count(changed[is_other], named)
    verdict = _more_often(hits, chance, tried)
    return Row(claim, ABOVE_CHANCE, hits.share, *intervals.wilson(*hits), verdict)


def _count(images: pd.DataFrame, named: str) -> Count:
    """How many images are predicted as the named class."""
    return Count(int((images["predicted"] == named).sum()), len(images))


def _more_often(hits: Count, chance: Count, tried: int) -> str:
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
