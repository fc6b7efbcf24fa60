"""A data set of any kind, split as the config asks."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from convprobe.dataset import kinds, splits
from convprobe.dataset.image_file import Images
from convprobe.errors import InputError


def load(settings: kinds.Settings, path: Path | str | None = None) -> dict[str, Images]:
    """Load a data set's splits.

    The last `validation_images` of the training images, or of each class's, are held out: not
    trained on, not counted in the normalisation.

    Args:
        settings: the config's `dataset`, of which `image_size` and `split` may be missing.
        path: where the data set lies; not used for `shapes`, which are drawn.

    Returns:
        images by `train`, `test` and, if any are held out, `validation`.

    Raises:
        InputError: the data set is damaged or smaller than asked for.
    """
    kind = kinds.of(settings)
    arrays, classes = kind.read(settings, path)
    available = {split: len(arrays[split][0]) for split in splits.SPLITS}
    _refuse_more_than_there_are(settings, available, path)
    loaded = {}
    labels = arrays["train"][1].tolist() if kind.is_ordered_by_class else None
    for split, places in splits.places(settings, available, labels).items():
        loaded[split] = _chosen(arrays.get(split, arrays["train"]), classes, places)
    return loaded


def _refuse_more_than_there_are(
    settings: kinds.Settings, available: Mapping[str, int], path: Path | str | None
) -> None:
    for split, count in available.items():
        wanted = settings[f"{split}_images"]
        if wanted != "all" and wanted > count:
            found = f"dataset.{split}_images is {wanted}"
            raise InputError(f"{found}, but {path} has {count} {split} images")
    _, trained = splits.ranges(settings, available)["train"]
    if trained < 1:
        found = f"dataset.validation_images is {settings['validation_images']}"
        raise InputError(f"{found}: that leaves nothing of {available['train']} to train on")


def _chosen(arrays: tuple, classes: tuple[str, ...], places: Sequence[int]) -> Images:
    # A slice is no copy.
    chosen = slice(places.start, places.stop) if isinstance(places, range) else places
    pixels, labels, *masks = (array[chosen] for array in arrays)
    indices = np.arange(len(pixels))
    return Images(pixels, labels, classes, indices, masks[0] if masks else None)


def class_counts(loaded: Mapping[str, Images]) -> pd.DataFrame:
    """How many images of each class a data set has: a row per class, a column per split.

    For each split but `train` the next column, `SPLIT_in_train`, counts those of its images that
    are training images too, pixel for pixel: what a network says of them it may know by heart.
    """
    classes = loaded["train"].classes
    table = pd.DataFrame({"class": classes})
    trained = set(_digests(loaded["train"]))
    for split, images in loaded.items():
        table[split] = np.bincount(images.labels, minlength=len(classes))
        if split != "train":
            in_train = images.labels[[digest in trained for digest in _digests(images)]]
            table[f"{split}_in_train"] = np.bincount(in_train, minlength=len(classes))
    return table


def _digests(images: Images) -> list[bytes]:
    """A digest of each image's pixels."""
    return [hashlib.sha256(pixels.tobytes()).digest() for pixels in images.pixels]


def lacking_classes(loaded: Mapping[str, Images]) -> list[str]:
    """A line for each split that has no image of some class."""
    classes = loaded["train"].classes
    present = {}
    for split, images in loaded.items():
        present[split] = {classes[label] for label in np.unique(images.labels)}
    return splits.lacking(classes, present)
