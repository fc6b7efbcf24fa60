"""Images as HDF5 files: what every stage reads.

A group for each split, `train`, `test` or `validation`, with `images` uint8 (image, y, x, channel)
and `labels` int64 (image); `test/masks` bool (image, y, x) where the place of the object is known;
the attribute `classes` names the labels 0, 1, … Each group has the coordinates of its axes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Bool, Int64, Shaped, UInt8

from convprobe.errors import InputError
from convprobe.store import hdf5

CHANNELS = ("red", "green", "blue")
COUNTED = 2**24  # bytes of pixels at a time: NumPy counts in a copy that takes eight times as much

Pixels = UInt8[np.ndarray, "image y x channel"]
Labels = Int64[np.ndarray, " image"]
Masks = Bool[np.ndarray, "image y x"]


@dataclass(frozen=True)
class Images:
    """Labelled images of one split.

    Attributes:
        pixels: of images of one size.
        labels: indices into `classes`.
        classes: names of the classes.
        indices: the place of each image in its split.
        masks: true where the object is; None where that isn't known.
    """

    pixels: Pixels
    labels: Labels
    classes: tuple[str, ...]
    indices: Labels
    masks: Masks | None = None

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[1:3]


def write(path: Path | str, splits: Mapping[str, Images]) -> None:
    """Write the images of each split, by its name."""
    with hdf5.create(path) as file:
        file.attrs["classes"] = list(next(iter(splits.values())).classes)
        for name, images in splits.items():
            group = file.create_group(name)
            hdf5.dimension(group, "image", images.indices)
            hdf5.places(group, images.image_size)
            hdf5.dimension(group, "channel", CHANNELS)
            hdf5.dataset(group, "images", images.pixels, ("image", "y", "x", "channel"))
            hdf5.dataset(group, "labels", images.labels, ("image",))
            if name == "test" and images.masks is not None:
                hdf5.dataset(group, "masks", images.masks, ("image", "y", "x"))


def classes(path: Path | str) -> list[str]:
    """Names of the classes, in the order of the labels."""
    with hdf5.open_complete(path) as file:
        return list(file.attrs["classes"])


def labels(path: Path | str) -> Labels:
    """The class of each test image, as an index into the names of the classes."""
    with hdf5.open_complete(path) as file:
        return file["test/labels"][:]


def image_size(path: Path | str) -> tuple[int, int]:
    """Height and width of the test images, in pixels."""
    with hdf5.open_complete(path) as file:
        return file["test/images"].shape[1:3]


def read(path: Path | str, split: str, chosen: int | Sequence[int] | str = "all") -> Images:
    """The images of one split, in the data set's order.

    Args:
        path: a file of images that has the split.
        split: `train`, `test` or `validation`.
        chosen: how many from the start, a list of indices, or `all`.

    Raises:
        InputError: the file is damaged, or an index is beyond the split.
    """
    with hdf5.open_complete(path) as file:
        group = file[split]
        indices = _indices(path, split, chosen, len(group["labels"]))
        rows = slice(None) if chosen == "all" else indices
        return Images(
            pixels=_rows(group["images"], rows),
            labels=_rows(group["labels"], rows),
            classes=tuple(file.attrs["classes"]),
            indices=indices,
            masks=_rows(group["masks"], rows) if "masks" in group else None,
        )


def read_masks(path: Path | str, indices: Sequence[int] | Labels) -> Masks | None:
    """Where the object is in some test images, or None where that isn't known."""
    with hdf5.open_complete(path) as file:
        return _rows(file["test/masks"], np.asarray(indices)) if "test/masks" in file else None


def _rows(stored: h5py.Dataset, rows: slice | Labels) -> Shaped[np.ndarray, "..."]:
    """Read rows in any order: HDF5 itself wants them increasing."""
    if isinstance(rows, slice):
        return stored[rows]
    increasing, places = np.unique(rows, return_inverse=True)
    return stored[increasing][places]


def _indices(path: Path | str, split: str, chosen: int | Sequence[int] | str, count: int) -> Labels:
    if chosen == "all":
        return np.arange(count)
    indices = np.arange(chosen) if isinstance(chosen, int) else np.array(chosen, dtype=np.int64)
    largest = indices.max(initial=0)
    if largest >= count:
        found = f"{path}: image {largest} of {split} was asked for"
        raise InputError(f"{found}, but it has images 0 to {count - 1}")
    return indices


def normalisation(pixels: Pixels) -> dict:
    """Mean and standard deviation per channel; 0 is the deviation of a channel of one value.

    Returns:
        `mean` and `std` (lists of float, of pixels in [0, 1], population deviation) and `images`,
        the number counted. From exact integer sums, so it doesn't depend on any batch.
    """
    means = []
    deviations = []
    for channel in range(pixels.shape[-1]):
        # A histogram of the 256 levels holds all that the two moments need.
        counts = np.zeros(256, np.int64)
        for part in np.array_split(pixels, math.ceil(pixels.nbytes / COUNTED)):
            counts += np.bincount(part[..., channel].ravel(), minlength=256)
        mean, deviation = _moments(counts.tolist())
        means.append(mean)
        deviations.append(deviation)
    return {"mean": means, "std": deviations, "images": len(pixels)}


def _moments(counts: list[int]) -> tuple[float, float]:
    """Mean and deviation of pixels in [0, 1], by how often each of 256 levels occurs.

    The sums are whole numbers, so they are exact.
    """
    number = sum(counts)
    total = 0
    squares = 0
    for level, count in enumerate(counts):
        total += level * count
        squares += level**2 * count
    scale = 255 * number
    return total / scale, math.sqrt(number * squares - total**2) / scale
