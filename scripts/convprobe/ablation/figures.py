"""What does it lose? Confusion, accuracy of the variants, and the images that are lost."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from convprobe import style, verdicts
from convprobe.ablation import answers, tabulation
from convprobe.ablation.tabulation import STATES
from convprobe.dataset.image_file import Images
from convprobe.intervals import Interval
from convprobe.network import variant_names
from convprobe.network.filter_layers import split_name
from convprobe.phrases import MINUS, percent, points

MOST_NUMBERED = 12  # classes: of more, a cell has no room for its number
MOST_CLASSES = 24  # named beside a side of a confusion, or with a line of their own
LINE = 0.17  # inches from one line of a figure to the next
PAIRS = 15  # class pairs with a line
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
        colours: colour map and the ends of its scale, as matplotlib's imshow takes them.
        form: of the number in a cell.
    """

    title: str
    colours: dict[str, Any]
    form: str


CLEAN = Panel("clean", style.PERCENT, ".0f")
ABLATED = Panel("ablated", style.PERCENT, ".0f")
CHANGE = Panel("change", style.CHANGE, "+.0f")


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
    change = ablated_shares - clean_shares
    figure = style.new(style.PAGE, 3.6)
    left, middle, right = figure.subplots(1, 3, sharey=True)
    _draw_confusion(left, clean_shares, CLEAN)
    shares = _draw_confusion(middle, ablated_shares, ABLATED)
    changes = _draw_confusion(right, change, CHANGE)
    left.set_ylabel("true class")
    bar = {"location": "bottom", "shrink": 0.7, "aspect": 30}
    figure.colorbar(shares, ax=[left, middle], label="% of the true class", **bar)
    ends = _ends_beyond(change)
    figure.colorbar(changes, ax=right, label="percentage points", extend=ends, **bar)
    beyond = ""
    if ends != "neither":
        limit = style.CHANGE_LIMIT
        is_numbered = len(clean) <= MOST_NUMBERED
        numbers = "; the numbers say how large they are" if is_numbered else ""
        beyond = f", in the full colour where by more than {limit} points (arrow){numbers}"
    unknown = ""
    if clean_shares.isna().any(axis=None):
        unknown = " Grey rows: there are no such test images."
    caption = (
        f"Predictions for {int(clean.to_numpy().sum())} test images, in per cent of each true "
        "class: clean, by the network as trained; ablated, by the network without the chosen "
        f"filters ({ablation}). Change: ablated minus clean, in percentage points, orange where a "
        f"prediction became more frequent and blue where it became less so{beyond}.{unknown}"
    )
    title = f"What does it lose without the chosen filters? {run}, {checkpoint}"
    style.save(figure, path, title, caption)


def _percent_of_class(counts: pd.DataFrame) -> pd.DataFrame:
    """Predictions in per cent of each true class; no number where it has no images."""
    images = counts.sum(axis=1)
    return counts.div(images.where(images > 0), axis=0) * 100


def _ends_beyond(change: pd.DataFrame) -> str:
    """Which ends of the scale some changes lie beyond, as matplotlib calls it."""
    is_below = bool((change < -style.CHANGE_LIMIT).any(axis=None))
    is_above = bool((change > style.CHANGE_LIMIT).any(axis=None))
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[is_below, is_above]


def _draw_confusion(axes: Axes, table: pd.DataFrame, panel: Panel) -> AxesImage:
    axes.set_facecolor(style.LIGHT_GREY)  # seen where there is no number
    drawn = axes.imshow(table, interpolation="none", **panel.colours)
    if len(table) <= MOST_NUMBERED:
        _write_cells(axes, drawn, table, panel.form)
    step = math.ceil(len(table) / MOST_CLASSES)
    named = range(0, len(table), step)
    is_narrow = len(table) > MOST_NUMBERED
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    if is_narrow:
        turned = {"rotation": 90}
    axes.set_xticks(named, table.columns[named], **turned)
    axes.set_yticks(named, table.index[named])
    axes.tick_params(length=2, labelsize=style.TINY if is_narrow else style.SMALL)
    axes.set(title=panel.title, xlabel="predicted")
    return drawn


def _write_cells(axes: Axes, drawn: AxesImage, table: pd.DataFrame, form: str) -> None:
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        if np.isnan(value) or round(value) == 0:
            continue
        colour = style.ink_on(drawn.to_rgba(value))
        text = format(value, form).replace("-", MINUS)
        centred = {"ha": "center", "va": "center"}
        axes.text(column, row, text, **centred, fontsize=style.TINY, color=colour)


