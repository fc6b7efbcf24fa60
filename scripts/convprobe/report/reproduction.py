"""The reproduction card: which of the study's claims hold, one row per claim.

Of a run of several seeds it says how the mean over these compares, and decides by how far they
differ from one another.
"""

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from convprobe import intervals, verdicts
from convprobe.ablation import tabulation
from convprobe.intervals import Interval
from convprobe.occlusion import localisation
from convprobe.report import published, reasons, seeds
from convprobe.report.clean_answers import Answers
from convprobe.report.seeds import Measured

AT_CHANCE = "can't be told from chance"
LOWER = "measured lower"
HIGHER = "measured higher"
NO_RUN = f"{reasons.UNTESTED}no such run"
NO_FILTERS = f"{reasons.UNTESTED}no layer of this network has filters with maps (height and width)"
UNLEARNED = f"{reasons.UNTESTED}the network's accuracy {AT_CHANCE}"
ABOVE_CHANCE = "above chance"  # as the study says of a pair of classes, without a number
NO_INTERVAL = (None, None)

Epoch = int | np.integer
Fall = Callable[[Epoch, Epoch], Interval | None]
ClassPair = tuple[str, str]  # true → predicted


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


class PredictedAs(NamedTuple):
    """Of some images those that are predicted as a class."""

    predicted: int
    images: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.predicted / self.images


@dataclass(frozen=True)
class SeedEvidence:
    """What is known of one seed: its probed network.

    Attributes:
        selection: content of the run's `selection.json`; None of weights from elsewhere.
        summary, localisation: of its occlusion maps.
        accuracies: of the network's variants, `accuracy.csv`; None of a network without filters.
        predictions: `predictions.csv`, likewise.
        clean: how often it is right; None where `predictions` says so.
    """

    selection: dict[str, Any] | None
    summary: pd.DataFrame
    localisation: pd.DataFrame
    accuracies: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    clean: Answers | None = None

    @property
    def has_learned(self) -> bool:
        """Whether it is certainly better than chance."""
        chosen_among = self.selection["chosen_among"] if self.selection else 1
        if self.clean is not None:
            return self.clean.better_than_chance(chosen_among)
        return tabulation.better_than_chance(self.predictions, chosen_among)

    @property
    def accuracy(self) -> float:
        """That of the network with all filters, from 0 to 1."""
        if self.clean is not None:
            return self.clean.accuracy
        return self.accuracies.set_index("variant").loc["clean", "accuracy"]

    @property
    def images(self) -> int:
        """How many test images its accuracy was counted on."""
        if self.clean is not None:
            return self.clean.images
        return int(self.accuracies["images"].iloc[0])


@dataclass(frozen=True)
class Evidence:
    """What the claims are held against.

    Attributes:
        curves: tables of `learning-curve.csv` by role, `normalised` and `raw`, one for each seed;
            a role that no run plays is missing.
        probed: the probed network of each seed.
        normalisation: content of `normalisation.json`.
        classes: names of the data set's.
        network: the config's.
        chosen: names of the filters that the ablated network is without.
        mode: in which they are switched off.
        tested: test images of each class, by its name; None where `predictions` says so.
    """

    curves: dict[str, list[pd.DataFrame]]
    probed: list[SeedEvidence]
    normalisation: dict[str, Any]
    classes: list[str]
    network: dict[str, Any]
    chosen: list[str]
    mode: str
    tested: dict[str, int] | None = None

    @property
    def images(self) -> int:
        """How many test images there are."""
        return self.probed[0].images if self.tested is None else sum(self.tested.values())

    @property
    def has_learned(self) -> bool:
        """Whether the probed network of each seed is certainly better than chance."""
        return all(probed.has_learned for probed in self.probed)

    @property
    def costs(self) -> list[tabulation.Cost]:
        """What the chosen filters cost with each seed."""
        return [tabulation.cost(probed.accuracies) for probed in self.probed]

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
        *loss_by_the_ablation(evidence),
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
    table = pd.DataFrame([*of_accuracy, *of_probes], columns=COLUMNS)
    return table.astype({"seeds": "Int64"})  # a whole number also beside missing ones


# Accuracy


def better_than_chance(evidence: Evidence) -> Row:
    """Whether there is anything to test: the probed network has learned something."""
    claim = "test accuracy of the probed network, above that of the same answer for every image"
    clean = [probed.accuracy for probed in evidence.probed]
    verdict = verdicts.HOLDS if evidence.has_learned else AT_CHANCE
    return Row(claim).of(_mean_share(clean, evidence.probed[0].images), verdict)


