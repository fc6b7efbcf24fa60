"""The images that a filter answers to most, and what the peak of its map sees there.

Without torch, so that the jobs that need it start soon.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int, Shaped, UInt8

from convprobe.dataset import image_file
from convprobe.network import filter_layers, graphs
from convprobe.network.filter_layers import split_name
from convprobe.network.operators import UnitRange
from convprobe.network.receptive_field import Fields, ReceptiveField
from convprobe.store import hdf5, tables

# Of a map's maximum: units that see the same, as in a plain background, differ by less. By how much
# depends on how a convolution is computed.
ROUNDING = 1e-4
GREY = 128  # of a patch where the peak sees padding, or nothing
TOP_IMAGES_COLUMNS = (
    "layer",
    "channel",
    "rank",
    "image",
    "class",
    "response",
    "peak_y",
    "peak_x",
    "top",
    "left",
    "bottom",
    "right",
    "clipped",
)

Places = int | np.integer | Int[np.ndarray, " unit"]


class SeenPixels(NamedTuple):
    """The pixels of the image that units see, half-open.

    Attributes:
        clipped: whether they see padding too; where units don't look at regular places, it isn't
            known how much, and they count as not clipped.
    """

    top: Places
    left: Places
    bottom: Places
    right: Places
    clipped: np.bool_ | Bool[np.ndarray, " unit"]


def read_maps(
    path: Path | str, name: str, images: Iterable[int]
) -> Float32[np.ndarray, "image y x"]:
    """The maps of one filter for some images, from an `activations.h5`."""
    with hdf5.open_complete(path) as file:
        maps = file[f"{name}/maps"]
        return np.stack([maps[image] for image in images])


def top_images(
    path: Path | str,
    images_path: Path | str,
    chosen: Sequence[str],
    top: int,
    network: dict[str, Any],
) -> pd.DataFrame:
    """The images that each chosen filter answers to most, and what its peak sees there.

    Args:
        path: an `activations.h5`.
        images_path: the file of test images that were shown.
        chosen: names of filters.
        top: how many images per filter.
        network: the config's `network`.

    Returns:
        TOP_IMAGES_COLUMNS: rank 1 is the highest response, of equal ones the lowest image; the peak
        is the first maximum in row order but for ROUNDING, in units of the map; the half-open box
        `top, left, bottom, right` is in input pixels, and `clipped` where the peak sees padding
        too.
    """
    classes = image_file.classes(images_path)
    labels = image_file.labels(images_path)
    layers = filter_layers.of_graph(graphs.of(network, image_file.image_size(images_path)))
    rows = []
    with hdf5.open_complete(path) as file:
        for name in chosen:
            layer, channel = split_name(name)
            for row in _highest(file[name], top, layers[layer].fields):
                name_of_class = classes[labels[row["image"]]]
                rows.append({"layer": layer, "channel": channel, "class": name_of_class, **row})
    return pd.DataFrame(rows, columns=TOP_IMAGES_COLUMNS)


def _highest(group: h5py.Group, top: int, fields: Fields) -> Iterator[dict[str, Any]]:
    """Yield the rank, image, response, peak and box of the highest responses of one filter."""
    responses = group["response"][:]
    highest = np.argsort(-responses, kind="stable")[:top]
    for rank, image in enumerate(highest, start=1):
        peak_y, peak_x = peak(group["maps"][image])
        yield {
            "rank": rank,
            "image": image,
            "response": responses[image],
            "peak_y": peak_y,
            "peak_x": peak_x,
            **clipped_box(fields, peak_y, peak_x)._asdict(),
        }


def peak(feature_map: Shaped[np.ndarray, "y x"]) -> tuple[int, int]:
    """Row and column of the first maximum in row order; others may be larger by rounding."""
    highest = feature_map.max()
    is_highest = feature_map >= highest - ROUNDING * abs(highest)
    y, x = np.unravel_index(is_highest.argmax(), feature_map.shape)
    return int(y), int(x)


def clipped_box(fields: Fields, peak_y: Places, peak_x: Places) -> SeenPixels:
    """What the units at some places of a map see of the image."""
    top, bottom = np.array(fields.y.seen)[peak_y].T
    left, right = np.array(fields.x.seen)[peak_x].T
    clipped = _is_clipped(fields.y, bottom - top) | _is_clipped(fields.x, right - left)
    return SeenPixels(top, left, bottom, right, clipped)


def _is_clipped(field: ReceptiveField, lengths: Places) -> np.bool_ | Bool[np.ndarray, " unit"]:
    """Whether so many pixels of the image are less than units see along an axis."""
    return np.less(lengths, 0 if field.grid is None else field.grid.size)


def cut_patches(
    path: Path | str,
    top_images_path: Path | str,
    images_path: Path | str,
    network: dict[str, Any],
) -> None:
    """Write what each peak sees: per filter uint8 (rank, y, x, channel), rank 1 first.

    Args:
        top_images_path: of the table of `top_images`.
        images_path: the file of test images.
        network: the config's `network`.
    """
    table = tables.read(top_images_path).sort_values("rank")
    image_size = image_file.image_size(images_path)
    layers = filter_layers.of_graph(graphs.of(network, image_size))
    with hdf5.create(path) as file:
        for (layer, channel), rows in table.groupby(["layer", "channel"], sort=False):
            images = image_file.read(images_path, "test", rows["image"].tolist())
            patches = []
            for pixels, row in zip(images.pixels, rows.itertuples(), strict=True):
                patches.append(cut(pixels, layers[layer].fields, row.peak_y, row.peak_x))
            file[f"{layer}/{channel}"] = np.stack(patches)
        for group in file.values():
            _name_axes(group)
        file.attrs["image_shape"] = image_size


def _name_axes(group: h5py.Group) -> None:
    """Name the axes of the patches of a layer's filters: each has as many, of the same size."""
    patches = list(group.values())
    ranks, height, width = patches[0].shape[:3]
    hdf5.dimension(group, "rank", np.arange(1, ranks + 1))
    hdf5.dimension(group, "y", np.arange(height), "pixel")
    hdf5.dimension(group, "x", np.arange(width), "pixel")
    hdf5.dimension(group, "channel", image_file.CHANNELS)
    for stored in patches:
        hdf5.attach(group, stored, ("rank", "y", "x", "channel"))


