"""Occlusion by changed boxes against a forward pass at every position."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convprobe.network import arithmetic, chain, reach, tracing
from convprobe.network.classifiers import TracedNetwork
from convprobe.network.execution import Execution
from convprobe.network.layers import Network
from convprobe.network.reach import Reach
from convprobe.occlusion import windows
from convprobe.occlusion.boxes import ChangedBoxes, pasted_at_once

# All that this machine computes on.
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
CLASSES = 3
NORMALISATION = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}


class Residual(nn.Module):
    """A stem with stride and padded pooling, two blocks, one of which halves the map."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 5, stride=2, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.first = nn.Conv2d(6, 6, 3, padding=1)
        self.shrink = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.shortcut = nn.Conv2d(6, 8, 1, stride=2)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, images):
        maps = F.max_pool2d(self.norm(self.stem(images)), 3, stride=1, padding=1)
        maps = F.relu(maps + self.first(maps))
        inner = self.second(F.relu(self.shrink(maps)))
        return self.head(F.relu(inner + self.shortcut(maps)).mean((2, 3)))


class Branches(nn.Module):
    """Kernels of several shapes beside each other; dilation; groups; average pooling; a gate."""

    def __init__(self):
        super().__init__()
        self.tall = nn.Conv2d(3, 4, (5, 1), padding=(2, 0))
        self.wide = nn.Conv2d(3, 4, (1, 5), padding=(0, 2))
        self.far = nn.Conv2d(8, 8, 3, dilation=2, padding=2, groups=2)
        self.gate = nn.Conv2d(8, 8, 1)
        self.last = nn.Conv2d(8, 6, 2)
        self.scale = nn.Parameter(torch.rand(8, 1, 1))
        self.head = nn.Linear(6 * 9, CLASSES)

    def forward(self, images):
        maps = torch.cat([self.tall(images), F.silu(self.wide(images))], dim=1)
        maps = F.avg_pool2d(maps, 2) * self.scale
        maps = F.leaky_relu(self.far(maps) + maps)
        half, other = maps.chunk(2, dim=1)
        maps = torch.cat([other, half], dim=1)
        maps = maps * self.gate(F.adaptive_avg_pool2d(maps, 1)).sigmoid()
        return self.head(F.adaptive_max_pool2d(self.last(maps), 3).flatten(1))


class Places(nn.Module):
    """A weight for each place of a map, and pooling whose edge hangs over."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3)
        self.places = nn.Parameter(torch.rand(5, 8, 9))
        self.head = nn.Linear(5 * 6, CLASSES)

    def forward(self, images):
        maps = F.max_pool2d(self.first(images), 2, ceil_mode=True)
        maps = F.gelu(maps + self.places)
        return self.head(F.avg_pool2d(maps, 3, stride=2, padding=1)[:, :, :2, :3].flatten(1))


class Edges(nn.Module):
    """A convolution whose units at the border read padding alone."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3, padding=1)
        self.edge = nn.Conv2d(5, 6, 1, padding=1)
        self.last = nn.Conv2d(6, 4, 3)
        self.head = nn.Linear(4 * 4 * 5, CLASSES)

    def forward(self, images):
        maps = F.max_pool2d(F.relu(self.first(images)), 4)
        return self.head(F.relu(self.last(F.relu(self.edge(maps)))).flatten(1))


class Indices(nn.Module):
    """Values that are put back where the largest of them were."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3)
        self.head = nn.Conv2d(5, CLASSES, 3)

    def forward(self, images):
        maps, places = F.max_pool2d(self.first(images), 2, return_indices=True)
        maps = F.max_unpool2d(torch.sin(maps), places, 2)
        return self.head(maps).mean((2, 3))


class Parted(nn.Module):
    """A view of what lies in parts of memory."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3)
        self.head = nn.Linear(3 * 8 * 9, CLASSES)

    def forward(self, images):
        maps = F.relu(F.max_pool2d(self.first(images), 2))
        return self.head(maps[:, ::2].flatten(1))


NETWORKS = {
    "residual": (Residual, 21, 19),
    "branches": (Branches, 18, 18),
    "places": (Places, 17, 20),
    "edges": (Edges, 18, 20),
    "indices": (Indices, 18, 20),
    "parted": (Parted, 18, 20),
}


@pytest.fixture(scope="module")
def networks():
    """Traced networks by name."""
    built = {}
    for number, (name, (kind, height, width)) in enumerate(NETWORKS.items()):
        torch.manual_seed(number)
        module = kind()
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2)
        graph = tracing.trace(module, (3, height, width))
        network = TracedNetwork({}, graph, NORMALISATION)
        network.load_state_dict(module.state_dict())
        built[name] = network.eval()
    return built


def draw_images(height, width):
    draw = np.random.default_rng(height)
    return draw.integers(0, 256, (2, height, width, 3), dtype=np.uint8)


def plain(network, images, window, stride, fill=90):
    hidden = windows.windows(*images.shape[1:3], window, stride)
    job = windows.runtime.IDLE
    return windows._plain(network, images, hidden, fill, "fp32", job, batch=64)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 1), (5, 3), (9, 4), (17, 2)])
