"""Predictions do not depend on how the images are cut into batches."""

import numpy as np
import pytest
import torch

from convprobe.dataset import image_file
from convprobe.network.layers import Network
from convprobe.training import evaluation


@pytest.mark.parametrize("batch", [1, 4, 30])
def test_the_batch_does_not_change_predictions(batch):
    torch.manual_seed(3)
    conv = [{"channels": 3, "kernel": 3}, {"channels": 4, "kernel": 2}]
    network = Network({"conv": conv, "fc": [5]}, classes=3, image_size=(12, 12)).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (30, 12, 12, 3), dtype=np.uint8)
    images = image_file.Images(pixels, np.zeros(30, np.int64), ("ant", "bee", "cow"), np.arange(30))
    whole = evaluation.predict(network, images)
    cut = evaluation.predict(network, images, batch=batch)
    torch.testing.assert_close(cut, whole, atol=1e-5, rtol=1e-5)
