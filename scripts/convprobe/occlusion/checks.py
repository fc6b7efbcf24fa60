"""Are the maps those of the checkpoint and the images, and do the tables follow from them?"""

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from convprobe.dataset import image_file
from convprobe.dataset.outputs import TEST_IMAGES
from convprobe.network import arithmetic
from convprobe.occlusion import summary
from convprobe.occlusion.outputs import LOCALISATION, SUMMARY, WINDOW
from convprobe.store import hdf5
from convprobe.store.checks import ROWS, TOLERANCE, Check, Probed, Results, attributes, is_finite


def check(results: Results, config: Mapping[str, Any], probed: Probed) -> Check:
    """Check the maps of all windows, and their summary."""
    settings = config["occlusion"]
    names = [probed.name(WINDOW, window=window) for window in settings["windows"]]
    paths = [results.path(name) for name in names]
    images_path = results.path(TEST_IMAGES.path)
    images = image_file.read(images_path, "test", settings["images"])
    for window, name, path in zip(settings["windows"], names, paths, strict=True):
        expected = {
            "window": window,
            "fill": settings["fill"],
            "precision": settings["precision"],
        }
        with hdf5.open_complete(path) as file:
            yield is_finite(file), name, "has values that are not finite"
            yield from results.made_from(name, file, probed)
            made_with = attributes(file, tuple(expected))
            yield from results.made_with(name, made_with, expected)
            yield from _maps(file, name, images, settings["stride"])
    by_image, localisation = summary.summarise(paths, images_path)
    yield from results.same_table(probed.name(SUMMARY), by_image)
    yield from results.same_table(probed.name(LOCALISATION), localisation)


def _maps(file: h5py.File, name: str, images: image_file.Images, stride: int) -> Check:
    """Compare a window's images and places to the config's, and confidence to probabilities."""
    rows, columns = (arithmetic.centres(side, stride) for side in images.image_size)
    shape = (len(images.labels), len(rows), len(columns), len(images.classes))
    found = file["probability"].shape
    yield found == shape, name, f"probability has shape {found}, expected {shape}"
    for axis, centres in (("y", rows), ("x", columns)):
        same = np.array_equal(file[axis][:], centres)
        yield same, name, f"has other {axis} than a stride of {stride} gives"
    same_labels = np.array_equal(file["label"][:], images.labels)
    same_images = np.array_equal(file["image"][:], images.indices)
    yield same_labels and same_images, name, "has other images than the config names"
    for start in range(0, len(images.labels), ROWS):
        rows = slice(start, start + ROWS)
        probability = file["probability"][rows]
        sums = probability.sum(axis=-1)
        one = np.allclose(sums, 1, atol=TOLERANCE)
        yield one, name, "has probabilities that don't sum to 1"
        labels = images.labels[rows]
        own = probability[np.arange(len(labels)), :, :, labels]
        same = np.array_equal(own, file["confidence"][rows])
        yield same, name, "has another confidence than the true class's"
