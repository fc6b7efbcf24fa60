"""What a run will roughly leave on the disk."""

import math

from convprobe.network import arithmetic, filter_layers
from convprobe.network.filter_layers import split_name
from convprobe.plan import extent, study
from convprobe.plan.extent import Counts

FLOAT = 4  # bytes
COMPRESSED = 0.6  # of maps after ReLU, by lzf
FILTER_BYTES = 25_000  # of a filter in the atlas, its pages and their vector copies


def space(config: dict, counts: Counts) -> dict[str, float]:
    """Rough bytes that a whole run leaves on the disk, by the rows of the announcement."""
    height, width = extent.image_size(config)
    graph = extent.graph(config)
    checkpoint = FLOAT * arithmetic.weights(graph)
    trained = study.trained_runs(config)
    imported = len(study.built_runs(config)) - len(trained)
    epochs = 0
    discarded = 0
    for run in trained:
        epochs += study.run_training(config, run)["epochs"]
        discarded += len(study.discarded_states(config, run))
    checkpoints = (2 * epochs - discarded + imported) * checkpoint  # weights and momentum
    images = sum(counts.values()) * height * width * 3
    maps = len(config["occlusion"]["windows"]) * extent.occluded(config, counts["test"])
    layers = filter_layers.of_graph(graph)
    chosen = 0  # values of the maps of one image
    for name in config["filters"]["chosen"]:
        layer, _ = split_name(name)
        chosen += math.prod(layers[layer].shape)
    activations = chosen * counts["test"] * FLOAT * COMPRESSED
    atlas = sum(study.filter_channels(config).values()) * FILTER_BYTES
    values = maps * extent.positions(config) * (extent.CLASSES + 1)
    probed = extent.probed(config)
    sums = (checkpoints + images, probed * values * FLOAT, probed * (activations + atlas))
    return dict(zip(extent.ROWS, sums, strict=True))