def class_accuracy(
    path: Path | str, predictions: pd.DataFrame, ablation: str, run: str, checkpoint: str
) -> None:
    """The accuracy of each class, clean and ablated joined by a line, the largest fall first.

    Args:
        predictions: of `predictions.csv`.
        ablation: of describe.
        run, checkpoint: names, for the title.
    """
    table = tabulation.class_changes(predictions)
    shown = table.head(MOST_CLASSES)
    figure = style.new(style.COLUMN, LINE * len(shown) + 0.9)
    axes = figure.subplots()
    _join(axes, 100 * shown["clean"], 100 * shown["ablated"], [style.ORANGE] * len(shown))
    for line, row in enumerate(shown.itertuples()):
        interval = f"{points(row.low)} to {points(row.high)}"
        _write_beside(axes, line, f"{points(row.change)} ({interval})")
    _name_colours(axes, {"clean": style.GREY, "ablated": style.ORANGE})
    axes.set_yticks(range(len(shown)), shown["class"])
    axes.set(xlabel="accuracy, % of the images of the class", xlim=(-3, 103))
    left_out = ""
    if len(shown) < len(table):
        left_out = f" The {len(shown)} of {len(table)} classes with the largest fall."
    caption = (
        "Accuracy on the test images of each class, from the clean network (grey) to the ablated "
        "one (orange), the largest fall first; beside it the change in percentage points with its "
        f"paired 95 % interval.{left_out} {_what_falls(table)} Switched off: {ablation}."
    )
    title = f"Which classes does it lose without the chosen filters? {run}, {checkpoint}"
    style.save(figure, path, title, caption)


def _what_falls(table: pd.DataFrame) -> str:
    """Of how many classes the interval lies below 0, beside chance; and which falls most."""
    falling = table[table["high"] < 0]
    if falling.empty:
        return "No class falls by more than chance explains."
    first = falling.iloc[0]
    by_chance = verdicts.CHANCE * len(table)
    return (
        f"The interval lies below 0 for {len(falling)} of {len(table)} classes, by chance for "
        f"{by_chance:.2g} at most; of these, {first['class']} falls most: from "
        f"{percent(first['clean'])} to {percent(first['ablated'])}."
    )


def _join(axes: Axes, clean: pd.Series, ablated: pd.Series, colours: list[str]) -> None:
    """A line per pair of values, the first one on top, from the clean to the ablated value."""
    for line, (start, end, colour) in enumerate(zip(clean, ablated, colours, strict=True)):
        axes.plot([start, end], [line, line], color=colour)
        axes.plot(start, line, "o", color=style.GREY)
        axes.plot(end, line, "o", color=colour)
    axes.set_ylim(len(clean) - 0.5, -0.5)


def _name_colours(axes: Axes, colours: Mapping[str, str]) -> None:
    """Say above the lines what each colour of a dot means."""
    for name, colour in colours.items():
        axes.plot([], [], "o", color=colour, label=name)
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0}
    axes.legend(**place, ncols=len(colours), handletextpad=0, columnspacing=1)


def _write_beside(axes: Axes, line: int, text: str) -> None:
    """Write something right of a line."""
    place = {"transform": axes.get_yaxis_transform(), "va": "center"}
    axes.text(1.02, line, text, **place, fontsize=style.TINY)


def class_pairs(
    path: Path | str,
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    ablation: str,
    run: str,
    checkpoint: str,
) -> None:
    """How often a class is predicted as another one, clean and ablated joined by a line.

    Args:
        table: of tabulation.class_pairs.
        predictions: of variants.predictions.
        ablation: of describe.
        run, checkpoint: names, for the title.
    """
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    shown = table.loc[order].query("change != 0").head(PAIRS)
    figure = style.new(style.COLUMN, LINE * max(1, len(shown)) + 0.9)
    _draw_pairs(figure.subplots(), shown)
    accuracy = {}
    for state in STATES:
        accuracy[state] = (predictions[state] == predictions["class"]).mean()
    all_lost = int(table["lost"].sum())
    caption = (
        f"True class → prediction: how many of {len(predictions)} test images, from the clean "
        "network (grey) to the ablated one (orange where there are more, blue where there are "
        f"fewer), the largest change first. {_what_is_drawn(shown, table)} Lost, right with all "
        f"filters and wrong without the chosen ones, are {all_lost} images, "
        f"{int(shown['lost'].sum())} of them in these pairs. "
        f"Accuracy {percent(accuracy['clean'])} clean, {percent(accuracy['ablated'])} ablated. "
        f"Switched off: {ablation}."
    )
    title = f"Which classes are confused without the chosen filters? {run}, {checkpoint}"
    style.save(figure, path, title, caption)


def _what_is_drawn(shown: pd.DataFrame, table: pd.DataFrame) -> str:
    """How many of the pairs whose number changes have a line."""
    changed = int((table["change"] != 0).sum())
    return f"{len(shown)} of the {changed} pairs that change are drawn."


