"""What all figures share: sizes, letters, colours and scales, and how they are written.

Each is a PNG with a vector copy and an alternative text beside it. Fonts, colours, sizes and colour
maps are chosen here alone.
"""

import contextlib
import os
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy
from jaxtyping import Bool, Shaped
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy import ndarray
from PIL import Image

from convprobe import fonts
from convprobe.errors import InputError
from convprobe.store import files

# Widths of all figures, in inches: one column of a page of two, and both.
COLUMN = 3.5
PAGE = 7.16
TALLEST = 8.6  # of a page, less title and caption

# Sizes of letters, in points.
TEXT = 8
SMALL = 7
TINY = 6
LINE_SPACING = 1.2  # of their size

# Okabe & Ito's colours, which can be told apart with every kind of colour vision.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREY = "#666666"
LIGHT_GREY = "#CCCCCC"
INK = "black"
PAPER = "white"

THIN = 0.8  # widths of lines, in points
THICK = 1.6
DOT = 4  # sizes of marks, in points
STROKE = 7

# Colour maps and their fixed ends. Both maps are perceptual: equal steps look alike.
SEQUENTIAL = "viridis"
PROBABILITY = {"cmap": SEQUENTIAL, "vmin": 0, "vmax": 1}
PERCENT = {"cmap": SEQUENTIAL, "vmin": 0, "vmax": 100}
CHANGE_LIMIT = 10  # percentage points: the full colour from there on
FEWER_OR_MORE = LinearSegmentedColormap.from_list("fewer or more", [BLUE, PAPER, ORANGE])
CHANGE = {"cmap": FEWER_OR_MORE, "vmin": -CHANGE_LIMIT, "vmax": CHANGE_LIMIT}

STYLE = {
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.linewidth": THIN,
    "lines.linewidth": THICK,
    "lines.markersize": DOT,
    "figure.facecolor": PAPER,
    "savefig.dpi": 300,  # what journals ask of pictures
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: it can be searched, edited and read aloud
    "svg.hashsalt": "convprobe",  # else the same figure gives other bytes each time
    "text.parse_math": False,  # a class may have dollars in its name
}
matplotlib.rcParams.update(STYLE)

WORDS = ("Title", "Description", "Source")  # in the metadata of a PNG and its vector copy
# What else matplotlib would write there: without dates and versions, the same figure gives the
# same bytes.
LEFT_OUT = {"png": ("Software",), "svg": ("Date", "Creator")}
LETTERS_PER_INCH = 138  # over their size in points, of a title or caption


@dataclass
class _Drawing:
    """What is true of all figures that are being drawn.

    Attributes:
        sources: the files that they are drawn from, and their digests.
        captions: whether title and caption are drawn.
    """

    sources: dict[Path, str] = field(default_factory=dict)
    captions: bool = True


_drawing = _Drawing()


def new(width: float, height: float) -> Figure:
    """An empty figure in the common style.

    Args:
        width, height: in inches; `save` adds the room for title and caption.
    """
    return Figure(figsize=(width, height), layout="constrained")


def column_for(width: float) -> float:
    """The width of a figure: one column if so many inches fit into it, else both."""
    return COLUMN if width <= COLUMN else PAGE


def picture(axes: Axes, pixels: Shaped[ndarray, "y x *channel"], **options: Any) -> AxesImage:
    """Draw an image or a map without ticks.

    Args:
        pixels: an image's, as bytes, or a map.
        options: of matplotlib's imshow.
    """
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if pixels.ndim == 3:  # opaque: what matplotlib adds itself takes as long as all the rest
        pixels = numpy.pad(pixels, ((0, 0), (0, 0), (0, 1)), constant_values=255)
    # Without interpolation the vector copy holds the pixels themselves.
    return axes.imshow(pixels, interpolation="none", **options)


def outline(axes: Axes, mask: Bool[ndarray, "y x"]) -> None:
    """Draw the border of a region along the edges of its pixels, on an image or a map.

    White on black, so that it shows on any picture.
    """
    bordered = numpy.pad(mask, 1)
    xs, ys = [], []
    for row, column in numpy.argwhere(bordered[:-1] != bordered[1:]):
        xs += [column - 1.5, column - 0.5, numpy.nan]
        ys += [row - 0.5, row - 0.5, numpy.nan]
    for row, column in numpy.argwhere(bordered[:, :-1] != bordered[:, 1:]):
        xs += [column - 0.5, column - 0.5, numpy.nan]
        ys += [row - 1.5, row - 0.5, numpy.nan]
    for colour, width in ((INK, THICK), (PAPER, THIN)):
        # The border of the image itself is half outside of the axes.
        line = {"color": colour, "linewidth": width, "solid_capstyle": "projecting"}
        axes.plot(xs, ys, **line, scalex=False, scaley=False, clip_on=False, gid="outline")


