"""The atlas: what every filter of a layer answers to, a page of up to 100 filters at a time."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from matplotlib.axes import Axes
from PIL import Image

from convprobe import style
from convprobe.dataset.image_file import Images
from convprobe.filters import shown
from convprobe.filters.pages import PAGE_FILTERS
from convprobe.filters.top_patches import cut, frame_shape
from convprobe.network.receptive_field import Fields

# Of a page of the atlas, in pixels, of which each is one of the PNG:
DOTS = style.STYLE["savefig.dpi"]
LARGEST_PATCH = 144  # per side
LABEL = 92  # in which the name of a filter stands, left of its patches
GAP = 4  # between two patches of a filter
FILTER_GAP = 20  # between two filters side by side
STRIP_GAP = 8  # between two filters one below the other


class Extent(NamedTuple):
    """How large something is on a page, in pixels."""

    height: int
    width: int


class Corner(NamedTuple):
    """The upper left corner of something on a page, in pixels."""

    y: int
    x: int


PAGE_SIZE = Extent(int(style.TALLEST * DOTS), int((style.PAGE - 0.1) * DOTS))


@dataclass(frozen=True)
class Arrangement:
    """Where the patches of each filter stand on a page of the atlas.

    Attributes:
        channels: of the filters, row by row.
        ranks: patches per filter, side by side.
        patch: its size on the page.
        across: filters side by side.
    """

    channels: list[int]
    ranks: int
    patch: Extent
    across: int

    @property
    def strip(self) -> Extent:
        """How far it is from one filter to the next one down, and to the right."""
        patches = (self.patch.width + GAP) * self.ranks + FILTER_GAP
        return Extent(self.patch.height + STRIP_GAP, LABEL + patches)

    def blank(self) -> UInt8[np.ndarray, "y x channel"]:
        """A white page."""
        down = math.ceil(len(self.channels) / self.across)
        return np.full((down * self.strip.height, PAGE_SIZE.width, 3), 255, dtype=np.uint8)

    def first_patch(self, channel: int) -> Corner:
        """Where the first patch of a filter stands; its name stands left of it."""
        row, column = divmod(self.channels.index(channel), self.across)
        return Corner(row * self.strip.height, column * self.strip.width + LABEL)


def page(
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
    rows, left_out = shown.drawn(rows, "all-top-images.csv")
    ranks = int(rows["rank"].max())
    across, patch = _best_grid(frame_shape(fields, images.pixels.shape[1:3]), ranks)
    arrangement = Arrangement(rows["channel"].drop_duplicates().to_list(), ranks, patch, across)
    picture = _picture(arrangement, images, rows, fields)
    figure = style.new(style.PAGE, picture.shape[0] / DOTS + 0.1)
    axes = figure.subplots()
    style.picture(axes, picture)
    _name_filters(axes, arrangement, rows)
    layer = rows["layer"].iloc[0]
    first, last = arrangement.channels[0], arrangement.channels[-1]
    grey = shown.about_grey(rows, fields, images)
    grey = f"; {grey}" if grey else ""
    silent = _silent(rows)
    about_silent = " Silent: the map is 0 for every image." if silent else ""
    unanswered = set(rows.loc[rows["response"] <= 0, "channel"])
    if unanswered - silent:
        about_silent += " A missing patch: the map is 0 for all other images."
    seen = shown.seen(rows, fields, images, of="the patches of")
    style.save(
        figure,
        path,
        f"Filters {first} to {last} of {layer}: {run}, {checkpoint}",
        f"For each filter of {layer}, by its number, {seen} that the peak of its map sees in the "
        f"{arrangement.ranks} test images with the highest response, the highest on the left{grey}."
        f"{about_silent}{left_out}",
    )


def _silent(rows: pd.DataFrame) -> set[int]:
    """The channels whose map is 0 for every image."""
    highest = rows.groupby("channel")["response"].max()
    return set(highest[highest <= 0].index)


def _best_grid(patch: tuple[int, int], ranks: int) -> tuple[int, Extent]:
    """How many filters stand side by side, and how large their patches are, in pixels.

    They are as large as fits, so many filters as a page may have. All pages of a layer are alike.

    Args:
        patch: height and width of a patch in the image.
        ranks: patches per filter.
    """
    best = (0, Extent(0, 0))
    for across in range(1, PAGE_FILTERS + 1):
        down = math.ceil(PAGE_FILTERS / across)
        height = PAGE_SIZE.height // down - STRIP_GAP
        width = (PAGE_SIZE.width // across - LABEL - FILTER_GAP) // ranks - GAP
        if min(height, width) > 0:
            size = _size_on_page(patch, Extent(height, width))
            best = max(best, (across, size), key=lambda grid: grid[1])
    return best


def _size_on_page(patch: tuple[int, int], room: Extent) -> Extent:
    """How large patches of that height and width are on a page that has such room for each.

    Each pixel is enlarged to as many, or the patch is made smaller.
    """
    height, width = patch
    scale = min(room.height / height, room.width / width, LARGEST_PATCH / max(patch))
    if scale >= 1:
        scale = int(scale)
    return Extent(max(1, int(height * scale)), max(1, int(width * scale)))


def _picture(
    arrangement: Arrangement, images: Images, rows: pd.DataFrame, fields: Fields
) -> UInt8[np.ndarray, "y x channel"]:
    """All patches on one picture, for a thousand axes would take minutes."""
    picture = arrangement.blank()
    for row in shown.answered(rows).itertuples():
        image = images.pixels[np.searchsorted(images.indices, row.image)]
        patch = _resized(cut(image, fields, row.peak_y, row.peak_x), arrangement.patch)
        first = arrangement.first_patch(row.channel)
        left = first.x + (row.rank - 1) * (arrangement.patch.width + GAP)
        picture[first.y :, left:][: arrangement.patch.height, : arrangement.patch.width] = patch
    return picture


def _resized(
    patch: UInt8[np.ndarray, "y x channel"], size: Extent
) -> UInt8[np.ndarray, "shown_y shown_x channel"]:
    """A patch, each pixel enlarged, or the mean of several."""
    drawn = Image.fromarray(patch).resize((size.width, size.height), Image.Resampling.BOX)
    return np.asarray(drawn)


def _name_filters(axes: Axes, arrangement: Arrangement, rows: pd.DataFrame) -> None:
    """Write the number of each filter left of its patches, and whether it is silent."""
    silent = _silent(rows)
    for channel in arrangement.channels:
        text = f"{channel}\nsilent" if channel in silent else str(channel)
        first = arrangement.first_patch(channel)
        middle = first.y + arrangement.patch.height / 2
        axes.text(first.x - 8, middle, text, ha="right", va="center", fontsize=style.TINY)
