"""Every figure: one style, fixed scales, perceptual colour maps.

Each function draws one file's content and writes it as PNG.
"""

import textwrap

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from convprobe import files, hdf5

STYLE = {
    "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": False, "figure.facecolor": "white", "savefig.dpi": 150, "legend.frameon": False,
}  # fmt: skip
matplotlib.rcParams.update(STYLE)

# Okabe & Ito's colours, which stay apart for every kind of colour vision.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
CHANGE_LIMIT = 10  # percentage points, at the ends of the scale
SHEET_IMAGES = 4  # images side by side, as published


def _new(width, height):
    """An empty figure in the common style; the size is in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure, path, caption):
    """Write a figure with a caption below that says what is drawn."""
    width = int(figure.get_size_inches()[0] * 15.5)
    figure.supxlabel(textwrap.fill(caption, width), fontsize=8, color=GREY, x=0.01, ha="left")
    # Without a date or version the same figure gives the same bytes.
    with files.replacing(path) as partial:
        figure.savefig(partial, format="png", metadata={"Software": None})


def _picture(axes, pixels, **options):
    """Draw an image or a map without ticks."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return axes.imshow(pixels, interpolation="nearest", **options)


def learning_curve(path, table, selection, run):
    """Accuracy and loss over the epochs, the selected epoch marked.

    Args:
        table: of selection.learning_curve.
        selection: the content of `selection.json`.
        run: its name, for the title.
    """
    figure = _new(7, 3.2)
    panels = dict(zip(("accuracy", "loss"), figure.subplots(1, 2), strict=True))
    for quantity, axes in panels.items():
        for split, colour, dashes in (("train", GREY, "--"), ("validation", ORANGE, ":"), ("test", BLUE, "-")):
            if f"{split}_{quantity}" in table:
                values = table[f"{split}_{quantity}"]
                axes.plot(table["epoch"], values, dashes, color=colour, label=split, marker=".")
        axes.axvline(selection["epoch"], color="black", linewidth=0.8)
        axes.set(xlabel="epoch", ylabel=quantity, ylim=(0, None))
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels["accuracy"].set_ylim(0, 1)
    panels["accuracy"].legend(loc="lower center")
    panels["loss"].set_ylabel("loss (cross-entropy)")
    figure.suptitle(f"Run {run}: epoch {selection['epoch']} is probed, {selection['test_accuracy']:.1%} test accuracy")
    how = "chosen in the config" if selection["policy"] == "fixed" else "the best"
    _save(
        figure,
        path,
        f"Accuracy and loss after each epoch; train values are means over the epoch while the network learns. "
        f"Black line: the epoch that is probed, {how}. Highest test accuracy: epoch {selection['best_epoch']}.",
    )


