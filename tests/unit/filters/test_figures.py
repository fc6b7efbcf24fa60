"""What figures of filters show where there is little to show, and say in words."""

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from convprobe.dataset import image_file
from convprobe.filters import figures, top_patches
from convprobe.network import receptive_field
from convprobe.store import hdf5

RED = (255, 0, 0)
GREY = (128, 128, 128)
FIELD = receptive_field.ReceptiveField(
    size=4, stride=2, start=-2, seen=((0, 2), (0, 4), (2, 6), (4, 8), (6, 8))
)


def red_images(count, side=8):
    pixels = np.full((count, side, side, 3), RED, dtype=np.uint8)
    return image_file.Images(pixels, np.zeros(count, dtype=int), ("ant", "bee"), np.arange(count))


def top_images(responses):
    """Rows of top-images.csv of one filter, its peak in the upper left corner of each image."""
    box = top_patches.clipped_box(FIELD, 0, 0)
    rows = []
    for rank, value in enumerate(responses, start=1):
        rows.append(("conv1", 3, rank, rank - 1, "ant", value, 0, 0, *box))
    return pd.DataFrame(rows, columns=top_patches.TOP_IMAGES_COLUMNS)


def draw_filter(path, responses):
    count = len(responses)
    maps = np.zeros((count, 3, 3), dtype=np.float32)
    maps[:, 0, 0] = responses
    rows = top_images(responses)
    figures.one_filter(path, red_images(count), maps, rows, FIELD, "r", "epoch-01")


def draw_atlas(path, responses):
    rows = top_images(responses)
    figures.atlas_page(path, red_images(len(responses)), rows, FIELD, "r", "epoch-01")


def draw_top_patches(path, responses):
    patches_path = path.with_suffix(".h5")
    with hdf5.create(patches_path) as file:
        file["conv1/3"] = np.full((len(responses), 4, 4, 3), RED, np.uint8)
    figures.top_patches(path, patches_path, top_images(responses), "r", "epoch-01")


def pixels_of(path, colour):
    shown = matplotlib.image.imread(path)[..., :3]
    wanted = np.array(colour, dtype=np.float32) / 255
    return (shown == wanted).all(axis=2).sum()


def words(path):
    return path.with_suffix(".txt").read_text()


def test_a_filter_shows_the_whole_patch_grey_beyond_the_image(tmp_path):
    path = tmp_path / "one.png"
    draw_filter(path, [2.0, 1.0])
    assert "the 4×4 pixels" in words(path)
    assert "grey where it sees padding" in words(path)
    # Of the patch of the same size as the image, three quarters lie beyond it.
    assert 0.5 < pixels_of(path, GREY) / pixels_of(path, RED) < 0.75


def test_the_atlas_shows_the_whole_patch_too(tmp_path):
    path = tmp_path / "atlas.png"
    draw_atlas(path, [2.0, 1.0])
    assert "patches of 4×4 pixels" in words(path)
    assert "grey where it sees padding" in words(path)
    assert 2 < pixels_of(path, GREY) / pixels_of(path, RED) < 4


def test_an_image_without_a_response_is_not_shown(tmp_path):
    path = tmp_path / "silent.png"
    draw_filter(path, [0.0, 0.0])
    assert pixels_of(path, RED) == 0
    shown = []
    for responses in ([2.0, 1.0], [2.0, 0.0], [0.0, 0.0]):
        draw_atlas(path, responses)
        shown.append(pixels_of(path, RED))
    assert shown[0] > shown[1] > shown[2] == 0


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (draw_filter, "top-images.csv"),
        (draw_atlas, "all-top-images.csv"),
        (draw_top_patches, "top-images.csv"),
    ],
)
def test_of_many_top_images_only_the_first_ones_are_drawn(tmp_path, monkeypatch, draw, table):
    monkeypatch.setattr(figures, "MOST_RANKS", 3)
    all_of_them = tmp_path / "3.png"
    draw(all_of_them, [2.0] * 3)
    assert "ranks are drawn" not in words(all_of_them)
    some = tmp_path / "4.png"
    draw(some, [2.0] * 4)
    assert f" Only the first 3 of 4 ranks are drawn; {table} lists all." in words(some)
    # The caption takes one line more.
    assert np.allclose(pixels_of(some, RED), pixels_of(all_of_them, RED), rtol=0.1)
