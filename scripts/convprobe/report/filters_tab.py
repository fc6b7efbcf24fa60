"""What the page's tab of filters shows: what does each one answer to?"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int

from convprobe.dataset import image_file
from convprobe.filters.answers import what_filters_answer_to
from convprobe.filters.top_patches import read_maps
from convprobe.network.filter_layers import split_name
from convprobe.report import packing, sprites
from convprobe.store import hdf5, tables

BATCH = 256  # images that are read at a time: bounds the memory
HALF_RANGE = 127  # levels of a colour on either side of grey
MAP_LEVELS = 255
# What the page holds at most; the files hold all, and the page says where it holds less.
MOST_TOP_IMAGES = 150_000  # of all filters and ranks
LARGEST_MAP = 64 * 64  # places of a filter's map
SMALLEST_PATCH = 4  # longer side in pixels, however many patches there are
FEWEST_BYTES = 0.3  # of a patch's pixel, as text


def collect(
    folder: Path,
    sources: Mapping[str, str],
    images_path: Path,
    chosen: list[str],
    class_images: pd.Series,
    most_images: int,
    most_patch_bytes: int,
) -> dict:
    """The top images of every filter, and the patch at the peak of each in its first one.

    Args:
        folder: of the probed checkpoint.
        sources: paths by name, as of explorer.write.
        images_path: a file of test images.
        chosen: names of the chosen filters.
        class_images: test images of each class.
        most_images: top images that are held, of all filters.
        most_patch_bytes: which the patches take as text.
    """
    activations_path = folder / sources["activations"]
    table = tables.read(folder / sources["top_images"])
    ranks = int(table["rank"].max())
    held = max(1, min(ranks, most_images * ranks // len(table)))
    patches = patches_of(table[table["rank"] == 1], images_path, most_patch_bytes)
    pictures = patch_sprites(patches, most_patch_bytes)
    top_images = table[table["rank"] <= held]
    by_layer = top_images.groupby("layer", sort=False)
    layers = [_layer(str(name), rows, pictures[name]) for name, rows in by_layer]
    with hdf5.open_complete(activations_path) as file:
        for layer in layers:
            stored = file.get(f"{layer['name']}/kernels")
            layer["kernels"] = None if stored is None else kernel_pictures(stored[:])
    return {
        "answer": what_filters_answer_to(table, class_images),
        "layers": layers,
        "chosen": chosen,
        "ranks": ranks,
        "maps": filter_maps(activations_path, top_images, chosen),
        "quantiles": quantile_images(tables.read(folder / sources["quantile_images"])),
    }


def _layer(name: str, rows: pd.DataFrame, sprite: dict) -> dict:
    """The top images of a layer's filters: lists, filter by filter and rank by rank.

    Returns:
        beside what tells itself, `boxes`, the different ones, each `top`, `left`, `bottom` and
        `right`, and `box`, which of them a top image has.
    """
    boxes = rows[["top", "left", "bottom", "right"]].to_numpy()
    different, box = np.unique(boxes, axis=0, return_inverse=True)
    return {
        "name": name,
        "channels": int((rows["rank"] == 1).sum()),
        "ranks": int(rows["rank"].max()),
        "image": rows["image"].tolist(),
        "response": _four_digits(rows["response"]),
        "boxes": different.tolist(),
        "box": box.ravel().tolist(),
        "sprite": sprite,
    }


def patches_of(
    rows: pd.DataFrame, images_path: Path, most_bytes: int
) -> dict[Any, list[sprites.Picture]]:
    """The pixels in the box of each row by layer, as large as they all may be in so many bytes.

    Those of a filter that answers to no image are grey.
    """
    boxes = rows[["top", "left", "bottom", "right"]].to_numpy()
    most = _side_that_may_fit((boxes[:, 2:] - boxes[:, :2]).max(axis=1), most_bytes)
    responses = rows["response"].to_numpy()
    patches = np.empty(len(rows), object)
    by_image = np.argsort(rows["image"], kind="stable")  # so that no image is read again and again
    for start in range(0, len(rows), BATCH):
        batch = by_image[start : start + BATCH]
        images, places = np.unique(rows["image"].iloc[batch], return_inverse=True)
        pixels = image_file.read(images_path, "test", images.tolist()).pixels
        for row, place in zip(batch, places, strict=True):
            top, left, bottom, right = boxes[row]
            patch = pixels[place, top:bottom, left:right]
            seen = patch if responses[row] > 0 else np.full_like(patch, sprites.GREY)
            patches[row] = sprites.thumbnail(seen, most)
    return {name: list(patches[places]) for name, places in rows.groupby("layer").indices.items()}


def patch_sprites(patches: dict[Any, list[sprites.Picture]], most_bytes: int) -> dict[Any, dict]:
    """Of each layer one picture of its patches, scaled down until they all have few enough bytes.

    Args:
        patches: by layer.
        most_bytes: of all pictures as text; more only if patches would be smaller than
            SMALLEST_PATCH.
    """
    sides = [max(patch.shape[:2]) for of_layer in patches.values() for patch in of_layer]
    most = _side_that_may_fit(np.array(sides), most_bytes)
    while True:
        made = {name: _patch_sprite(of_layer, most) for name, of_layer in patches.items()}
        taken = sum(len(sprite["source"]) for sprite in made.values())
        if taken <= most_bytes or most == SMALLEST_PATCH:
            return made
        most = max(SMALLEST_PATCH, int(0.95 * most * math.sqrt(most_bytes / taken)))


def _side_that_may_fit(sides: Int[np.ndarray, " patch"], most_bytes: int) -> int:
    """The longest side at which patches with these longer sides might have few enough bytes."""
    for most in range(sprites.THUMBNAIL_SIDE, SMALLEST_PATCH, -1):
        pixels = np.square(np.minimum(sides, most)).sum()
        if pixels * FEWEST_BYTES <= most_bytes:
            return most
    return SMALLEST_PATCH


def _patch_sprite(patches: list[sprites.Picture], most: int) -> dict:
    scaled = [sprites.thumbnail(patch, most) for patch in patches]
    side = max(max(patch.shape[:2]) for patch in scaled)
    return sprites.sprite(scaled, (side, side))


def kernel_pictures(weights: Float32[np.ndarray, "filter y x channel"]) -> dict:
    """Kernels as colours: a weight of 0 is grey, the largest of a filter all or none of its colour.

    Returns:
        `sprite`, one cell per filter; `largest`, the largest absolute weight of each.
    """
    largest = np.abs(weights).max(axis=(1, 2, 3))
    scale = np.where(largest > 0, largest, 1)[:, None, None, None]
    pictures = (sprites.GREY + np.rint(HALF_RANGE * weights / scale)).astype(np.uint8)
    return {
        "sprite": sprites.sprite(pictures, pictures.shape[1:3], lossless=True),
        "largest": _four_digits(pd.Series(largest)),
    }


def filter_maps(path: Path, top_images: pd.DataFrame, chosen: list[str]) -> dict[str, dict]:
    """The maps of each chosen filter for its top images, in levels of one scale.

    Args:
        path: of `activations.h5`.
        top_images: of all filters, those that are held.

    Returns:
        by name: `height` and `width`, `low` and `high`, the values of the levels 0 and MAP_LEVELS,
        and `levels`, packed by rank; None of large maps.
    """
    by_filter = {}
    for name in chosen:
        layer, channel = split_name(name)
        is_filter = (top_images["layer"] == layer) & (top_images["channel"] == channel)
        maps = read_maps(path, name, top_images.loc[is_filter, "image"])
        _, height, width = maps.shape
        low, high = min(0.0, float(maps.min())), float(maps.max())
        levels = np.rint(MAP_LEVELS * (maps - low) / (high - low or 1)).astype(np.uint8)
        is_small = height * width <= LARGEST_MAP
        by_filter[name] = {
            "height": height,
            "width": width,
            "low": float(f"{low:.4g}"),
            "high": float(f"{high:.4g}"),
            "levels": packing.raw(levels) if is_small else None,
        }
    return by_filter


def quantile_images(table: pd.DataFrame) -> dict[str, dict[str, list]]:
    """Columns of `quantile-images.csv` by the name of the filter."""
    by_filter = {}
    for (layer, channel), rows in table.groupby(["layer", "channel"]):
        by_filter[f"{layer}/{channel}"] = {
            "quantile": rows["quantile"].tolist(),
            "image": rows["image"].tolist(),
            "response": _four_digits(rows["response"]),
            "class": rows["class"].tolist(),
        }
    return by_filter


def _four_digits(values: pd.Series) -> list[float]:
    return values.map("{:.4g}".format).astype(float).tolist()
