"""Do the occlusion maps find the object, where its place is known?"""

import pandas as pd
from scipy import stats

from convprobe import datasets, hdf5


def find_object(confidence, mask):
    """How well the dip of a confidence map points at the object.

    Args:
        confidence: float32 (y, x), of the true class with the window centred there.
        mask: bool (y, x), true where the object is; None where that isn't known.

    Returns:
        dict of `hit`, 1 if the lowest confidence, the first in row order, lies on the object, else 0
        (the pointing game: Zhang et al. 2018, Top-down Neural Attention by Excitation Backprop);
        `chance_of_hit`, a random map's, which is the object's share of the pixels; and `roc_auc`, the
        probability that a pixel on the object has a lower confidence than one beside it, 0.5 for a
        random map. None each where the place isn't known, or is everywhere or nowhere.
    """
    if mask is None or mask.all() or not mask.any():
        return {"hit": None, "chance_of_hit": None, "roc_auc": None}
    inside = int(mask.sum())
    ranks = stats.rankdata(-confidence[...].ravel())[mask.ravel()]
    pairs = inside * (mask.size - inside)
    return {
        "hit": int(mask.flat[confidence.argmin()]),
        "chance_of_hit": inside / mask.size,
        "roc_auc": float(ranks.sum() - inside * (inside + 1) / 2) / pairs,
    }


def confidence_by_place(maps_path, images_path):
    """Mean confidence with the window's centre on the object and beside it.

    Args:
        maps_path: a window file.
        images_path: the `images.h5` with the masks.

    Returns:
        pandas.DataFrame of `image, on_object, beside`; empty where no masks are known.
    """
    columns = ["image", "on_object", "beside"]
    with hdf5.open_complete(maps_path) as file:
        indices, confidence = file["image"][:], file["confidence"][:]
    masks = datasets.read_masks(images_path, indices)
    if masks is None:
        return pd.DataFrame(columns=columns)
    rows = [
        (image, values[mask].mean(dtype=float), values[~mask].mean(dtype=float))
        for image, values, mask in zip(indices, confidence, masks, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)