def frame_shape(fields: Fields, image_shape: Sequence[int]) -> tuple[int, int]:
    """Height and width of the patches of a layer.

    Args:
        image_shape: height and width of the images.
    """
    (top, bottom), (left, right) = _frame(fields, image_shape, 0, 0)
    return bottom - top, right - left


def _frame(
    fields: Fields, image_shape: Sequence[int], peak_y: int, peak_x: int
) -> tuple[UnitRange, UnitRange]:
    """The rows and the columns that a patch shows; those beyond the image are padding."""
    height, width = image_shape
    return _shown(fields.y, height, peak_y), _shown(fields.x, width, peak_x)


def _shown(field: ReceptiveField, pixels: int, peak: int) -> UnitRange:
    """What a patch shows along an axis: all that the unit sees, or all of the image.

    The latter where units don't look at regular places, or see more than the image.
    """
    if _sees_too_much(field, pixels):
        return 0, pixels
    first = field.grid.start + peak * field.grid.stride
    return first, first + field.grid.size


def _sees_too_much(field: ReceptiveField, pixels: int) -> bool:
    return field.grid is None or field.grid.size > pixels


def show_the_image(fields: Fields, image_shape: Sequence[int]) -> bool:
    """Whether patches show all of the image along an axis, and not what units see alone.

    Args:
        image_shape: height and width of the images.
    """
    height, width = image_shape
    return _sees_too_much(fields.y, height) or _sees_too_much(fields.x, width)


def cut(
    image: UInt8[np.ndarray, "y x channel"], fields: Fields, peak_y: int, peak_x: int
) -> UInt8[np.ndarray, "patch_y patch_x channel"]:
    """What a unit sees of an image, in a frame that is as large for all units of its map.

    The frame is what units see, or the image if that is smaller. It is grey outside of the unit's
    box, be it padding or pixels that the unit doesn't see.
    """
    rows, columns = _frame(fields, image.shape[:2], peak_y, peak_x)
    (first_row, end_row), (first_column, end_column) = rows, columns
    shape = (end_row - first_row, end_column - first_column, image.shape[-1])
    patch = np.full(shape, GREY, np.uint8)
    box = clipped_box(fields, peak_y, peak_x)
    inside = patch[box.top - first_row :, box.left - first_column :]
    inside[: box.bottom - box.top, : box.right - box.left] = image[
        box.top : box.bottom, box.left : box.right
    ]
    return patch
