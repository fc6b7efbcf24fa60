"""The learning curve as a figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from convprobe import style
from convprobe.phrases import percent
from convprobe.training.seeds import highest, mean_accuracy

# Split, colour and dashes of each line.
LINES = (("train", style.GREY, "--"), ("validation", style.ORANGE, ":"), ("test", style.BLUE, "-"))


def learning_curve(
    path: Path | str, table: pd.DataFrame, selection: Mapping[str, Any], run: str
) -> None:
    """Draw accuracy and loss over the epochs, the selected epoch marked.

    Args:
        table: of selection.learning_curve.
        selection: the content of `selection.json`.
        run: its name, for the title.
    """
    epoch = selection["epoch"]
    figure = style.new(style.PAGE, 2.4)
    accuracy, loss = figure.subplots(1, 2)
    _draw(accuracy, "accuracy", table, epoch)
    _draw(loss, "loss", table, epoch)
    accuracy.set_ylim(0, 1)
    accuracy.legend(loc="best")
    loss.set_ylim(top=1.1 * loss.dataLim.ymax)
    loss.set_ylabel("loss (cross-entropy)")
    caption = (
        "Accuracy and loss after each epoch; train values are means over the epoch while the "
        "network learns, of smoothed labels if training smooths them. Black line: the selected "
        f"epoch, {_how_chosen(selection)}. "
        f"Highest test accuracy: epoch {selection['best_epoch']}."
    )
    tested = percent(selection["test_accuracy"])
    title = f"Run {run}: epoch {epoch} is selected, {tested} test accuracy"
    style.save(figure, path, title, caption)


def _how_chosen(selection: Mapping[str, Any]) -> str:
    if selection["policy"] == "fixed":
        return "chosen in the config"
    return f"the best on the {selection['split']} images"


def seeds(path: Path | str, table: pd.DataFrame, group: str) -> None:
    """Draw the test accuracy of each seed over the epochs, and their mean.

    Args:
        table: of seeds.curves.
        group: name of the runs in the config.
    """
    figure = style.new(style.COLUMN, 2.4)
    axes = figure.subplots()
    each = {"color": style.GREY, "linewidth": style.THIN}
    for _, of_seed in table.groupby("seed"):
        axes.plot(
            of_seed["epoch"], of_seed["test_accuracy"], color=style.GREY, linewidth=style.THIN
        )
    mean = mean_accuracy(table)
    count = table["seed"].nunique()
    axes.plot(mean.index, mean, color=style.BLUE, marker=".", label="mean")
    axes.plot([], [], **each, label="each seed")
    axes.set(xlabel="epoch", ylabel="test accuracy", ylim=(0, 1))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="best")
    best = highest(mean)
    seed = "seeds" if count > 1 else "seed"
    caption = (
        f"Test accuracy after each epoch: thin, {count} {seed}; thick, the mean, highest at epoch "
        f"{best}: {percent(mean[best])}."
    )
    title = f"Run {group}, seeds: {', '.join(map(str, table['seed'].unique()))}"
    style.save(figure, path, title, caption)


def _draw(axes: Axes, quantity: str, table: pd.DataFrame, selected_epoch: int) -> None:
    """Draw a line for each split that was measured."""
    for split, colour, dashes in LINES:
        column = f"{split}_{quantity}"
        if column in table:
            axes.plot(table["epoch"], table[column], dashes, color=colour, label=split, marker=".")
    axes.axvline(selected_epoch, color=style.INK, linewidth=style.THIN)
    axes.set(xlabel="epoch", ylabel=quantity, ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)
