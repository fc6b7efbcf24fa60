"""Learning curves of several seeds, together and as a figure."""

import pandas as pd
import pytest

from convprobe.training import figures, seeds


@pytest.fixture
def together():
    """Two seeds of three epochs; their means are 0.5, 0.8 and 0.7."""
    tables = []
    for accuracies in ([0.4, 0.9, 0.6], [0.6, 0.7, 0.8]):
        table = pd.DataFrame({"epoch": [1, 2, 3], "test_loss": 1.0, "test_accuracy": accuracies})
        tables.append(table)
    return seeds.curves(tables, {"a-seed-0": 0, "a-seed-7": 7})


def test_there_is_a_row_for_each_seed_and_epoch(together):
    assert list(together.columns) == ["run", "seed", "epoch", "test_accuracy"]
    assert list(together.itertuples(index=False, name=None)) == [
        ("a-seed-0", 0, 1, 0.4), ("a-seed-0", 0, 2, 0.9), ("a-seed-0", 0, 3, 0.6),
        ("a-seed-7", 7, 1, 0.6), ("a-seed-7", 7, 2, 0.7), ("a-seed-7", 7, 3, 0.8),
    ]  # fmt: skip


def test_the_mean_over_seeds_is_of_each_epoch(together):
    mean = seeds.mean_accuracy(together)
    assert mean.to_dict() == pytest.approx({1: 0.5, 2: 0.8, 3: 0.7})


def test_of_means_that_differ_by_rounding_the_first_epoch_is_highest(together):
    together["test_accuracy"] = [0.7978, 0.7981, 0.5, 0.7070, 0.7067, 0.5]
    mean = seeds.mean_accuracy(together)
    mean[2] += 1e-15
    assert seeds.highest(mean) == 1


def test_the_figure_says_which_seeds_and_where_their_mean_is_highest(together, tmp_path):
    figures.seeds(tmp_path / "curve.png", together, "a")
    words = (tmp_path / "curve.txt").read_text(encoding="utf-8")
    assert words.startswith("Run a, seeds: 0, 7")
    assert "highest at epoch 2: 80.0 %" in " ".join(words.split())
