"""The sheet of occlusion maps."""

import re

import matplotlib.image
import numpy as np
import pytest
from drawn_texts import SVG, marked, texts

from convprobe.dataset import image_file
from convprobe.occlusion import blocks, figures, window_file
from convprobe.occlusion.window_settings import WindowSettings


@pytest.mark.slow
def test_a_sheet_shows_its_own_images_and_their_maps(tmp_path):
    """The maps are those of its images, wherever in the window file they are."""
    count, side = 6, 4
    maps = np.zeros((count, side, side, 2), np.float32)
    maps[..., 1] = 1
    maps[4, ..., 0] = 1  # certain of the true class, which is yellow
    maps[4, ..., 1] = 0
    pixels = np.zeros((count, side, side, 3), np.uint8)
    pixels[4] = (255, 0, 0)
    images = image_file.Images(pixels, np.zeros(count, int), ("ant", "bee"), np.arange(count))
    settings = WindowSettings(3)
    window_file.write(tmp_path / "w.h5", maps, maps[:, 0, 0], images, settings, "")
    image_file.write(tmp_path / "images.h5", {"train": images, "test": images})
    for name, chosen in (("with", [3, 4]), ("without", [3, 5])):
        sheet = image_file.read(tmp_path / "images.h5", "test", chosen)
        path = tmp_path / f"{name}.png"
        figures.occlusion_sheet(path, sheet, [tmp_path / "w.h5"], "r", "epoch-01")
        shown = matplotlib.image.imread(path)[..., :3]
        red = (shown == [1, 0, 0]).all(axis=2).sum()
        drawn_maps = shown[shown.shape[0] // 2 :, : 3 * shown.shape[1] // 4]
        yellow = ((drawn_maps[..., 0] > 0.9) & (drawn_maps[..., 2] < 0.3)).sum()
        assert (red > 1000, yellow > 1000) == ((True, True) if name == "with" else (False, False))


@pytest.mark.slow
def test_the_blocks_of_a_map_lie_where_they_are_on_the_image(tmp_path):
    """Of 7 pixels a stride of 3 leaves 1 and 4, and a last one without a block."""
    maps = np.zeros((1, 2, 2, 2), np.float32)
    maps[0, 0, 1, 0] = 1  # certain of the true class at rows 0 to 2, columns 3 to 5: yellow
    images = image_file.Images(
        np.zeros((1, 7, 7, 3), np.uint8), np.zeros(1, int), ("ant", "bee"), np.arange(1)
    )
    settings = WindowSettings(3, stride=3)
    window_file.write(tmp_path / "w.h5", maps, maps[:, 0, 0], images, settings, "")
    path = tmp_path / "sheet.png"
    figures.occlusion_sheet(path, images, [tmp_path / "w.h5"], "r", "epoch-01")
    shown = matplotlib.image.imread(path)[..., :3]
    lower = shown[shown.shape[0] // 2 :, : shown.shape[1] // 2]  # the one map
    image = shown[: shown.shape[0] // 2, : shown.shape[1] // 2]
    yellow = (lower[..., 0] > 0.9) & (lower[..., 2] < 0.3)
    side = _extent((image == 0).all(axis=2))
    assert _extent(yellow) == pytest.approx(3 / 7 * side, abs=2)
    violet = (abs(lower - [0.267, 0.005, 0.329]) < 0.02).all(axis=2)
    assert _extent(violet) == pytest.approx(6 / 7 * side, abs=2)
    assert "Each block of 3×3 pixels of a map" in path.with_suffix(".txt").read_text()


@pytest.fixture
def sheet(tmp_path):
    """Draws the sheet of two images of 8×12 pixels, with or without masks."""
    pixels = np.zeros((2, 8, 12, 3), np.uint8)
    masks = np.zeros((2, 8, 12), bool)
    masks[0, 2, 3:5] = True
    masks[1, 2:5, 3] = True

    def draw(windows_and_fills, masks=masks):
        images = image_file.Images(
            pixels, np.zeros(2, int), ("ant", "bee"), np.arange(2), masks=masks
        )
        maps = np.full((2, 8, 12, 2), 0.5, np.float32)
        paths = []
        for window, fill in windows_and_fills:
            paths.append(tmp_path / f"{window}.h5")
            settings = WindowSettings(window, fill)
            window_file.write(paths[-1], maps, maps[:, 0, 0], images, settings, "")
        path = tmp_path / "sheet.png"
        figures.occlusion_sheet(path, images, paths, "r", "epoch-01")
        return path

    return draw


def _extent_of(group):
    """Width and height in points of the first path of a group."""
    numbers = re.findall(r"[-\d.]+ [-\d.]+", next(group.iter(f"{SVG}path")).get("d"))
    corners = np.array([[float(part) for part in number.split()] for number in numbers])
    return corners.max(axis=0) - corners.min(axis=0)


@pytest.mark.slow
def test_each_window_is_drawn_on_the_scale_of_the_maps_and_in_its_grey(sheet):
    path = sheet([(3, 128), (5, 0)])
    assert "with a grey window centred there" in path.with_suffix(".txt").read_text()
    assert blocks.window(0) == "a black window"
    drawn = marked(path, "window")
    sides = [_extent_of(group) for group in drawn]
    # The first object is 2 pixels wide and 1 high.
    outline = _extent_of(marked(path, "outline")[0])
    assert sides[0] == pytest.approx([1.5 * outline[0], 3 * outline[1]], rel=0.01)
    assert sides[1] == pytest.approx([2.5 * outline[0], 5 * outline[1]], rel=0.01)
    styles = [next(group.iter(f"{SVG}path")).get("style") for group in drawn]
    assert "fill: #808080" in styles[0]
    assert "fill: #808080" not in styles[1], "black is SVG's own"
    assert {"window 3×3", "window 5×5"} <= set(texts(path))


@pytest.mark.slow
def test_the_object_is_outlined_where_its_place_is_known(sheet):
    path = sheet([(3, 128)])
    # In black and white, on two images and then on their maps: 2×1 pixels and 1×3.
    shapes = np.array([_extent_of(group) for group in marked(path, "outline")])
    pixel = shapes[0] / [2, 1]
    assert np.allclose(shapes / pixel, [[2, 1], [2, 1], [1, 3], [1, 3]] * 2, atol=0.01)
    assert "line around the object" in path.with_suffix(".txt").read_text()
    path = sheet([(3, 128)], masks=None)
    assert marked(path, "outline") == []
    assert "line around the object" not in path.with_suffix(".txt").read_text()


def _extent(found):
    """How many canvas pixels the rows are that hold most of what is looked for."""
    counts = found.sum(axis=1)
    return (counts > counts.max() / 3).sum()
