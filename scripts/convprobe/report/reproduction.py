"""Which of the study's claims hold in this run: a row a claim.

Source: D. K. Raman 2018, CS7015 Deep Learning, assignment 1B: 77 % on the CIFAR-10 test set without
normalised input, 81 % with it after epoch 13, 68 % with ten filters switched off.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pandas as pd

from convprobe import intervals, verdicts
from convprobe.ablation import tabulation
from convprobe.network import receptive_field

COLUMNS = ("claim", "published", "measured", "low", "high", "verdict")
CIFAR10_CLASSES = {
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
}
# Of its training images, as published. JPEG copies of them have a deviation lower by 0.002; a tenth held
# out for validation moves both by 0.0002.
CIFAR10_PIXELS = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
CIFAR10_TOLERANCE, CIFAR10_LEAST_TRAINED = 0.0005, 45_000
PUBLISHED_TEST_IMAGES = 10_000
PUBLISHED_NETWORK = {
    "conv": [
        {"channels": 256, "kernel": 5},
        {"channels": 1024, "kernel": 3},
        {"channels": 2048, "kernel": 3},
        {"channels": 2048, "kernel": 1},
    ],
    "fc": [1024, 256],
}
PUBLISHED_FILTERS = {
    "conv1/100", "conv1/200", "conv1/240", "conv2/400", "conv2/800", "conv2/1000", "conv3/1000", "conv3/2000",
    "conv4/1000", "conv4/2000",
}  # fmt: skip
PUBLISHED_MODE = "zero"
PUBLISHED_EPOCH, PUBLISHED_FALL = 13, 0.13
# Class confusions that the study names, true → predicted: under a window, and with filters off.
NAMED_FLIPS = (("cat", "dog"), ("automobile", "truck"), ("truck", "automobile"))
NAMED_CONFUSIONS = (
    ("cat", "dog"), ("dog", "cat"), ("frog", "dog"), ("deer", "cat"), ("horse", "cat"),
    ("truck", "automobile"), ("automobile", "truck"),
)  # fmt: skip
NO_RUN = "not tested: no such run"
AT_CHANCE = "can't be told from chance"
UNLEARNED = f"not tested: the network's accuracy {AT_CHANCE}"

Row = tuple[str, Any, Any, Any, Any, str]


def card(
    curves: dict[str, pd.DataFrame],
    selection: dict[str, Any] | None,
    tables: dict[str, pd.DataFrame],
    normalisation: dict[str, Any],
    settings: dict[str, Any],
    classes: list[str],
) -> pd.DataFrame:
    """The reproduction card.

    Args:
        curves: tables of learning-curve.csv by role, `normalised` and `raw`; a role that no run
            plays is missing.
        selection: content of the normalised run's `selection.json`, None without such a run.
        tables: the probed network's `accuracy` and `predictions` of the ablation, and its occlusion `summary` and
            `localisation`.
        normalisation: content of `normalisation.json`.
        settings: the config's `network`, its `chosen` filters, and the `mode` in which they are switched off.
        classes: names of the data set's.

    Returns:
        pandas.DataFrame of `claim, published, measured, low, high, verdict`; `low` and `high`
        bound the 95 % interval of `measured`, empty where there is none.
    """
    accuracy, predictions = tables["accuracy"], tables["predictions"]
    data = other_data(classes, normalisation)
    reason = data or other_network(settings["network"])
    learned = tabulation.better_than_chance(
        predictions, selection["chosen_among"] if selection else 1
    )
    rows = [
        _chance_row(accuracy, learned),
        *_untested_classes(predictions, classes),
        *_accuracy_claims(curves, selection, accuracy, reason),
        *_ablation_claims(
            accuracy, reason or other_ablation(settings["chosen"], settings["mode"]), learned
        ),
        *_epoch_claims(curves, int(accuracy["images"].iloc[0]), reason),
    ]
    claims = [
        *_window_claims(tables["summary"]),
        _object_claim(tables["localisation"]),
        *_flip_claims(tables["summary"], data),
        *_confusion_claims(predictions, data),
    ]
    rows += claims if learned else [(*row[:-1], UNLEARNED) for row in claims]
    return pd.DataFrame(rows, columns=COLUMNS)


def other_data(classes: list[str], normalisation: dict[str, Any]) -> str | None:
    """Why claims about CIFAR-10's classes can't be tested on these images, or None where they can."""
    if set(classes) != CIFAR10_CLASSES:
        return "not tested: not CIFAR-10"
    pixels = zip(
        CIFAR10_PIXELS.values(), (normalisation[moment] for moment in CIFAR10_PIXELS), strict=True
    )
    same = all(
        abs(published - found) < CIFAR10_TOLERANCE
        for moment in pixels
        for published, found in zip(*moment, strict=True)
    )
    if not same or normalisation["images"] < CIFAR10_LEAST_TRAINED:
        return "not tested: other images than CIFAR-10's"
    return None


def other_network(network: dict[str, Any]) -> str | None:
    """Why a network's accuracies can't be held against the study's, or None where they can."""
    same = receptive_field.stages(network) == receptive_field.stages(PUBLISHED_NETWORK)
    if not same or network["fc"] != PUBLISHED_NETWORK["fc"] or network.get("dropout"):
        return "not tested: not the published network"
    return None