def ink_on(colour: str | tuple[float, ...]) -> str:
    """The colour of letters, black or white, that can be read on another one.

    Source: WCAG 2, contrast of relative luminances.
    """
    red, green, blue = map(_linear, to_rgb(colour))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # Where (luminance + 0.05)² is 0.05 · 1.05, both have the same contrast.
    return INK if (luminance + 0.05) ** 2 > 0.05 * 1.05 else PAPER


def _linear(share: float) -> float:
    """The light of a part of a colour in sRGB."""
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


@contextlib.contextmanager
def drawn_from(paths: Iterable[Path | str], captions: bool = True) -> Iterator[None]:
    """What is true of figures saved in the block.

    Args:
        paths: files that are named, with their digests, in the figures' metadata.
        captions: whether title and caption are drawn; they are in metadata and text anyway.
    """
    _drawing.sources.update((Path(path).absolute(), files.sha256(path)) for path in paths)
    _drawing.captions = captions
    try:
        yield
    finally:
        _drawing.sources.clear()
        _drawing.captions = True


def save(figure: Figure, path: Path | str, title: str, caption: str) -> None:
    """Write a figure, its title above and below it the caption that says what is drawn.

    Args:
        path: of the PNG; beside it, with the same name, come the vector copy (`.svg`) and the
            alternative text (`.txt`): the title and the caption.
    """
    path = Path(path)
    words = {"Title": title, "Description": caption, "Source": _source(path)}
    if _drawing.captions:
        _write_words(figure, title, caption)
    # Once: each way of writing would do it again, which takes as long as the drawing.
    if figure.axes:
        figure.get_layout_engine().execute(figure)
    figure.set_layout_engine(None)
    for kind, names in LEFT_OUT.items():
        metadata = {**words, **dict.fromkeys(names)}
        with files.replacing(path.with_suffix(f".{kind}")) as partial:
            figure.savefig(partial, format=kind, metadata=metadata)
            if kind == "svg":
                fonts.embed(partial)
    with files.replacing(path.with_suffix(".txt")) as partial:
        partial.write_text(alternative_text(words), encoding="utf-8")


def _write_words(figure: Figure, title: str, caption: str) -> None:
    """Add title and caption to a figure, and the room for them."""
    width, height = figure.get_size_inches()
    above = _wrapped(title, TEXT, width)
    if "\n" in above:  # the question, and below it of what it is asked
        lines = title.replace("? ", "?\n").split("\n")
        above = "\n".join(_wrapped(line, TEXT, width) for line in lines)
    below = _wrapped(caption, SMALL, width)
    figure.suptitle(above, fontsize=TEXT)
    figure.supxlabel(below, fontsize=SMALL, color=GREY, x=0.01, ha="left")
    points = TEXT * len(above.split("\n")) + SMALL * len(below.split("\n"))
    figure.set_size_inches(width, height + LINE_SPACING * points / 72)


def _wrapped(text: str, size: float, width: float) -> str:
    """A text in lines of a width in inches, its letters of a size in points."""
    return textwrap.fill(text, int(width * LETTERS_PER_INCH / size))


def alternative_text(words: dict[str, str | None]) -> str:
    """A figure's title and caption, as they lie beside it."""
    return f"{words['Title']}. {words['Description']}\n"


def _source(path: Path) -> str | None:
    """What a figure's metadata says of its sources; None if none were named.

    The first line is the figure's own name, the others are what sha256sum prints of the sources.
    All names are relative to the folder that holds the figure and its sources.
    """
    if not _drawing.sources:
        return None
    own = path.absolute()
    root = os.path.commonpath([file.parent for file in (own, *_drawing.sources)])
    lines = [own.relative_to(root).with_suffix("").as_posix()]
    for source, digest in _drawing.sources.items():
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
    words = {}
    for key in WORDS:
        element = drawing.find(f".//{{http://purl.org/dc/elements/1.1/}}{key.lower()}")
        if element is not None:
            words[key] = element.text
    return words
