"""What do its filters answer to? The chosen filters' figures, and an atlas of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Shaped, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from convprobe import style
from convprobe.dataset.image_file import Images
from convprobe.filters.top_patches import cut, frame_shape, show_the_image
from convprobe.network.receptive_field import Fields
from convprobe.store import hdf5

MOST_RANKS = 20  # of a filter in a figure: they are drawn one by one, about ten a second
# Of a page of the atlas:
ACROSS = 5  # filters side by side
SHOWN_PATCH = 36  # pixels per side of a patch, about; smaller ones are enlarged
LARGEST_PATCH = 72  # pixels per side; larger ones are made smaller
LABEL = 46  # pixels in which the name of a filter stands, left of its patches
GAP = 2  # pixels between two patches of a filter
FILTER_GAP = 10  # pixels between two filters side by side
STRIP_GAP = 4  # pixels between two filters one below the other


def _drawn(rows: pd.DataFrame, table: str) -> tuple[pd.DataFrame, str]:
    """The rows of a table of top images that a figure shows.

    Returns:
        words for the caption too, if it leaves some out.
    """
    ranks = rows["rank"].max()
    if ranks <= MOST_RANKS:
        return rows, ""
    words = f" Only the first {MOST_RANKS} of {ranks} ranks are drawn; {table} lists all."
    return rows[rows["rank"] <= MOST_RANKS], words


# The chosen filters


def top_patches(
    path: Path | str,
    patches_path: Path | str,
    top_images: pd.DataFrame,
    run: str,
    checkpoint: str,
) -> None:
    """A column per filter, rows from the lowest rank at the top to the highest response below.

    Args:
        patches_path: a `patches.h5`.
        top_images: the table of `top-images.csv`.
        run, checkpoint: names, for the title.
    """
    top_images, left_out = _drawn(top_images, "top-images.csv")
    # In the table's order.
    filters = top_images.groupby(["layer", "channel"], sort=False)
    ranks = top_images["rank"].max()
    figure = style.new(max(1.02 * len(filters) + 0.4, 5), 1.3 * ranks + 1.3)
    grid = figure.subplots(ranks, len(filters), squeeze=False)
    with hdf5.open_complete(patches_path) as file:
        image_shape = file.attrs["image_shape"].tolist()
        for column, ((layer, channel), rows) in enumerate(filters):
            patches = file[f"{layer}/{channel}"][:ranks]
            bottom_up = grid[::-1, column]
            _draw_column(bottom_up, patches, rows.set_index("rank"))
            seen = f"{patches.shape[2]}×{patches.shape[1]} px"
            if _is_whole(rows, image_shape):
                seen = "whole image"
            grid[0, column].set_title(f"{layer}\n{channel}\n{seen}", fontsize=8)
    for rank, axes in enumerate(grid[::-1, 0], start=1):
        _name_rank(axes, rank)
    figure.suptitle(f"What do its filters answer to? {run}, {checkpoint}")
    style.save(
        figure,
        path,
        "A column per filter: what the peak of its map sees in the test images with the highest "
        "response (the Frobenius norm of the map), the highest at the bottom. All patches are "
        "enlarged to the same size. Below each: the class of the image, and the response. No "
        f"response: the map of the filter is 0 for all other images.{left_out}",
    )


def _is_whole(rows: pd.DataFrame, image_shape: Sequence[int]) -> bool:
    """Whether every box is the whole image, of that height and width."""
    boxes = rows[["top", "left", "bottom", "right"]].to_numpy()
    return bool((boxes == [0, 0, *image_shape]).all())


def _seen(rows: pd.DataFrame, fields: Fields, images: Images, of: str = "the") -> str:
    """What the peaks see, in words.

    Args:
        of: words before a number of pixels.
    """
    image_shape = images.pixels.shape[1:3]
    if _is_whole(rows, image_shape):
        return "the whole image"
    if show_the_image(fields, image_shape):
        return "the pixels"
    height, width = frame_shape(fields, image_shape)
    return f"{of} {width}×{height} pixels"


def _about_grey(rows: pd.DataFrame, fields: Fields, images: Images) -> str:
    """What is grey in patches, in words; nothing if they have no such pixels."""
    image_shape = images.pixels.shape[1:3]
    height, width = frame_shape(fields, image_shape)
    is_low = rows["bottom"] - rows["top"] < height
    is_narrow = rows["right"] - rows["left"] < width
    if not (is_low | is_narrow).any():
        return ""
    if show_the_image(fields, image_shape):
        return "grey where it sees nothing"
    return "grey where it sees padding"


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
            axes.set_axis_off()
            _write_in_the_middle(axes, "no\nresponse")
            continue
        style.picture(axes, patch)
        axes.set_xlabel(f"{row['class']}\n{row['response']:.3g}", fontsize=7, labelpad=1)


def _write_in_the_middle(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", color=style.GREY, fontsize=7)


def _name_rank(axes: Axes, rank: int) -> None:
    """Write a rank left of its row."""
    axes.text(
        -0.05,
        0.5,
        "highest" if rank == 1 else f"{_ordinal(rank)} highest",
        transform=axes.transAxes,
        rotation=90,
        ha="right",
        va="center",
        fontsize=8,
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
    rows, left_out = _drawn(rows, "top-images.csv")
    name = f"{rows['layer'].iloc[0]}/{rows['channel'].iloc[0]}"
    answered = rows[rows["response"] > 0]
    figure = style.new(max(1.5 * len(rows) + 1, 5), 2.5 if answered.empty else 6)
    figure.suptitle(f"What does {name} answer to? {run}, {checkpoint}")
    if answered.empty:
        figure.text(0.5, 0.5, "Nothing: its map is 0 for every test image.", ha="center")
    else:
        _draw_answers(figure, images, maps, answered, fields)
    grey = _about_grey(answered, fields, images)
    grey = f", {grey}" if grey else ""
    style.save(
        figure,
        path,
        f"The test images with the highest response of filter {name}, the highest first. Box: "
        f"{_seen(rows, fields, images)} that the peak of the filter's map sees. Below it: the "
        f"same pixels enlarged{grey}; then the map with its peak circled, on one scale for all. "
        f"Response: the Frobenius norm of the map.{left_out}",
    )


def _draw_answers(
    figure: Figure,
    images: Images,
    maps: Float32[np.ndarray, "image y x"],
    rows: pd.DataFrame,
    fields: Fields,
) -> None:
    """A column per image: the image with the box, the patch, the map."""
    grid = figure.subplots(3, len(rows), squeeze=False)
    # A map that no ReLU follows may be negative.
    scale = {"vmin": min(0, maps.min()), "vmax": maps.max()}
    for column, row in enumerate(rows.itertuples()):
        whole, patch, answer = grid[:, column]
        pixels = images.pixels[column]
        style.picture(whole, pixels)
        _draw_box(whole, row)
        whole.set_title(f"{row.rank}. {images.classes[images.labels[column]]}")
        whole.set_xlabel(f"test image {row.image}", fontsize=8)
        style.picture(patch, cut(pixels, fields, row.peak_y, row.peak_x))
        drawn = style.picture(answer, maps[column], cmap="viridis", **scale)
        _circle_peak(answer, row)
        answer.set_xlabel(f"response {row.response:.3g}", fontsize=8)
    for axes, name in zip(grid[:, 0], ("image, box", "what the peak sees", "map"), strict=True):
        axes.set_ylabel(name)
    figure.colorbar(drawn, ax=grid[2], shrink=0.8, label="activation")


def _draw_box(axes: Axes, row: tuple) -> None:
    """The box that the peak sees: white on black, so that it shows on any image."""
    corner = (row.left - 0.5, row.top - 0.5)
    width = row.right - row.left
    height = row.bottom - row.top
    for colour, line in (("black", 3), ("white", 1.5)):
        outline = {"fill": False, "edgecolor": colour, "linewidth": line, "clip_on": False}
        axes.add_patch(Rectangle(corner, width, height, **outline))


def _circle_peak(axes: Axes, row: tuple) -> None:
    circle = {"markerfacecolor": "none", "markeredgecolor": style.ORANGE, "markersize": 9}
    axes.plot(row.peak_x, row.peak_y, "o", **circle)


# The atlas


class Corner(NamedTuple):
    """The upper left corner of something on a page, in pixels."""

    y: int
    x: int


@dataclass(frozen=True)
class Layout:
    """Where the patches of each filter stand on a page of the atlas.

    Attributes:
        channels: of the filters, ACROSS side by side, row by row.
        ranks: patches per filter, side by side.
        shown: height and width of a patch on the page, in pixels.
    """

    channels: list[int]
    ranks: int
    shown: Corner

    @property
    def strip(self) -> Corner:
        """How far it is from one filter to the next one down, and to the right."""
        patches = (self.shown.x + GAP) * self.ranks + FILTER_GAP
        return Corner(self.shown.y + STRIP_GAP, LABEL + patches)

    def blank(self) -> UInt8[np.ndarray, "y x channel"]:
        """A white page."""
        down = -(-len(self.channels) // ACROSS)
        return np.full((down * self.strip.y, ACROSS * self.strip.x, 3), 255, dtype=np.uint8)

    def first_patch(self, channel: int) -> Corner:
        """Where the first patch of a filter stands; its name stands left of it."""
        row, column = divmod(self.channels.index(channel), ACROSS)
        return Corner(row * self.strip.y, column * self.strip.x + LABEL)


def atlas_page(
    path: Path | str,
    images: Images,
    rows: pd.DataFrame,
    fields: Fields,
    run: str,
    checkpoint: str,
) -> None:
    """A strip of patches for each of up to 100 filters, the highest response first.

    Args:
        images: those that the rows name, by increasing index.
        rows: of `all-top-images.csv`, of one layer.
        fields: of the layer.
        run, checkpoint: names, for the title.
    """
    rows, left_out = _drawn(rows, "all-top-images.csv")
    layout = Layout(
        channels=rows["channel"].drop_duplicates().to_list(),
        ranks=int(rows["rank"].max()),
        shown=_shown_size(frame_shape(fields, images.pixels.shape[1:3])),
    )
    page = _page(layout, images, rows, fields)
    dots = style.STYLE["savefig.dpi"]
    figure = style.new(page.shape[1] / dots + 0.3, page.shape[0] / dots + 1)
    axes = figure.subplots()
    style.picture(axes, page)
    _name_filters(axes, layout, rows)
    layer = rows["layer"].iloc[0]
    first, last = layout.channels[0], layout.channels[-1]
    figure.suptitle(f"Filters {first} to {last} of {layer}: {run}, {checkpoint}")
    grey = _about_grey(rows, fields, images)
    grey = f"; {grey}" if grey else ""
    silent = " Silent: the map is 0 for every image." if _silent(rows) else ""
    seen = _seen(rows, fields, images, of="the patches of")
    style.save(
        figure,
        path,
        f"For each filter of {layer}, by its number, {seen} that the peak of its map sees in the "
        f"{layout.ranks} test images with the highest response, the highest on the left{grey}."
        f"{silent}{left_out}",
    )


def _silent(rows: pd.DataFrame) -> set[int]:
    """The channels whose map is 0 for every image."""
    highest = rows.groupby("channel")["response"].max()
    return set(highest[highest <= 0].index)


def _shown_size(patch: tuple[int, int]) -> Corner:
    """How large patches of that height and width are on a page, in pixels."""
    largest = max(patch)
    scale = max(1, round(SHOWN_PATCH / largest))
    if largest > LARGEST_PATCH:
        scale = LARGEST_PATCH / largest
    height, width = (max(1, round(side * scale)) for side in patch)
    return Corner(height, width)


def _page(
    layout: Layout, images: Images, rows: pd.DataFrame, fields: Fields
) -> UInt8[np.ndarray, "y x channel"]:
    """All patches on one picture, for a thousand axes would take minutes."""
    page = layout.blank()
    for row in rows[rows["response"] > 0].itertuples():
        image = images.pixels[np.searchsorted(images.indices, row.image)]
        patch = _resized(cut(image, fields, row.peak_y, row.peak_x), layout.shown)
        first = layout.first_patch(row.channel)
        left = first.x + (row.rank - 1) * (layout.shown.x + GAP)
        page[first.y :, left:][: layout.shown.y, : layout.shown.x] = patch
    return page


def _resized(
    patch: UInt8[np.ndarray, "y x channel"], size: Corner
) -> UInt8[np.ndarray, "shown_y shown_x channel"]:
    """A patch, each pixel enlarged, or the mean of several."""
    drawn = Image.fromarray(patch).resize((size.x, size.y), Image.Resampling.BOX)
    return np.asarray(drawn)


def _name_filters(axes: Axes, layout: Layout, rows: pd.DataFrame) -> None:
    """Write the number of each filter left of its patches, and whether it is silent."""
    silent = _silent(rows)
    for channel in layout.channels:
        text = f"{channel}\nsilent" if channel in silent else str(channel)
        first = layout.first_patch(channel)
        middle = first.y + layout.shown.y / 2
        axes.text(first.x - 5, middle, text, ha="right", va="center", fontsize=6)
