"""Many small pictures in one, as a page shows them."""

import base64
import io
import math

import numpy as np
from PIL import Image

GREY = 128  # where a picture is smaller than its cell
LOSSY_QUALITY = 75


def sprite(pictures, side, lossless=False):
    """Pictures side by side in a nearly square grid, row by row.

    Args:
        pictures: uint8 (y, x, channel) each, at most `side` high and wide.
        side: of a cell, in pixels.
        lossless: as PNG; otherwise as WebP, a quarter of the bytes.

    Returns:
        dict of `source`, a data URL; `side`; and `across`, the cells in a row.
    """
    across = max(1, math.ceil(math.sqrt(len(pictures))))
    down = max(1, -(-len(pictures) // across))
    grid = np.full((down * side, across * side, 3), GREY, np.uint8)
    for cell, pixels in enumerate(pictures):
        y, x = (side * place for place in divmod(cell, across))
        grid[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
    kind, options = (
        ("png", {"optimize": True})
        if lossless
        else ("webp", {"quality": LOSSY_QUALITY, "method": 6})
    )
    file = io.BytesIO()
    Image.fromarray(grid).save(file, kind, **options)
    source = f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"source": source, "side": side, "across": across}


def thumbnail(pixels, most_side):
    """A picture scaled down to at most `most_side` pixels: uint8 (y, x, channel)."""
    if max(pixels.shape[:2]) <= most_side:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((most_side, most_side))
    return np.asarray(image)
