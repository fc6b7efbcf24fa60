"""What the page holds of the ablation, against what its tables say."""

import pandas as pd
import pytest

from convprobe.report import ablation_tab

CLASSES = ["cat", "dog", "frog"]
PREDICTIONS = pd.DataFrame(
    {
        "image": [0, 1, 2, 3, 4],
        "class": ["cat", "cat", "dog", "dog", "dog"],
        "clean": ["cat", "dog", "dog", "dog", "cat"],
        "ablated": ["dog", "cat", "dog", "frog", "cat"],
        "clean_confidence": [0.9, 0.2, 0.87654, 1.0, 0.0],
        "ablated_confidence": [0.1, 0.8, 0.5, 0.25, 0.0],
    }
)


def accuracy(**changes: float) -> pd.DataFrame:
    """A table as `accuracy.csv`, of the variants' changes."""
    names = list(changes)
    change = pd.Series(list(changes.values()))
    return pd.DataFrame(
        {
            "variant": [name.replace("_", "-") for name in names],
            "accuracy": 0.75 + change,
            "change": change,
            "change_low": change - 0.01,
            "change_high": change + 0.01,
            "lost": range(len(names)),
            "gained": 0,
        }
    )


def test_random_draws_are_summed_up():
    draws = {"random_1": -0.3, "random_2": -0.1, "random_3": -0.06}
    table = accuracy(clean=0.0, ablated=-0.2, **draws, random_layer=-0.2)
    shown = ablation_tab.variants(table)
    assert shown["clean_accuracy"] == 0.75
    assert [row["variant"] for row in shown["rows"]] == ["ablated", "random-layer"]
    assert shown["rows"][0]["change_low"] == pytest.approx(-0.21)
    draws = {"changes": [-0.3, -0.1, -0.06], "lowest": -0.3, "median": -0.1, "highest": -0.06}
    assert shown["random"] == draws


def test_the_median_of_an_even_number_of_draws_lies_between_two():
    shown = ablation_tab.variants(accuracy(clean=0.0, ablated=0.0, random_1=-0.3, random_2=-0.1))
    assert shown["random"]["median"] == pytest.approx(-0.2)


def test_no_random_draws_are_none():
    assert ablation_tab.variants(accuracy(clean=0.0, ablated=-0.2))["random"] is None


def test_confusion_is_counted_with_what_the_ablation_changes():
    assert ablation_tab.confusion(PREDICTIONS, CLASSES) == {
        "clean": [[1, 1, 0], [1, 2, 0], [0, 0, 0]],
        "ablated": [[1, 1, 0], [1, 1, 1], [0, 0, 0]],
        "change": [[0, 0, 0], [0, -1, 1], [0, 0, 0]],
        "class_images": [2, 3, 0],
        "labels": [0, 1, 2],
        "right": {"clean": [1, 2, 0], "ablated": [1, 1, 0]},
    }


def test_predictions_are_numbers():
    shown = ablation_tab.listed_predictions(PREDICTIONS, CLASSES, first=0)
    assert shown["class"] == [0, 0, 1, 1, 1]
    assert shown["ablated"] == [1, 0, 1, 2, 0]
    assert shown["clean_confidence"] == [9000, 2000, 8765, 10000, 0]


@pytest.mark.parametrize(
    ("most", "first", "images"), [(3, 0, [0, 1, 3]), (3, 3, [0, 1, 2]), (2, 1, [0, 3])]
)
def test_the_first_images_and_the_lost_ones_are_held_where_not_all_are(
    monkeypatch, most, first, images
):
    monkeypatch.setattr(ablation_tab, "MOST_PREDICTIONS", most)
    assert ablation_tab.listed_predictions(PREDICTIONS, CLASSES, first)["image"] == images


def test_of_many_classes_those_are_confused_whose_counts_change_most(monkeypatch):
    monkeypatch.setattr(ablation_tab, "MOST_CONFUSED", 2)
    counts = ablation_tab.confusion(PREDICTIONS, CLASSES)
    # One image of a dog is taken for a frog and no longer for a dog; those of cats stay.
    assert counts["labels"] == [1, 2]
    assert counts["clean"] == [[2, 0], [0, 0]]
    assert counts["change"] == [[-1, 1], [0, 0]]
    assert counts["class_images"] == [2, 3, 0]
    assert counts["right"] == {"clean": [1, 2, 0], "ablated": [1, 1, 0]}
