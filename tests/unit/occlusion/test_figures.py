"""The sheet of occlusion maps."""

import matplotlib.image
import numpy as np
import pytest

from convprobe.dataset import image_file
from convprobe.occlusion import figures, windows


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
    settings = {"window": 3, "fill": 128, "precision": "fp32"}
    windows.write(tmp_path / "w.h5", maps, maps[:, 0, 0], images, settings, "")
    image_file.write(tmp_path / "images.h5", {"train": images, "test": images})
    for name, chosen in (("with", [3, 4]), ("without", [3, 5])):
        sheet = image_file.read(tmp_path / "images.h5", "test", chosen)
        path = tmp_path / f"{name}.png"
        figures.occlusion_sheet(path, sheet, [tmp_path / "w.h5"], "r", "epoch-01")
        shown = matplotlib.image.imread(path)[..., :3]
        red = (shown == [1, 0, 0]).all(axis=2).sum()
        drawn_maps = shown[shown.shape[0] // 2 :, : shown.shape[1] // 2]
        yellow = ((drawn_maps[..., 0] > 0.9) & (drawn_maps[..., 2] < 0.3)).sum()
        assert (red > 1000, yellow > 1000) == ((True, True) if name == "with" else (False, False))


def test_the_blocks_of_a_map_lie_where_they_are_on_the_image(tmp_path):
    """Of 7 pixels a stride of 3 leaves 1 and 4, and a last one without a block."""
    maps = np.zeros((1, 2, 2, 2), np.float32)
    maps[0, 0, 1, 0] = 1  # certain of the true class at rows 0 to 2, columns 3 to 5: yellow
    images = image_file.Images(
        np.zeros((1, 7, 7, 3), np.uint8), np.zeros(1, int), ("ant", "bee"), np.arange(1)
    )
    settings = {"window": 3, "fill": 128, "precision": "fp32"}
    windows.write(tmp_path / "w.h5", maps, maps[:, 0, 0], images, settings, "", stride=3)
    path = tmp_path / "sheet.png"
    figures.occlusion_sheet(path, images, [tmp_path / "w.h5"], "r", "epoch-01")
    shown = matplotlib.image.imread(path)[..., :3]
    lower = shown[shown.shape[0] // 2 :, : shown.shape[1] // 4]  # the one map
    image = shown[: shown.shape[0] // 2, : shown.shape[1] // 4]
    yellow = (lower[..., 0] > 0.9) & (lower[..., 2] < 0.3)
    side = _extent((image == 0).all(axis=2))
    assert _extent(yellow) == pytest.approx(3 / 7 * side, abs=2)
    violet = (abs(lower - [0.267, 0.005, 0.329]) < 0.02).all(axis=2)
    assert _extent(violet) == pytest.approx(6 / 7 * side, abs=2)
    assert "Each block of 3×3 pixels of a map" in path.with_suffix(".txt").read_text()


def _extent(found):
    """How many canvas pixels the rows are that hold most of what is looked for."""
    counts = found.sum(axis=1)
    return (counts > counts.max() / 3).sum()
