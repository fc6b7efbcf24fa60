"""Which epoch's weights are probed."""

from typing import Any

import pandas as pd

from convprobe import verdicts
from convprobe.store import files


def learning_curve(evaluations, records):
    """One row an epoch: `epoch, train_loss, train_accuracy, test_loss, test_accuracy`, and
    `validation_loss, validation_accuracy` where images were held out.

    Args:
        evaluations: paths of `evaluation/epoch-NN.json`, epoch 1 first.
        records: paths of the training records, likewise.
    """
    rows = []
    for epoch, (evaluation, record) in enumerate(zip(evaluations, records, strict=True), start=1):
        trained = files.read_json(record)
        row = {
            "epoch": epoch,
            "train_loss": trained["train_loss"],
            "train_accuracy": trained["train_accuracy"],
        }
        for split, measured in files.read_json(evaluation).items():
            row |= {f"{split}_loss": measured["loss"], f"{split}_accuracy": measured["accuracy"]}
        rows.append(row)
    return pd.DataFrame(rows)


def choose(evaluations: list[str], settings: dict[str, Any], counts: list[int]) -> dict[str, Any]:
    """The epoch that is probed.

    Args:
        evaluations: paths of `evaluation/epoch-NN.json`, epoch 1 first.
        settings: the config's `selection`: `policy` `fixed` with its `epoch`, or `best` with the
            `split` whose accuracy decides; the first of equals.
        counts: test images of each class.

    Returns:
        dict of `epoch`, `policy`, its `test_accuracy` and `test_images`, `best_epoch`, the
        first with the highest test accuracy; `chance`, the accuracy of the same answer for every image;
        `chosen_among`, of how many epochs this one has the highest test accuracy by choice; and whether it is certainly
        `better_than_chance`.
    """
    measured = [files.read_json(path) for path in evaluations]
    best = {
        split: _first_best([epoch[split]["accuracy"] for epoch in measured])
        for split in measured[0]
    }
    epoch = settings["epoch"] if settings["policy"] == "fixed" else best[settings["split"]]
    test = measured[epoch - 1]["test"]
    # The highest of many epochs lies above chance by chance.
    chosen_among = (
        len(measured) if settings.get("split") == "test" and settings["policy"] == "best" else 1
    )
    right = round(test["accuracy"] * test["images"])
    return {
        "epoch": epoch,
        "policy": settings["policy"],
        "test_accuracy": test["accuracy"],
        "test_images": test["images"],
        "best_epoch": best["test"],
        "chance": max(counts) / sum(counts),
        "chosen_among": chosen_among,
        "better_than_chance": verdicts.better_than_chance(right, counts, chosen_among),
    }


def _first_best(accuracies):
    return accuracies.index(max(accuracies)) + 1
