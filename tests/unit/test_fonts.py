"""The letters of a figure are in its vector copy, as they are in the font."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from drawn_texts import texts
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from convprobe import fonts, style


def embedded(path):
    """The font in an SVG, and its bytes."""
    drawing = path.read_text(encoding="utf-8")
    (rule,) = re.findall(r"@font-face\{(.*?)\}</style>", drawing)
    family, data = re.fullmatch(
        r"font-family:'(.*)';src:url\(data:font/woff;base64,(.*)\)", rule
    ).groups()
    assert f"font-family: '{family}'" in drawing, "otherwise no text is set in it"
    written = base64.b64decode(data)
    return TTFont(io.BytesIO(written)), written


def draw(path, title):
    figure = style.new(2, 2)
    figure.subplots().set_title(title)
    style.save(figure, path.with_suffix(".png"), "What is it? A figure", "What is drawn.")


def test_all_letters_of_a_figure_have_the_shapes_of_its_font(tmp_path):
    path = tmp_path / "figure.svg"
    draw(path, "größer → Δ")
    font, _ = embedded(path)
    whole = TTFont(io.BytesIO(Path(font_manager.findfont("DejaVu Sans")).read_bytes()))
    drawn = "".join(texts(path))
    assert {"ö", "ß", "→", "Δ", "W"} <= set(drawn)
    for letter in set(drawn) - {"\n"}:
        name, of_whole = font.getBestCmap()[ord(letter)], whole.getBestCmap()[ord(letter)]
        assert font["hmtx"][name] == whole["hmtx"][of_whole]
        if letter == " ":
            continue
        points, *_ = font["glyf"][name].getCoordinates(font["glyf"])
        expected, *_ = whole["glyf"][of_whole].getCoordinates(whole["glyf"])
        np.testing.assert_array_equal(points, expected)
    assert "Ж" not in map(chr, font.getBestCmap())


def test_the_same_letters_are_the_same_bytes_and_a_letter_without_shape_is_left_out(tmp_path):
    written = []
    for name in ("one", "two"):
        fonts._font_of.cache_clear()
        with pytest.warns(UserWarning, match="missing from font"):
            draw(tmp_path / f"{name}.svg", "猫")
        written.append(embedded(tmp_path / f"{name}.svg")[1])
    assert written[0] == written[1]
