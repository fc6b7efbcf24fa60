"""What all figures share: one style, and how they are written.

Each is a PNG with a vector copy and an alternative text beside it.
"""

import contextlib
import os
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy import ndarray
from PIL import Image

from convprobe.errors import InputError
from convprobe.store import files

STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "figure.facecolor": "white",
    "savefig.dpi": 150,
    "legend.frameon": False,
    "svg.hashsalt": "convprobe",  # else the same figure gives other bytes each time
    "text.parse_math": False,  # a class may have dollars in its name
}
matplotlib.rcParams.update(STYLE)

# Okabe & Ito's colours, which can be told apart with every kind of colour vision.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREY = "#666666"

WORDS = ("Title", "Description", "Source")  # in the metadata of a PNG and its vector copy
# What else matplotlib would write there: without dates and versions, the same figure gives the
# same bytes.
LEFT_OUT = {"png": ("Software",), "svg": ("Date", "Creator")}
LETTERS_PER_INCH = 15.5  # of a caption

_sources: dict[Path, str] = {}  # the files that figures are being drawn from: their digests


def new(width: float, height: float) -> Figure:
    """An empty figure in the common style; its size is in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def picture(axes: Axes, pixels: Shaped[ndarray, "y x *channel"], **options: Any) -> AxesImage:
    """Draw an image or a map without ticks.

    Args:
        options: of matplotlib's imshow.
    """
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    # Without interpolation the vector copy holds the pixels themselves.
    return axes.imshow(pixels, interpolation="none", **options)


@contextlib.contextmanager
def drawn_from(paths: Iterable[Path | str]) -> Iterator[None]:
    """Name these files, and their digests, in the metadata of figures saved in the block."""
    _sources.update((Path(path).absolute(), files.sha256(path)) for path in paths)
    try:
        yield
    finally:
        _sources.clear()


def save(figure: Figure, path: Path | str, caption: str) -> None:
    """Write a figure with a caption below that says what is drawn.

    Args:
        path: of the PNG; beside it, with the same name, come the vector copy (`.svg`) and the
            alternative text (`.txt`): the title and the caption.
    """
    path = Path(path)
    words = {"Title": figure.get_suptitle(), "Description": caption, "Source": _source(path)}
    width = int(figure.get_size_inches()[0] * LETTERS_PER_INCH)
    wrapped = textwrap.fill(caption, width)
    figure.supxlabel(wrapped, fontsize=8, color=GREY, x=0.01, ha="left")
    # Once: each way of writing would do it again, which takes as long as the drawing.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for kind, names in LEFT_OUT.items():
        metadata = {**words, **dict.fromkeys(names)}
        with files.replacing(path.with_suffix(f".{kind}")) as partial:
            figure.savefig(partial, format=kind, metadata=metadata)
    with files.replacing(path.with_suffix(".txt")) as partial:
        partial.write_text(alternative_text(words), encoding="utf-8")


def alternative_text(words: dict[str, str | None]) -> str:
    """A figure's title and caption, as they lie beside it."""
    return f"{words['Title']}. {words['Description']}\n"


def _source(path: Path) -> str | None:
    """What a figure's metadata says of its sources; None if none were named.

    The first line is the figure's own name, the others are what sha256sum prints of the sources.
    All names are relative to the folder that holds the figure and its sources.
    """
    if not _sources:
        return None
    own = path.absolute()
    root = os.path.commonpath([file.parent for file in (own, *_sources)])
    lines = [own.relative_to(root).with_suffix("").as_posix()]
    for source, digest in _sources.items():
        lines.append(f"{digest}  {source.relative_to(root).as_posix()}")
    return "\n".join(lines)


def words(path: Path | str) -> dict[str, str]:
    """What the metadata of a PNG or SVG says: those of WORDS that it has.

    Raises:
        InputError: it is no such picture.
    """
    try:
        if Path(path).suffix == ".png":
            return _words_of_png(path)
        return _words_of_svg(path)
    except (OSError, SyntaxError) as error:
        raise InputError(f"{path}: not a picture ({error})") from error


def _words_of_png(path: Path | str) -> dict[str, str]:
    with Image.open(path) as opened:
        opened.load()
        return {key: str(opened.info[key]) for key in WORDS if key in opened.info}


def _words_of_svg(path: Path | str) -> dict[str, str]:
    drawing = ElementTree.parse(path)
    found = {}
    for key in WORDS:
        element = drawing.find(f".//{{http://purl.org/dc/elements/1.1/}}{key.lower()}")
        if element is not None:
            found[key] = element.text
    return found