def other_ablation(chosen: list[str], mode: str) -> str | None:
    """Why what is lost without the chosen filters can't be held against the study's loss, or None."""
    if set(chosen) != PUBLISHED_FILTERS:
        return "not tested: other filters"
    return None if mode == PUBLISHED_MODE else "not tested: switched off in another way"


def _chance_row(accuracies: pd.DataFrame, learned: bool) -> Row:
    none = accuracies.set_index("variant").loc["clean"]
    claim = "test accuracy of the probed network, above that of the same answer for every image"
    verdict = verdicts.HOLDS if learned else AT_CHANCE
    return claim, None, none["accuracy"], none["low"], none["high"], verdict


def _untested_classes(predictions: pd.DataFrame, classes: list[str]) -> Iterator[Row]:
    untested = [name for name in classes if name not in set(predictions["class"])]
    if untested:
        reason = f"not tested: no test image of class {', '.join(untested)}"
        yield "accuracies are those of all classes", None, None, None, None, reason


def _accuracy_claims(
    curves: dict[str, pd.DataFrame],
    selection: dict[str, Any] | None,
    accuracies: pd.DataFrame,
    reason: str | None,
) -> Iterator[Row]:
    images = int(accuracies["images"].iloc[0])
    raw = curves["raw"]["test_accuracy"].max() if "raw" in curves else None
    yield _accuracy("test accuracy without normalisation, best epoch", 0.77, raw, images, reason)
    selected = selection["test_accuracy"] if "normalised" in curves else None
    yield _accuracy(
        "test accuracy with normalisation, selected epoch", 0.81, selected, images, reason
    )


def _ablation_claims(accuracies: pd.DataFrame, reason: str | None, learned: bool) -> Iterator[Row]:
    loss, images = tabulation.loss(accuracies), int(accuracies["images"].iloc[0])
    claim = "test accuracy with the chosen filters switched off"
    yield _accuracy(claim, 0.68, loss.accuracy, images, reason)
    claim = "fall of test accuracy with the chosen filters switched off"
    verdict = reason or (_fall_verdict(loss, PUBLISHED_FALL) if learned else UNLEARNED)
    yield claim, PUBLISHED_FALL, loss.fall, *loss.interval, verdict
    if loss.draws:
        share = loss.as_large / loss.draws
        claim = "share of random draws of as many filters that lower the accuracy at least as much"
        verdict = (
            "not a claim of the study"
            if loss.verdict == verdicts.HOLDS
            else "not tested: no loss worth naming"
        )
        verdict = verdict if learned else UNLEARNED
        yield claim, None, share, *intervals.wilson(loss.as_large, loss.draws), verdict


