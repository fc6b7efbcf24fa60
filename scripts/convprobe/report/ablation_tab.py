"""What the page's tab of the ablation shows: what does a network lose without its filters?"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from convprobe.ablation import tabulation
from convprobe.ablation.answers import what_it_loses, what_single_filters_change
from convprobe.network.variant_names import is_random_draw
from convprobe.report import packing
from convprobe.store import tables

# What the page holds at most; the files hold all, and the page says where it holds less.
MOST_PREDICTIONS = 20_000
MOST_CONFUSED = 30  # classes in the table of confusions


def collect(
    folder: Path,
    sources: Mapping[str, str],
    predictions: pd.DataFrame,
    classes: list[str],
    first: int,
) -> dict:
    """Accuracy of the variants, confusion, and the predictions, clean and ablated.

    Args:
        folder: of the probed checkpoint.
        sources: paths by name, as of explorer.write.
        predictions: of `predictions.csv`.
        classes: names of all.
        first: how many images are listed, whatever is predicted.
    """
    accuracy = tables.read(folder / sources["accuracies"])
    return {
        "answer": what_it_loses(accuracy),
        "variants": variants(accuracy),
        "singles": what_single_filters_change(accuracy),
        "confusion": confusion(predictions, classes),
        "images": len(predictions),
        **listed_predictions(predictions, classes, first),
    }


def variants(accuracy: pd.DataFrame) -> dict:
    """How the accuracy changes without some filters; the random draws together.

    Args:
        accuracy: of `accuracy.csv`.
    """
    is_clean = accuracy["variant"] == "clean"
    is_draw = accuracy["variant"].map(is_random_draw)
    columns = ["variant", "change", "change_low", "change_high", "lost", "gained"]
    return {
        "clean_accuracy": float(accuracy.loc[is_clean, "accuracy"].iloc[0]),
        "rows": accuracy.loc[~is_clean & ~is_draw, columns].to_dict("records"),
        "random": _draws(accuracy.loc[is_draw, "change"]),
    }


def _draws(changes: pd.Series) -> dict | None:
    """How the accuracy changes without random filters; None where none were drawn."""
    if changes.empty:
        return None
    return {
        "changes": changes.tolist(),
        "lowest": float(changes.min()),
        "median": float(changes.median()),
        "highest": float(changes.max()),
    }


def confusion(predictions: pd.DataFrame, classes: list[str]) -> dict:
    """Images by true and by predicted class, clean and ablated, and what the ablation changes.

    Returns:
        tables `clean`, `ablated` and `change` of some classes, whose numbers are `labels`: of many
        those whose counts change most; and of all classes `class_images`, and how many of these
        are `right`, `clean` and `ablated`.
    """
    clean = tabulation.confusion(predictions, "clean", classes).to_numpy()
    ablated = tabulation.confusion(predictions, "ablated", classes).to_numpy()
    labels = most_changed(ablated - clean)
    part = np.ix_(labels, labels)
    return {
        "labels": labels,
        "clean": clean[part].tolist(),
        "ablated": ablated[part].tolist(),
        "change": (ablated - clean)[part].tolist(),
        "class_images": clean.sum(axis=1).tolist(),
        "right": {"clean": clean.diagonal().tolist(), "ablated": ablated.diagonal().tolist()},
    }


def most_changed(change: Int[np.ndarray, "class class"]) -> list[int]:
    """The classes whose counts change most, in their order: MOST_CONFUSED at most."""
    size = np.abs(change)
    changed = size.sum(axis=0) + size.sum(axis=1)
    return sorted(np.argsort(-changed, kind="stable")[:MOST_CONFUSED].tolist())


def listed_predictions(
    predictions: pd.DataFrame, classes: list[str], first: int
) -> dict[str, list[int]]:
    """Columns of the predictions, for as many images as the page holds; classes by number.

    Args:
        first: so many images come before the lost ones, which come before all others.
    """
    lost = tabulation.lost_images(predictions).index
    others = predictions.index[:MOST_PREDICTIONS]
    wanted = list(dict.fromkeys([*predictions.index[:first], *lost, *others]))
    shown = predictions.loc[sorted(wanted[:MOST_PREDICTIONS])]
    columns = {"image": shown["image"].tolist()}
    for name in ("class", "clean", "ablated"):
        columns[name] = shown[name].map(classes.index).tolist()
    for name in ("clean_confidence", "ablated_confidence"):
        columns[name] = packing.units(shown[name].to_numpy()).tolist()
    return columns
