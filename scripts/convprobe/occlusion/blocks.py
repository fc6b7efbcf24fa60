"""What a map stands for: blocks of pixels, each as wide as the stride, and the window there."""

import h5py
import numpy as np
from jaxtyping import Float, Integer

Centres = Integer[np.ndarray, " _position"]


def centres(file: h5py.File) -> tuple[Centres, Centres]:
    """The rows and the columns, in pixels, at which the window of a window file is centred."""
    return file["y"][:], file["x"][:]


def stride(rows: Centres, columns: Centres) -> int:
    """Pixels from one position of the window to the next; all of them if there is but one.

    Args:
        rows, columns: as `centres` gives them.
    """
    for axis in (rows, columns):
        if len(axis) > 1:
            return int(axis[1] - axis[0])
    return 2 * int(rows[0]) + 1


def name(rows: Centres, columns: Centres) -> str:
    """What a position stands for, in words; args as for `stride`."""
    width = stride(rows, columns)
    return "pixel" if width == 1 else f"block of {width}×{width} pixels"


def window(fill: int) -> str:
    """A window of that grey level, 0 to 255, in words."""
    return {0: "a black window", 255: "a white window"}.get(fill, "a grey window")


def on_image(
    values: Float[np.ndarray, "row column"],
    rows: Centres,
    columns: Centres,
    image_size: tuple[int, int],
) -> Float[np.ndarray, "y x"]:
    """A map as it is drawn: at each pixel of the image the value of the block around it.

    Pixels beyond the last block, too few for one whose centre is in the image, are not a number.

    Args:
        rows, columns: as for `stride`.
        image_size: height and width in pixels.
    """
    bordered = np.pad(values, (0, 1), constant_values=np.nan)
    position = [np.arange(side) // stride(rows, columns) for side in image_size]
    return bordered[np.ix_(*position)]
