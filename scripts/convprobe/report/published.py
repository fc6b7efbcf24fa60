"""The study as it was published, and what keeps a run from being held against it.

Source: D. K. Raman 2018, CS7015 Deep Learning, assignment 1B.
"""

from collections.abc import Collection
from typing import Any

from convprobe.network import chain, graphs
from convprobe.report import reasons

TEST_IMAGES = 10_000
EPOCH = 13
# Test accuracies: without normalised input, with it after EPOCH, and then without FILTERS.
RAW_ACCURACY = 0.77
NORMALISED_ACCURACY = 0.81
ABLATED_ACCURACY = 0.68
FALL = 0.13  # of the accuracy without FILTERS

NETWORK = {
    "conv": [
        {"channels": 256, "kernel": 5},
        {"channels": 1024, "kernel": 3},
        {"channels": 2048, "kernel": 3},
        {"channels": 2048, "kernel": 1},
    ],
    "fc": [1024, 256],
}
FILTERS = {
    "conv1/100", "conv1/200", "conv1/240", "conv2/400", "conv2/800", "conv2/1000",
    "conv3/1000", "conv3/2000", "conv4/1000", "conv4/2000",
}  # fmt: skip
MODE = "zero"  # in which they are switched off

# Class pairs that the study names, true → predicted: under a window, and without FILTERS.
FLIPS = (("cat", "dog"), ("automobile", "truck"), ("truck", "automobile"))
CONFUSIONS = (
    ("cat", "dog"), ("dog", "cat"), ("frog", "dog"), ("deer", "cat"), ("horse", "cat"),
    ("truck", "automobile"), ("automobile", "truck"),
)  # fmt: skip

CIFAR10_CLASSES = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
}  # fmt: skip
# Mean and deviation of its training images. JPEG copies of them have a deviation lower by 0.002; a
# tenth held out for validation moves both by 0.0002.
CIFAR10_PIXELS = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
CIFAR10_TOLERANCE = 0.0005
CIFAR10_LEAST_TRAINED = 45_000  # training images


def other_data(classes: Collection[str], normalisation: dict[str, Any]) -> str | None:
    """Why claims about CIFAR-10 can't be tested on these images; None if they can.

    Args:
        classes: their names.
        normalisation: content of `normalisation.json`.
    """
    if set(classes) != CIFAR10_CLASSES:
        return reasons.OTHER_CLASSES
    is_whole = normalisation["images"] >= CIFAR10_LEAST_TRAINED
    if not is_whole or not _has_pixels_of_cifar10(normalisation):
        return reasons.OTHER_IMAGES
    return None


def _has_pixels_of_cifar10(normalisation: dict[str, Any]) -> bool:
    for moment, channels in CIFAR10_PIXELS.items():
        for expected, found in zip(channels, normalisation[moment], strict=True):
            if abs(expected - found) >= CIFAR10_TOLERANCE:
                return False
    return True


def other_network(network: dict[str, Any]) -> str | None:
    """Why accuracies of a network can't be held against the study's; None if they can.

    Args:
        network: the config's.
    """
    if graphs.is_traced(network):
        return reasons.OTHER_NETWORK
    same_convolutions = chain.stages(network) == chain.stages(NETWORK)
    same_widths = network["fc"] == NETWORK["fc"]
    if same_convolutions and same_widths and not network.get("dropout"):
        return None
    return reasons.OTHER_NETWORK


def other_ablation(chosen: Collection[str], mode: str) -> str | None:
    """Why the loss of accuracy can't be held against the study's; None if it can.

    Args:
        chosen: names of the filters that are switched off.
        mode: in which they are.
    """
    if set(chosen) != FILTERS:
        return f"{reasons.UNTESTED}other filters"
    if mode != MODE:
        return f"{reasons.UNTESTED}switched off in another way"
    return None
