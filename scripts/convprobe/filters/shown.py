"""What figures of filters show, and say of it: which ranks are drawn, and what a patch is of."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from convprobe.dataset.image_file import Images
from convprobe.filters.top_patches import frame_shape, show_the_image
from convprobe.network.receptive_field import Fields
from convprobe.store import hdf5

ABOUT_GREY = "Grey in a patch: there are no pixels that the peak sees."
MOST_RANKS = 20  # of a filter in a figure: they are drawn one by one, about ten a second


def drawn(rows: pd.DataFrame, table: str) -> tuple[pd.DataFrame, str]:
    """The rows of a table of top images that a figure shows.

    Returns:
        words for the caption too, if it leaves some out.
    """
    ranks = rows["rank"].max()
    if ranks <= MOST_RANKS:
        return rows, ""
    words = f" Only the first {MOST_RANKS} of {ranks} ranks are drawn; {table} lists all."
    return rows[rows["rank"] <= MOST_RANKS], words


def answered(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose patches are drawn: of others the map is 0, and its peak says nothing."""
    return rows[rows["response"] > 0]


def is_whole(rows: pd.DataFrame, image_shape: Sequence[int]) -> bool:
    """Whether every box that is drawn is the whole image, of that height and width."""
    boxes = answered(rows)[["top", "left", "bottom", "right"]].to_numpy()
    return bool(len(boxes) and (boxes == [0, 0, *image_shape]).all())


def seen(rows: pd.DataFrame, fields: Fields, images: Images, of: str = "the") -> str:
    """What the peaks see, in words.

    Args:
        of: words before a number of pixels.
    """
    image_shape = images.pixels.shape[1:3]
    if is_whole(rows, image_shape):
        return "the whole image"
    if show_the_image(fields, image_shape):
        return "the pixels"
    height, width = frame_shape(fields, image_shape)
    return f"{of} {width}×{height} pixels"


def show_grey(patches_path: Path | str, top_images: pd.DataFrame) -> bool:
    """Whether some patches are grey where their peaks see no pixel, see ABOUT_GREY.

    Args:
        patches_path: a `patches.h5`.
        top_images: the table of `top-images.csv`.
    """
    with hdf5.open_complete(patches_path) as file:
        for (layer, channel), rows in top_images.groupby(["layer", "channel"]):
            if _are_larger_than_boxes(rows, file[f"{layer}/{channel}"].shape[1:3]):
                return True
    return False


def _are_larger_than_boxes(rows: pd.DataFrame, patch: Sequence[int]) -> bool:
    """Whether some patches of that height and width show more than their boxes of pixels."""
    height, width = patch
    boxes = answered(rows)
    is_low = boxes["bottom"] - boxes["top"] < height
    is_narrow = boxes["right"] - boxes["left"] < width
    return bool((is_low | is_narrow).any())


def about_grey(rows: pd.DataFrame, fields: Fields, images: Images) -> str:
    """What is grey in patches, in words; nothing if they have no such pixels."""
    image_shape = images.pixels.shape[1:3]
    if not _are_larger_than_boxes(rows, frame_shape(fields, image_shape)):
        return ""
    if show_the_image(fields, image_shape):
        return "grey where it sees nothing"
    return "grey where it sees padding"
