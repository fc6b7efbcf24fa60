"""What the captions of learning curves say."""

import pandas as pd
import pytest

from convprobe.training import figures

SELECTION = {"epoch": 2, "policy": "best", "test_accuracy": 0.5, "best_epoch": 1}


def curve(*splits):
    columns = {
        f"{split}_{measure}": [0.4, 0.5] for split in splits for measure in ("loss", "accuracy")
    }
    return pd.DataFrame({"epoch": [1, 2], **columns})


@pytest.mark.parametrize(
    ("selection", "splits", "chosen"),
    [
        ({"policy": "fixed"}, ("train", "test"), "chosen in the config"),
        (
            {"split": "validation"},
            ("train", "validation", "test"),
            "the best on the validation images",
        ),
        ({"split": "test"}, ("train", "test"), "the best on the test images"),
        ({"split": "test"}, ("train", "validation", "test"), "the best on the test images"),
    ],
)
def test_it_is_said_how_the_epoch_was_chosen(tmp_path, selection, splits, chosen):
    figures.learning_curve(tmp_path / "curve.png", curve(*splits), SELECTION | selection, "own")
    words = (tmp_path / "curve.txt").read_text(encoding="utf-8")
    assert f"the selected epoch, {chosen}. Highest test accuracy: epoch 1." in words


@pytest.mark.parametrize(("seeds", "said"), [([5], "thin, 1 seed;"), ([0, 1], "thin, 2 seeds;")])
def test_seeds_are_counted(tmp_path, seeds, said):
    rows = [(seed, epoch, 0.5) for seed in seeds for epoch in (1, 2)]
    table = pd.DataFrame(rows, columns=["seed", "epoch", "test_accuracy"])
    figures.seeds(tmp_path / "seeds.png", table, "own")
    assert said in (tmp_path / "seeds.txt").read_text(encoding="utf-8")