def _mean_share(shares: Collection[float], images: int) -> Measured:
    """A share of the test images, of which there are so many, with each seed."""
    counted = round(float(np.mean(list(shares))) * images)
    return seeds.measured(shares, intervals.wilson(counted, images), 0, 1)


def classes_without_images(evidence: Evidence) -> list[Row]:
    """A warning if a class has no test image."""
    tested = evidence.tested
    if tested is None:
        tested = set(evidence.probed[0].predictions["class"])
    untested = [name for name in evidence.classes if name not in tested]
    if not untested:
        return []
    reason = f"{reasons.UNTESTED}no test image of class {', '.join(untested)}"
    return [Row("accuracies are those of all classes", verdict=reason)]


def accuracy_without_normalisation(evidence: Evidence) -> Row:
    """Without normalised input the study reached 77 % at best."""
    claim = "test accuracy without normalisation, best epoch"
    if "raw" not in evidence.curves:
        return Row(claim, published.RAW_ACCURACY, verdict=NO_RUN)
    best = [curve["test_accuracy"].max() for curve in evidence.curves["raw"]]
    return _accuracy(claim, published.RAW_ACCURACY, best, evidence.images, evidence.other_study)


def accuracy_with_normalisation(evidence: Evidence) -> Row:
    """With normalised input it reached 81 % after epoch 13, whose weights it probed."""
    claim = "test accuracy with normalisation, selected epoch"
    claimed = published.NORMALISED_ACCURACY
    if "normalised" not in evidence.curves:
        return Row(claim, claimed, verdict=NO_RUN)
    selected = [probed.selection["test_accuracy"] for probed in evidence.probed]
    return _accuracy(claim, claimed, selected, evidence.images, evidence.other_study)


def loss_by_the_ablation(evidence: Evidence) -> list[Row]:
    """What the network loses without the chosen filters, if it has any."""
    if not evidence.chosen:
        return [Row("loss of test accuracy with filters switched off", verdict=NO_FILTERS)]
    return [
        accuracy_of_the_ablated_network(evidence),
        fall_by_the_ablation(evidence),
        *falls_by_random_ablations(evidence),
    ]


def accuracy_of_the_ablated_network(evidence: Evidence) -> Row:
    """Without ten filters 68 % were left of it."""
    claim = "test accuracy with the chosen filters switched off"
    claimed = published.ABLATED_ACCURACY
    ablated = [cost.ablated for cost in evidence.costs]
    return _accuracy(claim, claimed, ablated, evidence.images, evidence.other_ablation)


def _accuracy(
    claim: str, claimed: float, accuracies: Collection[float], images: int, reason: str | None
) -> Row:
    """Whether an accuracy is the published one, which was counted on a sample as ours was.

    Args:
        claimed: the published accuracy.
        accuracies: ours, of each seed.
        images: on which ours was counted.
        reason: why it can't be held against the published one, if it can't.
    """
    measured = _mean_share(accuracies, images)
    right_in_study = round(claimed * published.TEST_IMAGES)
    in_study = intervals.wilson(right_in_study, published.TEST_IMAGES)

    def verdict(interval: Interval | None) -> str:
        above = seeds.apart(measured.value, interval, claimed, in_study)
        return _against_published(above, verdicts.ROUNDING)

    return Row(claim, claimed).of(measured, reason or seeds.decided(measured, verdict))


def _against_published(above: Interval | None, margin: float) -> str:
    """Verdict on a number that the study claims.

    Args:
        above: how far ours lies above it; None if nothing can be said.
        margin: from which on ours is another one, for the published number is rounded.
    """
    if above is None:
        return verdicts.UNDECIDED
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
    fall = _fall(evidence)
    if evidence.other_ablation:
        verdict = evidence.other_ablation
    elif not evidence.has_learned:
        verdict = UNLEARNED
    else:
        verdict = _fall_verdict(fall)
    return Row(claim, published.FALL).of(fall, verdict)


