"""What the tests of the reproduction card's claims start from."""

import numpy as np
import pandas as pd
import pytest
from unit.report.made_evidence import CIFAR10, accuracies, summary

from convprobe.occlusion import localisation


def four_cats(window, confidence, step):
    table = summary(window, ["cat"] * 4, [None] * 4)
    return table.assign(mean_confidence=[confidence - step * image for image in range(4)])


@pytest.fixture
def probes():
    """1000 images: 40 cats become dogs; 2 deer cats and 18 horses; 20 frogs become birds."""
    true = np.repeat(CIFAR10, 100)
    ablated = true.copy()
    ablated[(true == "cat").nonzero()[0][:40]] = "dog"
    ablated[(true == "deer").nonzero()[0][:20]] = ["cat"] * 2 + ["horse"] * 18
    ablated[(true == "frog").nonzero()[0][:20]] = "bird"
    classes = {"class": true, "clean": true, "ablated": ablated}
    return {
        "accuracies": accuracies(ablated=0.68, draws=(0.8, 0.6)),
        "predictions": pd.DataFrame({"image": range(1000), **classes}),
        "summary": pd.concat([four_cats(3, 0.9, 1 / 100), four_cats(9, 0.6, 1 / 90)]),
        "localisation": pd.DataFrame(columns=localisation.COLUMNS),
    }
