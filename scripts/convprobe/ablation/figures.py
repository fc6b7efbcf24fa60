"""What does it lose? Confusion, accuracy of the variants, and the images that are lost."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convprobe import style
from convprobe.ablation import answers
from convprobe.ablation.tabulation import STATES
from convprobe.dataset.image_file import Images
from convprobe.network.filter_layers import split_name

CELL = 0.25  # inches, in which a number can be read
MOST_CELLS = 40  # per side: of more classes only some are named, and cells have no number
CHANGE_LIMIT = 10  # percentage points, at the ends of the scale
PAIRS = 12  # class pairs with a bar
GALLERY_ACROSS = 8
GALLERY_IMAGES = 40
MOST_NAMED = 30  # chosen filters named in a caption; of more only their number is given
MODES = {
    "zero": "map set to 0",
    "weights-only": "weights set to 0, biases kept",
    "mean": "map replaced by its mean over the test images",
}


def describe(chosen: list[str], mode: str) -> str:
    """Which filters are switched off, and how, in the words of a caption.

    Args:
        chosen: names of filters, layer by layer.
        mode: as in passes.predict.
    """
    layers = {}
    for name in chosen:
        layer, channel = split_name(name)
        layers.setdefault(layer, []).append(str(channel))
    parts = []
    for layer, channels in layers.items():
        if len(chosen) <= MOST_NAMED:
            parts.append(f"{layer}/{', '.join(channels)}")
        else:
            parts.append(f"{len(channels)} of {layer}")
    return f"{'; '.join(parts)}: {MODES[mode]}"


class Panel(NamedTuple):
    """How one table is drawn in the figure of confusion.

    Attributes:
        low, high: ends of the scale.
        form: of the number in a cell.
        extend: which ends of the scale values may lie beyond, as matplotlib calls it.
    """

    title: str
    unit: str
    colours: str
    low: float
    high: float
    form: str
    extend: str

    def is_dark(self, value: float) -> bool:
        """Whether the colour of a value is so dark that its number must be white."""
        if self.low < 0:
            return abs(value) > 0.6 * self.high
        return value < 0.6 * self.high


CLEAN = Panel("clean", "% of the true class", "viridis", 0, 100, ".0f", "neither")
ABLATED = CLEAN._replace(title="ablated")
CHANGE = Panel("change", "percentage points", "RdBu_r", -CHANGE_LIMIT, CHANGE_LIMIT, "+.0f", "both")


def confusion(
    path: Path | str,
    clean: pd.DataFrame,
    ablated: pd.DataFrame,
    ablation: str,
    run: str,
    checkpoint: str,
) -> None:
    """Confusion of the clean and the ablated network, and the change.

    Args:
        clean, ablated: tables of counts, rows true, columns predicted.
        ablation: of describe.
        run, checkpoint: names, for the title.
    """
    clean_shares = _percent_of_class(clean)
    ablated_shares = _percent_of_class(ablated)
    side = min(len(clean), MOST_CELLS) * CELL
    figure = style.new(max(14, 3 * side + 5), max(5, side + 2.5))
    left, middle, right = figure.subplots(1, 3)
    _draw_confusion(figure, left, clean_shares, CLEAN)
    _draw_confusion(figure, middle, ablated_shares, ABLATED)
    _draw_confusion(figure, right, ablated_shares - clean_shares, CHANGE)
    left.set_ylabel("true class")
    figure.suptitle(f"What does it lose without the chosen filters? {run}, {checkpoint}")
    caption = (
        f"Predictions for {int(clean.to_numpy().sum())} test images, in per cent of each true "
        "class: clean, by the network as trained; ablated, by the network without the chosen "
        f"filters ({ablation}). Change: ablated minus clean, in percentage points, red where a "
        "prediction became more frequent."
    )
    style.save(figure, path, caption)


def _percent_of_class(counts: pd.DataFrame) -> pd.DataFrame:
    """Predictions in per cent of each true class; 0 where it has no images."""
    images = counts.sum(axis=1).clip(lower=1)
    return counts.div(images, axis=0) * 100


def _draw_confusion(figure: Figure, axes: Axes, table: pd.DataFrame, panel: Panel) -> None:
    drawn = axes.imshow(
        table, interpolation="none", cmap=panel.colours, vmin=panel.low, vmax=panel.high
    )
    if len(table) <= MOST_CELLS:
        _write_cells(axes, table, panel)
    step = -(-len(table) // MOST_CELLS)
    named = range(0, len(table), step)
    axes.set_xticks(named, table.columns[named], rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(named, table.index[named])
    axes.set(title=panel.title, xlabel="predicted")
    figure.colorbar(drawn, ax=axes, shrink=0.7, label=panel.unit, extend=panel.extend)


def _write_cells(axes: Axes, table: pd.DataFrame, panel: Panel) -> None:
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        if round(value) == 0:
            continue
        colour = "white" if panel.is_dark(float(value)) else "black"
        text = format(value, panel.form)
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)


def class_pairs(
    path: Path | str,
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    ablation: str,
    run: str,
    checkpoint: str,
) -> None:
    """Bars of the commonest class pairs among the lost images, and of the change in confusion.

    Args:
        table: of tabulation.class_pairs.
        predictions: of variants.predictions.
        ablation: of describe.
        run, checkpoint: names, for the title.
    """
    figure = style.new(9, 4.2)
    left, right = figure.subplots(1, 2)
    _draw_lost(left, table)
    _draw_change(right, table)
    figure.suptitle(f"Which classes are confused without the chosen filters? {run}, {checkpoint}")
    accuracy = {}
    for state in STATES:
        accuracy[state] = (predictions[state] == predictions["class"]).mean()
    caption = (
        "True class → prediction. Left: the most frequent pairs among the "
        f"{int(table['lost'].sum())} of {len(predictions)} test images that are lost, right with "
        "all filters and wrong without the chosen ones. Right: the largest changes, ablated minus "
        f"clean, of how many images are predicted as that class. Accuracy {accuracy['clean']:.1%} "
        f"clean, {accuracy['ablated']:.1%} ablated. Switched off: {ablation}."
    )
    style.save(figure, path, caption)


def _draw_lost(axes: Axes, table: pd.DataFrame) -> None:
    """How many images of each pair are lost; `table` has the pair with the most first."""
    shown = table[table["lost"] > 0].head(PAIRS)
    _draw_pairs(axes, shown, "lost", "%d", [style.BLUE] * len(shown))
    most = max([1, *shown["lost"]])
    axes.set(xlabel="images", title="lost: right clean, wrong ablated", xlim=(0, 1.12 * most))


def _draw_change(axes: Axes, table: pd.DataFrame) -> None:
    """How many more, or fewer, images of each pair are confused; the largest changes."""
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    shown = table.loc[order].query("change != 0").head(PAIRS)
    colours = [style.ORANGE if change > 0 else style.BLUE for change in shown["change"]]
    _draw_pairs(axes, shown, "change", "%+d", colours)
    limit = 1.25 * max([1, *shown["change"].abs()])
    axes.set(xlabel="images", title="change in confusion, ablated minus clean")
    axes.set(xlim=(-limit, limit))
    axes.axvline(0, color="black", linewidth=0.8)


def _draw_pairs(
    axes: Axes, table: pd.DataFrame, column: str, form: str, colours: list[str]
) -> None:
    """A bar per row of a table, the first one on top."""
    if table.empty:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "none", ha="center", transform=axes.transAxes)
    else:
        # Not the names: those of two pairs may read the same.
        places = range(len(table))
        bars = axes.barh(places, table[column], color=colours)
        axes.set_yticks(places, table["class"] + " → " + table["predicted"])
        axes.invert_yaxis()
        axes.bar_label(bars, fmt=form, padding=2, fontsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)


def accuracy(
    path: Path | str, table: pd.DataFrame, ablation: str, run: str, checkpoint: str
) -> None:
    """How much each variant changes accuracy, with its paired interval; random draws on one line.

    Args:
        table: of tabulation.accuracies.
        ablation: of describe.
        run, checkpoint: names, for the title.
    """
    is_random = table["variant"].str.startswith("random-")
    named = table[~is_random & (table["variant"] != "clean")]
    named = named[~named["variant"].isin(_layers_of_one(named["variant"]))]
    draws = table[is_random]
    lines = [_line_name(variant) for variant in named["variant"]]
    of_draws = ""
    if len(draws):
        lines.append(f"{len(draws)} random draws")
        of_draws = "; and of as many random ones per layer, one stroke per draw"
    figure = style.new(7, 0.27 * len(lines) + 1.9)
    axes = figure.subplots()
    _draw_changes(axes, named, draws)
    axes.set_yticks(range(len(lines)), lines)
    axes.set(xlabel="change of accuracy, percentage points", ylim=(len(lines) - 0.5, -0.5))
    figure.suptitle(f"What does it lose without some filters? {run}, {checkpoint}")
    caption = (
        f"Change of the accuracy on {table['images'].iloc[0]} test images when filters are "
        f"switched off: the chosen ones ({ablation}) together, by layer, and alone{of_draws}. "
        f"Bars: the paired 95 % interval. {answers.what_it_loses(table)}"
    )
    style.save(figure, path, caption)


def _layers_of_one(variants: Iterable[str]) -> list[str]:
    """The layers of which one filter is chosen: its own line says the same."""
    layers = Counter(split_name(name)[0] for name in variants if "/" in name)
    return [layer for layer, count in layers.items() if count == 1]


def _draw_changes(axes: Axes, named: pd.DataFrame, draws: pd.DataFrame) -> None:
    """A line per variant, and below them all random draws on one line."""
    axes.axvline(0, color=style.GREY, linewidth=0.8)
    for line, row in enumerate(named.itertuples()):
        colour = style.ORANGE if row.variant == "ablated" else style.BLUE
        interval = [100 * row.change_low, 100 * row.change_high]
        axes.plot(interval, [line, line], color=colour, linewidth=1.5)
        axes.plot(100 * row.change, line, "o", color=colour, markersize=5)
    last = [len(named)] * len(draws)
    axes.plot(100 * draws["change"], last, "|", color="black", markersize=11)


def _line_name(variant: str) -> str:
    """What a variant is called beside its line."""
    if variant == "ablated":
        return "without the chosen ones"
    if "/" in variant:
        return f"without {variant}"
    return f"without those of {variant}"


def gallery(
    path: Path | str,
    images: Images,
    rows: pd.DataFrame,
    lost: int,
    ablation: str,
    run: str,
    checkpoint: str,
) -> None:
    """The images that are lost, those first whose true class loses most probability.

    Args:
        images: those of the rows.
        rows: of `flips.csv`.
        lost: how many images are lost in all.
        ablation: of describe.
        run, checkpoint: names, for the title.
    """
    down = max(1, -(-len(rows) // GALLERY_ACROSS))
    figure = style.new(1.25 * GALLERY_ACROSS, 1.62 * down + 1)
    grid = figure.subplots(down, GALLERY_ACROSS, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, pixels, row in zip(grid.flat, images.pixels, rows.to_dict("records"), strict=False):
        axes.set_axis_on()
        style.picture(axes, pixels)
        axes.set_title(f"{row['class']}\n→ {row['ablated']}", fontsize=7, pad=2)
        confidences = f"{row['clean_confidence']:.2f} → {row['ablated_confidence']:.2f}"
        axes.set_xlabel(f"{confidences}\nimage {row['image']}", fontsize=7, labelpad=2)
    if rows.empty:
        nothing = "No image that is right with all filters is wrong without the chosen ones."
        figure.text(0.5, 0.6, nothing, ha="center")
    figure.suptitle(f"Images lost without the chosen filters: {run}, {checkpoint}")
    caption = (
        f"{len(rows)} of the {lost} test images that are right with all filters and wrong without "
        "the chosen ones, those first whose true class loses most probability: true class → "
        "ablated prediction; below, the probability of the true class, clean → ablated. "
        f"Switched off: {ablation}."
    )
    style.save(figure, path, caption)
