"""What do its filters answer to? The chosen filters' figures."""

import math
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Float32, Shaped, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from convprobe import style
from convprobe.dataset.image_file import Images
from convprobe.filters import shown
from convprobe.filters.top_patches import cut
from convprobe.network.receptive_field import Fields
from convprobe.store import hdf5

ACROSS = 10  # filters, or images of one filter, side by side; more stand below
BESIDE = 0.35  # inches left of pictures, for what names their row
LARGEST_PICTURE = 1.3  # inches


def top_patches(
    path: Path | str,
    patches_path: Path | str,
    top_images: pd.DataFrame,
    run: str,
    checkpoint: str,
    as_published: bool = False,
) -> None:
    """A column per filter, the highest response on top, or as published at the bottom.

    Args:
        patches_path: a `patches.h5`.
        top_images: the table of `top-images.csv`.
        run, checkpoint: names, for the title.
    """
    top_images, left_out = shown.drawn(top_images, "top-images.csv")
    with hdf5.open_complete(patches_path) as file:
        figure = _patch_columns(file, top_images, as_published)
    highest = "at the bottom, as published" if as_published else "on top"
    grey = f" {shown.ABOUT_GREY}" if shown.show_grey(patches_path, top_images) else ""
    style.save(
        figure,
        path,
        f"What do its filters answer to? {run}, {checkpoint}",
        "A column per filter: what the peak of its map sees in the test images with the highest "
        f"response (the Frobenius norm of the map), the highest {highest}. All patches are "
        "enlarged to the same size. Below each: the class of the image, and the response. No "
        f"response: the map of the filter is 0 for all other images.{grey}{left_out}",
    )


