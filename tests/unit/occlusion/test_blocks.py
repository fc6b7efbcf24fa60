"""Where the positions of a map lie on its image, by hand."""

import numpy as np
import pytest

from convprobe.occlusion import blocks


@pytest.mark.parametrize(
    ("rows", "columns", "stride", "name"),
    [
        ([0, 1, 2], [0, 1], 1, "pixel"),
        ([0], [0], 1, "pixel"),
        ([1, 3], [1, 3], 2, "block of 2×2 pixels"),
        ([4, 12, 20], [4, 12], 8, "block of 8×8 pixels"),
        ([3], [3], 7, "block of 7×7 pixels"),
        ([4], [4, 12], 8, "block of 8×8 pixels"),  # one row of positions
        ([4, 12], [4], 8, "block of 8×8 pixels"),
    ],
)
def test_the_centres_tell_the_stride(rows, columns, stride, name):
    centres = np.array(rows), np.array(columns)
    assert blocks.stride(*centres) == stride
    assert blocks.name(*centres) == name


def test_a_map_of_every_pixel_is_drawn_as_it_is():
    values = np.random.default_rng(0).random((5, 6), dtype=np.float32)
    drawn = blocks.on_image(values, np.arange(5), np.arange(6), (5, 6))
    np.testing.assert_array_equal(drawn, values)
    assert drawn.dtype == np.float32


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (5, [0, 0, 0, 1, 1]),  # the second block is clipped
        (6, [0, 0, 0, 1, 1, 1]),
        (7, [0, 0, 0, 1, 1, 1, np.nan]),  # a third centre, 7, would be outside
    ],
)
def test_each_value_is_drawn_over_its_block(side, expected):
    values = np.array([[0, 1, 2], [10, 11, 12]], dtype=np.float32)
    drawn = blocks.on_image(values, np.array([1, 4]), np.array([1, 4, 7]), (side, 8))
    rows = 10 * np.array(expected)
    np.testing.assert_array_equal(drawn, rows[:, None] + np.array([0, 0, 0, 1, 1, 1, 2, 2]))
