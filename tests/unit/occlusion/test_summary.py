"""The occlusion maps in numbers, against counting by hand."""

import numpy as np
import pytest

from convprobe.dataset import image_file
from convprobe.occlusion import summary, window_file
from convprobe.occlusion.window_settings import WindowSettings


def test_the_summary_counts_flips_against_the_clean_prediction(tmp_path):
    classes = ("ant", "bee", "cow")
    pixels = np.zeros((6, 2, 2, 3), np.uint8)
    masks = np.zeros((6, 2, 2), bool)
    masks[5, 0, 0] = True
    tested = image_file.Images(pixels, np.ones(6, np.int64), classes, np.arange(6), masks)
    image_file.write(tmp_path / "images.h5", {"train": tested, "test": tested})
    images = image_file.read(tmp_path / "images.h5", "test", [5])
    top_row = [[0.1, 0.8, 0.1], [0.3, 0.2, 0.5]]
    bottom_row = [[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]]
    maps = np.array([[top_row, bottom_row]], dtype=np.float32)
    clean = np.array([[0.0, 0.9, 0.1]], dtype=np.float32)
    settings = WindowSettings(1, 0)
    window_file.write(tmp_path / "w.h5", maps, clean, images, settings, "")
    table, localisation = summary.summarise([tmp_path / "w.h5"], tmp_path / "images.h5")
    (row,) = table.to_dict("records")
    numbers = {
        "clean_confidence": 0.9,
        "mean_confidence": 0.425,
        "min_confidence": 0.2,
        "flipped_fraction": 0.75,
    }
    assert {key: row[key] for key in numbers} == pytest.approx(numbers)
    assert (row["window"], row["image"], row["class"], row["flipped_to"]) == (1, 5, "bee", "cow")
    # The object is where confidence is highest.
    assert (row["hit"], row["roc_auc"]) == (0, 0)
    assert np.isnan(row["hit_others"]), "there is no other image"
    assert localisation.empty


def test_with_a_stride_positions_are_counted_and_not_pixels(tmp_path):
    pixels = np.zeros((1, 5, 5, 3), np.uint8)
    images = image_file.Images(pixels, np.zeros(1, np.int64), ("ant", "bee"), np.arange(1))
    image_file.write(tmp_path / "images.h5", {"train": images, "test": images})
    confidence = np.array([[[0.9, 0.6], [0.8, 0.1]]], np.float32)
    maps = np.stack([confidence, 1 - confidence], axis=-1)
    clean = np.array([[0.7, 0.3]], np.float32)
    settings = WindowSettings(1, 0, stride=3)
    window_file.write(tmp_path / "w.h5", maps, clean, images, settings, "")
    table, _ = summary.summarise([tmp_path / "w.h5"], tmp_path / "images.h5")
    (row,) = table.to_dict("records")
    numbers = {"mean_confidence": 0.6, "min_confidence": 0.1, "flipped_fraction": 0.25}
    assert {key: row[key] for key in numbers} == pytest.approx(numbers)
    assert row["flipped_to"] == "bee"


def test_where_nothing_flips_no_class_is_named(tmp_path):
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    images = image_file.Images(pixels, np.zeros(1, np.int64), ("ant", "bee"), np.arange(1))
    image_file.write(tmp_path / "images.h5", {"train": images, "test": images})
    maps = np.full((1, 2, 2, 2), [0.7, 0.3], np.float32)
    settings = WindowSettings(1, 0)
    window_file.write(tmp_path / "w.h5", maps, maps[:, 0, 0], images, settings, "")
    table, _ = summary.summarise([tmp_path / "w.h5"], tmp_path / "images.h5")
    assert table["flipped_fraction"].tolist() == [0]
    assert table["flipped_to"].tolist() == [""]
    assert np.isnan(table["hit"]).all(), "no place of an object is known"