def _patch_columns(file: h5py.File, top_images: pd.DataFrame, as_published: bool) -> Figure:
    """A column of patches per filter, in the table's order."""
    filters = list(top_images.groupby(["layer", "channel"], sort=False))
    ranks = top_images["rank"].max()
    across = min(len(filters), ACROSS)
    blocks = math.ceil(len(filters) / across)
    width, side = _sizes(across)
    figure = style.new(width, blocks * (ranks * (side + 0.3) + 0.5))
    grid = figure.subplots(blocks * ranks, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    image_shape = file.attrs["image_shape"].tolist()
    for number, ((layer, channel), rows) in enumerate(filters):
        block, column = divmod(number, across)
        downwards = grid[block * ranks :, column][:ranks]
        patches = file[f"{layer}/{channel}"][:ranks]
        by_rank = downwards[::-1] if as_published else downwards
        _draw_column(by_rank, patches, rows.set_index("rank"))
        seen = _size_seen(rows, patches, image_shape)
        downwards[0].set_title(f"{layer}\n{channel}\n{seen}", fontsize=style.SMALL)
        if column == 0:
            _name_ranks(by_rank)
    return figure


def _size_seen(
    rows: pd.DataFrame,
    patches: UInt8[np.ndarray, "rank y x channel"],
    image_shape: Sequence[int],
) -> str:
    """How much of an image of that height and width the peaks see, in a word."""
    if shown.is_whole(rows, image_shape):
        return "whole image"
    return f"{patches.shape[2]}×{patches.shape[1]} px"


def _sizes(across: int) -> tuple[float, float]:
    """The width of a figure of so many pictures side by side, and about that of each, in inches."""
    width = style.column_for(BESIDE + across)
    return width, min((width - BESIDE) / across, LARGEST_PICTURE) - 0.08


def _draw_column(
    axes_column: Shaped[np.ndarray, " rank"],
    patches: UInt8[np.ndarray, "rank y x channel"],
    rows: pd.DataFrame,
) -> None:
    """The patches of one filter, rank 1 first; the rows are indexed by rank."""
    for rank, patch in enumerate(patches, start=1):
        axes = axes_column[rank - 1]
        row = rows.loc[rank]
        if row["response"] == 0:  # it doesn't answer to this image
            _write_in_the_middle(axes, "no\nresponse")
            continue
        axes.set_axis_on()
        style.picture(axes, patch)
        words = f"{row['class']}\n{row['response']:.3g}"
        axes.set_xlabel(words, fontsize=style.TINY, labelpad=1)


def _write_in_the_middle(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", color=style.GREY, fontsize=style.TINY)


def _name_ranks(axes_column: Shaped[np.ndarray, " rank"]) -> None:
    """Write the ranks left of their rows, rank 1 first."""
    for rank, axes in enumerate(axes_column, start=1):
        axes.text(
            -0.05,
            0.5,
            "highest" if rank == 1 else f"{_ordinal(rank)} highest",
            transform=axes.transAxes,
            rotation=90,
            ha="right",
            va="center",
            fontsize=style.TINY,
        )


def _ordinal(number: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{endings.get(number, 'th')}"


def one_filter(
    path: Path | str,
    images: Images,
    maps: Float32[np.ndarray, "image y x"],
    rows: pd.DataFrame,
    fields: Fields,
    run: str,
    checkpoint: str,
) -> None:
    """The images that one filter answers to most: what its peak sees, the patch and the map.

    Args:
        images: the highest response first.
        maps: of the filter.
        rows: of `top-images.csv`, likewise.
        fields: of the layer.
        run, checkpoint: names, for the title.
    """
    rows, left_out = shown.drawn(rows, "top-images.csv")
    name = f"{rows['layer'].iloc[0]}/{rows['channel'].iloc[0]}"
    answered = shown.answered(rows)
    across = min(len(rows), ACROSS)
    width, side = _sizes(across)
    if answered.empty:
        figure = style.new(width, 1)
        figure.text(0.5, 0.5, "Nothing: its map is 0 for every test image.", ha="center")
    else:
        blocks = math.ceil(len(answered) / across)
        figure = style.new(width, blocks * (3 * side + 0.5) + 0.6)
        _draw_answers(figure, images, maps, answered, fields, (blocks, across))
    grey = shown.about_grey(rows, fields, images)
    grey = f", {grey}" if grey else ""
    style.save(
        figure,
        path,
        f"What does {name} answer to? {run}, {checkpoint}",
        f"The test images with the highest response of filter {name}, the highest first. Box: "
        f"{shown.seen(rows, fields, images)} that the peak of the filter's map sees. Below it: the "
        f"same pixels enlarged{grey}; then the map with its peak circled, on one scale for all. "
        f"Response: the Frobenius norm of the map.{left_out}",
    )


def _draw_answers(
    figure: Figure,
    images: Images,
    maps: Float32[np.ndarray, "image y x"],
    rows: pd.DataFrame,
    fields: Fields,
    shape: tuple[int, int],
) -> None:
    """A column per image: the image with the box, the patch, the map.

    Args:
        shape: how many blocks of such columns, and how many columns in each.
    """
    blocks, across = shape
    grid = figure.subplots(3 * blocks, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    # A map that no ReLU follows may be negative.
    scale = {"cmap": style.SEQUENTIAL, "vmin": min(0, maps.min()), "vmax": maps.max()}
    for number, row in enumerate(rows.itertuples()):
        block, column = divmod(number, across)
        whole, patch, answer = grid[3 * block :, column][:3]
        for axes in (whole, patch, answer):
            axes.set_axis_on()
        pixels = images.pixels[number]
        style.picture(whole, pixels)
        _draw_box(whole, row)
        name = images.classes[images.labels[number]]
        whole.set_title(f"{row.rank}. {name}", fontsize=style.SMALL)
        whole.set_xlabel(f"image {row.image}", fontsize=style.TINY, labelpad=2)
        style.picture(patch, cut(pixels, fields, row.peak_y, row.peak_x))
        drawn = style.picture(answer, maps[number], **scale)
        _circle_peak(answer, row)
        answer.set_xlabel(f"{row.response:.3g}", fontsize=style.TINY, labelpad=2)
        if column == 0:
            for axes, what in ((whole, "image"), (patch, "what it sees"), (answer, "map")):
                axes.set_ylabel(what, fontsize=style.SMALL)
    bar = figure.colorbar(drawn, ax=grid[-1], location="bottom", shrink=0.5, aspect=40)
    bar.set_label("activation; below each map: the response")


def _draw_box(axes: Axes, row: tuple) -> None:
    """The box that the peak sees: white on black, so that it shows on any image."""
    corner = (row.left - 0.5, row.top - 0.5)
    width = row.right - row.left
    height = row.bottom - row.top
    for colour, line in ((style.INK, 1.5 * style.THICK), (style.PAPER, style.THIN)):
        outline = {"fill": False, "edgecolor": colour, "linewidth": line, "clip_on": False}
        axes.add_patch(Rectangle(corner, width, height, **outline))


def _circle_peak(axes: Axes, row: tuple) -> None:
    circle = {
        "markerfacecolor": "none",
        "markeredgecolor": style.ORANGE,
        "markersize": style.STROKE,
    }
    axes.plot(row.peak_x, row.peak_y, "o", **circle)
