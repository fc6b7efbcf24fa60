"""Do the occlusion maps find the object? Pointing game, ROC AUC and contrast against its mask.

Windows are clipped at the border and objects seldom touch it, so a map that knows nothing of its
image finds the object more often than a random place would. So every number stands beside that of
the same maps with the masks of *other* images: these know everything but where this image's object
is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Bool, Float, Integer

from convprobe import intervals, verdicts
from convprobe.dataset import image_file
from convprobe.store import hdf5

# The least differences that are a finding. Of 18 untrained networks on drawn shapes under four
# windows the largest were 0.22, 0.03 and 0.0001: their maps dip a little, but deepest, where the
# image has most contrast. So a network is said to look at the object where all three hold.
WORTH = {"hit": 0.25, "roc_auc": 0.05, "contrast": 0.02}
# How far the measures of an image's own object and of others may lie apart: a contrast is itself
# a difference of probabilities.
MOST = {"hit": 1, "roc_auc": 1, "contrast": 2}
IMAGE_COLUMNS = [f"{measure}{of}" for measure in WORTH for of in ("", "_others")]
BLOCK = 500  # images whose masks are exchanged; bounds the memory
PERMUTATIONS = 9_999
COLUMNS = (
    "window",
    "measure",
    "images",
    "own",
    "others",
    "difference",
    "low",
    "high",
    "p_value",
    "verdict",
)

ByMeasure = dict[str, Float[np.ndarray, "image mask"]]


@dataclass(frozen=True)
class Block:
    """How well the maps of some images find the objects of each of these images.

    Attributes:
        images: their indices.
        measures: what `find_objects` returns; the mask of an image stands on the diagonal.
    """

    images: Integer[np.ndarray, " image"]
    measures: dict[str, Float[np.ndarray, "image image"]]


def find_objects(
    confidence: Float[np.ndarray, "image y x"], masks: Bool[np.ndarray, "mask y x"]
) -> ByMeasure:
    """How well the dip of each confidence map points at the object of each mask.

    Args:
        confidence: of the true class, with the window centred at (y, x).
        masks: true where the window is centred on an object, neither everywhere nor nowhere.

    Returns:
        `hit`: 1 if the lowest confidence, the first in row order, lies on the object, else 0 (the
        pointing game: Zhang et al. 2018, Top-down Neural Attention by Excitation Backprop);
        `roc_auc`: the probability that a pixel on the object has a lower confidence than one beside
        it; `contrast`: the mean confidence beside the object less that on it.
    """
    maps = confidence.reshape(len(confidence), -1)
    objects = masks.reshape(len(masks), -1).astype(float)
    inside = objects.sum(axis=1)
    outside = objects.shape[1] - inside
    hit = objects[:, maps.argmin(axis=1)].T
    # Mann & Whitney 1947: of all pairs of a pixel on the object and one beside it, those in order.
    ranks = scipy.stats.rankdata(-maps, axis=1) @ objects.T
    in_order = ranks - inside * (inside + 1) / 2
    on_object = maps.astype(float) @ objects.T
    beside = maps.sum(axis=1, dtype=float)[:, None] - on_object
    return {
        "hit": hit,
        "roc_auc": in_order / (inside * outside),
        "contrast": beside / outside - on_object / inside,
    }


def read(maps_path: Path | str, images_path: Path | str) -> list[Block]:
    """How well the maps of one window find the objects.

    An image whose object is at all positions of the window or at none is left out.

    Args:
        maps_path: a window file.
        images_path: the file of test images that were occluded.

    Returns:
        the images block by block; empty where the places of the objects are not known.
    """
    with hdf5.open_complete(maps_path) as file:
        images = file["image"][:]
        confidence = file["confidence"][:]
        rows = file["y"][:]
        columns = file["x"][:]
    masks = image_file.read_masks(images_path, images)
    if masks is None:
        return []
    masks = masks.take(rows, axis=1).take(columns, axis=2)
    somewhere = masks.any(axis=(1, 2))
    everywhere = masks.all(axis=(1, 2))
    known = np.flatnonzero(somewhere & ~everywhere)
    if len(known) == 0:
        return []
    blocks = []
    for rows in np.array_split(known, math.ceil(len(known) / BLOCK)):
        measures = find_objects(confidence[rows], masks[rows])
        blocks.append(Block(images[rows], measures))
    return blocks


def by_image(blocks: Sequence[Block]) -> pd.DataFrame:
    """How well each map finds the object of its own image, and on average those of the others.

    Returns:
        IMAGE_COLUMNS, indexed by image; those of the others are missing where its block has no
        other image.
    """
    if not blocks:
        return pd.DataFrame(columns=IMAGE_COLUMNS, dtype=float)
    tables = []
    for block in blocks:
        others = len(block.images) - 1
        columns = {}
        for measure, values in block.measures.items():
            own = np.diag(values)
            of_others = values.sum(axis=1) - own
            columns[measure] = own
            columns[f"{measure}_others"] = of_others / others if others else np.nan
        tables.append(pd.DataFrame(columns, index=block.images))
    return pd.concat(tables)


def summarise(window: int, blocks: Sequence[Block]) -> pd.DataFrame:
    """Whether the maps of one window find the object: one row per measure.

    Args:
        window: side in pixels.

    Returns:
        COLUMNS: `own` is the mean over the images, `others` that of the same maps with the masks of
        the other images, `low` to `high` the 95 % interval of the difference, paired by image;
        `p_value` says how often masks dealt to the images at random give as large a difference, in
        either direction. No rows where fewer than two objects' places are known.
    """
    table = by_image(blocks).dropna()
    rows = []
    if len(table) >= 2:
        for measure in WORTH:
            matrices = [block.measures[measure] for block in blocks]
            row = _row(measure, table[measure], table[f"{measure}_others"], _p_value(matrices))
            rows.append({"window": window, **row})
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(measure: str, own: pd.Series, others: pd.Series, p_value: float) -> dict[str, Any]:
    difference = own - others
    interval = intervals.mean(difference)
    most = MOST[measure]
    low, high = (None, None) if interval is None else np.clip(interval, -most, most)
    verdict = verdicts.above(difference.mean(), interval, worth=WORTH[measure])
    return {
        "measure": measure,
        "images": len(difference),
        "own": own.mean(),
        "others": others.mean(),
        "difference": difference.mean(),
        "low": low,
        "high": high,
        "p_value": p_value,
        "verdict": verdicts.confirmed(verdict, p_value),
    }


def _p_value(matrices: Sequence[Float[np.ndarray, "_image _image"]]) -> float:
    """Two-sided p-value of the sum of all diagonals: columns are dealt to the rows at random."""
    random = np.random.default_rng(0)
    expected = sum(values.mean() * len(values) for values in matrices)
    diagonals = sum(np.trace(values) for values in matrices)
    observed = abs(diagonals - expected)
    as_large = 0
    for _ in range(PERMUTATIONS):
        dealt = 0
        for values in matrices:
            rows = np.arange(len(values))
            dealt += values[rows, random.permutation(len(values))].sum()
        as_large += abs(dealt - expected) >= observed - 1e-9  # added up in another order
    return (1 + as_large) / (1 + PERMUTATIONS)
