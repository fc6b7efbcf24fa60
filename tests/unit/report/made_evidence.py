"""Evidence that tests of the reproduction card make up, and the card of it."""

import numpy as np
import pandas as pd

from convprobe.ablation import tabulation
from convprobe.ablation.tabulation import VariantPredictions
from convprobe.report import published, reproduction
from convprobe.report.evidence import Evidence, SeedEvidence

CIFAR10 = sorted(published.CIFAR10_CLASSES)
PIXELS = {"mean": [0.49140, 0.48216, 0.44653], "std": [0.24703, 0.24349, 0.26159], "images": 50_000}
SUMMARY_COLUMNS = [
    "window", "image", "class", "clean_confidence", "mean_confidence", "min_confidence",
    "flipped_fraction", "flipped_to",
]  # fmt: skip
OF_SEED = ("selection", "accuracies", "predictions", "summary", "localisation")
# Claims, in the words of the card.
LEARNED = "test accuracy of the probed network, above that of the same answer for every image"
RAW = "test accuracy without normalisation, best epoch"
SELECTED = "test accuracy with normalisation, selected epoch"
SWITCHED_OFF = "test accuracy with the chosen filters switched off"
FALL_WHEN_OFF = "fall of test accuracy with the chosen filters switched off"
RANDOM = "share of random draws of as many filters that lower the accuracy at least as much"
BEST_EPOCH = "epoch of the highest test accuracy"
FALL = "fall of test accuracy from its best epoch to the last"
KEPT = "share of positions that keep the prediction under window 3"
CONFIDENCE = "fall of mean confidence from window 3 to 9"
FLIP = "images of {} whose prediction flips mostly to {} under window 9"
CONFUSION = "images of {} lost with the chosen filters switched off that are predicted as {}"


def curve(*accuracies):
    return pd.DataFrame({"epoch": range(1, len(accuracies) + 1), "test_accuracy": accuracies})


def accuracies(ablated, draws=(), images=10_000, clean=0.812):
    """A table of accuracies; nothing is gained.

    Args:
        clean, ablated, draws: accuracies.
    """
    true = pd.Series(["a"] * images)

    def right_in(share):
        return true.where(np.arange(images) < round(share * images), "b")

    variants = {
        "clean": VariantPredictions("", right_in(clean)),
        "ablated": VariantPredictions("conv1/1", right_in(ablated)),
    }
    for number, share in enumerate(draws, start=1):
        variants[f"random-{number:02d}"] = VariantPredictions("conv1/2", right_in(share))
    return tabulation.accuracies(variants, true)


def summary(window, classes, flipped_to):
    """A summary of maps under one window."""
    rows = []
    for image, (true, predicted) in enumerate(zip(classes, flipped_to, strict=True)):
        rows.append((window, image, true, 0.9, 0.5, 0.1, 0.05, predicted))
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def make_card(probes, selected=0.812, **others):
    """The card, by claim, of CIFAR-10 and the published network, but for what is given."""
    return by_claim(evidence_of(probes, selected, **others))


def by_claim(evidence):
    return reproduction.card(evidence).set_index("claim")


def evidence_of(probes, selected=0.812, **others):
    """What `make_card` makes the card of, which takes 20 times as long as one of its rows."""
    others = {"selection": selection(selected)} | others
    of_seed = probes | {name: others.pop(name) for name in OF_SEED if name in others}
    curves = {"normalised": curve(0.7, 0.812, 0.8), "raw": curve(0.6, 0.75, 0.7)}
    curves = others.pop("curves", curves)
    return evidence_of_seeds([of_seed], {role: [table] for role, table in curves.items()}, **others)


def selection(accuracy):
    return {"test_accuracy": accuracy, "best_epoch": 2, "chosen_among": 1}


def card_of_seeds(seeds, curves=(), **others):
    return by_claim(evidence_of_seeds(seeds, curves, **others))


def evidence_of_seeds(seeds, curves=(), **others):
    """The same of several seeds.

    Args:
        seeds: what is known of the probed network of each.
        curves: by role, of each.
    """
    evidence = {
        "curves": dict(curves),
        "probed": [SeedEvidence(**{"selection": selection(0.8), **seed}) for seed in seeds],
        "normalisation": PIXELS,
        "classes": CIFAR10,
        "network": published.NETWORK,
        "chosen": sorted(published.FILTERS),
        "mode": "zero",
    }
    return Evidence(**(evidence | others))


def of_seeds(probes, name, values):
    """The evidence of seeds that differ in one thing."""
    return [probes | {name: value} for value in values]
