"""Do the occlusion maps find the object, where its place is known?

Windows are clipped at the border and objects seldom touch it, so that a map which knows nothing of its image
finds the object more often than a place at random does. What is told is therefore told against the same
maps on the masks of *other* images: they know everything but where this image's object is.
"""

import numpy as np
import pandas as pd
from scipy import stats

from convprobe import intervals, verdicts
from convprobe.dataset import image_file
from convprobe.store import hdf5

# The least differences that are a finding. Of 18 untrained networks on drawn shapes under four windows the largest
# were 0.22, 0.03 and 0.0001: their maps dip a little, but deepest, where the image has most contrast. So a
# network is said to look at the object where all three hold.
WORTH = {"hit": 0.25, "roc_auc": 0.05, "contrast": 0.02}
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


def find_objects(confidence: np.ndarray, masks: np.ndarray) -> dict[str, np.ndarray]:
    """How well the dip of each confidence map points at the object of each mask.

    Args:
        confidence: float32 (image, y, x), of the true class with the window centred there.
        masks: bool (mask, y, x), true where an object is, neither everywhere nor nowhere.

    Returns:
        float (image, mask) each: `hit`, 1 if the lowest confidence, the first in row order, lies on the object,
        else 0 (the pointing game: Zhang et al. 2018, Top-down Neural Attention by Excitation Backprop);
        `roc_auc`, the probability that a pixel on the object has a lower confidence than one beside it;
        `contrast`, the mean confidence beside the object less that on it.
    """
    maps, objects = (values.reshape(len(values), -1) for values in (confidence, masks))
    inside = objects.sum(axis=1)
    outside = objects.shape[1] - inside
    objects = objects.astype(float)
    ranks = stats.rankdata(-maps, axis=1) @ objects.T
    on_object = maps.astype(float) @ objects.T
    beside = maps.sum(axis=1, dtype=float)[:, None] - on_object
    return {
        "hit": objects[:, maps.argmin(axis=1)].T,
        "roc_auc": (ranks - inside * (inside + 1) / 2) / (inside * outside),
        "contrast": beside / outside - on_object / inside,
    }


def read(maps_path: str, images_path: str) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """What `find_objects` finds in the maps of one window.

    Args:
        maps_path: a window file.
        images_path: the `images.h5` whose test images were occluded.

    Returns:
        blocks of images, each their indices and the measures; empty where the objects' places are not known. An image
        whose object is everywhere or nowhere is left out.
    """
    with hdf5.open_complete(maps_path) as file:
        indices, confidence = file["image"][:], file["confidence"][:]
    masks = image_file.read_masks(images_path, indices)
    if masks is None:
        return []
    known = np.flatnonzero(masks.any(axis=(1, 2)) & ~masks.all(axis=(1, 2)))
    blocks = np.array_split(known, -(-len(known) // BLOCK)) if len(known) else []
    return [(indices[rows], find_objects(confidence[rows], masks[rows])) for rows in blocks]


def by_image(blocks: list[tuple[np.ndarray, dict[str, np.ndarray]]]) -> pd.DataFrame:
    """How well each image's map finds its own object, and on average those of the other images of its block.

    Args:
        blocks: of `read`.

    Returns:
        pandas.DataFrame of IMAGE_COLUMNS, indexed by image; the others are missing where there are none.
    """
    tables = []
    for indices, found in blocks:
        columns = {}
        for name, values in found.items():
            own, others = np.diag(values), len(values) - 1
            columns[name] = own
            columns[f"{name}_others"] = (values.sum(axis=1) - own) / others if others else np.nan
        tables.append(pd.DataFrame(columns, index=indices))
    return pd.concat(tables) if tables else pd.DataFrame(columns=IMAGE_COLUMNS, dtype=float)


def summarise(window: int, blocks: list[tuple[np.ndarray, dict[str, np.ndarray]]]) -> pd.DataFrame:
    """Whether the maps of one window find the object, a row per measure.

    Args:
        window: side in pixels.
        blocks: of `read`.

    Returns:
        pandas.DataFrame of COLUMNS: `own` is the mean over the images, `others` that of the same maps with the
        masks of the other images, `low` to `high` the 95 % interval of the difference, paired by image; `p_value`
        says how often masks dealt to the images at random give as large a difference, in either direction. No rows
        where fewer than two objects' places are known.
    """
    table, rows = by_image(blocks).dropna(), []
    for measure, worth in WORTH.items():
        if len(table) < 2:
            break
        own, others = table[measure], table[f"{measure}_others"]
        gain, interval = (own - others).mean(), intervals.mean(own - others)
        p_value = _p_value([found[measure] for _, found in blocks])
        verdict = verdicts.above(gain, interval, worth=worth)
        if verdict == verdicts.HOLDS and p_value > 2 * verdicts.CHANCE:
            verdict = verdicts.UNDECIDED
        numbers = (own.mean(), others.mean(), gain, *(interval or (None, None)), p_value)
        rows.append((window, measure, len(table), *numbers, verdict))
    return pd.DataFrame(rows, columns=COLUMNS)


def _p_value(matrices: list[np.ndarray]) -> float:
    """Two-sided p-value of the sum of the diagonals, with columns dealt to the rows of each matrix at random."""
    random = np.random.default_rng(0)
    expected = sum(values.mean() * len(values) for values in matrices)
    observed = abs(sum(np.trace(values) for values in matrices) - expected)
    as_large = 0
    for _ in range(PERMUTATIONS):
        dealt = sum(
            values[np.arange(len(values)), random.permutation(len(values))].sum()
            for values in matrices
        )
        as_large += abs(dealt - expected) >= observed - 1e-9  # sums in another order
    return (1 + as_large) / (1 + PERMUTATIONS)
