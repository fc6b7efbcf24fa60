"""What every figure carries along, its size, and that fonts and colours are chosen in one place."""

import hashlib
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from drawn_texts import marked, size, texts

from convprobe import style
from convprobe.errors import InputError

LIBRARY = Path(style.__file__).parent
TITLE = "What is it? A figure"
CAPTION = "What is drawn. " * 20


def draw(path, width=style.COLUMN):
    figure = style.new(width, 2)
    axes = figure.subplots()
    axes.set_title("a panel")
    style.save(figure, path, TITLE, CAPTION.strip())


def test_a_figure_names_what_it_is_drawn_from_and_carries_its_words(tmp_path):
    source = tmp_path / "filters/top images.csv"
    source.parent.mkdir()
    source.write_text("response\n")
    path = tmp_path / "filters/conv1/3.png"
    with style.drawn_from([source]):
        draw(path)
    digest = hashlib.sha256(b"response\n").hexdigest()
    for kind in ("png", "svg"):
        words = style.words(path.with_suffix(f".{kind}"))
        assert words["Source"] == f"conv1/3\n{digest}  top images.csv"
        alternative_text = path.with_suffix(".txt").read_text()
        assert f"{words['Title']}. {words['Description']}\n" == alternative_text
    draw(path)
    assert "Source" not in style.words(path)


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"<svg", b"\xff\xfe"])
def test_what_is_no_picture_is_refused(tmp_path, kind, content):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a.{kind}: not a picture"):
        style.words(path)


def test_text_is_text_in_the_vector_copy(tmp_path):
    """Not outlines of letters: it can be searched, edited, and read aloud."""
    draw(tmp_path / "a.png")
    assert {TITLE, "a panel", "0.0"} <= set(texts(tmp_path / "a.png"))
    assert " ".join(texts(tmp_path / "a.png")).count("What is drawn.") == 20


def test_without_captions_only_the_drawing_is_left(tmp_path):
    """For a paper; what is said of the figure stays beside it, and so does the drawing's size."""
    path = tmp_path / "a.png"
    with style.drawn_from([], captions=False):
        draw(path)
    assert "a panel" in texts(path)
    assert not [text for text in texts(path) if "figure" in text or "drawn" in text]
    assert size(path) == pytest.approx((style.COLUMN, 2))
    assert path.with_suffix(".txt").read_text() == f"{TITLE}. {CAPTION.strip()}\n"
    assert style.words(path)["Title"] == TITLE
    draw(path)
    assert TITLE in texts(path), "the next figure has its own again"
    assert size(path)[0] == pytest.approx(style.COLUMN)
    assert size(path)[1] > 2.5


def test_title_and_caption_stay_within_the_figure(tmp_path):
    """By the letters of this machine: lines of capitals would not fit."""
    figure = style.new(style.COLUMN, 1)
    style.save(figure, tmp_path / "a.png", "Which classes? a run, epoch-08", CAPTION.strip())
    width = figure.bbox.width
    for text in figure.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= width


def test_a_figure_is_as_wide_as_one_column_or_two():
    assert (style.COLUMN, style.PAGE) == (3.5, 7.16)
    assert [style.column_for(inches) for inches in (1, 3.5, 3.6, 20)] == [3.5, 3.5, 7.16, 7.16]


def test_an_outline_runs_along_the_edges_of_pixels(tmp_path):
    """Of two pixels side by side six edges, twice drawn: in black and, on it, in white."""
    figure = style.new(2, 2)
    axes = figure.subplots()
    style.picture(axes, np.zeros((4, 4)))
    mask = np.zeros((4, 4), bool)
    mask[1, 2:] = True
    style.outline(axes, mask)
    edges = set()
    line = axes.lines[0]
    xs, ys = line.get_xdata(), line.get_ydata()
    for start in range(0, len(xs), 3):
        edges.add((xs[start], ys[start], xs[start + 1], ys[start + 1]))
    assert edges == {
        (1.5, 0.5, 2.5, 0.5), (2.5, 0.5, 3.5, 0.5),
        (1.5, 1.5, 2.5, 1.5), (2.5, 1.5, 3.5, 1.5),
        (1.5, 0.5, 1.5, 1.5), (3.5, 0.5, 3.5, 1.5),
    }  # fmt: skip
    assert axes.get_xlim() == (-0.5, 3.5)
    assert axes.get_ylim() == (3.5, -0.5)
    style.save(figure, tmp_path / "a.png", "a", "b")
    assert len(marked(tmp_path / "a.png", "outline")) == 2


def test_letters_can_be_read_on_every_colour_of_the_maps():
    """The contrast of WCAG's level AA, 4.5 to 1, at least."""
    for colours in (style.PERCENT, style.CHANGE):
        shades = matplotlib.colormaps.get_cmap(colours["cmap"])(np.linspace(0, 1, 50))
        for shade in shades:
            light = relative_luminance(shade[:3])
            letters = 0 if style.ink_on(tuple(shade)) == style.INK else 1
            contrast = (max(light, letters) + 0.05) / (min(light, letters) + 0.05)
            assert contrast > 4.5


def relative_luminance(colour):
    share = np.asarray(colour)
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return light @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("colours", [style.SEQUENTIAL, style.FEWER_OR_MORE])
def test_colour_maps_are_perceptual(colours):
    """The lightness of CIELAB changes by nearly equal steps, on each side of the middle."""
    steps = np.linspace(0, 1, 21)
    shades = matplotlib.colormaps.get_cmap(colours)(steps)[:, :3]
    light = np.array([relative_luminance(shade) for shade in shades])
    lightness = 116 * np.cbrt(light) - 16
    halves = [lightness] if colours == style.SEQUENTIAL else [lightness[:11], lightness[10:]]
    for half in halves:
        change = np.diff(half)
        assert (np.sign(change) == np.sign(change[0])).all()
        assert abs(change).max() < 1.6 * abs(change).min()


CHOSEN_ELSEWHERE = re.compile(
    r"(fontsize|labelsize|linewidth|markersize|width)\"?[=:] ?[\d.]+|#[0-9A-Fa-f]{6}"
    r"|[\"'](black|white|viridis|RdBu\w*|magma|gray|grey)[\"']|rcParams|suptitle|supxlabel"
)
DRAWING = [
    path
    for path in LIBRARY.rglob("*.py")
    if path != Path(style.__file__) and "style.new(" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", DRAWING, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_fonts_colours_and_sizes_are_chosen_in_one_place(path):
    text = path.read_text(encoding="utf-8")
    found = [match[0] for match in CHOSEN_ELSEWHERE.finditer(text)]
    assert found == []


def test_every_module_that_draws_is_known():
    assert len(DRAWING) == 6
