"""What the page holds of occlusion, against what the maps say."""

import numpy as np
import pytest

from convprobe.report import occlusion_tab, packing
from convprobe.store import hdf5


def numbers_of(text: str) -> np.ndarray:
    return np.frombuffer(packing.inflated(text), "<u2")


@pytest.fixture
def window_path(tmp_path):
    """Maps of one image of 2 by 2 pixels and three classes."""
    by_class = [
        [[0.5, 0.3], [0.1, 0.2]],
        [[0.3, 0.4], [0.8, 0.2]],
        [[0.2, 0.3], [0.1, 0.6]],
    ]
    probability = np.moveaxis(np.array([by_class], np.float32), 1, -1)
    path = tmp_path / "window-3.h5"
    with hdf5.create(path) as file:
        file["probability"] = probability
    return path


def test_maps_are_held_class_by_class_in_units(window_path):
    image = occlusion_tab.image_maps([window_path], row=0, label=0)
    units = numbers_of(image["maps"]["probability"])
    assert units.tolist() == [
        *(5000, 3000, 1000, 2000),
        *(3000, 4000, 8000, 2000),
        *(2000, 3000, 1000, 6000),
    ]


def test_what_is_read_off_the_maps_comes_with_them(window_path):
    image = occlusion_tab.image_maps([window_path, window_path], row=0, label=0)
    once = [0, 1, 1, 2]
    assert numbers_of(image["maps"]["predicted"]).tolist() == [*once, *once]
    assert image["lowest"] == [2, 2]
    assert image["predicted_shares"] == [[[1, 0.5], [0, 0.25], [2, 0.25]]] * 2


def test_a_close_decision_is_made_before_rounding(tmp_path):
    probability = np.array([0.400001, 0.400002, 0.2], np.float32).reshape(1, 1, 1, 3)
    with hdf5.create(tmp_path / "window-3.h5") as file:
        file["probability"] = probability
    image = occlusion_tab.image_maps([tmp_path / "window-3.h5"], row=0, label=0)
    assert numbers_of(image["maps"]["predicted"]).tolist() == [1]


def test_of_many_classes_the_true_one_and_the_likeliest_have_maps(monkeypatch):
    monkeypatch.setattr(occlusion_tab, "MOST_MAP_CLASSES", 3)
    highest = np.array([0.1, 0.9, 0.2, 0.9, 0.0], np.float32)
    assert occlusion_tab.classes_of_maps(highest, label=4, places=10) == [1, 3, 4]
    assert occlusion_tab.classes_of_maps(highest, label=1, places=10) == [1, 2, 3]
    # Of so many places two classes are all that fits.
    assert occlusion_tab.classes_of_maps(highest, label=4, places=10**6) == [1, 4]


def test_the_maps_of_the_held_classes_are_theirs(window_path, monkeypatch):
    monkeypatch.setattr(occlusion_tab, "MOST_MAP_CLASSES", 2)
    image = occlusion_tab.image_maps([window_path], row=0, label=2)
    assert image["classes"] == [1, 2]
    units = numbers_of(image["maps"]["probability"]).tolist()
    assert units == [3000, 4000, 8000, 2000, 2000, 3000, 1000, 6000]
    assert numbers_of(image["maps"]["predicted"]).tolist() == [0, 1, 1, 2]
