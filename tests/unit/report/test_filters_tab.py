"""What the page holds of the filters, against what their tables and maps say."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from convprobe.report import filters_tab
from convprobe.store import hdf5


def noise(count, side):
    random = np.random.default_rng(0)
    return [random.integers(256, size=(side, side, 3), dtype=np.uint8) for _ in range(count)]


def test_a_kernel_is_drawn_with_0_as_grey_and_its_largest_weight_as_the_end_of_a_colour():
    weights = np.zeros((2, 1, 2, 3), np.float32)
    weights[1, 0] = [[0.5, -0.25, 0], [0.125, 0, -0.5]]
    pictures = filters_tab.kernel_pictures(weights)
    assert pictures["largest"] == [0, 0.5]
    assert pictures["sprite"]["width"] == 2
    _, _, encoded = pictures["sprite"]["source"].partition(",")
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        pixels = np.asarray(image)
    # Two cells beside each other. Levels of ±0.25 are half of 127 from 128, to the nearest even.
    assert pixels.tolist() == [
        [[128, 128, 128], [128, 128, 128], [255, 64, 128], [160, 128, 1]],
    ]


def test_images_at_quantiles_are_held_by_filter():
    table = pd.DataFrame(
        [("conv1", 2, 1.0, 4, "a", 1.23456), ("conv1", 2, 0.0, 1, "b", 0.0)],
        columns=["layer", "channel", "quantile", "image", "class", "response"],
    )
    assert filters_tab.quantile_images(table) == {
        "conv1/2": {
            "quantile": [1, 0],
            "image": [4, 1],
            "response": [1.235, 0],
            "class": ["a", "b"],
        }
    }


@pytest.mark.parametrize(("largest", "held"), [(6, True), (5, False)])
def test_maps_of_a_filter_are_held_in_levels_unless_they_are_large(
    tmp_path, monkeypatch, largest, held
):
    monkeypatch.setattr(filters_tab, "LARGEST_MAP", largest)
    maps = np.zeros((4, 2, 3), np.float32)
    maps[3, 1] = [-1, 0, 4]
    with hdf5.create(tmp_path / "activations.h5") as file:
        file["conv1/2/maps"] = maps
    top_images = pd.DataFrame(
        [("conv1", 2, 1, 3), ("conv1", 2, 2, 0), ("conv1", 1, 1, 1)],
        columns=["layer", "channel", "rank", "image"],
    )
    found = filters_tab.filter_maps(tmp_path / "activations.h5", top_images, ["conv1/2"])["conv1/2"]
    assert (found["height"], found["width"], found["low"], found["high"]) == (2, 3, -1, 4)
    if held:
        levels = list(base64.b64decode(found["levels"]))
        assert levels == [51, 51, 51, 0, 51, 255, *[51] * 6]
    else:
        assert found["levels"] is None


def test_each_filter_has_the_patch_in_its_own_box_of_its_own_image(tmp_path, monkeypatch):
    monkeypatch.setattr(filters_tab, "BATCH", 2)
    images = np.array(noise(5, 8))
    with hdf5.create(tmp_path / "images.h5") as file:
        file.attrs["classes"] = ["cat", "dog", "frog"]
        file["test/images"] = images
        file["test/labels"] = np.zeros(len(images), np.int64)
    rows = pd.DataFrame(
        [
            ("conv2", 4, 2.5, 0, 0, 8, 8),
            ("conv2", 0, 0.1, 1, 2, 6, 5),
            ("conv1", 3, 1.0, 0, 5, 2, 8),
            ("conv1", 0, 0.0, 6, 0, 8, 3),  # silent
            ("conv1", 4, 3.0, 3, 3, 4, 4),
        ],
        columns=["layer", "image", "response", "top", "left", "bottom", "right"],
        index=[0, 5, 10, 15, 20],  # as of a table's rows of the first rank
    )
    patches = filters_tab.patches_of(rows, tmp_path / "images.h5", 10**9)
    assert set(patches) == {"conv1", "conv2"}
    np.testing.assert_equal(patches["conv2"], [images[4], images[0, 1:6, 2:5]])
    grey = np.full((2, 3, 3), 128)
    expected = [images[3, :2, 5:], grey, images[4, 3:4, 3:4]]
    np.testing.assert_equal(patches["conv1"], expected)
    small = filters_tab.patches_of(rows, tmp_path / "images.h5", 30)
    assert max(patch.shape[0] for patch in small["conv2"]) < 8


def test_patches_are_scaled_down_together_until_they_fit():
    patches = {"first": noise(50, 6), "last": noise(40, 40)}
    free = filters_tab.patch_sprites(patches, 10**9)
    assert [free[name]["width"] for name in patches] == [6, 40]
    whole = sum(len(sprite["source"]) for sprite in free.values())
    bound = filters_tab.patch_sprites(patches, whole // 3)
    assert sum(len(sprite["source"]) for sprite in bound.values()) <= whole // 3
    assert bound["first"]["width"] == 6
    assert 6 < bound["last"]["width"] < 40
    smallest = filters_tab.patch_sprites(patches, 1)
    assert {sprite["width"] for sprite in smallest.values()} == {filters_tab.SMALLEST_PATCH}
