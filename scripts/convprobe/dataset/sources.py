"""Where images come from: the three kinds of data set, brought into one form."""

import numpy as np
import pandas as pd

from convprobe.dataset import image_file, listing
from convprobe.errors import InputError


def load(settings, path=None):
    """Load a data set's splits.

    The last `validation_images` of the training images are held out: not trained on, not
    counted in the normalisation.

    Args:
        settings: the config's `dataset`, of which `image_size` and `split` may be missing.
        path: where it lies; unused for `shapes`, which are drawn.

    Returns:
        dict of datasets.Images by `train`, `test` and, if any are held out, `validation`.

    Raises:
        InputError: the data set is damaged or smaller than asked for.
    """
    arrays, classes = _arrays(settings, path)
    available = {split: len(arrays[split][0]) for split in ("train", "test")}
    for split, count in available.items():
        wanted = settings[f"{split}_images"]
        if wanted != "all" and wanted > count:
            raise InputError(
                f"dataset.{split}_images is {wanted}, but {path} has {count} {split} images"
            )
    ranges = listing.ranges(settings, available)
    if ranges["train"][1] < 1:
        held_out = settings["validation_images"]
        raise InputError(
            f"dataset.validation_images is {held_out}: that leaves nothing of {available['train']} to train"
        )
    # Those that are held out are of the training images.
    return {
        split: _slice(arrays.get(split, arrays["train"]), classes, *ends)
        for split, ends in ranges.items()
    }


def _arrays(settings, path):
    # Imported here: each needs a library that the other two can do without.
    match settings["name"]:
        case "cifar10":
            from convprobe.dataset import cifar10

            return cifar10.read(path)
        case "image-folder":
            from convprobe.dataset import image_folder

            return image_folder.read(path, settings.get("image_size"), settings.get("split"))
        case "shapes":
            from convprobe.dataset import shapes

            # The split is part of the seed, so that more training images don't change the test.
            counts = (settings["train_images"], settings["test_images"])
            drawn = [shapes.draw(count, seed=(0, split)) for split, count in enumerate(counts)]
            return dict(zip(("train", "test"), drawn, strict=True)), shapes.CLASSES


def class_counts(splits):
    """How many images of each class a data set has: a row a class, a column a split."""
    classes = splits["train"].classes
    counts = {
        name: np.bincount(images.labels, minlength=len(classes)) for name, images in splits.items()
    }
    return pd.DataFrame({"class": classes, **counts})


def lacking_classes(splits: dict[str, image_file.Images]) -> list[str]:
    """A line for each split that has no image of some class."""
    classes = splits["train"].classes
    return listing.lacking(
        classes,
        {name: {classes[label] for label in images.labels} for name, images in splits.items()},
    )


def _slice(arrays, classes, start, stop):
    pixels, labels, *masks = (array[start:stop] for array in arrays)
    indices = np.arange(stop - start)
    return image_file.Images(pixels, labels, classes, indices, masks[0] if masks else None)
