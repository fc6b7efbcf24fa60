"""What is measured of the training images."""

import math

import numpy as np
import pytest

from convprobe.dataset import image_file


def test_normalisation_is_the_mean_and_deviation_of_each_channel():
    pixels = np.zeros((2, 1, 2, 3), dtype=np.uint8)
    pixels[..., 0] = [[[0, 255]], [[0, 255]]]
    pixels[..., 1] = [[[51, 51]], [[51, 255]]]
    pixels[..., 2] = [[[0, 0]], [[0, 102]]]
    measured = image_file.normalisation(pixels)
    assert measured["mean"] == pytest.approx([0.5, 0.4, 0.1])
    assert measured["std"] == pytest.approx([0.5, math.sqrt(0.12), math.sqrt(0.03)])
