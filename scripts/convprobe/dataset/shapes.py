"""Ten drawn shapes on cluttered backgrounds, with the place of each shape.

A data set that needs no download and, unlike photographs, says where the object is: a network that
looks at the object must lose confidence where the object is covered, and not elsewhere.
"""

import colorsys
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8
from PIL import Image, ImageDraw

SIDE = 32  # pixels, as CIFAR-10
SCALE = 4  # shapes are drawn this much larger and shrunk, for smooth edges

Points = Float[np.ndarray, "point xy"]
Colour = Float[np.ndarray, " channel"]  # red, green, blue, from 0 to 255


def _polar(radii: Sequence[float]) -> Points:
    """Points at equal angles around the centre, at the given radii, the first one at the top."""
    angles = np.arange(len(radii)) * 2 * np.pi / len(radii) - np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.array(radii)[:, None]


# Polygons in [-1, 1]², y down; discs and their holes are drawn as polygons of many corners. None is
# a square, which could be mistaken for the window of the occlusion maps.
_DISC = _polar([1.0] * 48)
OUTLINES = {
    "arrow": [(-1, -0.3), (0.1, -0.3), (0.1, -0.9), (1, 0), (0.1, 0.9), (0.1, 0.3), (-1, 0.3)],
    "bolt": [(-0.1, -1), (0.8, -1), (0.25, -0.25), (0.85, -0.25), (-0.45, 1), (-0.1, 0.15),
             (-0.8, 0.15)],
    "crescent": _DISC,
    "cross": [(-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3), (0.3, 1),
              (-0.3, 1), (-0.3, 0.3), (-1, 0.3), (-1, -0.3), (-0.3, -0.3)],
    "disc": _DISC,
    "heart": [(0, 1), (-0.9, 0), (-1, -0.45), (-0.75, -0.8), (-0.4, -0.85), (0, -0.45),
              (0.4, -0.85), (0.75, -0.8), (1, -0.45), (0.9, 0)],
    "hourglass": [(-0.8, -1), (0.8, -1), (0.15, 0), (0.8, 1), (-0.8, 1), (-0.15, 0)],
    "ring": _DISC,
    "star": _polar([1.0, 0.42] * 5),
    "triangle": _polar([1.0] * 3),
}  # fmt: skip
HOLES = {"crescent": _DISC * 0.8 + (0.5, -0.2), "ring": _DISC * 0.55}
CLASSES = tuple(OUTLINES)


def draw(
    count: int, seed: Sequence[int]
) -> tuple[
    UInt8[np.ndarray, "image y x channel"],
    Int64[np.ndarray, " image"],
    Bool[np.ndarray, "image y x"],
]:
    """Draw images whose class, place, size, turn, colours and background are random.

    Args:
        count: number of images.
        seed: the same images come from the same seed.

    Returns:
        pixels; labels, indices into CLASSES; masks, true where the shape is.
    """
    random = np.random.default_rng(seed)
    pixels = np.empty((count, SIDE, SIDE, 3), dtype=np.uint8)
    masks = np.empty((count, SIDE, SIDE), dtype=bool)
    labels = random.integers(len(CLASSES), size=count)
    for index, label in enumerate(labels):
        cover = _cover(CLASSES[label], random)
        base, contrast = _colours(random)
        scene = _background(base, random)
        scene += cover[:, :, None] * (contrast + random.normal(0, 8, 3) - scene)
        scene += random.normal(0, 10, scene.shape)
        pixels[index] = scene.clip(0, 255)
        masks[index] = cover >= 0.5
    return pixels, labels, masks


def _cover(name: str, random: np.random.Generator) -> Float[np.ndarray, "y x"]:
    """How much of each pixel a shape covers, from 0 to 1."""
    radius = random.uniform(5, 9)
    centre = random.uniform(radius, SIDE - radius, 2)
    turn = random.uniform(-0.35, 0.35)  # radians
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    canvas = Image.new("L", (SIDE * SCALE, SIDE * SCALE))
    pencil = ImageDraw.Draw(canvas)
    for outline, level in ((OUTLINES[name], 255), (HOLES.get(name), 0)):
        if outline is not None:
            corners = (np.array(outline) @ rotation * radius + centre) * SCALE
            pencil.polygon([tuple(corner) for corner in corners.tolist()], fill=level)
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255


def _colours(random: np.random.Generator) -> tuple[Colour, Colour]:
    """Two colours whose hue and lightness differ enough to be seen."""
    hue = random.uniform(0, 1)
    lightness = random.uniform(0.2, 0.8)
    other_hue = (hue + random.uniform(0.25, 0.75)) % 1
    other_lightness = lightness + (0.3 if lightness < 0.5 else -0.3)
    return _colour(hue, lightness), _colour(other_hue, other_lightness)


def _colour(hue: float, lightness: float) -> Colour:
    return np.array(colorsys.hls_to_rgb(hue, lightness, 0.7)) * 255


def _background(colour: Colour, random: np.random.Generator) -> Float[np.ndarray, "y x channel"]:
    """A shaded field with strokes and flecks of similar colours."""
    canvas = Image.new("RGB", (SIDE, SIDE), tuple(colour.astype(int).tolist()))
    pencil = ImageDraw.Draw(canvas)
    for _ in range(random.integers(4, 12)):
        near = tuple((colour + random.normal(0, 35, 3)).clip(0, 255).astype(int).tolist())
        corners = random.uniform(-4, SIDE + 4, 4).tolist()
        if random.random() < 0.5:
            pencil.line(corners, fill=near, width=int(random.integers(1, 4)))
        else:
            x, y = corners[:2]
            half = random.uniform(1, 4)
            pencil.ellipse((x - half, y - half, x + half, y + half), fill=near)
    slope_y, slope_x = random.normal(0, 0.8, 2)
    steps = np.arange(-SIDE // 2, SIDE // 2)
    shade = slope_y * steps[:, None] + slope_x * steps[None]
    return np.asarray(canvas) + shade[:, :, None]
