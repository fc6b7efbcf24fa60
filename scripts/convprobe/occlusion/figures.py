"""Where does it look? The sheets of maps, as published."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

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
    figure = style.new(style.PAGE, 1.55 * rows + 0.2)
    grid = figure.subplots(rows, SHEET_IMAGES, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    _draw_images(grid[0], images)
    windows = [_window(map_path) for map_path in map_paths]
    largest = max(side for side, _ in windows)
    _, fill = windows[0]
    for axes_row, map_path, window in zip(grid[1:], map_paths, windows, strict=True):
        _draw_window(axes_row[0], images.image_size, *window, largest)
        with hdf5.open_complete(map_path) as file:
            drawn = _draw_maps(axes_row, file, images)
            block = blocks.name(*blocks.centres(file))
    bar = figure.colorbar(drawn, ax=grid[1:], shrink=0.6, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("probability of the true class")
    outlined = ""
    if images.masks is not None:
        outlined = " The line around the object is that of the data set."
    style.save(
        figure,
        path,
        f"Where does it look? {run}, {checkpoint}",
        f"Each {block} of a map is the probability of the true class with {blocks.window(fill)} "
        "centred there, dark where it is low; left of the maps the window itself, on their scale."
        f"{outlined} Below each map: its mean, and the probability without a window.",
    )


def _draw_images(axes_row: Shaped[np.ndarray, " column"], images: Images) -> None:
    for column, image in enumerate(images.indices):
        axes = axes_row[column]
        axes.set_axis_on()
        style.picture(axes, images.pixels[column])
        _outline(axes, images, column)
        name = images.classes[images.labels[column]]
        axes.set_title(f"{name}\ntest image {image}", fontsize=style.SMALL)


def _outline(axes: Axes, images: Images, column: int) -> None:
    """Draw where the object is, if that is known."""
    if images.masks is not None:
        style.outline(axes, images.masks[column])


def _window(map_path: Path | str) -> tuple[int, int]:
    """The side of a window in pixels, and its grey level, 0 to 255."""
    with hdf5.open_complete(map_path) as file:
        return int(file.attrs["window"]), int(file.attrs["fill"])


def _draw_window(
    axes: Axes, image_size: tuple[int, int], window: int, fill: int, largest: int
) -> None:
    """Draw a window to scale, left of the first map of its row.

    Args:
        axes: of that map.
        image_size: height and width in pixels.
        window: its side in pixels.
        largest: that of the largest window, which stands in the same column.
    """
    height, width = image_size
    middle = height / 2 - 0.5
    gap = 0.05 * width
    right = -0.5 - gap - (largest - window) / 2
    corner = (right - window, middle - window / 2)
    grey = {"facecolor": str(fill / 255), "edgecolor": style.INK, "linewidth": style.THIN}
    axes.add_patch(Rectangle(corner, window, window, **grey, clip_on=False, gid="window"))
    place = {"rotation": 90, "ha": "right", "va": "center"}
    axes.text(-0.5 - 2 * gap - largest, middle, f"window {window}×{window}", **place)


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
        drawn = style.picture(axes, shown, **style.PROBABILITY)
        _outline(axes, images, column)
        clean = file["clean_probability"][row, labels[row]]
        words = f"{confidence.mean():.2f} of {clean:.2f}"
        axes.set_xlabel(words, fontsize=style.SMALL, labelpad=2)
    return drawn
