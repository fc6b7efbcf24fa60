"""What is written in a figure, read from its vector copy."""

from pathlib import Path
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def texts(path: Path) -> list[str]:
    """The lines of text in a figure, in the order in which they are drawn.

    Args:
        path: of the figure, with any suffix.
    """
    drawing = ElementTree.parse(path.with_suffix(".svg"))
    return ["".join(element.itertext()) for element in drawing.iter(f"{SVG}text")]


def size(path: Path) -> tuple[float, float]:
    """Width and height of a figure in inches."""
    root = ElementTree.parse(path.with_suffix(".svg")).getroot()
    width, height = (float(root.get(side).removesuffix("pt")) / 72 for side in ("width", "height"))
    return width, height


def marked(path: Path, name: str) -> list[ElementTree.Element]:
    """The groups of a figure that were drawn under a name, as `window` and `outline`."""
    drawing = ElementTree.parse(path.with_suffix(".svg"))
    return [group for group in drawing.iter(f"{SVG}g") if group.get("id") == name]