def _fall(evidence: Evidence) -> Measured:
    """How far accuracy falls without the chosen filters; images are counted as paired answers.

    Of several seeds it is the mean of those lost and gained that is counted.
    """
    lost, gained, images = 0, 0, 0
    for probed in evidence.probed:
        ablated = probed.accuracies.set_index("variant").loc["ablated"]
        lost += ablated["lost"]
        gained += ablated["gained"]
        images += ablated["images"]
    count = len(evidence.probed)
    change = intervals.paired_change(round(lost / count), round(gained / count), images // count)
    counting = Interval(-change.high, -change.low)
    return seeds.measured([cost.fall for cost in evidence.costs], counting, -1, 1)


def _is_lost(fall: Measured) -> str:
    """Whether there is a loss worth naming."""
    return seeds.above(fall, worth=verdicts.ACCURACY)


def _fall_verdict(fall: Measured) -> str:
    """Whether a loss worth naming is as large as the published one.

    Where it can't be told whether there is one, it may still be certain that it is another one.
    """
    is_lost = _is_lost(fall)
    if is_lost == verdicts.FAILS:
        return is_lost

    def verdict(interval: Interval | None) -> str:
        above = None
        if interval is not None:
            above = Interval(interval.low - published.FALL, interval.high - published.FALL)
        # The published fall is the difference of two rounded numbers.
        return _against_published(above, verdicts.SAME_ACCURACY)

    compared = seeds.decided(fall, verdict)
    return is_lost if compared == verdicts.HOLDS else compared


def falls_by_random_ablations(evidence: Evidence) -> list[Row]:
    """The study didn't ask how often random filters cost as much."""
    claim = "share of random draws of as many filters that lower the accuracy at least as much"
    costs = evidence.costs
    draws = sum(cost.draws for cost in costs)
    if not draws:
        return []
    if not evidence.has_learned:
        verdict = UNLEARNED
    elif _is_lost(_fall(evidence)) == verdicts.HOLDS:
        verdict = "not a claim of the study"
    else:
        verdict = f"{reasons.UNTESTED}no certain loss worth naming"
    shares = [cost.as_costly / cost.draws for cost in costs]
    counting = intervals.wilson(sum(cost.as_costly for cost in costs), draws)
    return [Row(claim).of(seeds.measured(shares, counting, 0, 1), verdict)]


# Epochs


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
        self._of_seeds = pd.concat(of_seeds, axis=1)
        self.accuracy = self._of_seeds.mean(axis=1)
        self.seeds = len(curves)
        self.best = int(self.accuracy.idxmax())
        self.last = int(self.accuracy.index[-1])
        self._images = images
        self._confidence = 1 - 0.05 / max(1, len(self.accuracy) - 1)

    def fall(self, first: Epoch, second: Epoch) -> Interval | None:
        """How far accuracy is lower after the second epoch than after the first one.

        Of several seeds between these, each compared with itself.
        """
        if self.seeds == 1:
            return self.counted_fall(first, second)
        falls = self._of_seeds.loc[first] - self._of_seeds.loc[second]
        return seeds.between(falls.to_numpy(), self._confidence)

    def counted_fall(self, first: Epoch, second: Epoch) -> Interval:
        """The same, for counting images."""
        return intervals.difference(self._count(first), self._count(second), self._confidence)

    def _count(self, epoch: Epoch) -> tuple[int, int]:
        """Images that are right after an epoch, in the mean over seeds, and all."""
        return round(float(self.accuracy[epoch]) * self._images), self._images

    def as_good_as_the_best(self, fall: Fall) -> list[int]:
        """Epochs that can't be told from the best one by such intervals, and that one."""
        return [int(epoch) for epoch in self.accuracy.index if self._is_as_good(epoch, fall)]

    def _is_as_good(self, epoch: Epoch, fall: Fall) -> bool:
        if epoch == self.best:
            return True
        interval = fall(self.best, epoch)
        return interval is None or interval.low <= 0


def best_epoch(evidence: Evidence) -> Row:
    """Epoch 13 was the best one; the interval spans all that can't be told from our best."""
    claim = "epoch of the highest test accuracy"
    if "normalised" not in evidence.curves:
        return Row(claim, verdict=NO_RUN)
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
        return Row(claim, verdict=NO_RUN)
    course = Course(evidence.curves["normalised"], evidence.images)
    if course.best == course.last:
        none = Measured(0.0, None, None, course.seeds)
        return Row(claim, "positive").of(none, _no_fall_verdict(course))
    fall = Measured(
        course.accuracy[course.best] - course.accuracy[course.last],
        course.fall(course.best, course.last),
        course.counted_fall(course.best, course.last),
        course.seeds,
    )
    return Row(claim, "positive").of(fall, _is_lost(fall) if evidence.has_learned else UNLEARNED)


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


# Occlusion


def predictions_kept_under_the_smallest_window(evidence: Evidence) -> Row:
    """Under a small window most positions kept the prediction.

    They do under any window if a network ignores the image, so the largest must change more.
    """
    windows = _windows(evidence)
    smallest, largest = windows[0], windows[-1]
    claim = f"share of positions that keep the prediction under window {smallest}"
    changed = _of_images(evidence, "flipped_fraction", smallest)
    kept = _mean_over_images(1 - changed, 0, 1)
    more = _mean_over_images(_of_images(evidence, "flipped_fraction", largest) - changed, -1, 1)
    verdict = verdicts.all_of([seeds.above(kept, null=0.5), seeds.above(more)])
    return Row(claim, "most").of(kept, verdict)


def falls_of_confidence_with_the_window(evidence: Evidence) -> list[Row]:
    """With the window confidence fell: from each size to the next, and from first to last."""
    windows = _windows(evidence)
    pairs = list(itertools.pairwise(windows))
    if len(windows) > 2:
        pairs.append((windows[0], windows[-1]))
    rows = []
    for smaller, larger in pairs:
        claim = f"fall of mean confidence from window {smaller} to {larger}"
        under_smaller = _of_images(evidence, "mean_confidence", smaller)
        falls = under_smaller - _of_images(evidence, "mean_confidence", larger)
        fall = _mean_over_images(falls, -1, 1)
        verdict = seeds.above(fall, worth=verdicts.CONFIDENCE)
        rows.append(Row(claim, "positive").of(fall, verdict))
    return rows


def _windows(evidence: Evidence) -> list[int]:
    """Sides of the windows, the smallest first."""
    return sorted(evidence.probed[0].summary["window"].unique().tolist())


def _of_images(evidence: Evidence, column: str, window: int) -> pd.DataFrame:
    """A column of the summaries under one window: a row per image, a column per seed."""
    found = []
    for probed in evidence.probed:
        under = probed.summary[probed.summary["window"] == window]
        found.append(under.set_index("image")[column])
    return pd.concat(found, axis=1)


def _mean_over_images(values: pd.DataFrame, least: int, most: int) -> Measured:
    """A mean over the images, of which each has a value for each seed.

    The interval of counting is that of the images' means over the seeds. Both intervals end where
    the values do, at `least` and `most`.
    """
    counting = intervals.mean(values.mean(axis=1).to_numpy())
    if counting is not None:
        counting = Interval(max(counting.low, least), min(counting.high, most))
    return seeds.measured(values.mean().to_numpy(), counting, least, most)


def confidence_lost_on_the_object(evidence: Evidence) -> Row:
    """Covering the object cost confidence, covering the background did not."""
    claim = (
        "confidence that the largest window costs more on the object than beside it, "
        "beyond other images' objects"
    )
    if evidence.probed[0].localisation.empty:
        return Row(claim, "positive", verdict=f"{reasons.UNTESTED}the object's place is not known")
    found = []
    for probed in evidence.probed:
        contrasts = probed.localisation[probed.localisation["measure"] == "contrast"]
        found.append(contrasts.loc[contrasts["window"].idxmax()])
    if len(found) == 1:
        (row,) = found
        interval = Interval(row["low"], row["high"])
        measured = Measured(row["difference"], interval, interval, 1)
        return Row(claim, "positive").of(measured, row["verdict"])
    # Images of several seeds can't be put together from these tables: one seed's stand for them.
    most = localisation.MOST["contrast"]
    measured = seeds.measured([row["difference"] for row in found], None, -most, most)
    worth = localisation.WORTH["contrast"]
    between = verdicts.above(measured.value, measured.interval, worth=worth)
    middle = seeds.middle([row["difference"] for row in found])
    verdict = verdicts.agreed(between, found[middle]["verdict"])
    return Row(claim, "positive").of(measured, verdict)


# Class pairs


def flips_under_the_largest_window(evidence: Evidence) -> list[Row]:
    """Covered cats were predicted as dogs, and cars and trucks as one another."""
    window = max(_windows(evidence))
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
        of_all = seeds.between(excesses, confidence=1 - 2 * verdicts.CHANCE / tried)
        verdict = verdicts.above(excess, of_all)
    of_class, of_others = compared[seeds.middle(excesses)]
    return verdicts.agreed(verdict, _more_often(of_class, of_others, tried))
