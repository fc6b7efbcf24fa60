"""What the probes find at several epochs of a run, one row per epoch."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from convprobe import style
from convprobe.dataset.image_file import Images
from convprobe.filters.shown import ABOUT_GREY, show_grey
from convprobe.occlusion import blocks
from convprobe.store import hdf5

IMAGES = 4  # of which maps are drawn
FILTERS = 10  # of which patches are drawn

Filter = tuple[str, int]  # layer, channel


def shown_images(maps_path: Path | str) -> list[int]:
    """Indices of the images of which maps are drawn: the first ones.

    Args:
        maps_path: of a window file.
    """
    with hdf5.open_complete(maps_path) as file:
        return file["image"][:IMAGES].tolist()


def draw(
    path: Path | str,
    images: Images,
    epochs: Sequence[str],
    map_paths: Sequence[Path | str],
    patch_paths: Sequence[Path | str],
    top_images: pd.DataFrame | None,
    run: str,
) -> None:
    """Maps of the largest window, and the patch of the highest response of each chosen filter.

    Args:
        images: those of shown_images.
        epochs: their names.
        map_paths: window files, one per epoch.
        patch_paths: `patches.h5`, likewise; none of a network without filters.
        top_images: tables of `top-images.csv`, with the epochs' names as first level of the index;
            None of a network without filters.
        run: its name, for the title.
    """
    chosen = [] if top_images is None else _filters(top_images)
    filters = chosen[:FILTERS]
    shown = len(images.indices)
    figure, grid = _grid(len(epochs) + 1, shown + len(filters))
    _draw_images(list(grid[0, :shown]), images)
    if filters:
        _name_filters(list(grid[1, shown:]), filters)
    is_grey = False
    for row, epoch in enumerate(epochs, start=1):
        drawn = _draw_maps(list(grid[row, :shown]), map_paths[row - 1], images.image_size)
        grid[row, 0].set_ylabel(epoch)
        if filters:
            top = top_images.loc[epoch].query("rank == 1")
            is_grey |= show_grey(patch_paths[row - 1], top)
            by_filter = top.set_index(["layer", "channel"])
            _draw_patches(list(grid[row, shown:]), patch_paths[row - 1], filters, by_filter)
    bar = figure.colorbar(drawn, ax=grid[:, -1], shrink=0.6, ticks=[0, 0.5, 1])
    bar.set_label("probability of the true class")
    answered = ", and what its filters answer to" if filters else ""
    with hdf5.open_complete(map_paths[0]) as file:
        caption = _caption(file, bool(filters))
    if is_grey:
        caption += f" {ABOUT_GREY}"
    if len(filters) < len(chosen):
        caption += f" Only the first {len(filters)} of {len(chosen)} chosen filters are drawn."
    title = f"Through training: what run {run} looks at{answered}"
    style.save(figure, path, title, caption)


def _grid(rows: int, columns: int) -> tuple[Figure, Shaped[np.ndarray, "row column"]]:
    """A figure and its axes, which are off."""
    width = style.column_for(columns + 0.9)
    side = min(1.4, (width - 0.9) / columns)
    figure = style.new(width, (side + 0.35) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    return figure, grid


def _filters(top_images: pd.DataFrame) -> list[Filter]:
    names = top_images[["layer", "channel"]].drop_duplicates()
    return list(names.itertuples(index=False, name=None))


def _caption(maps: h5py.File, has_filters: bool) -> str:
    """What is drawn.

    Args:
        maps: a window file.
    """
    place = "Left, under" if has_filters else "Under"
    window, side = blocks.window(int(maps.attrs["fill"])), maps.attrs["window"]
    block = blocks.name(*blocks.centres(maps))
    maps = (
        f"One row per epoch. {place} each image: the probability of its true class with {window} "
        f"of {side}×{side} pixels centred at each {block}; below, its mean, and that without a "
        "window."
    )
    if not has_filters:
        return maps
    return (
        f"{maps} Right: for each chosen filter the patch that the peak of its map sees in the test "
        "image with the highest response, and that image's class; no response: its map is 0 for "
        "all of them."
    )


def _draw_images(axes_row: list[Axes], images: Images) -> None:
    for axes, pixels, label in zip(axes_row, images.pixels, images.labels, strict=True):
        style.picture(axes, pixels)
        axes.set_axis_on()
        axes.set_title(images.classes[label], fontsize=style.TINY)


def _name_filters(axes_row: list[Axes], filters: list[Filter]) -> None:
    for axes, (layer, channel) in zip(axes_row, filters, strict=True):
        axes.set_title(f"{layer}\n{channel}", fontsize=style.TINY)


def _draw_maps(
    axes_row: list[Axes], map_path: Path | str, image_size: tuple[int, int]
) -> AxesImage:
    """Draw the maps of the first images; returns the last one.

    Args:
        image_size: height and width in pixels.
    """
    with hdf5.open_complete(map_path) as file:
        clean = file["clean_probability"][:]
        labels = file["label"][:]
        centres = blocks.centres(file)
        for image, axes in enumerate(axes_row):
            confidence = file["confidence"][image]
            axes.set_axis_on()
            shown = blocks.on_image(confidence, *centres, image_size)
            drawn = style.picture(axes, shown, **style.PROBABILITY)
            means = f"{confidence.mean():.2f}\nof {clean[image, labels[image]]:.2f}"
            axes.set_xlabel(means, fontsize=style.TINY)
        return drawn


def _draw_patches(
    axes_row: list[Axes], patches_path: Path | str, filters: list[Filter], top: pd.DataFrame
) -> None:
    """Draw the patch of each filter's highest response.

    Args:
        top: rows of rank 1 by filter.
    """
    with hdf5.open_complete(patches_path) as file:
        for axes, (layer, channel) in zip(axes_row, filters, strict=True):
            row = top.loc[(layer, channel)]
            if row["response"] == 0:  # a patch would be of any image
                words = "no\nresponse"
                centred = {"ha": "center", "va": "center"}
                axes.text(0.5, 0.5, words, **centred, color=style.GREY, fontsize=style.TINY)
                continue
            axes.set_axis_on()
            style.picture(axes, file[f"{layer}/{channel}"][0])
            axes.set_xlabel(row["class"], fontsize=style.TINY)
