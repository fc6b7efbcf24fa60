"""Do two networks look at the same places? Rank correlations of their maps of an image.

Maps of different images agree too, where both networks look at the middle, say. So each map of the
first network is also compared with the second network's maps of all other images.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float, Float64

from convprobe import intervals
from convprobe.store import hdf5

COLUMNS = ("first", "second", "window", "image", "spearman", "spearman_others")
MEANS_COLUMNS = (
    "first", "second", "window", "images", "own", "low", "high",
    "others", "difference", "difference_low", "difference_high",
)  # fmt: skip
BATCH = 256  # images at a time; bounds the memory
# Of two images alone, whose maps may be of one kind, the interval of a difference is too narrow.
LEAST_IMAGES = 3

Paths = Mapping[str, Mapping[int, Path | str]]  # of window files, by network and window


def of_networks(paths: Paths) -> pd.DataFrame:
    """Each two networks, under each window: one row per image.

    Returns:
        table of COLUMNS; no rows of one network alone. A correlation is missing where a map has one
        value everywhere.
    """
    tables = [pd.DataFrame(columns=COLUMNS)]
    for first, second in itertools.combinations(paths, 2):
        for window in paths[first]:
            of_images = by_image(paths[first][window], paths[second][window])
            named = of_images.assign(first=first, second=second, window=window)
            tables.append(named[list(COLUMNS)])
    return pd.concat(tables[1:] or tables, ignore_index=True)


def by_image(first_path: Path | str, second_path: Path | str) -> pd.DataFrame:
    """How far the maps of two window files, of the same images, agree.

    Returns:
        columns `image`; `spearman`, of its two maps; `spearman_others`, the mean over the other
        images of that between its first map and their second ones.
    """
    own = []
    with_all = []
    is_defined = []
    with hdf5.open_complete(first_path) as first:
        images = first["image"][:]
    total, count = _sum_of_maps(second_path)
    for one, other in zip(_batches(first_path), _batches(second_path), strict=True):
        own.append((one * other).sum(axis=1))
        with_all.append(one @ total)
        is_defined.append(np.stack([one.any(axis=1), other.any(axis=1)]))
    spearman = np.concatenate(own)
    first_defined, second_defined = np.concatenate(is_defined, axis=1)
    # The sum over all images less the image's own: what is left are the others.
    others = count - second_defined
    sum_of_others = np.concatenate(with_all) - spearman
    defined = first_defined & (others > 0)
    return pd.DataFrame(
        {
            "image": images,
            "spearman": np.where(first_defined & second_defined, spearman, np.nan),
            "spearman_others": np.where(defined, sum_of_others / np.maximum(1, others), np.nan),
        }
    )


def _sum_of_maps(path: Path | str) -> tuple[Float64[np.ndarray, " position"], int]:
    """The sum of all images' standardised ranks, and the number of images that have any."""
    batches = [(ranks.sum(axis=0), ranks.any(axis=1).sum()) for ranks in _batches(path)]
    sums, counts = zip(*batches, strict=True)
    return np.sum(sums, axis=0), int(np.sum(counts))


def _batches(path: Path | str) -> Iterator[Float64[np.ndarray, "image position"]]:
    with hdf5.open_complete(path) as file:  # alone, so that an error names this file
        stored = file["confidence"]
        for start in range(0, len(stored), BATCH):
            maps = stored[start : start + BATCH]
            yield standardised_ranks(maps.reshape(len(maps), -1))


def standardised_ranks(
    values: Float[np.ndarray, "image position"],
) -> Float64[np.ndarray, "image position"]:
    """Ranks of each row, equal values sharing theirs, so that two rows' product is Spearman's rho.

    A row of equal values becomes 0.
    """
    ranks = scipy.stats.rankdata(values, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(ranks).sum(axis=1, keepdims=True))
    return ranks / np.where(length > 0, length, 1)


def means(table: pd.DataFrame) -> pd.DataFrame:
    """The means over images, one row per two networks and window.

    Args:
        table: of `of_networks`.

    Returns:
        table of MEANS_COLUMNS, of the images of which both correlations are known: bounds of 95 %
        intervals of the mean and, paired by image, of its difference from that with other images.
    """
    rows = []
    for names, images in table.dropna().groupby(["first", "second", "window"], sort=False):
        rows.append({**dict(zip(MEANS_COLUMNS, names, strict=False)), **_mean(images)})
    return pd.DataFrame(rows, columns=MEANS_COLUMNS)


def _mean(images: pd.DataFrame) -> dict[str, Any]:
    own = images["spearman"]
    difference = own - images["spearman_others"]
    low, high = intervals.mean(own) or (np.nan, np.nan)
    difference_low, difference_high = np.nan, np.nan
    if len(images) >= LEAST_IMAGES:
        difference_low, difference_high = intervals.mean(difference) or (np.nan, np.nan)
    return {
        "images": len(images),
        "own": own.mean(),
        "low": np.maximum(low, -1),
        "high": np.minimum(high, 1),
        "others": images["spearman_others"].mean(),
        "difference": difference.mean(),
        "difference_low": np.maximum(difference_low, -2),
        "difference_high": np.minimum(difference_high, 2),
    }


def paths_of(networks: Sequence[str], windows: Sequence[int], paths: Sequence[str]) -> Paths:
    """The window files by network and window.

    Args:
        paths: in the order of the networks, and of each in that of the windows.
    """
    each = iter(paths)
    return {network: {window: next(each) for window in windows} for network in networks}
