"""The kernels of the first layer, against the weights of networks of several kinds."""

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from unit.traced_modules import Residual, Traced

from convprobe.filters import activations, kernels


def test_each_kernel_has_the_weights_of_its_filter_by_row_column_and_channel(network):
    found = kernels.of_network(network)
    assert found.layer == "conv1"
    assert found.weights.shape == (3, 3, 3, 3)
    for place in ((0, 0, 1, 2), (2, 2, 0, 1)):
        filter_, y, x, channel = place
        assert found.weights[place] == network.conv1.weight[filter_, channel, y, x]


def test_they_lie_beside_the_maps_in_the_group_of_their_layer(network, images, tmp_path):
    path = tmp_path / "activations.h5"
    found = kernels.of_network(network)
    batches = activations.record(network, images, ["conv1/0"])
    activations.write(path, batches, ["conv1/0"], "", found)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["conv1/kernels"], found.weights)
        assert [axis[0].name.split("/")[-1] for axis in file["conv1/kernels"].dims] == [
            "filter", "y", "x", "channel",
        ]  # fmt: skip
        assert file["conv1/channel"].asstr()[:].tolist() == ["red", "green", "blue"]


class Grey(nn.Module):
    """The first layer sees the mean of the colours."""

    maps, shape = (), (8, 8)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        return self.last(torch.relu(self.conv(x.mean(dim=1, keepdim=True))).mean(dim=(2, 3)))


class Turned(nn.Module):
    """The first layer is given blue, green and red."""

    maps, shape = (), (8, 8)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        return self.last(torch.relu(self.conv(x.flip(1))).mean(dim=(2, 3)))


class Scaled(nn.Module):
    """The weights of the first layer are computed."""

    maps, shape = (), (8, 8)

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 3, 3, 3))
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        maps = torch.nn.functional.conv2d(x, 2 * self.weight)
        return self.last(torch.relu(maps).mean(dim=(2, 3)))


def test_those_of_a_traced_network_are_found_by_the_name_of_its_layer():
    traced = Traced(Residual)
    found = kernels.of_network(traced.network)
    weight = traced.network.state_dict()[f"{found.layer}.weight"]
    np.testing.assert_array_equal(found.weights, weight.permute(0, 2, 3, 1))


@pytest.mark.parametrize("module", [Grey, Scaled, Turned])
def test_a_first_layer_without_weights_of_three_colours_has_none(module):
    assert kernels.of_network(Traced(module).network) is None