@pytest.mark.parametrize("device", DEVICES)
def test_maps_equal_a_forward_pass_at_every_position(networks, name, window, stride, device):
    network = networks[name]
    _, *sides = NETWORKS[name]
    images = draw_images(*sides)
    expected = plain(network, images, window, stride)
    assert np.ptp(expected, axis=1).max() > 1e-3  # the window does change something
    there = copy.deepcopy(network).to(device)
    engine = ChangedBoxes(there, [reach.hidden(side, window, stride) for side in sides])
    for image, (clean, *maps) in zip(images, expected, strict=True):
        found, found_clean = engine(image, fill=90)
        np.testing.assert_allclose(found.reshape(len(maps), -1), maps, rtol=0, atol=1e-6)
        np.testing.assert_allclose(found_clean, clean, rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_maps_are_the_same_the_way_they_are_made_on_a_gpu(networks, name):
    """By gathers, in batches of a number that doesn't divide the positions."""
    network = networks[name]
    _, *sides = NETWORKS[name]
    images = draw_images(*sides)
    engine = ChangedBoxes(network, [reach.hidden(side, 5, 2) for side in sides])
    engine.is_on_cpu = False
    engine.batch = 37
    (_, *maps), *_ = plain(network, images, 5, 2)
    found, _ = engine(images[0], fill=90)
    np.testing.assert_allclose(found.reshape(len(maps), -1), maps, rtol=0, atol=1e-6)


def test_changed_units_lie_where_they_belong_by_a_single_gather():
    """Two boxes of 2×2: one begins above its map, the other ends to the right of its own."""
    clean = torch.zeros(2, 1, 3, 4)
    changed = torch.tensor([[[[1.0, 2], [3, 4]]], [[[5, 6], [7, 8]]]])
    found = pasted_at_once(clean, changed, np.array([[-1, 1], [1, 3]]))
    first = [[0, 3, 4, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    other = [[0, 0, 0, 0], [0, 0, 0, 5], [0, 0, 0, 7]]
    assert found.tolist() == [[first], [other]]


def test_maps_of_a_chain_with_padding_and_stride_are_those_of_forward_passes():
    stages = [
        {"channels": 5, "kernel": 3, "padding": 1, "batch_norm": True},
        {"channels": 7, "kernel": 3, "stride": 2, "padding": 2, "pool": 1},
    ]
    torch.manual_seed(0)
    network = Network({"conv": stages, "fc": [4]}, CLASSES, (16, 16), NORMALISATION).eval()
    images = draw_images(16, 16)
    engine = ChangedBoxes(network, [reach.hidden(16, 5, 1)] * 2)
    maps, _ = engine(images[0], fill=90)
    expected = plain(network, images[:1], 5, 1)[0, 1:]
    np.testing.assert_allclose(maps.reshape(len(expected), -1), expected, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_changed_units_are_those_that_differ(networks):
    """Held against the maps themselves: no unit outside of its span differs."""
    network = networks["residual"]
    _, height, width = NETWORKS["residual"]
    found = Reach(network.graph)
    hidden = [reach.hidden(side, 5, 4) for side in (height, width)]
    spans = [found.spans(hidden[axis], axis) for axis in (0, 1)]
    names = [name for name, node in found.boxed.items() if len(node.shape) == 3]
    assert len(names) > 8
    image = torch.rand(1, 3, height, width)
    execution = Execution(network.graph, network)
    with torch.inference_mode():
        clean = execution.results(image, names)
        for row, (top, bottom) in enumerate(hidden[0]):
            covered = image.clone()
            covered[:, :, top:bottom] = 0.7
            for name, maps in execution.results(covered, names).items():
                if not torch.is_tensor(maps):
                    continue
                differs = (maps != clean[name]).any(dim=1)[0].any(dim=1)
                changed = differs.nonzero().flatten().tolist()
                first, end = spans[0][name].first[row], spans[0][name].end[row]
                assert all(first <= unit < end for unit in changed)
                assert not changed or (min(changed), max(changed) + 1) == (first, end)


@pytest.mark.slow
def test_the_way_is_chosen_by_the_arithmetic(networks):
    """Boxes where a window is small and the network local; nothing but plain passes elsewhere."""
    deep = chain.graph(
        {"conv": [{"channels": 64, "kernel": 3, "pool": 1, "padding": 1}] * 6, "fc": []},
        (96, 96),
        10,
    )
    hidden = [reach.hidden(96, 5, 4)] * 2
    plain_work = arithmetic.forward(deep) * len(hidden[0]) ** 2
    assert Reach(deep).multiply_adds(hidden) < plain_work / 4
    everything = [reach.hidden(96, 95, 4)] * 2
    assert Reach(deep).multiply_adds(everything) > plain_work / 4
    assert windows._way(networks["residual"], (21, 19), 9, 4, "fp32") == "passes"
    torch.manual_seed(0)
    network = Network({"conv": [{"channels": 256, "kernel": 5}], "fc": []}, 10, (32, 32)).eval()
    assert windows._way(network, (32, 32), 3, 1, "fp32") == "states"