def _draw_pairs(axes: Axes, shown: pd.DataFrame) -> None:
    """A line per row of a table, the first one on top."""
    if shown.empty:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "none", ha="center", transform=axes.transAxes)
    else:
        colours = [style.ORANGE if change > 0 else style.BLUE for change in shown["change"]]
        _join(axes, shown["clean"], shown["ablated"], colours)
        names = {"clean": style.GREY}
        if style.ORANGE in colours:
            names["ablated, more"] = style.ORANGE
        if style.BLUE in colours:
            names["fewer"] = style.BLUE
        _name_colours(axes, names)
        for line, row in enumerate(shown.itertuples()):
            change = f"{row.change:+d}".replace("-", MINUS)
            _write_beside(axes, line, f"{change} ({row.lost} lost)")
        # Not the names: those of two pairs may read the same.
        axes.set_yticks(range(len(shown)), shown["class"] + " → " + shown["predicted"])
    most = max([1, *shown["clean"], *shown["ablated"]])
    axes.set(xlabel="images so predicted", xlim=(-0.03 * most, 1.03 * most))
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
    is_random = table["variant"].map(variant_names.is_random_draw)
    named = table[~is_random & (table["variant"] != variant_names.CLEAN)]
    named = named[~named["variant"].isin(_layers_of_one(named["variant"]))]
    draws = table[is_random]
    lines = _lines(named, draws)
    of_draws = ""
    if len(draws):
        of_draws = "; and of as many random ones per layer, one stroke per draw"
    figure = style.new(style.COLUMN, LINE * len(lines) + 0.6)
    axes = figure.subplots()
    axes.axvline(0, color=style.GREY, linewidth=style.THIN)
    for number, line in enumerate(lines):
        line.draw(axes, number)
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    axes.set(xlabel="change of accuracy, percentage points", ylim=(len(lines) - 0.5, -0.5))
    caption = (
        f"Change of the accuracy on {table['images'].iloc[0]} test images when filters are "
        f"switched off: the chosen ones ({ablation}) together, by layer, and alone{of_draws}. "
        "The largest fall comes first, random draws by their median. "
        f"Bars: the paired 95 % interval. {answers.what_the_chosen_filters_cost(table)}"
    )
    title = f"What does it lose without some filters? {run}, {checkpoint}"
    style.save(figure, path, title, caption)


class Line(NamedTuple):
    """A line of the figure of accuracies: a variant, or all random draws.

    Attributes:
        changes: of the accuracy, one per draw.
        interval: of the change; None of random draws.
    """

    name: str
    changes: list[float]
    interval: Interval | None
    colour: str

    def draw(self, axes: Axes, number: int) -> None:
        """Draw it as a line of that number, from 0."""
        changes = [100 * change for change in self.changes]
        if self.interval is None:
            axes.plot(
                changes, [number] * len(changes), "|", color=self.colour, markersize=style.STROKE
            )
            return
        ends = [100 * bound for bound in self.interval]
        axes.plot(ends, [number, number], color=self.colour)
        axes.plot(changes, [number], "o", color=self.colour)


def _lines(named: pd.DataFrame, draws: pd.DataFrame) -> list[Line]:
    """The lines of named variants and of random draws, the largest fall first."""
    lines = []
    for row in named.itertuples():
        colour = style.ORANGE if row.variant == "ablated" else style.BLUE
        interval = Interval(row.change_low, row.change_high)
        lines.append(Line(_line_name(row.variant), [row.change], interval, colour))
    if len(draws):
        changes = draws["change"].tolist()
        lines.append(Line(f"{len(draws)} random draws", changes, None, style.INK))
    return sorted(lines, key=lambda line: np.median(line.changes))


def _layers_of_one(variants: Iterable[str]) -> list[str]:
    """The layers of which one filter is chosen: its own line says the same."""
    layers = Counter(split_name(name)[0] for name in variants if "/" in name)
    return [layer for layer, count in layers.items() if count == 1]


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
    across = min(GALLERY_ACROSS, max(4, len(rows)))
    down = max(1, math.ceil(len(rows) / across))
    width = style.COLUMN if across <= GALLERY_ACROSS / 2 else style.PAGE
    figure = style.new(width, (width / across + 0.45) * down)
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, pixels, row in zip(grid.flat, images.pixels, rows.to_dict("records"), strict=False):
        _draw_lost(axes, pixels, row)
    if rows.empty:
        nothing = "No image that is right with all filters\nis wrong without the chosen ones."
        figure.text(0.5, 0.6, nothing, ha="center", va="center")
    falls = ""
    if len(rows):
        least = rows["fall"].min()
        falls = f", the largest fall first: here it is {least:.2f} or more"
    caption = (
        f"{len(rows)} of the {lost} test images that are right with all filters and wrong without "
        "the chosen ones: true class → ablated prediction; below, the probability of the true "
        f"class, clean → ablated{falls}. Switched off: {ablation}."
    )
    style.save(
        figure, path, f"Images lost without the chosen filters: {run}, {checkpoint}", caption
    )


def _draw_lost(axes: Axes, pixels: UInt8[np.ndarray, "y x channel"], row: dict[str, Any]) -> None:
    """One image, its classes above it, the probability of the true one and its number below."""
    axes.set_axis_on()
    style.picture(axes, pixels)
    axes.set_title(f"{row['class']}\n→ {row['ablated']}", fontsize=style.TINY, pad=2)
    confidences = f"{row['clean_confidence']:.2f} → {row['ablated_confidence']:.2f}"
    words = f"{confidences}\nimage {row['image']}"
    axes.set_xlabel(words, fontsize=style.TINY, labelpad=2)
