"""The learning curve as a figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from convprobe import style

# Split, colour and dashes of each line.
LINES = (("train", style.GREY, "--"), ("validation", style.ORANGE, ":"), ("test", style.BLUE, "-"))
HOW_CHOSEN = {"fixed": "chosen in the config", "best": "the best"}


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
    figure = style.new(7, 3.2)
    accuracy, loss = figure.subplots(1, 2)
    _draw(accuracy, "accuracy", table, epoch)
    _draw(loss, "loss", table, epoch)
    accuracy.set_ylim(0, 1)
    accuracy.legend(loc="best")
    loss.set_ylim(top=1.1 * loss.dataLim.ymax)
    loss.set_ylabel("loss (cross-entropy)")
    figure.suptitle(
        f"Run {run}: epoch {epoch} is probed, {selection['test_accuracy']:.1%} test accuracy"
    )
    how = HOW_CHOSEN[selection["policy"]]
    caption = (
        "Accuracy and loss after each epoch; train values are means over the epoch while the "
        f"network learns. Black line: the epoch that is probed, {how}. "
        f"Highest test accuracy: epoch {selection['best_epoch']}."
    )
    style.save(figure, path, caption)


def _draw(axes: Axes, quantity: str, table: pd.DataFrame, selected_epoch: int) -> None:
    """Draw a line for each split that was measured."""
    for split, colour, dashes in LINES:
        column = f"{split}_{quantity}"
        if column in table:
            axes.plot(table["epoch"], table[column], dashes, color=colour, label=split, marker=".")
    axes.axvline(selected_epoch, color="black", linewidth=0.8)
    axes.set(xlabel="epoch", ylabel=quantity, ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)