def _fall_verdict(loss: tabulation.Loss, published: float) -> str:
    """Whether a loss worth naming is as large as the published one, which is the difference of two rounded numbers."""
    if loss.verdict != verdicts.HOLDS:
        return loss.verdict
    low, high = (bound - published for bound in loss.interval)
    if low > -verdicts.SAME_ACCURACY and high < verdicts.SAME_ACCURACY:
        return verdicts.HOLDS
    if high < -verdicts.SAME_ACCURACY:
        return "measured lower"
    return "measured higher" if low > verdicts.SAME_ACCURACY else verdicts.UNDECIDED


def _accuracy(
    claim: str, published: float, measured: float | None, images: int, reason: str | None
) -> Row:
    """Whether an accuracy is the published one, which is rounded, and was counted on a sample as ours is."""
    if measured is None:
        return claim, published, None, None, None, NO_RUN
    right = round(measured * images)
    row = (claim, published, measured, *intervals.wilson(right, images))
    if reason:
        return *row, reason
    counted = round(published * PUBLISHED_TEST_IMAGES), PUBLISHED_TEST_IMAGES
    low, high = intervals.difference((right, images), counted)
    if low > -verdicts.SAME_ACCURACY and high < verdicts.SAME_ACCURACY:
        return *row, verdicts.HOLDS
    if high < -verdicts.ROUNDING:
        return *row, "measured lower"
    return *row, "measured higher" if low > verdicts.ROUNDING else verdicts.UNDECIDED


def _epoch_claims(
    curves: dict[str, pd.DataFrame], images: int, reason: str | None
) -> Iterator[Row]:
    """The best epoch, and the fall after it.

    The best of many epochs lies above any other by chance alone: each interval of how far is widened until all
    of them together hold with 95 %. Source: Bonferroni's inequality; Dunn 1961.
    """
    claims = (
        "epoch of the highest test accuracy",
        "fall of test accuracy from its best epoch to the last",
    )
    if "normalised" not in curves:
        yield from ((claim, None, None, None, None, NO_RUN) for claim in claims)
        return
    accuracy = curves["normalised"].set_index("epoch")["test_accuracy"]
    best, last, right = (
        accuracy.idxmax(),
        accuracy.index[-1],
        (accuracy * images).round().astype(int),
    )
    confidence = 1 - 0.05 / max(1, len(accuracy) - 1)

    def fall_to(epoch: int) -> intervals.Interval:
        return intervals.difference((right[best], images), (right[epoch], images), confidence)

    earlier = list(accuracy.index[:-1])
    as_good = [epoch for epoch in accuracy.index if epoch == best or fall_to(epoch).low <= 0]
    if PUBLISHED_EPOCH not in accuracy.index:
        verdict = f"not tested: no epoch {PUBLISHED_EPOCH}"
    elif PUBLISHED_EPOCH not in as_good:
        verdict = "differs"
    else:
        verdict = verdicts.HOLDS if as_good == [PUBLISHED_EPOCH] else verdicts.UNDECIDED
    yield claims[0], PUBLISHED_EPOCH, best, as_good[0], as_good[-1], reason or verdict
    if best == last:
        # No fall was seen; is there certainly none?
        above = [
            intervals.difference((right[epoch], images), (right[last], images), confidence)
            for epoch in earlier
        ]
        none = all(interval.high < verdicts.ACCURACY for interval in above)
        verdict = verdicts.FAILS if none else verdicts.UNDECIDED
        yield (
            claims[1],
            "positive",
            0.0,
            None,
            None,
            verdict if earlier else "not tested: one epoch",
        )
        return
    fall = accuracy[best] - accuracy[last]
    verdict = verdicts.above(fall, fall_to(last), worth=verdicts.ACCURACY)
    yield claims[1], "positive", fall, *fall_to(last), verdict


def _window_claims(summary: pd.DataFrame) -> Iterator[Row]:
    """Under a small window most positions keep the prediction; with the window confidence falls."""
    confidence = summary.pivot(index="image", columns="window", values="mean_confidence")
    smallest = confidence.columns[0]
    kept = 1 - summary.loc[summary["window"] == smallest, "flipped_fraction"]
    claim = f"share of positions that keep the prediction under window {smallest}"
    yield _mean_row(claim, "most", kept, null=0.5, bounds=(0, 1))
    windows = list(confidence.columns)
    pairs = [*itertools.pairwise(windows), (windows[0], windows[-1])]
    for smaller, larger in dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]):
        claim = f"fall of mean confidence from window {smaller} to {larger}"
        yield _mean_row(
            claim, "positive", confidence[smaller] - confidence[larger], worth=verdicts.CONFIDENCE
        )


