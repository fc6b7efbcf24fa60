"""Which of the study's claims hold in this run: a row a claim.

Source: D. K. Raman 2018, CS7015 Deep Learning, assignment 1B: 77 % on the CIFAR-10 test set without
normalised input, 81 % with it after epoch 13, 68 % with ten filters switched off.
"""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from convprobe import ablation_tables, receptive_field
from convprobe.intervals import fall, wilson

COLUMNS = ("claim", "published", "measured", "low", "high", "verdict")
CIFAR10_CLASSES = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
NOT_CIFAR10 = "not tested: not CIFAR-10"
PUBLISHED_NETWORK = {
    "conv": [
        {"channels": 256, "kernel": 5},
        {"channels": 1024, "kernel": 3},
        {"channels": 2048, "kernel": 3},
        {"channels": 2048, "kernel": 1},
    ],
    "fc": [1024, 256],
}
# Class confusions that the study names, true → predicted: under a window, and with filters off.
NAMED_FLIPS = (("cat", "dog"), ("automobile", "truck"), ("truck", "automobile"))
NAMED_CONFUSIONS = (
    ("cat", "dog"), ("dog", "cat"), ("frog", "dog"), ("deer", "cat"), ("horse", "cat"),
    ("truck", "automobile"), ("automobile", "truck"),
)  # fmt: skip


def untestable(classes, network):
    """Why a run's accuracies can't be held against the study's, or None where they can."""
    if set(classes) != CIFAR10_CLASSES:
        return NOT_CIFAR10
    same = receptive_field.stages(network) == receptive_field.stages(PUBLISHED_NETWORK)
    if not same or network["fc"] != PUBLISHED_NETWORK["fc"] or network.get("dropout"):
        return "not tested: not the published network"
    return None


def card(curves, selection, probes, network, classes):
    """The reproduction card.

    Args:
        curves: tables of learning-curve.csv by role, `normalised` and `raw`; a role that no run
            plays is missing.
        selection: content of the normalised run's `selection.json`, None without such a run.
        probes: dict of the ablation's `accuracy` and `predictions`, of the occlusion `summary`, and
            of localisation's `places` for the largest window.
        network: the config's `network`.
        classes: names of the data set's.

    Returns:
        pandas.DataFrame of `claim, published, measured, low, high, verdict`; `low` and `high`
        bound the 95 % interval of `measured`, empty where there is none.
    """
    reason = untestable(classes, network)
    rows = [
        *_accuracy_claims(curves, selection, probes["accuracy"], reason),
        *_epoch_claims(curves, selection, int(probes["accuracy"]["images"].iloc[0]), reason),
        *_window_claims(probes["summary"]),
        _object_claim(probes["places"]),
        *_flip_claims(probes["summary"], classes),
        *_confusion_claims(probes["predictions"], classes),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _accuracy_claims(curves, selection, accuracies, reason):
    images = int(accuracies["images"].iloc[0])
    raw = curves["raw"]["test_accuracy"].max() if "raw" in curves else None
    yield _accuracy("test accuracy without normalisation, best epoch", 0.77, raw, images, reason)
    selected = selection["test_accuracy"] if "normalised" in curves else None
    yield _accuracy("test accuracy with normalisation, selected epoch", 0.81, selected, images, reason)
    variants = accuracies.set_index("variant")["accuracy"]
    yield _accuracy("test accuracy with the chosen filters switched off", 0.68, variants["chosen"], images, reason)
    controls = variants[variants.index.str.startswith("random-")]
    if len(controls):
        below = int((controls <= variants["chosen"]).sum())
        yield (
            "share of random draws of as many filters that lower the accuracy at least as much",
            None, below / len(controls), *wilson(below, len(controls)), "not a claim of the study",
        )  # fmt: skip


def _accuracy(claim, published, measured, images, reason):
    if measured is None:
        return claim, published, None, None, None, "not tested: no such run"
    low, high = wilson(round(measured * images), images)
    if reason:
        return claim, published, measured, low, high, reason
    verdict = "holds" if low <= published <= high else f"measured {'higher' if low > published else 'lower'}"
    return claim, published, measured, low, high, verdict


def _epoch_claims(curves, selection, images, reason):
    claims = ("epoch of the highest test accuracy", "fall of test accuracy from its best epoch to the last")
    if "normalised" not in curves:
        yield from ((claim, None, None, None, None, "not tested: no such run") for claim in claims)
        return
    best, accuracy = selection["best_epoch"], curves["normalised"]["test_accuracy"]
    same = "holds" if best == 13 else "differs"
    yield claims[0], 13, best, None, None, reason or same
    # The best of many epochs lies above the last one by chance alone: the interval must be clear of 0.
    low, high = fall(accuracy.max(), accuracy.iloc[-1], images)
    last_is_best = accuracy.max() == accuracy.iloc[-1]
    verdict = "fails: the last epoch is the best" if last_is_best else _verdict(low, high, threshold=0)
    yield claims[1], "positive", accuracy.max() - accuracy.iloc[-1], low, high, verdict


def _window_claims(summary):
    """Under a small window most positions keep the prediction; with the window confidence falls."""
    confidence = summary.pivot(index="image", columns="window", values="mean_confidence")
    smallest = confidence.columns[0]
    kept = 1 - summary.loc[summary["window"] == smallest, "flipped_fraction"]
    low, high = _mean_interval(kept)
    low, high = (None, None) if low is None else (max(low, 0), min(high, 1))  # of a share
    claim = f"share of positions that keep the prediction under window {smallest}"
    yield claim, "most", kept.mean(), low, high, _verdict(low, high, threshold=0.5)
    windows = list(confidence.columns)
    pairs = [*itertools.pairwise(windows), (windows[0], windows[-1])]
    for smaller, larger in dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]):
        difference = confidence[smaller] - confidence[larger]
        low, high = _mean_interval(difference)
        claim = f"fall of mean confidence from window {smaller} to {larger}"
        yield claim, "positive", difference.mean(), low, high, _verdict(low, high, threshold=0)


