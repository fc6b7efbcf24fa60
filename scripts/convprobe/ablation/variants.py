"""What does the network lose without some of its filters?"""

import itertools

import numpy as np
import pandas as pd

from convprobe.ablation import passes
from convprobe.job import runtime
from convprobe.network.receptive_field import split_name
from convprobe.store import hdf5


def draw_controls(network, filters, count, seed):
    """Random filters to compare with: as many per layer as were chosen.

    Returns:
        `count` lists of names; a layer's filters are drawn without replacement from all of them.
    """
    random = np.random.default_rng(seed)
    chosen = pd.Series([layer for layer, _ in map(split_name, filters)]).value_counts(sort=False)
    draws = []
    for _ in range(count):
        drawn = {
            layer: np.sort(
                random.choice(network.get_submodule(layer).out_channels, size, replace=False)
            )
            for layer, size in chosen.items()
        }
        draws.append(
            [f"{layer}/{channel}" for layer, channels in drawn.items() for channel in channels]
        )
    return draws


def predictions(network, filters, images, mode, job=runtime.IDLE):
    """What every image is taken for, before and after the filters are switched off.

    Args:
        mode: as in variants.predict.

    Returns:
        pandas.DataFrame of `image, class, clean, ablated, clean_confidence, ablated_confidence`;
        the class columns hold names, confidence is the probability of the true class.
    """
    logits = dict(
        zip(
            ("clean", "ablated"),
            passes.predict(network, [[], filters], images, mode, job),
            strict=True,
        )
    )
    columns = {"image": images.indices, "class": _names(images, images.labels)}
    columns |= {state: _names(images, values.argmax(1).numpy()) for state, values in logits.items()}
    each = np.arange(len(images.labels))
    for state, values in logits.items():
        columns[f"{state}_confidence"] = values.softmax(1).numpy()[each, images.labels]
    return pd.DataFrame(columns)


def _names(images, labels):
    return np.array(images.classes)[labels]


def parts_and_controls(filters, controls):
    """Variants to hold the chosen filters against.

    Returns:
        dict of lists of filters by the variant's name: each chosen filter alone (`conv2/400`), those of
        each layer (`conv2`), and each draw of random ones (`random-01` …).
    """
    layers = {
        layer: list(names)
        for layer, names in itertools.groupby(filters, lambda name: split_name(name)[0])
    }
    draws = {f"random-{number:02d}": drawn for number, drawn in enumerate(controls, start=1)}
    return {name: [name] for name in filters} | layers | draws


def write_variants(path, names, logits, images, mode, checkpoint_sha256):
    """Write what every image is taken for in each variant.

    Args:
        names: lists of filters by the variant's name.
        logits: of variants.predict, in the same order.
        mode: as it was given to variants.predict; stored, as is the digest of the checkpoint.
    """
    with hdf5.create(path) as file:
        hdf5.dimension(file, "variant", list(names))
        hdf5.dimension(file, "image", images.indices)
        hdf5.dataset(file, "predicted", logits.argmax(2).numpy(), ("variant", "image"))
        hdf5.dataset(file, "filters", [" ".join(off) for off in names.values()], ("variant",))
        file.attrs.update(mode=mode, checkpoint_sha256=checkpoint_sha256)
