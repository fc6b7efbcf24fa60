"""Which epoch's weights are probed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from convprobe import verdicts
from convprobe.store import files


def learning_curve(
    evaluations: Sequence[Path | str], records: Sequence[Path | str]
) -> pd.DataFrame:
    """One row per epoch.

    Args:
        evaluations: paths of `evaluation/epoch-NN.json`, epoch 1 first.
        records: paths of the training records, likewise.

    Returns:
        columns `epoch`, `train_loss`, `train_accuracy`, `test_loss`, `test_accuracy`, and
        `validation_loss`, `validation_accuracy` if images were held out.
    """
    rows = []
    for epoch, (evaluation, record) in enumerate(zip(evaluations, records, strict=True), start=1):
        rows.append(_row(epoch, files.read_json(evaluation), files.read_json(record)))
    return pd.DataFrame(rows)


def _row(epoch: int, evaluation: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    row = {"epoch": epoch}
    for column in ("train_loss", "train_accuracy"):
        row[column] = record[column]
    for split, measured in evaluation.items():
        row[f"{split}_loss"] = measured["loss"]
        row[f"{split}_accuracy"] = measured["accuracy"]
    return row


def choose(
    evaluations: Sequence[Path | str], settings: Mapping[str, Any], counts: Sequence[int]
) -> dict[str, Any]:
    """The epoch that is probed.

    Args:
        evaluations: paths of `evaluation/epoch-NN.json`, epoch 1 first.
        settings: the config's `selection`: `policy` `fixed` with its `epoch`, or `best` with the
            `split` whose accuracy decides; the first of equals.
        counts: test images of each class.

    Returns:
        `epoch`, the `policy` and, if that is `best`, the `split` that chose it; its `test_accuracy`
        on `test_images`; `best_epoch`, the first with the highest test accuracy; `chance`, the
        accuracy of the same answer for every image; `chosen_among`, the number of epochs of which
        this one was chosen for its test accuracy; and whether it is `better_than_chance` for
        certain.
    """
    measured = [files.read_json(path) for path in evaluations]
    best_on_test = _first_best(measured, "test")
    chosen_among = 1
    if settings["policy"] == "fixed":
        epoch = settings["epoch"]
    else:
        epoch = _first_best(measured, settings["split"])
        if settings["split"] == "test":
            # The highest accuracy of many epochs lies above chance by chance.
            chosen_among = len(measured)
    test = measured[epoch - 1]["test"]
    right = round(test["accuracy"] * test["images"])
    return {
        "epoch": epoch,
        "policy": settings["policy"],
        "split": settings["split"] if settings["policy"] == "best" else None,
        "test_accuracy": test["accuracy"],
        "test_images": test["images"],
        "best_epoch": best_on_test,
        "chance": max(counts) / sum(counts),
        "chosen_among": chosen_among,
        "better_than_chance": verdicts.better_than_chance(right, counts, chosen_among),
    }


def _first_best(measured: Sequence[Mapping[str, Any]], split: str) -> int:
    """The first epoch with the highest accuracy on a split."""
    accuracies = [epoch[split]["accuracy"] for epoch in measured]
    return accuracies.index(max(accuracies)) + 1
