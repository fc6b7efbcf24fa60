"""The images that a filter answers to most, and what the peak of its map sees there. Without torch: soon started."""

import h5py
import numpy as np
import pandas as pd

from convprobe.dataset import image_file
from convprobe.network import receptive_field
from convprobe.network.receptive_field import split_name
from convprobe.store import hdf5, tables

GREY = 128  # of a patch where the peak sees padding


def read_maps(path, name, images):
    """The maps of one filter for some images: float32 (image, y, x)."""
    with hdf5.open_complete(path) as file:
        maps = file[f"{name}/maps"]
        return np.stack([maps[image] for image in images])


def top_images(path, images_path, chosen, top, network):
    """The images that each chosen filter answers to most, and what its peak sees there.

    Args:
        path: an `activations.h5`.
        images_path: the `images.h5` whose test images were shown.
        chosen: names of filters.
        top: how many images a filter.
        network: the config's `network`.

    Returns:
        pandas.DataFrame of `layer, channel, rank, image, class, response, peak_y, peak_x, top,
        left, bottom, right, clipped`: rank 1 is the highest response, of equal ones the lowest image;
        the peak is the first maximum in row order, in units of the pooled map; the half-open box is
        in input pixels, and clipped where the peak sees padding too.
    """
    with hdf5.open_complete(images_path) as file:
        classes, labels, side = (
            file.attrs["classes"],
            file["test/labels"][:],
            file["test/images"].shape[1],
        )
    fields = receptive_field.of_pooled_maps(network, side)
    rows = []
    with hdf5.open_complete(path) as file:
        for name in chosen:
            layer, channel = split_name(name)
            responses = file[f"{name}/response"][:]
            for rank, image in enumerate(np.argsort(-responses, kind="stable")[:top], start=1):
                peak_y, peak_x = peak(file[f"{name}/maps"][image])
                box = clipped_box(fields[layer], peak_y, peak_x)
                found = (
                    layer,
                    channel,
                    rank,
                    image,
                    classes[labels[image]],
                    responses[image],
                    peak_y,
                    peak_x,
                    *box,
                )
                rows.append(dict(zip(TOP_IMAGES_COLUMNS, found, strict=True)))
    return pd.DataFrame(rows, columns=TOP_IMAGES_COLUMNS)


TOP_IMAGES_COLUMNS = (
    "layer", "channel", "rank", "image", "class", "response", "peak_y", "peak_x", "top", "left", "bottom", "right",
    "clipped",
)  # fmt: skip


def peak(feature_map):
    """Place (y, x) of the first maximum in row order of a map (y, x)."""
    return tuple(int(place) for place in np.unravel_index(feature_map.argmax(), feature_map.shape))


def clipped_box(field, peak_y, peak_x):
    """The pixels of the image that units see: top, left, bottom, right, and whether they see padding too.

    Args:
        field: the layer's receptive_field.ReceptiveField.
        peak_y, peak_x: places of the units, numbers or arrays of them.
    """
    seen = np.array(field.seen)
    (top, bottom), (left, right) = seen[peak_y].T, seen[peak_x].T
    return top, left, bottom, right, np.minimum(bottom - top, right - left) < field.size


def cut_patches(path, top_images_path, images_path, network):
    """Write what each peak sees: per filter uint8 (rank, y, x, channel), rank 1 first.

    Args:
        top_images_path: of the table of `top_images`.
        images_path: the `images.h5`.
        network: the config's `network`.
    """
    table = tables.read(top_images_path)
    fields = receptive_field.of_pooled_maps(network, image_file.side(images_path))
    with hdf5.create(path) as file:
        for (layer, channel), rows in table.sort_values("rank").groupby(
            ["layer", "channel"], sort=False
        ):
            pixels = image_file.read(images_path, "test", rows["image"].tolist()).pixels
            peaks = rows[["peak_y", "peak_x"]].to_numpy()
            patches = [
                cut(image, fields[layer], *peak) for image, peak in zip(pixels, peaks, strict=True)
            ]
            file[f"{layer}/{channel}"] = np.stack(patches)
        for group in file.values():
            _name_axes(group)


def _name_axes(group: h5py.Group) -> None:
    """Of the patches of a layer's filters, which are as many and as large for each."""
    patches = list(group.values())
    ranks, side = patches[0].shape[:2]
    hdf5.dimension(group, "rank", np.arange(1, ranks + 1))
    hdf5.places(group, side)
    hdf5.dimension(group, "channel", image_file.CHANNELS)
    for stored in patches:
        hdf5.attach(group, stored, ("rank", "y", "x", "channel"))


def cut(image, field, peak_y, peak_x):
    """What a unit sees of an image, uint8 (y, x, channel) of the field's size: grey where it sees padding."""
    patch = np.full((field.size, field.size, image.shape[-1]), GREY, np.uint8)
    top, left, bottom, right, _ = clipped_box(field, peak_y, peak_x)
    first_row, first_column = (field.start + place * field.stride for place in (peak_y, peak_x))
    rows, columns = (
        slice(top - first_row, bottom - first_row),
        slice(left - first_column, right - first_column),
    )
    patch[rows, columns] = image[top:bottom, left:right]
    return patch
