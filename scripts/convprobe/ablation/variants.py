"""Variants of a network: which filters each one is without, and what it predicts."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from convprobe.ablation import passes
from convprobe.ablation.passes import Mode
from convprobe.dataset.image_file import Images
from convprobe.job.runtime import IDLE, Job
from convprobe.network import filter_layers
from convprobe.network.classifiers import Classifier
from convprobe.network.filter_layers import split_name
from convprobe.network.variant_names import random_draw
from convprobe.store import hdf5


def draw_controls(network: Classifier, chosen: list[str], count: int, seed: int) -> list[list[str]]:
    """Names of random filters to compare with: in each draw as many per layer as were chosen.

    A layer's filters are drawn without replacement from all of them, the chosen ones included.

    Args:
        count: of draws.
    """
    random = np.random.default_rng(seed)
    layers = filter_layers.of_graph(network.graph)
    sizes = Counter(split_name(name)[0] for name in chosen)
    draws = []
    for _ in range(count):
        draw = []
        for layer, size in sizes.items():
            channels = random.choice(layers[layer].channels, size, replace=False)
            draw += [f"{layer}/{channel}" for channel in sorted(channels)]
        draws.append(draw)
    return draws


def parts_and_controls(chosen: list[str], controls: list[list[str]]) -> dict[str, list[str]]:
    """Variants to hold the ablated network against.

    Returns:
        names of the filters that are switched off, by the variant's name: each chosen filter alone
        (`conv2/400`), those of each layer (`conv2`), and each draw of random ones (`random-01` …).
    """
    filters = {}
    layers = {}
    for name in chosen:
        filters[name] = [name]
        layer, _ = split_name(name)
        layers.setdefault(layer, []).append(name)
    draws = {random_draw(number): draw for number, draw in enumerate(controls, start=1)}
    return filters | layers | draws


def predictions(
    network: Classifier, chosen: list[str], images: Images, mode: Mode, job: Job = IDLE
) -> pd.DataFrame:
    """What the clean and the ablated network predict for every image.

    Args:
        chosen: names of the filters that the ablated network is without.
        mode: as in passes.predict.

    Returns:
        table of `image, class, clean, ablated, clean_confidence, ablated_confidence`: names of the
        true and the predicted classes, and the probability of the true one.
    """
    return table_of(passes.predict(network, [[], chosen], images, mode, job), images)


def table_of(logits: Float[Tensor, "2 image class"], images: Images) -> pd.DataFrame:
    """The table of `predictions`, of the logits of the clean and of the ablated network."""
    clean, ablated = logits
    classes = np.array(images.classes)
    return pd.DataFrame(
        {
            "image": images.indices,
            "class": classes[images.labels],
            "clean": classes[clean.argmax(1).numpy()],
            "ablated": classes[ablated.argmax(1).numpy()],
            "clean_confidence": _confidence(clean, images.labels),
            "ablated_confidence": _confidence(ablated, images.labels),
        }
    )


def _confidence(
    logits: Float[Tensor, "image class"], labels: Int64[np.ndarray, " image"]
) -> Float32[np.ndarray, " image"]:
    """The probability of the true class."""
    probabilities = logits.softmax(1).numpy()
    return probabilities[np.arange(len(labels)), labels]


def write_variants(
    path: Path | str,
    variants: dict[str, list[str]],
    logits: Float[Tensor, "variant image class"],
    images: Images,
    mode: Mode,
    checkpoint_sha256: str,
) -> None:
    """Write which class every variant predicts for every image.

    Args:
        variants: names of the filters that are switched off, by the variant's name.
        logits: of passes.predict, in the same order.
        mode: as in passes.predict; stored, as is the checkpoint's digest.
    """
    filters = [" ".join(names) for names in variants.values()]
    with hdf5.create(path) as file:
        hdf5.dimension(file, "variant", list(variants))
        hdf5.dimension(file, "image", images.indices)
        hdf5.dataset(file, "predicted", logits.argmax(2).numpy(), ("variant", "image"))
        hdf5.dataset(file, "filters", filters, ("variant",))
        file.attrs.update(mode=mode, checkpoint_sha256=checkpoint_sha256)
