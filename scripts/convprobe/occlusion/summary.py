"""The occlusion maps in numbers: a row per window and image."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from convprobe.occlusion import localisation
from convprobe.store import hdf5


def summarise(paths: list[str], images_path: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per window and image, and whether the maps of each window find the object, from the window files.

    Args:
        paths: of the window files.
        images_path: the `images.h5` whose test images were occluded, and which may hold masks.

    Returns:
        pandas.DataFrame of `window, image, class, clean_confidence, mean_confidence,
        min_confidence, flipped_fraction, flipped_to`, and localisation.IMAGE_COLUMNS; and that of
        localisation.summarise, all windows below one another. A position is flipped where another class is
        predicted than without a window; `flipped_to` is the commonest of those, empty if none. What is told of the
        object is empty where its place is not known.
    """
    rows, found = [], []
    for path in paths:
        table = pd.DataFrame(_summary_rows(path)).set_index("image", drop=False)
        blocks = localisation.read(path, images_path)
        rows.append(table.join(localisation.by_image(blocks)))
        found.append(localisation.summarise(table["window"].iloc[0], blocks))
    return pd.concat(rows, ignore_index=True), pd.concat(found, ignore_index=True)


def _summary_rows(path: str) -> Iterator[dict[str, Any]]:
    with hdf5.open_complete(path) as file:
        classes = file["class"].asstr()[:]
        window, labels, clean = file.attrs["window"], file["label"][:], file["clean_probability"][:]
        indices = file["image"][:]
        for row, image in enumerate(indices):
            predicted = file["probability"][row].argmax(axis=-1)
            flips = predicted[predicted != clean[row].argmax()]
            confidence = file["confidence"][row]
            yield {
                "window": window,
                "image": image,
                "class": classes[labels[row]],
                "clean_confidence": clean[row, labels[row]],
                "mean_confidence": confidence.mean(dtype=np.float64),
                "min_confidence": confidence.min(),
                "flipped_fraction": flips.size / predicted.size,
                "flipped_to": classes[np.bincount(flips).argmax()] if flips.size else "",
            }
