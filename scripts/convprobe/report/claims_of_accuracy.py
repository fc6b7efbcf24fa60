"""Claims of accuracy: what the network reaches, and what it loses without the chosen filters."""

from collections.abc import Collection

import numpy as np

from convprobe import intervals, verdicts
from convprobe.intervals import Interval
from convprobe.network.variant_names import ABLATED
from convprobe.report import claims, published, reasons, seeds
from convprobe.report.claims import Row
from convprobe.report.evidence import Evidence
from convprobe.report.seeds import Measured

LOWER = "measured lower"
HIGHER = "measured higher"
NO_FILTERS = f"{reasons.UNTESTED}no layer of this network has filters with maps (height and width)"


def better_than_chance(evidence: Evidence) -> Row:
    """Whether there is anything to test: the probed network has learned something."""
    images = evidence.probed[0].images
    on_what = (
        f"accuracy on the {images} occluded images"
        if evidence.is_of_occluded_images
        else "test accuracy"
    )
    claim = f"{on_what} of the probed network, above that of the same answer for every image"
    clean = [probed.accuracy for probed in evidence.probed]
    return Row(claim).of(_mean_share(clean, images), evidence.at_chance or verdicts.HOLDS)


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
        return Row(claim, published.RAW_ACCURACY, verdict=claims.NO_RUN)
    best = [curve["test_accuracy"].max() for curve in evidence.curves["raw"]]
    return _accuracy(claim, published.RAW_ACCURACY, best, evidence.images, evidence.other_study)


def accuracy_with_normalisation(evidence: Evidence) -> Row:
    """With normalised input it reached 81 % after epoch 13, whose weights it probed."""
    claim = "test accuracy with normalisation, selected epoch"
    claimed = published.NORMALISED_ACCURACY
    if "normalised" not in evidence.curves:
        return Row(claim, claimed, verdict=claims.NO_RUN)
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
    reason = evidence.other_ablation or evidence.unlearned
    verdict = reason or _fall_verdict(fall, _is_lost(evidence, fall))
    return Row(claim, published.FALL).of(fall, verdict)


def _fall(evidence: Evidence) -> Measured:
    """How far accuracy falls without the chosen filters; images are counted as paired answers."""
    change = intervals.paired_change(*_lost_and_gained(evidence), evidence.probed[0].images)
    counting = Interval(-change.high, -change.low)
    return seeds.measured([cost.fall for cost in evidence.costs], counting, -1, 1)


def _lost_and_gained(evidence: Evidence) -> tuple[int, int]:
    """Images right only with the chosen filters, and only without: the means over seeds."""
    tables = [probed.accuracies.set_index("variant") for probed in evidence.probed]
    counts = [table.loc[ABLATED, ["lost", "gained"]] for table in tables]
    lost, gained = np.mean(counts, axis=0)
    return round(lost), round(gained)


def _is_lost(evidence: Evidence, fall: Measured) -> str:
    """Whether there is a loss worth naming, for which images alone must speak too."""
    return verdicts.confirmed(claims.is_lost(fall), intervals.mcnemar(*_lost_and_gained(evidence)))


def _fall_verdict(fall: Measured, is_lost: str) -> str:
    """Whether a loss worth naming is as large as the published one.

    Where it can't be told whether there is one, it may still be certain that it is another one.

    Args:
        is_lost: as `_is_lost` says.
    """
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
    if evidence.unlearned:
        verdict = evidence.unlearned
    elif _is_lost(evidence, _fall(evidence)) == verdicts.HOLDS:
        verdict = "not a claim of the study"
    else:
        verdict = f"{reasons.UNTESTED}no certain loss worth naming"
    shares = [cost.as_costly / cost.draws for cost in costs]
    counting = intervals.wilson(sum(cost.as_costly for cost in costs), draws)
    return [Row(claim).of(seeds.measured(shares, counting, 0, 1), verdict)]
