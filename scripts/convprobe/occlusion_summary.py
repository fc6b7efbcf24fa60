"""The occlusion maps in numbers: a row per window and image."""

import numpy as np
import pandas as pd

from convprobe import datasets, hdf5, localisation


def summarise(paths, images_path):
    """One row per window and image, from the window files.

    Args:
        paths: of the window files.
        images_path: the `images.h5` whose test images were occluded, and which may hold masks.

    Returns:
        pandas.DataFrame of `window, image, class, clean_confidence, mean_confidence,
        min_confidence, flipped_fraction, flipped_to, hit, chance_of_hit, roc_auc`. A position is
        flipped where another class is predicted than without a window; `flipped_to` is the commonest
        of those, empty if none. The last three, empty where the object's place is not known, are
        those of localisation.find_object.
    """
    return pd.DataFrame([row for path in paths for row in _summary_rows(path, images_path)])


def _summary_rows(path, images_path):
    with hdf5.open_complete(path) as file:
        classes = file["class"].asstr()[:]
        window, labels, clean = file.attrs["window"], file["label"][:], file["clean_probability"][:]
        indices = file["image"][:]
        masks = datasets.read_masks(images_path, indices)
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
            } | localisation.find_object(confidence, None if masks is None else masks[row])