def _mean_row(
    claim: str,
    published: str,
    values: pd.Series,
    null: float = 0,
    worth: float = 0,
    bounds: tuple[float, float] = (-1, 1),
) -> Row:
    """A claim about a mean over the images; its interval ends at the bounds of what is averaged."""
    interval = intervals.mean(values)
    if interval is not None:
        interval = intervals.Interval(max(interval.low, bounds[0]), min(interval.high, bounds[1]))
    verdict = verdicts.above(values.mean(), interval, null, worth)
    return claim, published, values.mean(), *(interval or (None, None)), verdict


def _object_claim(localisation: pd.DataFrame) -> Row:
    """Covering the object costs confidence, covering the background does not."""
    claim = "confidence that the largest window costs more on the object than beside it, beyond other images' objects"
    if localisation.empty:
        return claim, "positive", None, None, None, "not tested: the object's place is not known"
    rows = localisation[localisation["measure"] == "contrast"]
    row = rows.loc[rows["window"].idxmax()]
    return claim, "positive", row["difference"], row["low"], row["high"], row["verdict"]


def _flip_claims(summary: pd.DataFrame, reason: str | None) -> Iterator[Row]:
    """Do images of the named classes, when covered, turn into the class that the study names?"""
    window, tried = summary["window"].max(), len(NAMED_FLIPS)
    turned = summary[(summary["window"] == window) & summary["flipped_to"].notna()]
    # To its own class: it was taken for another one without a window.
    turned = turned[turned["flipped_to"] != turned["class"]]
    for true, predicted in NAMED_FLIPS:
        claim = f"images of {true} that mostly turn into {predicted} under window {window}"
        yield _turned_into(
            claim, turned["class"], turned["flipped_to"], true, predicted, tried, reason
        )


def _confusion_claims(predictions: pd.DataFrame, reason: str | None) -> Iterator[Row]:
    """Are images that turned wrong taken for the named classes more than at random?"""
    lost = tabulation.lost_images(predictions)
    for true, predicted in NAMED_CONFUSIONS:
        claim = f"images of {true} that are wrong only with the chosen filters off, taken for {predicted}"
        yield _turned_into(
            claim, lost["class"], lost["ablated"], true, predicted, len(NAMED_CONFUSIONS), reason
        )


def _turned_into(
    claim: str,
    classes: pd.Series,
    answers: pd.Series,
    true: str,
    predicted: str,
    tried: int,
    reason: str | None,
) -> Row:
    """Whether images of a class that turned wrong are taken for the named one more than others are.

    Chance is what turned images of all other classes do: a window may look like the named class, whatever it covers.

    Args:
        classes, answers: of the images that turned.
        tried: how many such claims there are, any of which chance may pass.
    """
    published = "above chance"
    hits = answers[classes == true] == predicted
    # Answers that the image's own class leaves: those of others that name it are no comparison.
    others = answers[~classes.isin([true, predicted]) & (answers != true)] == predicted
    if reason or hits.empty:
        return (
            claim,
            published,
            None,
            None,
            None,
            reason or f"not tested: no image of {true} turned",
        )
    counted = int(hits.sum()), len(hits)
    if others.empty:
        return claim, published, hits.mean(), *intervals.wilson(*counted), verdicts.UNDECIDED
    chance = int(others.sum()), len(others)
    verdict = verdicts.above(
        hits.mean() - others.mean(), intervals.difference(counted, chance), worth=verdicts.SHARE
    )
    if verdict == verdicts.HOLDS and intervals.fisher(counted, chance) >= verdicts.CHANCE / tried:
        verdict = verdicts.UNDECIDED
    return claim, published, hits.mean(), *intervals.wilson(*counted), verdict
