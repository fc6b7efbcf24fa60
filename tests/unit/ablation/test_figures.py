"""What figures of the ablation show where there is little or much to show, and say in words."""

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from drawn_texts import size, texts

from convprobe import style
from convprobe.ablation import figures, tabulation
from convprobe.ablation.tabulation import VariantPredictions
from convprobe.dataset.image_file import Images
from convprobe.phrases import MINUS

ABLATION = figures.describe(["conv1/2", "conv1/7", "conv2/5"], "weights-only")
# Names of columns, of the corner of a table, of variants; what is a formula in a figure.
AWKWARD = ("clean", "ablated", "class", "class.1", "none", "nan", "", " ", 'a, "b"', "$x$")
FIGURES = ("confusion", "pairs", "gallery", "accuracy", "classes")


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
    figures.class_accuracy(tmp_path / "classes.png", right, *place)
    none = np.zeros(0, int)
    no_images = Images(np.zeros((0, 8, 8, 3), np.uint8), none, ("ant", "bee"), none)
    lost = tabulation.lost_images(tabulation.flips(right))
    figures.gallery(tmp_path / "gallery.png", no_images, lost, 0, *place)
    variants = {
        "clean": VariantPredictions("", right["clean"]),
        "ablated": VariantPredictions("conv1/2 conv1/7 conv2/5", right["ablated"]),
        "conv1": VariantPredictions("conv1/2 conv1/7", right["ablated"]),
        "conv2": VariantPredictions("conv2/5", right["ablated"]),
        "conv2/5": VariantPredictions("conv2/5", right["ablated"]),
        "conv1/2": VariantPredictions("conv1/2", right["ablated"]),
        "conv1/7": VariantPredictions("conv1/7", right["ablated"]),
        "random-01": VariantPredictions("conv1/1 conv1/2 conv2/0", right["ablated"]),
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
    assert "matter more" not in said, "a verdict is where the warning of chance is"
    assert "No class falls by more than chance explains." in words(of_no_effect / "classes.png")
    assert "none" in texts(of_no_effect / "pairs.png")
    assert "arrow" not in words(of_no_effect / "confusion.png"), "no change is beyond the scale"


@pytest.mark.slow
def test_a_layer_of_one_chosen_filter_has_no_line_beside_the_filter_s(of_no_effect):
    drawn = texts(of_no_effect / "accuracy.png")
    assert "without conv2/5" in drawn
    assert "without those of conv1" in drawn
    assert "without those of conv2" not in drawn


@pytest.mark.slow
def test_classes_are_named_in_confusion_whatever_their_names(tmp_path):
    counts = np.arange(len(AWKWARD) ** 2).reshape(len(AWKWARD), -1)
    table = pd.DataFrame(counts, AWKWARD, AWKWARD)
    figures.confusion(tmp_path / "a.png", table, table, ABLATION, "own", "weights")
    # Below each of three panels, and left of the first one; two are titles too.
    for name in filter(str.strip, AWKWARD):
        titles = name in ("clean", "ablated")
        assert texts(tmp_path / "a.png").count(name) == 4 + titles


@pytest.mark.slow
@pytest.mark.parametrize("count", [figures.MOST_NUMBERED, figures.MOST_CLASSES, 100])
def test_confusion_of_any_number_of_classes_is_as_wide_as_two_columns(tmp_path, count):
    """Numbers stand in cells that have room for them; of many classes every so many is named."""
    names = [rf"$\{number}$" for number in range(count)]
    table = pd.DataFrame(7 * np.eye(count, dtype=int), names, names)
    figures.confusion(tmp_path / "a.png", table, table, ABLATION, "own", "weights")
    assert size(tmp_path / "a.png")[0] == pytest.approx(style.PAGE)
    drawn = texts(tmp_path / "a.png")
    named = [name for name in names if name in drawn]
    assert len(named) == {12: 12, 24: 24, 100: 20}[count]
    # On the diagonals of clean and ablated, and an end of the scale.
    assert drawn.count("100") == (2 * count + 1 if count <= figures.MOST_NUMBERED else 1)


def confusion_of(tmp_path, ablated):
    """The figure of two classes, of ten images each, that the clean network knows."""
    names = ["ant", "bee"]
    clean = pd.DataFrame([[10, 0], [0, 10]], names, names)
    path = tmp_path / "a.png"
    changed = pd.DataFrame(ablated, names, names)
    figures.confusion(path, clean, changed, ABLATION, "own", "weights")
    return path


@pytest.mark.slow
def test_a_class_without_test_images_is_grey(tmp_path):
    names = ["ant", "bee"]
    of_nothing = {}
    for images in (10, 0):
        table = pd.DataFrame([[10, 0], [0, images]], names, names)
        path = tmp_path / f"{images}.png"
        figures.confusion(path, table, table, ABLATION, "own", "weights")
        assert ("Grey rows: there are no such test images." in words(path)) == (images == 0)
        colours = (255 * matplotlib.image.imread(path)[..., :3]).round()
        of_nothing[images] = (colours == [68, 1, 84]).all(2).sum()  # as 0 % is drawn
    # In each of two panels two cells of four, or one of two.
    assert of_nothing[10] / of_nothing[0] == pytest.approx(2, rel=0.05)


@pytest.mark.slow
def test_a_change_beyond_the_scale_is_said_and_marked(tmp_path):
    path = confusion_of(tmp_path, [[8, 2], [0, 10]])
    assert f"{MINUS}20" in texts(path)
    assert "in the full colour where by more than 10 points (arrow)" in words(path)
    assert "arrow" not in words(confusion_of(tmp_path, [[9, 1], [0, 10]]))


def test_the_ends_with_arrows_are_those_beyond_which_there_are_changes():
    found = [
        figures._ends_beyond(pd.DataFrame([row])) for row in ([0, 10], [11, 0], [-11], [-11, 11])
    ]
    assert found == ["neither", "max", "min", "both"]


def predictions(rows):
    """Predictions of images: class, clean, ablated."""
    return pd.DataFrame(rows, columns=["class", "clean", "ablated"])


def three_classes():
    """Of ten images each the ablation loses 1 of ants, 9 of bees and gains 2 of crabs."""
    rows = [("ant", "ant", "bee" if image < 1 else "ant") for image in range(10)]
    rows += [("bee", "bee", "crab" if image < 9 else "bee") for image in range(10)]
    rows += [("crab", "ant" if image < 2 else "crab", "crab") for image in range(10)]
    return predictions(rows)


def test_changes_of_classes_are_paired_and_the_largest_fall_comes_first():
    found = tabulation.class_changes(three_classes())
    assert found["class"].tolist() == ["bee", "ant", "crab"]
    assert found["clean"].tolist() == [1, 1, 0.8]
    assert found["ablated"].tolist() == pytest.approx([0.1, 0.9, 1])
    assert found["change"].tolist() == pytest.approx([-0.9, -0.1, 0.2])
    # Bonett & Price: (lost + 1) / 12, (gained + 1) / 12 of the bees are 10 and 1 of 12.
    half = 1.959964 * ((11 / 12 - (9 / 12) ** 2) / 12) ** 0.5
    assert found.loc[0, "low"] == pytest.approx(max(-1, -9 / 12 - half), abs=1e-6)
    assert found.loc[0, "high"] == pytest.approx(-9 / 12 + half, abs=1e-6)


def drawn_lines(figure):
    """The ends of each line of a figure from clean to ablated, from the top."""
    (axes,) = figure.axes
    below = axes.get_ylim()[0] > axes.get_ylim()[1]
    assert below, "the first line is on top"
    joined = [
        line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 2
    ]
    joined.sort(key=lambda line: line.get_ydata()[0])
    return [tuple(line.get_xdata()) for line in joined]


@pytest.fixture
def saved(monkeypatch):
    """The figures that are saved, as matplotlib holds them."""
    found = []
    save = style.save

    def kept(figure, *words):
        found.append(figure)
        save(figure, *words)

    monkeypatch.setattr(style, "save", kept)
    return found


def test_each_class_has_a_line_from_clean_to_ablated_the_largest_fall_on_top(tmp_path, saved):
    path = tmp_path / "a.png"
    figures.class_accuracy(path, three_classes(), ABLATION, "own", "weights")
    lines = drawn_lines(saved[0])
    assert np.allclose(lines, [(100, 10), (100, 90), (80, 100)])
    assert [text for text in texts(path) if text in ("ant", "bee", "crab")] == [
        "bee",
        "ant",
        "crab",
    ]
    assert {"clean", "ablated"} <= set(texts(path))
    assert (
        "lies below 0 for 1 of 3 classes, by chance for 0.075 at most; of these, bee falls most: "
        "from 100.0 % to 10.0 %."
    ) in words(path)


def test_a_class_of_few_images_whose_fall_is_chance_is_not_named(tmp_path):
    """It falls most, by 50 points, but of two images."""
    rows = [("ant", "ant", "ant"), ("ant", "ant", "bee")]
    rows += [("bee", "bee", "ant")] * 10 + [("bee", "bee", "bee")] * 90
    path = tmp_path / "a.png"
    figures.class_accuracy(path, predictions(rows), ABLATION, "own", "weights")
    assert "of these, bee falls most: from 100.0 % to 90.0 %." in words(path)


def test_of_many_classes_those_with_the_largest_fall_are_drawn(tmp_path):
    rows = [(f"c{number}", f"c{number}", "c1") for number in range(figures.MOST_CLASSES + 1)]
    path = tmp_path / "a.png"
    figures.class_accuracy(path, predictions(rows), ABLATION, "own", "weights")
    assert "The 24 of 25 classes with the largest fall." in words(path)
    assert "c0" in texts(path)
    assert "c1" not in texts(path), "the one that is right still"


def test_pairs_of_classes_are_ordered_by_their_change(tmp_path, saved):
    path = tmp_path / "a.png"
    study = three_classes()
    pairs = tabulation.class_pairs(study)
    figures.class_pairs(path, pairs, study, ABLATION, "own", "weights")
    assert drawn_lines(saved[0]) == [(0, 9), (2, 0), (0, 1)]
    named = [text for text in texts(path) if "→" in text and len(text) < 12]
    assert named == ["bee → crab", "crab → ant", "ant → bee"]
    assert {"clean", "ablated, more", "fewer"} <= set(texts(path))
    assert {"+9 (9 lost)", f"{MINUS}2 (0 lost)"} <= set(texts(path))
    assert "3 of the 3 pairs that change are drawn." in words(path)
    assert "10 images, 10 of them in these pairs" in words(path)


def test_each_pair_of_classes_has_a_line_whatever_their_names(tmp_path):
    """Two pairs whose names read the same."""
    rows = [("a", "a", "b → c"), ("a → b", "a → b", "c"), ("a → b", "a → b", "c")]
    pairs = tabulation.class_pairs(predictions(rows))
    path = tmp_path / "a.png"
    figures.class_pairs(path, pairs, predictions(rows), ABLATION, "own", "weights")
    assert texts(path).count("a → b → c") == 2


def test_variants_are_ordered_by_their_fall_random_draws_by_their_median(tmp_path):
    changes = {"clean": 0, "ablated": -0.1, "conv1/2": 0.02, "conv1/7": -0.3, "conv2/5": -0.15}
    changes |= {"random-01": -0.2, "random-02": -0.11, "random-03": 0.5}
    table = pd.DataFrame({"variant": changes.keys(), "change": changes.values()})
    table = table.assign(change_low=table["change"] - 0.01, change_high=table["change"] + 0.01)
    named = table[~table["variant"].str.startswith("random")].iloc[1:]
    lines = figures._lines(named, table[table["variant"].str.startswith("random")])
    assert [line.name for line in lines] == [
        "without conv1/7",
        "without conv2/5",
        "3 random draws",
        "without the chosen ones",
        "without conv1/2",
    ]


@pytest.mark.parametrize(("lost", "width"), [(1, style.COLUMN), (5, style.PAGE), (9, style.PAGE)])
def test_the_gallery_says_how_large_falls_are(tmp_path, lost, width):
    rows = {"class": "ant", "ablated": "bee", "clean_confidence": 0.9, "ablated_confidence": 0.1}
    falls = np.linspace(0.8, 0.45, lost)
    table = pd.DataFrame({"image": range(lost), **rows, "fall": falls})
    pixels = np.zeros((lost, 8, 8, 3), np.uint8)
    images = Images(pixels, np.zeros(lost, int), ("ant", "bee"), np.arange(lost))
    path = tmp_path / "a.png"
    figures.gallery(path, images, table, 20, ABLATION, "own", "weights")
    assert f"the largest fall first: here it is {falls[-1]:.2f} or more" in words(path)
    assert size(path)[0] == pytest.approx(width)
    assert texts(path).count("ant") == lost
