"""The blocks of pixels that the positions of a map stand for, each as wide as the stride."""

import numpy as np
from jaxtyping import Float, Integer

Centres = Integer[np.ndarray, " position"]


def stride(centres: Centres) -> int:
    """Pixels from one position of the window to the next; all of them if there is but one.

    Args:
        centres: of the window along an axis, in pixels: `y` or `x` of a window file.
    """
    if len(centres) == 1:
        return 2 * int(centres[0]) + 1
    return int(centres[1] - centres[0])


def name(centres: Centres) -> str:
    """What a position stands for, in words."""
    width = stride(centres)
    return "pixel" if width == 1 else f"block of {width}×{width} pixels"


def on_image(
    values: Float[np.ndarray, "position position"], centres: Centres, side: int
) -> Float[np.ndarray, "y x"]:
    """A map as it is drawn: at each pixel of the image the value of the block around it.

    Pixels beyond the last block, too few for one whose centre is in the image, are not a number.

    Args:
        centres: as for `stride`.
        side: of the image, in pixels.
    """
    bordered = np.pad(values, (0, 1), constant_values=np.nan)
    position = np.arange(side) // stride(centres)
    return bordered[np.ix_(position, position)]