def occlusion_sheet(path, images, map_paths, run, checkpoint):
    """Four images on top, then a row of confidence maps per window, as published.

    Args:
        images: the datasets.Images on this sheet.
        map_paths: window files, the smallest window first.
        run, checkpoint: names, for the title.
    """
    figure = _new(1.55 * SHEET_IMAGES + 0.9, 1.62 * (len(map_paths) + 1) + 1)
    grid = figure.subplots(len(map_paths) + 1, SHEET_IMAGES, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for column, (pixels, label, image) in enumerate(zip(images.pixels, images.labels, images.indices, strict=True)):
        grid[0, column].set_axis_on()
        _picture(grid[0, column], pixels)
        grid[0, column].set_title(f"{images.classes[label]}\ntest image {image}")
    for axes_row, map_path in zip(grid[1:], map_paths, strict=True):
        drawn = _draw_maps(axes_row, map_path, images.indices)
    bar = figure.colorbar(drawn, ax=grid[1:], shrink=0.6, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("probability of the true class")
    figure.suptitle(f"Where does it look? {run}, {checkpoint}")
    _save(
        figure,
        path,
        "Each pixel of a map is the probability of the true class while a grey window is centred there; dark "
        "is where covering the image takes the belief away. Under each map: its mean, and the probability "
        "without a window.",
    )


def _draw_maps(axes_row, map_path, wanted):
    with hdf5.open_complete(map_path) as file:
        place = {image: row for row, image in enumerate(file["image"][:])}
        window, labels = file.attrs["window"], file["label"][:]
        for column, image in enumerate(wanted):
            row, axes = place[image], axes_row[column]
            confidence = file["confidence"][row]
            axes.set_axis_on()
            drawn = _picture(axes, confidence, cmap="viridis", vmin=0, vmax=1)
            axes.set_xlabel(f"{confidence.mean():.2f} of {file['clean_probability'][row, labels[row]]:.2f}", fontsize=8)
        axes_row[0].set_ylabel(f"window {window}×{window}")
    return drawn


def top_patches(path, patches_path, top_images, run, checkpoint):
    """A column per filter, rows from the lowest rank at the top to the highest response below.

    Args:
        patches_path: a `patches.h5`.
        top_images: the table of `top-images.csv`.
        run, checkpoint: names, for the title.
    """
    filters = list(top_images[["layer", "channel"]].drop_duplicates().itertuples(index=False))
    ranks = top_images["rank"].max()
    rows = top_images.set_index(["layer", "channel", "rank"])
    with hdf5.open_complete(patches_path) as file:
        figure = _new(max(1.02 * len(filters) + 0.4, 5), 1.3 * ranks + 1.3)
        grid = figure.subplots(ranks, len(filters), squeeze=False)
        for column, (layer, channel) in enumerate(filters):
            patches = file[f"{layer}/{channel}"][:]
            for axes in grid[:, column]:
                axes.set_axis_off()
            for rank, patch in enumerate(patches, start=1):
                axes, found = grid[ranks - rank, column], rows.loc[(layer, channel, rank)]
                axes.set_axis_on()
                _picture(axes, patch)
                axes.set_xlabel(f"{found['class']}\n{found['response']:.3g}", fontsize=7, labelpad=1)
            grid[0, column].set_title(f"{layer}\n{channel}\n{patches.shape[1]}×{patches.shape[2]} px", fontsize=8)
        for row in range(ranks):
            grid[row, 0].set_ylabel("highest" if row == ranks - 1 else f"{_ordinal(ranks - row)} highest", fontsize=8)
        figure.suptitle(f"What do its filters answer to? {run}, {checkpoint}")
        _save(
            figure,
            path,
            "A column per filter: the patches that the peak of its map sees in the test images with the highest "
            "response (Frobenius norm of the map), the highest below. Each patch is enlarged to the same size. "
            "Under it: the image's class and the response.",
        )


def _ordinal(number):
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }".replace(" ", "")


def confusion(path, before, after, run, checkpoint):
    """Confusion before and after the ablation, and the change.

    Args:
        before, after: tables of counts, rows true, columns predicted.
        run, checkpoint: names, for the title.
    """
    shares = [table.div(table.sum(axis=1).clip(lower=1), axis=0) * 100 for table in (before, after)]
    change = shares[1] - shares[0]
    figure = _new(14, 5)
    panels = zip(figure.subplots(1, 3), (*shares, change), ("before", "after", "change"), strict=True)
    for axes, table, title in panels:
        colours, low, high = ("RdBu_r", -CHANGE_LIMIT, CHANGE_LIMIT) if title == "change" else ("viridis", 0, 100)
        drawn = axes.imshow(table, interpolation="nearest", cmap=colours, vmin=low, vmax=high)
        _write_cells(axes, table, signed=title == "change")
        names = range(len(table))
        axes.set_xticks(names, table.columns, rotation=45, ha="right")
        axes.set_yticks(names, table.index)
        axes.set(title=title, xlabel="predicted", ylabel="true class" if title == "before" else None)
        unit = "percentage points" if title == "change" else "% of the true class"
        figure.colorbar(drawn, ax=axes, shrink=0.7, label=unit, extend="both" if title == "change" else "neither")
    figure.suptitle(f"What does it lose without the chosen filters? {run}, {checkpoint}")
    _save(
        figure,
        path,
        f"Predictions of {int(before.to_numpy().sum())} test images with the network as trained (before) and with "
        "the chosen filters switched off (after), in per cent of each true class; the change in percentage points, "
        "red where a prediction became commoner.",
    )


def _write_cells(axes, table, signed):
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        if round(value) != 0:
            dark = abs(value) > 0.6 * CHANGE_LIMIT if signed else value < 60
            text = f"{value:+.0f}" if signed else f"{value:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if dark else "black")


def class_pairs(path, table, predictions, run, checkpoint):
    """Bars of the commonest class pairs among the images that were right and now are wrong.

    Args:
        table: of ablation.class_pairs.
        predictions: of ablation.predictions.
        run, checkpoint: names, for the title.
    """
    shown = table.head(12).iloc[::-1]
    lost = int(table["images"].sum())
    right = [(predictions[state] == predictions["class"]).mean() for state in ("before", "after")]
    figure = _new(7, 4)
    axes = figure.subplots()
    bars = axes.barh(shown["class"] + " → " + shown["predicted"], shown["images"], color=BLUE)
    axes.bar_label(bars, padding=2, fontsize=8)
    axes.set(xlabel="images", xlim=(0, max(shown["images"].max() * 1.1, 1) if len(shown) else 1))
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(f"Right before, wrong after: {run}, {checkpoint}")
    _save(
        figure,
        path,
        f"{lost} of {len(predictions)} test images were right with the network as trained and wrong with the chosen "
        f"filters switched off: true class → new prediction, the commonest pairs. Accuracy {right[0]:.1%} before, "
        f"{right[1]:.1%} after.",
    )
