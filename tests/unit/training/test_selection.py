"""Which epoch is probed."""

import pytest

from convprobe.store import files
from convprobe.training import selection


@pytest.fixture
def evaluations(tmp_path):
    paths = []
    for epoch, (test, validation) in enumerate(
        [(0.5, 0.4), (0.7, 0.6), (0.7, 0.8), (0.6, 0.8)], start=1
    ):
        paths.append(tmp_path / f"epoch-{epoch:02d}.json")
        rows = {"test": test, "validation": validation}
        files.write_json(
            paths[-1], {k: {"loss": 1.0, "accuracy": v, "images": 10} for k, v in rows.items()}
        )
    return paths


@pytest.mark.parametrize(
    ("settings", "epoch", "split"),
    [
        ({"policy": "fixed", "epoch": 4, "split": "test"}, 4, None),
        ({"policy": "best", "split": "test"}, 2, "test"),
        ({"policy": "best", "split": "validation"}, 3, "validation"),
    ],
)
def test_selection_takes_the_first_of_equal_epochs(evaluations, settings, epoch, split):
    chosen = selection.choose(evaluations, settings, counts=[30, 30])
    assert (chosen["epoch"], chosen["best_epoch"], chosen["split"]) == (epoch, 2, split)
    assert chosen["test_accuracy"] == [0.5, 0.7, 0.7, 0.6][epoch - 1]
    assert chosen["chance"] == 0.5
