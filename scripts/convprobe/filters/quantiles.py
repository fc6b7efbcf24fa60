"""Images over the whole range of a filter's responses: also what it doesn't answer to.

Without torch, so that the job starts soon.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from convprobe.dataset import image_file
from convprobe.network.filter_layers import split_name
from convprobe.store import hdf5

QUANTILES = (1.0, 0.75, 0.5, 0.25, 0.0)
COLUMNS = ("layer", "channel", "quantile", "image", "class", "response")


def images_at_quantiles(
    path: Path | str, images_path: Path | str, chosen: Sequence[str]
) -> pd.DataFrame:
    """The images whose responses are nearest to the quantiles of a filter's responses.

    Args:
        path: an `activations.h5`.
        images_path: the file of test images that were shown.
        chosen: names of filters.

    Returns:
        table of COLUMNS, the highest quantile of each filter first.
    """
    classes = image_file.classes(images_path)
    labels = image_file.labels(images_path)
    rows = []
    with hdf5.open_complete(path) as file:
        for name in chosen:
            response = file[f"{name}/response"][:]
            images = nearest(response, QUANTILES)
            for quantile, image in zip(QUANTILES, images, strict=True):
                name_of_class = classes[labels[image]]
                rows.append((*split_name(name), quantile, image, name_of_class, response[image]))
    return pd.DataFrame(rows, columns=COLUMNS)


def nearest(
    response: Float32[np.ndarray, " image"], quantiles: Sequence[float]
) -> Int64[np.ndarray, " quantile"]:
    """The image whose response is nearest to each quantile; of equally near ones the lowest.

    A quantile between two responses lies on the straight line between them.
    """
    exact = response.astype(np.float64)
    wanted = np.quantile(exact, quantiles)
    return np.abs(exact - wanted[:, None]).argmin(axis=1)
