"""What does it lose? Confusion, the variants' accuracy, and the images that turned wrong."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from convprobe import style
from convprobe.ablation import answers
from convprobe.ablation.tabulation import STATES
from convprobe.network.receptive_field import split_name

CHANGE_LIMIT = 10  # percentage points, at the ends of the scale
CELL = 0.25  # inches, in which a number can be read
MOST_CELLS = 40  # a side: of more classes only some are named, and cells have no number
PAIRS = 12  # class pairs with a bar
GALLERY_ACROSS, GALLERY_IMAGES = 8, 40
MOST_NAMED = 30  # chosen filters in a caption; of more only how many
MODES = {
    "zero": "map set to 0",
    "weights-only": "weights set to 0, biases kept",
    "mean": "map replaced by its mean over the test images",
}


def switched_off(chosen, mode):
    """Which filters are off, and how, in the words of a caption.

    Args:
        chosen: names of filters, layer by layer.
        mode: as in variants.predict.
    """
    named = []
    for layer, places in itertools.groupby(map(split_name, chosen), lambda place: place[0]):
        channels = [channel for _, channel in places]
        few = len(chosen) <= MOST_NAMED
        named.append(
            f"{layer}/{', '.join(map(str, channels))}" if few else f"{len(channels)} of {layer}"
        )
    return f"{'; '.join(named)}: {MODES[mode]}"


def confusion(path, clean, ablated, off, run, checkpoint):
    """Confusion before and after the ablation, and the change.

    Args:
        clean, ablated: tables of counts, rows true, columns predicted.
        off: of switched_off.
        run, checkpoint: names, for the title.
    """
    shares = [
        table.div(table.sum(axis=1).clip(lower=1), axis=0) * 100 for table in (clean, ablated)
    ]
    change = shares[1] - shares[0]
    cells = min(len(clean), MOST_CELLS) * CELL
    figure = style.new(max(14, 3 * cells + 5), max(5, cells + 2.5))
    panels = zip(
        figure.subplots(1, 3), (*shares, change), ("clean", "ablated", "change"), strict=True
    )
    for axes, table, title in panels:
        colours, low, high = (
            ("RdBu_r", -CHANGE_LIMIT, CHANGE_LIMIT) if title == "change" else ("viridis", 0, 100)
        )
        drawn = axes.imshow(table, interpolation="none", cmap=colours, vmin=low, vmax=high)
        if len(table) <= MOST_CELLS:
            _write_cells(axes, table, signed=title == "change")
        named = range(0, len(table), -(-len(table) // MOST_CELLS))
        axes.set_xticks(
            named, table.columns[named], rotation=45, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks(named, table.index[named])
        axes.set(title=title, xlabel="predicted", ylabel="true class" if title == "clean" else None)
        unit = "percentage points" if title == "change" else "% of the true class"
        figure.colorbar(
            drawn,
            ax=axes,
            shrink=0.7,
            label=unit,
            extend="both" if title == "change" else "neither",
        )
    figure.suptitle(f"What does it lose without the chosen filters? {run}, {checkpoint}")
    style.save(
        figure,
        path,
        f"Predictions of {int(clean.to_numpy().sum())} test images with the network as trained (before) and with "
        f"the chosen filters switched off (after; {off}), in per cent of each true class; the change in percentage "
        "points, red where a prediction became commoner.",
    )


def _write_cells(axes, table, signed):
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        if round(value) != 0:
            dark = abs(value) > 0.6 * CHANGE_LIMIT if signed else value < 60
            text = f"{value:+.0f}" if signed else f"{value:.0f}"
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=7,
                color="white" if dark else "black",
            )


def class_pairs(path, table, predictions, off, run, checkpoint):
    """Bars of the commonest class pairs among the images that turned wrong, and of the change in confusion.

    Args:
        table: of tabulation.class_pairs.
        predictions: of variants.predictions.
        off: of switched_off.
        run, checkpoint: names, for the title.
    """
    figure = style.new(9, 4.2)
    turned, net = figure.subplots(1, 2)
    shown = table[table["lost"] > 0].head(PAIRS).iloc[::-1]
    _draw_pairs(turned, shown, "lost", "%d", style.BLUE)
    turned.set(
        xlabel="images",
        title="right before, wrong after",
        xlim=(0, 1.12 * max([1, *shown["lost"]])),
    )
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    shown = table.loc[order].query("change != 0").head(PAIRS).iloc[::-1]
    colours = [style.ORANGE if change > 0 else style.BLUE for change in shown["change"]]
    _draw_pairs(net, shown, "change", "%+d", colours)
    limit = 1.25 * max([1, *shown["change"].abs()])
    net.set(xlabel="images", title="change in confusion, after less before", xlim=(-limit, limit))
    net.axvline(0, color="black", linewidth=0.8)
    for axes in (turned, net):
        axes.xaxis.get_major_locator().set_params(integer=True)
        if not axes.patches:
            axes.set_yticks([])
            axes.text(0.5, 0.5, "none", ha="center", transform=axes.transAxes)
    lost, right = (
        int(table["lost"].sum()),
        [(predictions[s] == predictions["class"]).mean() for s in STATES],
    )
    figure.suptitle(f"Which classes are confused without the chosen filters? {run}, {checkpoint}")
    style.save(
        figure,
        path,
        f"True class → prediction. Left: the {lost} of {len(predictions)} test images that were right with all filters "
        f"and are wrong without the chosen ones, the commonest pairs. Right: how many more, or fewer, images are taken "
        f"for that class than before, the largest changes. Accuracy {right[0]:.1%} before, {right[1]:.1%} after. "
        f"Switched off: {off}.",
    )


def _draw_pairs(
    axes: Axes, table: pd.DataFrame, column: str, form: str, colours: str | list[str]
) -> None:
    places = range(len(table))  # not the names: those of two pairs may read the same
    bars = axes.barh(places, table[column], color=colours)
    axes.set_yticks(places, table["class"] + " → " + table["predicted"])
    axes.bar_label(bars, fmt=form, padding=2, fontsize=8)


def accuracy(path: str, table: pd.DataFrame, off: str, run: str, checkpoint: str) -> None:
    """How much each variant changes the accuracy, with its paired interval; the random draws on one line.

    Args:
        table: of tabulation.accuracies.
        off: of switched_off.
        run, checkpoint: names, for the title.
    """
    random = table["variant"].str.startswith("random-")
    named, draws = table[~random & (table["variant"] != "clean")], table[random]
    lines = list(named["variant"]) + [f"{len(draws)} random draws"] * bool(len(draws))
    figure = style.new(7, 0.27 * len(lines) + 1.9)
    axes = figure.subplots()
    axes.axvline(0, color=style.GREY, linewidth=0.8)
    for line, row in enumerate(named.itertuples()):
        colour = style.ORANGE if row.variant == "ablated" else style.BLUE
        axes.plot(
            [100 * row.change_low, 100 * row.change_high], [line, line], color=colour, linewidth=1.5
        )
        axes.plot(100 * row.change, line, "o", color=colour, markersize=5)
    axes.plot(100 * draws["change"], [len(named)] * len(draws), "|", color="black", markersize=11)
    names = {"ablated": "without the chosen ones"}
    names |= {line: f"without {line}" for line in lines if "/" in line}
    names |= {
        line: f"without those of {line}"
        for line in lines
        if line.startswith("conv") and "/" not in line
    }
    axes.set_yticks(range(len(lines)), [names.get(line, line) for line in lines])
    axes.set(xlabel="change of accuracy, percentage points", ylim=(len(lines) - 0.5, -0.5))
    random_ones = "; and as many random ones per layer, a stroke a draw" * bool(len(draws))
    figure.suptitle(f"What does it lose without some filters? {run}, {checkpoint}")
    style.save(
        figure,
        path,
        f"Change of the accuracy on {table['images'].iloc[0]} test images when filters are switched off: the chosen "
        f"ones ({off}) together, by layer, and alone{random_ones}. Bars: the paired 95 % interval. "
        f"{answers.what_it_loses(table)}",
    )


def gallery(path, images, rows, lost, off, run, checkpoint):
    """The images that turned wrong, those first whose true class lost most.

    Args:
        images: the image_file.Images of the rows.
        rows: of `flips.csv`.
        lost: how many images turned wrong in all.
        off: of switched_off.
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
        figure.text(
            0.5,
            0.6,
            "No image that was right with all filters is wrong without the chosen ones.",
            ha="center",
        )
    figure.suptitle(f"Right before, wrong without the chosen filters: {run}, {checkpoint}")
    style.save(
        figure,
        path,
        f"{len(rows)} of the {lost} test images that were right with all filters and are wrong without the chosen "
        "ones, those first whose true class lost most: true class → new prediction; below, the probability of the true "
        f"class before → after. Switched off: {off}.",
    )
