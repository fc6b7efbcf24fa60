"""What all figures share: one style, and how they are written, as PNG with a vector copy and words beside it."""

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
from convprobe.store import files

STYLE = {
    "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": False, "figure.facecolor": "white", "savefig.dpi": 150, "legend.frameon": False,
    "svg.hashsalt": "convprobe",  # else the same figure gives other bytes each time
    "text.parse_math": False,  # a class may have dollars in its name
}  # fmt: skip
matplotlib.rcParams.update(STYLE)

# Okabe & Ito's colours, which stay apart for every kind of colour vision.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
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
    digests = [
        f"{files.sha256(place)}  {name.as_posix()}"
        for place, name in zip(_sources, names, strict=True)
    ]
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
    found = {
        key: drawing.find(f".//{{http://purl.org/dc/elements/1.1/}}{key.lower()}") for key in WORDS
    }
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
