"""Thirty images and a small network that tests of filters share."""

import numpy as np
import pytest
import torch

from convprobe.dataset import image_file
from convprobe.network.layers import Network

SETTINGS = {"conv": [{"channels": 3, "kernel": 3}, {"channels": 4, "kernel": 2}], "fc": [5]}


@pytest.fixture(scope="session")
def images():
    random = np.random.default_rng(0)
    # A colour and a texture per image: noise alone would look the same to every filter.
    colours = random.uniform(0, 255, (30, 1, 1, 3))
    textures = random.uniform(0, 80, (30, 1, 1, 1))
    pixels = colours + textures * random.normal(size=(30, 12, 12, 3))
    pixels = pixels.clip(0, 255).astype(np.uint8)
    pixels[17] = pixels[4]  # equal images: a tie for every filter
    labels = random.integers(3, size=30)
    return image_file.Images(pixels, labels, ("ant", "bee", "cow"), np.arange(30))


@pytest.fixture(scope="session")
def images_path(images, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.h5"
    image_file.write(path, {"train": images, "test": images})
    return path


@pytest.fixture(scope="session")
def network():
    torch.manual_seed(3)
    built = Network(SETTINGS, classes=3, image_size=(12, 12)).eval()
    for weight in built.parameters():  # larger than the initial ones, so that each filter matters
        torch.nn.init.normal_(weight)
    return built


@pytest.fixture
def quiet_network(network):
    """The same network, whose weights a test may change."""
    copied = Network(SETTINGS, classes=3, image_size=(12, 12)).eval()
    copied.load_state_dict(network.state_dict())
    return copied
