"""Images to train on and to evaluate."""

import numpy as np
import pytest

from convprobe.dataset import image_file, shapes


@pytest.fixture(scope="session")
def images():
    pixels, labels, masks = shapes.draw(200, seed=(1,))
    return image_file.Images(pixels, labels, shapes.CLASSES, np.arange(200), masks)
