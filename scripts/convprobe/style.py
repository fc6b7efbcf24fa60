"""Every figure: one style, fixed scales, perceptual colour maps.

Each function draws one file's content and writes it as PNG, with a vector copy and its words beside it.
"""

import contextlib
import os
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from convprobe.errors import InputError
from convprobe.store import files, hdf5

STYLE = {
    "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": False, "figure.facecolor": "white", "savefig.dpi": 150, "legend.frameon": False,
    "svg.hashsalt": "convprobe",  # else the same figure gives other bytes each time
    "text.parse_math": False,  # a class may have dollars in its name
}  # fmt: skip
matplotlib.rcParams.update(STYLE)

# Okabe & Ito's colours, which stay apart for every kind of colour vision.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
SHEET_IMAGES = 4  # images side by side, as published
WORDS = ("Title", "Description", "Source")  # in the metadata of a picture and its vector copy

_sources = []  # paths of the files that figures are drawn from just now


def new(width, height):
    """An empty figure in the common style; the size is in inches."""
    return Figure(figsize=(width, height), layout="constrained")


@contextlib.contextmanager
def drawn_from(paths: Iterable[str]) -> Iterator[None]:
    """The figures that are saved within name these files, and their digests, in their metadata."""
    _sources[:] = paths
    try:
        yield
    finally:
        _sources.clear()


def _source(path: str | Path) -> str | None:
    """A figure's own name and the digests of the files that it is drawn from, as sha256sum prints them; None if none.

    All names are relative to the folder that holds the figure and these files.
    """
    if not _sources:
        return None
    root = os.path.commonpath([Path(place).parent.absolute() for place in (path, *_sources)])
    own, *names = [Path(place).absolute().relative_to(root) for place in (path, *_sources)]
    digests = [f"{files.sha256(place)}  {name.as_posix()}" for place, name in zip(_sources, names, strict=True)]
    return "\n".join([own.with_suffix("").as_posix(), *digests])


def words(path: str | Path) -> dict[str, str]:
    """What the metadata of a PNG or SVG says: a dict of WORDS, as far as they are there.

    Raises:
        InputError: it is no such picture.
    """
    try:
        if Path(path).suffix == ".png":
            with Image.open(path) as picture:
                picture.load()
                return {key: str(picture.info[key]) for key in WORDS if key in picture.info}
        drawing = ElementTree.parse(path)
    except (OSError, SyntaxError) as error:
        raise InputError(f"{path}: not a picture ({error})") from error
    found = {key: drawing.find(f".//{{http://purl.org/dc/elements/1.1/}}{key.lower()}") for key in WORDS}
    return {key: element.text for key, element in found.items() if element is not None}


def save(figure, path, caption):
    """Write a figure with a caption below that says what is drawn.

    Args:
        path: of the PNG; beside it, with the same name, come the vector copy (`.svg`) and the alternative text
            (`.txt`): the title and the caption.
    """
    described = {"Title": figure.get_suptitle(), "Description": caption, "Source": _source(path)}
    width = int(figure.get_size_inches()[0] * 15.5)
    figure.supxlabel(textwrap.fill(caption, width), fontsize=8, color=GREY, x=0.01, ha="left")
    # Without a date or version the same figure gives the same bytes.
    for kind, dated in (("png", ("Software",)), ("svg", ("Date", "Creator"))):
        with files.replacing(Path(path).with_suffix(f".{kind}")) as partial:
            figure.savefig(partial, format=kind, metadata=described | dict.fromkeys(dated))
    with files.replacing(Path(path).with_suffix(".txt")) as partial:
        partial.write_text(alternative_text(described), encoding="utf-8")


def alternative_text(described: dict[str, str]) -> str:
    """A figure's title and caption, as they lie beside it."""
    return f"{described['Title']}. {described['Description']}\n"


def picture(axes, pixels, **options):
    """Draw an image or a map without ticks."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    # "none" keeps the pixels themselves in the vector copy.
    return axes.imshow(pixels, interpolation="none", **options)


def learning_curve(path, table, selection, run):
    """Accuracy and loss over the epochs, the selected epoch marked.

    Args:
        table: of selection.learning_curve.
        selection: the content of `selection.json`.
        run: its name, for the title.
    """
    figure = new(7, 3.2)
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
    panels["accuracy"].legend(loc="best")
    panels["loss"].set_ylim(top=1.1 * panels["loss"].dataLim.ymax)
    panels["loss"].set_ylabel("loss (cross-entropy)")
    figure.suptitle(f"Run {run}: epoch {selection['epoch']} is probed, {selection['test_accuracy']:.1%} test accuracy")
    how = "chosen in the config" if selection["policy"] == "fixed" else "the best"
    save(
        figure,
        path,
        f"Accuracy and loss after each epoch; train values are means over the epoch while the network learns. "
        f"Black line: the epoch that is probed, {how}. Highest test accuracy: epoch {selection['best_epoch']}.",
    )


def occlusion_sheet(path, images, map_paths, run, checkpoint):
    """Four images on top, then a row of confidence maps per window, as published.

    Args:
        images: the image_file.Images on this sheet.
        map_paths: window files, the smallest window first.
        run, checkpoint: names, for the title.
    """
    figure = new(1.55 * SHEET_IMAGES + 0.9, 1.62 * (len(map_paths) + 1) + 1)
    grid = figure.subplots(len(map_paths) + 1, SHEET_IMAGES, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for column, (pixels, label, image) in enumerate(zip(images.pixels, images.labels, images.indices, strict=True)):
        grid[0, column].set_axis_on()
        picture(grid[0, column], pixels)
        grid[0, column].set_title(f"{images.classes[label]}\ntest image {image}")
    for axes_row, map_path in zip(grid[1:], map_paths, strict=True):
        drawn = _draw_maps(axes_row, map_path, images.indices)
    bar = figure.colorbar(drawn, ax=grid[1:], shrink=0.6, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("probability of the true class")
    figure.suptitle(f"Where does it look? {run}, {checkpoint}")
    save(
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
            drawn = picture(axes, confidence, cmap="viridis", vmin=0, vmax=1)
            axes.set_xlabel(f"{confidence.mean():.2f} of {file['clean_probability'][row, labels[row]]:.2f}", fontsize=8)
        axes_row[0].set_ylabel(f"window {window}×{window}")
    return drawn
