"""What do its filters answer to? The chosen filters' figures, and an atlas of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Float32, Shaped, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from convprobe import style
from convprobe.dataset.image_file import Images
from convprobe.filters.pages import PAGE_FILTERS
from convprobe.filters.top_patches import cut, frame_shape, show_the_image
from convprobe.network.receptive_field import Fields
from convprobe.store import hdf5

MOST_RANKS = 20  # of a filter in a figure: they are drawn one by one, about ten a second
ACROSS = 10  # filters, or images of one filter, side by side; more stand below
BESIDE = 0.35  # inches left of pictures, for what names their row
LARGEST_PICTURE = 1.3  # inches
# Of a page of the atlas, in pixels, of which each is one of the PNG:
DOTS = style.STYLE["savefig.dpi"]
LARGEST_PATCH = 144  # per side
LABEL = 92  # in which the name of a filter stands, left of its patches
GAP = 4  # between two patches of a filter
FILTER_GAP = 20  # between two filters side by side
STRIP_GAP = 8  # between two filters one below the other
PAGE_SIZE = (int(style.TALLEST * DOTS), int((style.PAGE - 0.1) * DOTS))  # height and width


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
    as_published: bool = False,
) -> None:
    """A column per filter, the highest response on top, or as published at the bottom.

    Args:
        patches_path: a `patches.h5`.
        top_images: the table of `top-images.csv`.
        run, checkpoint: names, for the title.
    """
    top_images, left_out = _drawn(top_images, "top-images.csv")
    with hdf5.open_complete(patches_path) as file:
        figure = _patch_columns(file, top_images, as_published)
    highest = "at the bottom, as published" if as_published else "on top"
    style.save(
        figure,
        path,
        f"What do its filters answer to? {run}, {checkpoint}",
        "A column per filter: what the peak of its map sees in the test images with the highest "
        f"response (the Frobenius norm of the map), the highest {highest}. All patches are "
        "enlarged to the same size. Below each: the class of the image, and the response. No "
        f"response: the map of the filter is 0 for all other images.{left_out}",
    )


def _patch_columns(file: h5py.File, top_images: pd.DataFrame, as_published: bool) -> Figure:
    """A column of patches per filter, in the table's order."""
    filters = list(top_images.groupby(["layer", "channel"], sort=False))
    ranks = top_images["rank"].max()
    across = min(len(filters), ACROSS)
    blocks = -(-len(filters) // across)
    width, side = _sizes(across)
    figure = style.new(width, blocks * (ranks * (side + 0.3) + 0.5))
    grid = figure.subplots(blocks * ranks, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    image_shape = file.attrs["image_shape"].tolist()
    for place, ((layer, channel), rows) in enumerate(filters):
        block, column = divmod(place, across)
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
    if _is_whole(rows, image_shape):
        return "whole image"
    return f"{patches.shape[2]}×{patches.shape[1]} px"


def _sizes(across: int) -> tuple[float, float]:
    """The width of a figure of so many pictures side by side, and about that of each, in inches."""
    width = style.column_for(BESIDE + across)
    return width, min((width - BESIDE) / across, LARGEST_PICTURE) - 0.08


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
    rows, left_out = _drawn(rows, "top-images.csv")
    name = f"{rows['layer'].iloc[0]}/{rows['channel'].iloc[0]}"
    answered = rows[rows["response"] > 0]
    across = min(len(rows), ACROSS)
    width, side = _sizes(across)
    if answered.empty:
        figure = style.new(width, 1)
        figure.text(0.5, 0.5, "Nothing: its map is 0 for every test image.", ha="center")
    else:
        blocks = -(-len(answered) // across)
        figure = style.new(width, blocks * (3 * side + 0.5) + 0.6)
        _draw_answers(figure, images, maps, answered, fields, (blocks, across))
    grey = _about_grey(answered, fields, images)
    grey = f", {grey}" if grey else ""
    style.save(
        figure,
        path,
        f"What does {name} answer to? {run}, {checkpoint}",
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
    for place, row in enumerate(rows.itertuples()):
        block, column = divmod(place, across)
        whole, patch, answer = grid[3 * block :, column][:3]
        for axes in (whole, patch, answer):
            axes.set_axis_on()
        pixels = images.pixels[place]
        style.picture(whole, pixels)
        _draw_box(whole, row)
        name = images.classes[images.labels[place]]
        whole.set_title(f"{row.rank}. {name}", fontsize=style.SMALL)
        whole.set_xlabel(f"image {row.image}", fontsize=style.TINY, labelpad=2)
        style.picture(patch, cut(pixels, fields, row.peak_y, row.peak_x))
        drawn = style.picture(answer, maps[place], **scale)
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


# The atlas


class Corner(NamedTuple):
    """The upper left corner of something on a page, in pixels."""

    y: int
    x: int


@dataclass(frozen=True)
class Layout:
    """Where the patches of each filter stand on a page of the atlas.

    Attributes:
        channels: of the filters, row by row.
        ranks: patches per filter, side by side.
        shown: height and width of a patch on the page, in pixels.
        across: filters side by side.
    """

    channels: list[int]
    ranks: int
    shown: Corner
    across: int

    @property
    def strip(self) -> Corner:
        """How far it is from one filter to the next one down, and to the right."""
        patches = (self.shown.x + GAP) * self.ranks + FILTER_GAP
        return Corner(self.shown.y + STRIP_GAP, LABEL + patches)

    def blank(self) -> UInt8[np.ndarray, "y x channel"]:
        """A white page."""
        down = -(-len(self.channels) // self.across)
        return np.full((down * self.strip.y, PAGE_SIZE[1], 3), 255, dtype=np.uint8)

    def first_patch(self, channel: int) -> Corner:
        """Where the first patch of a filter stands; its name stands left of it."""
        row, column = divmod(self.channels.index(channel), self.across)
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
    ranks = int(rows["rank"].max())
    across, shown = _places(frame_shape(fields, images.pixels.shape[1:3]), ranks)
    layout = Layout(rows["channel"].drop_duplicates().to_list(), ranks, shown, across)
    page = _page(layout, images, rows, fields)
    figure = style.new(style.PAGE, page.shape[0] / DOTS + 0.1)
    axes = figure.subplots()
    style.picture(axes, page)
    _name_filters(axes, layout, rows)
    layer = rows["layer"].iloc[0]
    first, last = layout.channels[0], layout.channels[-1]
    grey = _about_grey(rows, fields, images)
    grey = f"; {grey}" if grey else ""
    silent = " Silent: the map is 0 for every image." if _silent(rows) else ""
    seen = _seen(rows, fields, images, of="the patches of")
    style.save(
        figure,
        path,
        f"Filters {first} to {last} of {layer}: {run}, {checkpoint}",
        f"For each filter of {layer}, by its number, {seen} that the peak of its map sees in the "
        f"{layout.ranks} test images with the highest response, the highest on the left{grey}."
        f"{silent}{left_out}",
    )


def _silent(rows: pd.DataFrame) -> set[int]:
    """The channels whose map is 0 for every image."""
    highest = rows.groupby("channel")["response"].max()
    return set(highest[highest <= 0].index)


def _places(patch: tuple[int, int], ranks: int) -> tuple[int, Corner]:
    """How many filters stand side by side, and how large their patches are, in pixels.

    They are as large as fits, so many filters as a page may have. All pages of a layer are alike.

    Args:
        patch: height and width of a patch in the image.
        ranks: patches per filter.
    """
    page_height, page_width = PAGE_SIZE
    best = (0, Corner(0, 0))
    for across in range(1, PAGE_FILTERS + 1):
        down = -(-PAGE_FILTERS // across)
        height = page_height // down - STRIP_GAP
        width = (page_width // across - LABEL - FILTER_GAP) // ranks - GAP
        if min(height, width) > 0:
            shown = _shown_size(patch, Corner(height, width))
            best = max(best, (across, shown), key=lambda place: place[1])
    return best


def _shown_size(patch: tuple[int, int], room: Corner) -> Corner:
    """How large patches of that height and width are on a page that has such room for each.

    Each pixel is enlarged to as many, or the patch is made smaller.
    """
    height, width = patch
    scale = min(room.y / height, room.x / width, LARGEST_PATCH / max(patch))
    if scale >= 1:
        scale = int(scale)
    return Corner(max(1, int(height * scale)), max(1, int(width * scale)))


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
        axes.text(first.x - 8, middle, text, ha="right", va="center", fontsize=style.TINY)
