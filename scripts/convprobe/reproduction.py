"""Which of the study's claims hold in this run: a row a claim.

Source: D. K. Raman 2018, CS7015 Deep Learning, assignment 1B: 77 % on the CIFAR-10 test set without
normalised input, 81 % with it after epoch 13, 68 % with ten filters switched off.
"""

import numpy as np
import pandas as pd
from scipy import stats

COLUMNS = ("claim", "published", "measured", "low", "high", "verdict")
CIFAR10_CLASSES = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
PUBLISHED_NETWORK = {
    "conv": [
        {"channels": 256, "kernel": 5},
        {"channels": 1024, "kernel": 3},
        {"channels": 2048, "kernel": 3},
        {"channels": 2048, "kernel": 1},
    ],
    "fc": [1024, 256],
}
# Class confusions that the study names, true → predicted, and the number of wrong classes there are.
NAMED_CONFUSIONS = (
    ("cat", "dog"), ("dog", "cat"), ("frog", "dog"), ("deer", "cat"), ("horse", "cat"),
    ("truck", "automobile"), ("automobile", "truck"),
)  # fmt: skip


def untestable(classes, network):
    """Why a run's accuracies can't be held against the study's, or None where they can."""
    if set(classes) != CIFAR10_CLASSES:
        return "not tested: not CIFAR-10"
    if {key: network[key] for key in PUBLISHED_NETWORK} != PUBLISHED_NETWORK:
        return "not tested: not the published network"
    return None


def card(curves, selection, tables, network, table_images):
    """The reproduction card.

    Args:
        curves: tables of learning-curve.csv by role, `normalised` and `raw`; a role that no run
            plays is missing.
        selection: content of the normalised run's `selection.json`, or None.
        tables: dict of the ablation's `accuracy` and `predictions` and of the occlusion `summary`.
        network: the config's `network`.
        table_images: how many of the first test images the study lists with their classes.

    Returns:
        pandas.DataFrame of `claim, published, measured, low, high, verdict`; `low` and `high`
        bound the 95 % interval of `measured`, empty where there is none.
    """
    reason = untestable(tables["predictions"]["class"], network)
    rows = [
        *_accuracy_claims(curves, selection, tables["accuracy"], reason),
        *_epoch_claims(curves, selection, reason),
        *_window_claims(tables["summary"]),
        *_confusion_claims(tables["predictions"], table_images),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def wilson(successes, count):
    """95 % interval (low, high) of a proportion. Source: Wilson 1927."""
    interval = stats.binomtest(int(successes), int(count)).proportion_ci(0.95, method="wilson")
    return interval.low, interval.high


def _accuracy_claims(curves, selection, accuracies, reason):
    images = int(accuracies["images"].iloc[0])
    raw = curves["raw"]["test_accuracy"].max() if "raw" in curves else None
    yield _accuracy("test accuracy without normalisation, best epoch", 0.77, raw, images, reason)
    selected = selection["test_accuracy"] if selection else None
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


def _epoch_claims(curves, selection, reason):
    claims = ("epoch of the highest test accuracy", "change of test accuracy from its best epoch to the last")
    if selection is None:
        yield from ((claim, None, None, None, None, "not tested: no such run") for claim in claims)
        return
    best, accuracy = selection["best_epoch"], curves["normalised"]["test_accuracy"]
    fell = accuracy.iloc[-1] - accuracy.max()
    same = "holds" if best == 13 else "differs"
    yield claims[0], 13, best, None, None, reason or same
    yield claims[1], "negative", fell, None, None, "holds" if fell < 0 else "fails: the last epoch is the best"


def _window_claims(summary):
    """Mean confidence falls from each window to the next larger one, over the same images."""
    by_image = summary.pivot(index="image", columns="window", values="mean_confidence")
    for smaller, larger in zip(by_image.columns, by_image.columns[1:], strict=False):
        change = by_image[larger] - by_image[smaller]
        low, high = _mean_interval(change)
        claim = f"change of mean confidence from window {smaller} to {larger}"
        yield claim, "negative", change.mean(), low, high, _sign_verdict(change.mean(), low, high)


def _mean_interval(values):
    """95 % interval of a mean by Student's t; none for a single value or equal ones."""
    if len(values) < 2 or np.ptp(values) == 0:
        return None, None
    return stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=stats.sem(values))


def _sign_verdict(mean, low, high):
    if low is None:
        return "undecided"
    if high < 0:
        return "holds"
    return "fails" if low > 0 else "undecided"


def _confusion_claims(predictions, table_images):
    """Are the named classes taken for each other more than wrong answers at random would be?"""
    table = predictions[predictions["image"] < table_images]
    classes = set(predictions["class"])
    for true, predicted in NAMED_CONFUSIONS:
        claim = f"wrong answers for {true} that say {predicted}, filters off, first {table_images} images"
        if not {true, predicted} <= classes:
            yield claim, "frequent", None, None, None, f"not tested: no such classes as {true} and {predicted}"
            continue
        wrong = table.loc[(table["class"] == true) & (table["after"] != true), "after"]
        if wrong.empty:
            yield claim, "frequent", None, None, None, f"not tested: no wrong answer for {true}"
            continue
        hits, chance = (wrong == predicted).sum(), 1 / (len(classes) - 1)
        low, high = wilson(hits, len(wrong))
        verdict = "holds: above chance" if low > chance else "fails: below chance" if high < chance else "undecided"
        yield claim, "frequent", hits / len(wrong), low, high, verdict