def _object_claim(places):
    """Covering the object costs confidence, covering the background does not."""
    claim = "mean confidence with the largest window beside the object less that on it"
    if places.empty:
        return claim, "positive", None, None, None, "not tested: the object's place is not known"
    difference = places["beside"] - places["on_object"]
    low, high = _mean_interval(difference)
    return claim, "positive", difference.mean(), low, high, _verdict(low, high, threshold=0)


def _flip_claims(summary, classes):
    """Do images of the named classes, when covered, turn into the class that the study names?"""
    window = summary["window"].max()
    for true, predicted in NAMED_FLIPS:
        claim = f"images of {true} that mostly turn into {predicted} under window {window}"
        turned = summary.loc[(summary["window"] == window) & (summary["class"] == true), "flipped_to"].dropna()
        turned = turned[turned != true]  # to its own class: it was taken for another without a window
        yield _share_claim(claim, turned == predicted, classes, f"not tested: no image of {true} turned")


def _share_claim(claim, hits, classes, reason):
    """A share that is to lie above what a wrong answer among CIFAR-10's classes would be by chance.

    Of other classes that have the same names, of cats and dogs alone, say, chance would be more.
    """
    if set(classes) != CIFAR10_CLASSES:
        return claim, "above chance", None, None, None, NOT_CIFAR10
    if hits.empty:
        return claim, "above chance", None, None, None, reason
    low, high = wilson(hits.sum(), len(hits))
    verdict = _verdict(low, high, threshold=1 / (len(CIFAR10_CLASSES) - 1))
    return claim, "above chance", hits.mean(), low, high, verdict


def _mean_interval(values):
    """95 % interval of a mean by Student's t; without spread it has no width or can't be told."""
    if len(values) < 2:
        return None, None
    if np.ptp(values) == 0:
        return values.iloc[0], values.iloc[0]
    return stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=stats.sem(values))


def _verdict(low, high, threshold):
    """Whether a value whose interval is given lies above a threshold."""
    if low is None or low <= threshold <= high:
        return "undecided"
    return "holds" if low > threshold else "fails"


def _confusion_claims(predictions, classes):
    """Are images that turned wrong taken for the named classes more than at random?"""
    lost = ablation_tables.newly_wrong(predictions)
    for true, predicted in NAMED_CONFUSIONS:
        answers = lost.loc[lost["class"] == true, "after"]
        claim = f"images of {true} that are wrong only with the chosen filters off, taken for {predicted}"
        yield _share_claim(claim, answers == predicted, classes, f"not tested: no image of {true} turned wrong")
