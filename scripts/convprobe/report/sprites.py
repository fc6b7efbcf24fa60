"""Many small pictures in one, as a page shows them."""

import base64
import io
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

GREY = 128  # where a picture is smaller than its cell
LOSSY_QUALITY = 75
THUMBNAIL_SIDE = 64  # at most

Picture = UInt8[np.ndarray, "_y _x 3"]


def sprite(
    pictures: Sequence[Picture] | UInt8[np.ndarray, "picture y x 3"],
    size: tuple[int, int],
    lossless: bool = False,
) -> dict:
    """Pictures side by side in a nearly square grid, row by row.

    Args:
        pictures: each at most as large as a cell.
        size: height and width of a cell, in pixels.
        lossless: as PNG; otherwise as WebP, a quarter of the bytes.

    Returns:
        `source`, a data URL; `height` and `width` of a cell; and `across`, how many are in a row.
    """
    across = max(1, math.ceil(math.sqrt(len(pictures))))
    down = max(1, math.ceil(len(pictures) / across))
    cell_height, cell_width = size
    grid = np.full((down * cell_height, across * cell_width, 3), GREY, np.uint8)
    for cell, picture in enumerate(pictures):
        row, column = divmod(cell, across)
        height, width = picture.shape[:2]
        y = row * cell_height
        x = column * cell_width
        grid[y : y + height, x : x + width] = picture
    source = _lossless(grid) if lossless else _lossy(grid)
    return {"source": source, "height": cell_height, "width": cell_width, "across": across}


def _lossless(pixels: Picture) -> str:
    return _data_url(pixels, "png", optimize=True)


def _lossy(pixels: Picture) -> str:
    return _data_url(pixels, "webp", quality=LOSSY_QUALITY)


def _data_url(pixels: Picture, kind: str, **options: int) -> str:
    """A picture as an address that holds it whole."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    text = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind};base64,{text}"


def thumbnail(pixels: Picture, most_side: int = THUMBNAIL_SIDE) -> Picture:
    """A picture scaled down to at most `most_side` pixels."""
    if max(pixels.shape[:2]) <= most_side:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((most_side, most_side))
    return np.asarray(image)
