"""Loss and accuracy."""

import math

import pytest
import torch

from convprobe.network.layers import Network
from convprobe.training import evaluation

NETWORK = {"conv": [{"channels": 4, "kernel": 5}, {"channels": 6, "kernel": 3}], "fc": [8]}


def test_evaluation_counts_and_averages_by_hand(images):
    network = Network(NETWORK, classes=10, image_size=(32, 32)).eval()
    with torch.no_grad():
        network.fc2.weight.zero_()
        network.fc2.bias.zero_()
        network.fc2.bias[3] = 1  # always class 3, with probability e / (e + 9)
    measured = evaluation.evaluate(network, images)
    share = (images.labels == 3).mean()
    right, wrong = -math.log(math.e / (math.e + 9)), -math.log(1 / (math.e + 9))
    assert measured["accuracy"] == pytest.approx(share)
    assert measured["loss"] == pytest.approx(share * right + (1 - share) * wrong, rel=1e-6)
    assert measured["images"] == 200
