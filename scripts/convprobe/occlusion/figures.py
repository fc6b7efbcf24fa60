"""Where does it look? The sheets of maps, as published."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Shaped
from matplotlib.image import AxesImage

from convprobe import style
from convprobe.dataset.image_file import Images
from convprobe.occlusion import blocks
from convprobe.occlusion.sheets import SHEET_IMAGES
from convprobe.store import hdf5


def occlusion_sheet(
    path: Path | str,
    images: Images,
    map_paths: Sequence[Path | str],
    run: str,
    checkpoint: str,
) -> None:
    """Four images on top, then a row of confidence maps per window, as published.

    Args:
        images: those on this sheet.
        map_paths: window files, the smallest window first.
        run, checkpoint: names, for the title.
    """
    rows = len(map_paths) + 1
    figure = style.new(1.55 * SHEET_IMAGES + 0.9, 1.62 * rows + 1)
    grid = figure.subplots(rows, SHEET_IMAGES, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    _draw_images(grid[0], images)
    for axes_row, map_path in zip(grid[1:], map_paths, strict=True):
        with hdf5.open_complete(map_path) as file:
            drawn = _draw_maps(axes_row, file, images)
            block = blocks.name(*blocks.centres(file))
    bar = figure.colorbar(drawn, ax=grid[1:], shrink=0.6, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("probability of the true class")
    figure.suptitle(f"Where does it look? {run}, {checkpoint}")
    style.save(
        figure,
        path,
        f"Each {block} of a map is the probability of the true class with a grey window centred "
        "there, dark where it is low. Below each map: its mean, and the probability without a "
        "window.",
    )


def _draw_images(axes_row: Shaped[np.ndarray, " column"], images: Images) -> None:
    for column, image in enumerate(images.indices):
        axes = axes_row[column]
        axes.set_axis_on()
        style.picture(axes, images.pixels[column])
        name = images.classes[images.labels[column]]
        axes.set_title(f"{name}\ntest image {image}")


def _draw_maps(
    axes_row: Shaped[np.ndarray, " column"], file: h5py.File, images: Images
) -> AxesImage:
    """Draw the map of each image under one window; the last one serves for the colour bar."""
    rows = {image: row for row, image in enumerate(file["image"][:])}
    labels = file["label"][:]
    centres = blocks.centres(file)
    for column, image in enumerate(images.indices):
        row = rows[image]
        axes = axes_row[column]
        axes.set_axis_on()
        confidence = file["confidence"][row]
        shown = blocks.on_image(confidence, *centres, images.image_size)
        drawn = style.picture(axes, shown, cmap="viridis", vmin=0, vmax=1)
        clean = file["clean_probability"][row, labels[row]]
        axes.set_xlabel(f"{confidence.mean():.2f} of {clean:.2f}", fontsize=8)
    window = file.attrs["window"]
    axes_row[0].set_ylabel(f"window {window}×{window}")
    return drawn
