"""What figures of the ablation show where there is little to show, and say in words."""

import numpy as np
import pandas as pd

from convprobe.ablation import figures as ablation_figures
from convprobe.ablation import tabulation
from convprobe.dataset import image_file

RED = (255, 0, 0)
OFF = ablation_figures.switched_off(["conv1/2", "conv1/7", "conv2/5"], "weights-only")
PREDICTION_COLUMNS = [
    "image",
    "class",
    "clean",
    "ablated",
    "clean_confidence",
    "ablated_confidence",
]


def red_images(count, side=8):
    pixels = np.full((count, side, side, 3), RED, dtype=np.uint8)
    return image_file.Images(pixels, np.zeros(count, dtype=int), ("ant", "bee"), np.arange(count))


def words(path):
    return path.with_suffix(".txt").read_text()


def test_what_is_off_is_named_layer_by_layer_with_the_mode():
    assert OFF == "conv1/2, 7; conv2/5: weights set to 0, biases kept"
    many = [f"conv1/{channel}" for channel in range(40)] + ["conv2/1"]
    assert ablation_figures.switched_off(many, "zero") == "40 of conv1; 1 of conv2: map set to 0"


def test_an_ablation_that_changes_nothing_is_drawn_and_said(tmp_path):
    right = pd.DataFrame([(0, "ant", "ant", "ant", 0.9, 0.9), (1, "bee", "bee", "bee", 0.8, 0.7)])
    right.columns = PREDICTION_COLUMNS
    classes, counts = ("ant", "bee"), {}
    for state in tabulation.STATES:
        counts[state] = tabulation.confusion(right, state, classes)
    ablation_figures.confusion(tmp_path / "confusion.png", *counts.values(), OFF, "r", "epoch-01")
    pairs = tabulation.class_pairs(right)
    ablation_figures.class_pairs(tmp_path / "pairs.png", pairs, right, OFF, "r", "epoch-01")
    lost = tabulation.lost_images(tabulation.flips(right))
    ablation_figures.gallery(tmp_path / "gallery.png", red_images(0), lost, 0, OFF, "r", "epoch-01")
    predicted = {
        "clean": ("", right["clean"]),
        "ablated": ("conv1/2 conv1/7 conv2/5", right["ablated"]),
    }
    predicted |= {"random-01": ("conv1/1 conv1/2 conv2/0", right["ablated"])}
    table = tabulation.accuracies(predicted, right["class"])
    ablation_figures.accuracy(tmp_path / "accuracy.png", table, OFF, "r", "epoch-01")
    for name in ("confusion", "pairs", "gallery", "accuracy"):
        assert "r, epoch-01" in words(tmp_path / f"{name}.png")
        assert OFF in words(tmp_path / f"{name}.png")
    assert "0 of the 0 test images" in words(tmp_path / "gallery.png")
    said = words(tmp_path / "accuracy.png").replace("\N{NO-BREAK SPACE}", " ")
    assert "0 of 2 images are lost, 0 gained" in said
    assert "random draws of as many filters lose" not in said, (
        "where nothing is lost, that is no comparison"
    )
