"""A small network, and images, whose maps several tests look at."""

import numpy as np
import pytest
import torch

from convprobe.network.layers import Network

SETTINGS = {"conv": [{"channels": 4, "kernel": 3}, {"channels": 6, "kernel": 2}], "fc": [8]}
NORMALISATION = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.25]}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    built = Network(SETTINGS, classes=3, image_size=(11, 11), normalisation=NORMALISATION)
    for weight in built.parameters():  # larger than the initial ones, so that covering matters
        weight.data *= 3
    return built.eval()


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, (2, 11, 11, 3), dtype=np.uint8)
