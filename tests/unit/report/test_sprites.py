"""Many pictures in one, against cutting them out again."""

import base64
import io

import numpy as np
from PIL import Image

from convprobe.report import sprites


def decoded(made):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(made["source"].partition(",")[2]))))


def test_every_picture_lies_in_its_cell_and_the_rest_is_grey():
    pictures = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    made = sprites.sprite([*pictures[:4], pictures[4, :2, :3]], size=(4, 6), lossless=True)
    grid = decoded(made)
    assert (made["across"], made["height"], made["width"]) == (3, 4, 6)
    np.testing.assert_array_equal(grid[:4, 12:], pictures[2])
    np.testing.assert_array_equal(grid[4:, :6], pictures[3])
    np.testing.assert_array_equal(grid[4:6, 6:9], pictures[4, :2, :3])
    assert (grid[6:, 6:] == 128).all()
    assert (grid[4:, 9:] == 128).all()


def test_a_lossy_sprite_is_close_and_a_data_url():
    smooth = np.linspace(0, 255, 32)[:, None, None].repeat(32, 1).repeat(3, 2).astype(np.uint8)
    made = sprites.sprite([smooth], size=(32, 32))
    assert made["source"].startswith("data:image/webp;base64,")
    assert np.abs(decoded(made).astype(int) - smooth).mean() < 4


def test_only_large_pictures_are_scaled_down():
    small, large = np.zeros((64, 40, 3), np.uint8), np.full((96, 48, 3), 7, np.uint8)
    assert sprites.thumbnail(small, 64) is small
    np.testing.assert_array_equal(sprites.thumbnail(large, 64), np.full((64, 32, 3), 7))
