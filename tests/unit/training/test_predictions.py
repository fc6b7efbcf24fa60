"""Predictions do not depend on how the images are cut into batches."""

import numpy as np
import pytest
import torch

from convprobe.dataset import image_file
from convprobe.network import batches
from convprobe.network.layers import Network
from convprobe.training import evaluation


def test_images_with_large_maps_are_predicted_few_at_a_time(monkeypatch):
    """A system that is short of memory ends a process before PyTorch can say so."""
    monkeypatch.setattr(batches, "LARGEST_MAPS", 900)
    network = Network({"conv": [{"channels": 3, "kernel": 3}], "fc": []}, 2, (12, 12)).eval()
    sizes = []
    network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    pixels = np.zeros((10, 12, 12, 3), np.uint8)
    labels = np.zeros(10, np.int64)
    evaluation.predict(network, image_file.Images(pixels, labels, ("a", "b"), np.arange(10)))
    assert sizes == [2] * 5  # the largest maps are of 3 × 10 × 10 numbers, the pixels of 432


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
