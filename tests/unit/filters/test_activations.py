"""Recorded maps and responses against the network's own and against values worked out by hand."""

import h5py
import numpy as np
import pytest
import torch

from convprobe.filters import activations


def test_response_is_the_frobenius_norm():
    maps = np.array([[[3, 0], [0, 4]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]], dtype=np.float32)
    assert activations.response(maps).tolist() == [5, 2, 0]


@pytest.mark.parametrize("batch", [1, 7, 30])
def test_recorded_maps_are_those_of_the_network(network, images, tmp_path, batch):
    chosen = ["conv2/3", "conv1/0"]
    path = tmp_path / "activations.h5"
    batches = activations.record(network, images, chosen, batch=batch)
    activations.write(path, batches, chosen, "")
    x = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    first = torch.nn.functional.max_pool2d(torch.relu(network.conv1(x)), 2)
    second = torch.nn.functional.max_pool2d(torch.relu(network.conv2(first)), 2)
    with h5py.File(path) as file:
        np.testing.assert_allclose(file["conv1/0/maps"], first[:, 0].detach(), atol=1e-6)
        np.testing.assert_allclose(file["conv2/3/maps"], second[:, 3].detach(), atol=1e-5)
        norms = torch.linalg.matrix_norm(second[:, 3]).detach()
        np.testing.assert_allclose(file["conv2/3/response"], norms, rtol=1e-5)
