"""How much a study has to compute and to keep: images, positions, variants, jobs.

Plain Python and no torch: it is asked when Snakemake starts.
"""

import contextlib
import functools
import json
import math
from collections.abc import Mapping

from convprobe.errors import InputError
from convprobe.network import arithmetic, graphs
from convprobe.network.graph import Graph
from convprobe.plan import study

# What has a row each where a run is announced, and the stages that each sums up: files in rules/.
ROWS = {
    "training": ("dataset", "training"),
    "occlusion": ("occlusion",),
    "filters and ablation": ("filters", "ablation"),
}
OF_RUN = ("train_epoch", "evaluate_epoch")
OF_FILTERS = ("record_activations", "rank_filters", "ablate_filters", "compare_ablations")
OF_PROBED = ("map_occlusion", *OF_FILTERS)
SIDE = 32  # pixels, where the images' own isn't known; doubled until the network takes it
MOST_DOUBLED = 7
CLASSES = 10  # of CIFAR-10 and the shapes; more make little difference

Counts = Mapping[str, int]  # how many images each split has


def network_size(config: dict) -> int:
    """Multiply-adds of one image's forward pass."""
    return arithmetic.forward(graph(config))


def image_size(config: dict) -> tuple[int, int]:
    _, height, width = graph(config).image_shape
    return height, width


def graph(config: dict) -> Graph:
    """The graph, for images of the least usual side where theirs isn't known."""
    return graph_of(json.dumps(config["network"]), study.image_size(config))


@functools.cache
def graph_of(network: str, image_size: tuple[int, int] | None) -> Graph:
    """The graph of a network in the form of JSON."""
    settings = json.loads(network)
    if image_size or graphs.is_traced(settings):
        return graphs.of(settings, image_size or (SIDE, SIDE), CLASSES)
    for doubled in range(MOST_DOUBLED):
        with contextlib.suppress(InputError):  # for the network shrinks it to nothing
            return graphs.of(settings, (SIDE * 2**doubled,) * 2, CLASSES)
    return graphs.of(settings, (SIDE * 2**MOST_DOUBLED,) * 2, CLASSES)


def positions(config: dict) -> int:
    """At how many positions a window is put on an image."""
    stride = config["occlusion"]["stride"]
    return math.prod(len(arithmetic.centres(side, stride)) for side in image_size(config))


def variants(config: dict) -> int:
    """How many networks with filters switched off are compared."""
    filters = len(config["filters"]["chosen"])
    layers = len(study.filter_channels(config))
    return filters + layers + config["ablation"]["random_controls"]


def occluded(config: dict, tested: int) -> int:
    """How many images are occluded."""
    images = config["occlusion"]["images"]
    if images == "all":
        return tested
    return images if isinstance(images, int) else len(images)


def probed(config: dict) -> int:
    """How many checkpoints are probed."""
    count = 0
    selection = config["selection"]
    for run in study.studied_runs(config):
        epochs = study.studied_epochs(config, run)
        is_among_them = selection["policy"] == "fixed" and selection["epoch"] in epochs
        count += len(epochs) + (not is_among_them)
    return count


def job_counts(config: dict, counts: Counts) -> dict[str, int]:
    """How many jobs of each rule that computes a whole run has."""
    epochs = sum(study.run_training(config, run)["epochs"] for run in study.trained_runs(config))
    shards = math.ceil(occluded(config, counts["test"]) / study.SHARD_IMAGES)
    jobs = dict.fromkeys(OF_RUN, epochs) | dict.fromkeys(OF_PROBED, probed(config))
    jobs["map_occlusion"] *= len(config["occlusion"]["windows"]) * shards
    if not study.has_filters(config):
        jobs |= dict.fromkeys(OF_FILTERS, 0)
    return jobs
