"""What figures of the ablation show where there is little or much to show, and say in words."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from convprobe.ablation import figures, tabulation
from convprobe.ablation.tabulation import Variant
from convprobe.dataset.image_file import Images

ABLATION = figures.describe(["conv1/2", "conv1/7", "conv2/5"], "weights-only")
# Names of columns, of the corner of a table, of variants; what is a formula in a figure.
AWKWARD = ("clean", "ablated", "class", "class.1", "none", "nan", "", " ", 'a, "b"', "$x$")
FIGURES = ("confusion", "pairs", "gallery", "accuracy")


def words(path):
    return path.with_suffix(".txt").read_text().replace("\N{NO-BREAK SPACE}", " ")


def test_filters_switched_off_are_named_layer_by_layer_with_the_mode():
    assert ABLATION == "conv1/2, 7; conv2/5: weights set to 0, biases kept"


def test_of_many_filters_only_the_number_is_named():
    many = [f"conv1/{channel}" for channel in range(40)] + ["conv2/1"]
    assert figures.describe(many, "zero") == "40 of conv1; 1 of conv2: map set to 0"


@pytest.fixture
def of_no_effect(tmp_path):
    """A folder with the figures of an ablation that changes nothing."""
    rows = [(0, "ant", "ant", "ant", 0.9, 0.9), (1, "bee", "bee", "bee", 0.8, 0.7)]
    columns = ["image", "class", "clean", "ablated", "clean_confidence", "ablated_confidence"]
    right = pd.DataFrame(rows, columns=columns)
    place = (ABLATION, "r", "epoch-01")
    clean = tabulation.confusion(right, "clean", ["ant", "bee"])
    ablated = tabulation.confusion(right, "ablated", ["ant", "bee"])
    figures.confusion(tmp_path / "confusion.png", clean, ablated, *place)
    pairs = tabulation.class_pairs(right)
    figures.class_pairs(tmp_path / "pairs.png", pairs, right, *place)
    none = np.zeros(0, int)
    no_images = Images(np.zeros((0, 8, 8, 3), np.uint8), none, ("ant", "bee"), none)
    lost = tabulation.lost_images(tabulation.flips(right))
    figures.gallery(tmp_path / "gallery.png", no_images, lost, 0, *place)
    variants = {
        "clean": Variant("", right["clean"]),
        "ablated": Variant("conv1/2 conv1/7 conv2/5", right["ablated"]),
        "conv1": Variant("conv1/2 conv1/7", right["ablated"]),
        "conv2": Variant("conv2/5", right["ablated"]),
        "conv2/5": Variant("conv2/5", right["ablated"]),
        "conv1/2": Variant("conv1/2", right["ablated"]),
        "conv1/7": Variant("conv1/7", right["ablated"]),
        "random-01": Variant("conv1/1 conv1/2 conv2/0", right["ablated"]),
    }
    table = tabulation.accuracies(variants, right["class"])
    figures.accuracy(tmp_path / "accuracy.png", table, *place)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_names_its_run_and_what_is_switched_off(of_no_effect, name):
    assert "r, epoch-01" in words(of_no_effect / f"{name}.png")
    assert ABLATION in words(of_no_effect / f"{name}.png")


@pytest.mark.slow
def test_an_ablation_that_changes_nothing_is_drawn_and_said(of_no_effect):
    assert "0 of the 0 test images" in words(of_no_effect / "gallery.png")
    said = words(of_no_effect / "accuracy.png")
    assert "0 of 2 images are lost, 0 gained" in said
    assert "random draws of as many filters lose" not in said, "nothing to compare with"


@pytest.mark.slow
def test_a_layer_of_one_chosen_filter_has_no_line_beside_the_filter_s(of_no_effect):
    drawn = (of_no_effect / "accuracy.svg").read_text()
    assert "without conv2/5" in drawn
    assert "without those of conv1" in drawn
    assert "without those of conv2" not in drawn


@pytest.mark.slow
def test_classes_are_named_in_confusion_whatever_their_names(tmp_path):
    counts = np.arange(len(AWKWARD) ** 2).reshape(len(AWKWARD), -1)
    table = pd.DataFrame(counts, AWKWARD, AWKWARD)
    figures.confusion(tmp_path / "a.png", table, table, ABLATION, "own", "weights")
    drawn = (tmp_path / "a.svg").read_text()
    # Once on each of two sides of each of three panels.
    assert drawn.count("<!-- class -->") == 2 * 3
    assert drawn.count("<!-- class.1 -->") == 2 * 3


@pytest.mark.slow
def test_confusion_has_room_for_many_classes_of_any_name(tmp_path):
    """A cell is as wide as a number is; dollars in a name are no formula."""
    names = [rf"$\{number}$" for number in range(33)]
    table = pd.DataFrame(np.eye(33, dtype=int), names, names)
    figures.confusion(tmp_path / "a.png", table, table, ABLATION, "own", "weights")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 3 * 33 * 0.25 * 150


def test_each_pair_of_classes_has_a_bar_whatever_their_names(tmp_path):
    """Two pairs whose names read the same."""
    rows = [("a", "a", "b → c"), ("a → b", "a → b", "c"), ("a → b", "a → b", "c")]
    predictions = pd.DataFrame(rows, columns=["class", "clean", "ablated"])
    pairs = tabulation.class_pairs(predictions)
    figures.class_pairs(tmp_path / "a.png", pairs, predictions, ABLATION, "own", "weights")
    assert (tmp_path / "a.svg").read_text().count("<!-- a → b → c -->") == 2 * 2
