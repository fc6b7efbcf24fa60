"""The occlusion maps in numbers: one row per window and image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32

from convprobe.occlusion import localisation
from convprobe.store import hdf5


def summarise(
    paths: Sequence[Path | str], images_path: Path | str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The maps of all windows in numbers, and whether those of each window find the object.

    Args:
        paths: of the window files.
        images_path: the file of test images that were occluded, and which may hold masks.

    Returns:
        one row per window and image, `window, image, class, clean_confidence, mean_confidence,
        min_confidence, flipped_fraction, flipped_to` and localisation.IMAGE_COLUMNS; and the
        tables of localisation.summarise, one below the other. A position is flipped where the
        prediction is not the clean one; `flipped_to` is the commonest class there, empty if no
        position is. What concerns the object is empty where its place is not known.
    """
    by_image = []
    by_window = []
    for path in paths:
        table = pd.DataFrame(_rows(path)).set_index("image", drop=False)
        blocks = localisation.read(path, images_path)
        by_image.append(table.join(localisation.by_image(blocks)))
        by_window.append(localisation.summarise(int(table["window"].iloc[0]), blocks))
    return pd.concat(by_image, ignore_index=True), pd.concat(by_window, ignore_index=True)


def _rows(path: Path | str) -> list[dict[str, Any]]:
    """What a window file says of each of its images."""
    rows = []
    with hdf5.open_complete(path) as file:
        classes = file["class"].asstr()[:]
        labels = file["label"][:]
        clean = file["clean_probability"][:]
        for row, image in enumerate(file["image"][:]):
            confidence = file["confidence"][row]
            share, flipped_to = _flips(file["probability"][row], clean[row].argmax())
            rows.append(
                {
                    "window": file.attrs["window"],
                    "image": image,
                    "class": classes[labels[row]],
                    "clean_confidence": clean[row, labels[row]],
                    "mean_confidence": confidence.mean(dtype=np.float64),
                    "min_confidence": confidence.min(),
                    "flipped_fraction": share,
                    "flipped_to": "" if flipped_to is None else classes[flipped_to],
                }
            )
    return rows


def _flips(
    probability: Float32[np.ndarray, "y x class"], clean: np.integer
) -> tuple[float, np.integer | None]:
    """The share of positions where the prediction is another one, and the commonest there."""
    predicted = probability.argmax(axis=-1)
    flipped = predicted[predicted != clean]
    commonest = np.bincount(flipped).argmax() if flipped.size else None
    return flipped.size / predicted.size, commonest
