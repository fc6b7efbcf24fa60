"""What the page shows of a run of several seeds: each seed beside the others, and their mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from convprobe.store import files, tables
from convprobe.training.seeds import mean_accuracy

SUMMARIES = ("mean", "standard deviation")  # rows below those of the seeds


def curves(folder: Path, sources: Mapping[str, str], group: str) -> dict[str, Any]:
    """The learning curves of all seeds.

    Args:
        folder: of the experiment.
        sources: paths by name, as of explorer.write.
        group: name of the runs in the config.

    Returns:
        `group`; `epochs`; of `seeds` the `seed`, and the `accuracy` on the test images after each
        epoch; its `mean`.
    """
    table = tables.read(folder / sources["seeds"].format(group=group))
    seeds = []
    for seed, rows in table.groupby("seed"):
        seeds.append({"seed": int(seed), "accuracy": rows["test_accuracy"].tolist()})
    mean = mean_accuracy(table)
    return {
        "group": group,
        "epochs": mean.index.tolist(),
        "seeds": seeds,
        "mean": mean.tolist(),
    }


def probed(
    folders: list[Path], sources: Mapping[str, str], has_filters: bool = True
) -> pd.DataFrame:
    """What the probes of all seeds found, one row per seed, then the mean and the spread.

    Args:
        folders: of the selected epochs, one per seed.
        sources: as of `curves`.
        has_filters: whether some of the network's were switched off.

    Returns:
        columns `network`, `accuracy`, `accuracy_without_filters` if it has any, and, for each
        window, `confidence_N`, the mean over images and positions.
    """
    rows = []
    for folder in folders:
        row = _accuracies(folder, sources) if has_filters else _selected_accuracy(folder, sources)
        summary = tables.read(folder / sources["summary"])
        for window, images in summary.groupby("window"):
            row[f"confidence_{window}"] = images["mean_confidence"].mean()
        rows.append(row)
    names = [f"{folder.parent.name}, {folder.name}" for folder in folders]
    table = pd.DataFrame(rows, index=names)
    both = pd.DataFrame([table.mean(), table.std()], index=SUMMARIES)
    return pd.concat([table, both]).rename_axis("network").reset_index()


def _accuracies(folder: Path, sources: Mapping[str, str]) -> dict[str, float]:
    accuracy = tables.read(folder / sources["accuracies"]).set_index("variant")["accuracy"]
    return {"accuracy": accuracy["clean"], "accuracy_without_filters": accuracy["ablated"]}


def _selected_accuracy(folder: Path, sources: Mapping[str, str]) -> dict[str, float]:
    selection = files.read_json(folder.parent / sources["selection"])
    return {"accuracy": selection["test_accuracy"]}
