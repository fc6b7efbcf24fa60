"""The font of figures, which their vector copies bring along: they look the same everywhere."""

import base64
import functools
import io
import string
from pathlib import Path

from fontTools import subset
from matplotlib import font_manager

FAMILY = "DejaVu Sans"  # which matplotlib prefers and brings along; free to be embedded
# What is in every figure or in most; of one font for all of a process, the making counts once.
COMMON = string.printable + "×−–→·±…\N{NO-BREAK SPACE}"
STYLE_END = "</style>"  # of what matplotlib writes at the top


def embed(path: Path) -> None:
    """Give an SVG that matplotlib wrote, and whose text is text, the shapes of its letters."""
    drawing = path.read_text(encoding="utf-8")
    letters = "".join(sorted({*COMMON, *drawing}))
    shapes = base64.b64encode(_font_of(letters)).decode()
    rule = f"@font-face{{font-family:'{FAMILY}';src:url(data:font/woff;base64,{shapes})}}"
    path.write_text(drawing.replace(STYLE_END, f"{rule}{STYLE_END}", 1), encoding="utf-8")


@functools.cache
def _font_of(letters: str) -> bytes:
    """The font as WOFF, with these letters alone, as far as it has them."""
    options = subset.Options(
        flavor="woff", hinting=False, layout_features=["kern"], recalc_timestamp=False
    )
    options.drop_tables += ["FFTM"]  # dates of the editor's
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=letters)
    written = io.BytesIO()
    with subset.load_font(font_manager.findfont(FAMILY), options) as font:
        subsetter.subset(font)
        subset.save_font(font, written, options)
    return written.getvalue()
