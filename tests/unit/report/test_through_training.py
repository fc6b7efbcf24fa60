"""The figure of several epochs."""

import numpy as np
import pandas as pd
import pytest
from drawn_texts import size, texts

from convprobe import style
from convprobe.dataset.image_file import Images
from convprobe.filters.top_patches import TOP_IMAGES_COLUMNS
from convprobe.occlusion import window_file
from convprobe.occlusion.window_settings import WindowSettings
from convprobe.report import through_training
from convprobe.store import hdf5

EPOCHS = ["epoch-01", "epoch-02"]
SIDE = 8


@pytest.fixture
def draw(tmp_path):
    """Draws the figure of two images and so many filters."""
    images = Images(
        np.zeros((2, SIDE, SIDE, 3), np.uint8), np.array([0, 1]), ("ant", "bee"), np.arange(2)
    )
    maps = np.full((2, SIDE, SIDE, 2), 0.5, np.float32)
    settings = WindowSettings(3)
    window_file.write(tmp_path / "w.h5", maps, maps[:, 0, 0], images, settings, "")

    def drawn(count):
        row = {**dict.fromkeys(TOP_IMAGES_COLUMNS, 1), "layer": "conv1", "class": "ant"}
        table = pd.DataFrame([{**row, "channel": channel} for channel in range(count)])
        with hdf5.create(tmp_path / "p.h5") as file:
            for channel in range(count):
                file[f"conv1/{channel}"] = np.zeros((1, 4, 4, 3), np.uint8)
        path = tmp_path / "a.png"
        patches = [tmp_path / "p.h5"] * 2 if count else []
        top = pd.concat([table] * 2, keys=EPOCHS) if count else None
        through_training.draw(path, images, EPOCHS, [tmp_path / "w.h5"] * 2, patches, top, "r")
        return path

    return drawn


@pytest.mark.slow
@pytest.mark.parametrize(("count", "shown"), [(0, 0), (2, 2), (12, 10)])
def test_a_row_per_epoch_has_maps_and_the_first_filters(draw, count, shown):
    path = draw(count)
    assert size(path)[0] == pytest.approx(style.COLUMN if count == 0 else style.PAGE)
    drawn = texts(path)
    assert [text for text in drawn if text in EPOCHS] == EPOCHS
    assert drawn.count("0.50") == 4
    assert drawn.count("conv1") == shown
    words = path.with_suffix(".txt").read_text()
    assert ("Only the first 10 of 12 chosen filters are drawn." in words) == (count == 12)
