"""Do the occlusion maps find the object, where its place is known?"""

import pandas as pd

from convprobe import datasets, hdf5


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
    masks = datasets.read(images_path, "test", indices.tolist()).masks
    if masks is None:
        return pd.DataFrame(columns=columns)
    rows = [
        (image, values[mask].mean(dtype=float), values[~mask].mean(dtype=float))
        for image, values, mask in zip(indices, confidence, masks, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)
