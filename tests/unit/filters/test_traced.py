"""Filters of networks that are no chains, against hooks and gradients of the module itself."""

import weakref

import numpy as np
import pytest
import torch
from torch import nn
from unit.traced_modules import KINDS, Depthwise, Reused, Traced

from convprobe.dataset.image_file import Images
from convprobe.filters import activations, ranking, top_patches
from convprobe.network import filter_layers, tracing
from convprobe.network.classifiers import TracedNetwork
from convprobe.network.execution import Execution

TOP = 3


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def traced(request):
    return Traced(request.param)


@pytest.fixture(scope="module")
def maps(traced):
    with torch.no_grad():
        return traced.maps_of(traced.inputs())


@pytest.fixture(scope="module")
def table(traced):
    return ranking.top_images(traced.network, traced.images, TOP, batch=4)


def names_of(maps):
    return [f"{layer}/{channel}" for layer in maps for channel in range(maps[layer].shape[1])]


@pytest.mark.slow
def test_recorded_maps_are_what_hooks_see(traced, maps):
    chosen = names_of(maps)[::-1]
    batches = list(activations.record(traced.network, traced.images, chosen, batch=4))
    for name in chosen:
        layer, _, channel = name.rpartition("/")
        found = np.concatenate([batch[name] for batch in batches])
        np.testing.assert_allclose(found, maps[layer][:, int(channel)], atol=2e-5, rtol=1e-5)


@pytest.mark.slow
def test_top_images_are_those_of_what_hooks_see(maps, table):
    assert table["layer"].drop_duplicates().tolist() == list(maps)
    rows = dict(list(table.groupby(["layer", "channel"])))
    assert len(table) == TOP * len(names_of(maps))
    for name in names_of(maps):
        layer, _, channel = name.rpartition("/")
        of_filter = maps[layer][:, int(channel)]
        norms = torch.linalg.matrix_norm(of_filter)
        best = norms.argsort(descending=True)[:TOP]
        found = rows[layer, int(channel)]
        assert found["image"].tolist() == best.tolist()
        np.testing.assert_allclose(found["response"].to_numpy(float), norms[best], rtol=1e-4)
        for image, row in zip(best, found.itertuples(), strict=True):
            assert (row.peak_y, row.peak_x) == top_patches.peak(of_filter[image].numpy())


@pytest.mark.slow
def test_a_box_is_where_the_gradient_of_its_unit_is_not_0(traced, table):
    """Of many noisy images together, for a maximum has a gradient at one place alone."""
    layers = filter_layers.of_graph(traced.network.graph)
    height, width = traced.images.pixels.shape[1:3]
    noise = torch.randn(150, 3, height, width, dtype=torch.float64, requires_grad=True)
    of_noise = traced.maps_of(noise)
    peaks = table[["layer", "peak_y", "peak_x", "top", "left", "bottom", "right"]]
    for layer, y, x, *box in peaks.drop_duplicates().itertuples(index=False):
        # Squares, for a sum over images has no gradient behind a normalised maximum.
        unit = of_noise[layer][:, :, y, x].square().sum()
        (gradient,) = torch.autograd.grad(unit, noise, retain_graph=True)
        rows, columns = gradient.abs().sum((0, 1)).nonzero(as_tuple=True)
        seen = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
        assert [int(edge) for edge in seen] == box, layer
    assert set(peaks["layer"]) == set(layers)


def test_only_boxes_at_regular_places_can_be_clipped(traced, table):
    layers = filter_layers.of_graph(traced.network.graph)
    assert set(layers) == set(traced.maps)
    for name, layer in layers.items():
        rows = table[table["layer"] == name]
        if layer.fields.y.grid is None:
            assert not rows["clipped"].any()
            continue
        is_smaller = rows["bottom"] - rows["top"] < layer.fields.y.grid.size
        is_smaller |= rows["right"] - rows["left"] < layer.fields.x.grid.size
        assert rows["clipped"].tolist() == is_smaller.tolist()


def test_a_patch_at_no_regular_place_shows_the_image_grey_outside_of_the_box():
    traced = Traced(Reused)
    fields = filter_layers.of_graph(traced.network.graph)["conv-2"].fields
    image = traced.images.pixels[0]
    patch = top_patches.cut(image, fields, 0, 3)
    # A unit of the pooling reads 2 of 6 rows, the convolutions 2 more on each side and the stem 2
    # pixels for each, and one beside: 4 units at the border see 9 pixels.
    expected = np.full((13, 13, 3), 128, np.uint8)
    expected[:9, 4:] = image[:9, 4:]
    np.testing.assert_array_equal(patch, expected)


def test_layers_that_are_used_again_have_a_number():
    layers = filter_layers.of_graph(Traced(Reused).network.graph)
    assert list(layers) == ["stem", "conv", "conv-2"]


@pytest.mark.slow
def test_maps_are_held_no_longer_than_they_are_needed():
    """Of all layers at once they would not fit into the memory."""
    traced = Traced(Depthwise)
    graph = traced.network.graph
    layers = list(filter_layers.of_graph(graph).values())
    execution = Execution(graph, traced.network)
    held = []
    with torch.no_grad():
        for _, maps in execution.each(traced.inputs().float(), [layer.map for layer in layers]):
            held.append(weakref.ref(maps))
            del maps
            alive = [reference() is not None for reference in held]
            assert sum(alive) == 1
    assert len(held) == len(layers) == 3


class Unpooled(nn.Module):
    """The places of the maxima are used too."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.pool = nn.MaxPool2d(2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2)

    def forward(self, x):
        return self.unpool(*self.pool(torch.relu(self.conv(x)))).mean((2, 3))


class Places(nn.Module):
    """The places of the maxima alone are used."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.pool = nn.MaxPool2d(2, return_indices=True)

    def forward(self, x):
        return self.pool(torch.relu(self.conv(x)))[1].float().mean((2, 3))


def test_a_map_is_never_where_something_lies():
    layer = filter_layers.of_graph(tracing.trace(Places(), (3, 10, 10)))["conv"]
    assert (layer.map, layer.shape) == ("relu", (8, 8))


class SingularValues(nn.Module):
    """The second of an operator's results has fewer axes than the first one."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        return torch.linalg.svd(self.conv(x), full_matrices=False)[1].flatten(1)


def test_a_result_may_have_other_axes_than_the_first_one():
    layer = filter_layers.of_graph(tracing.trace(SingularValues(), (3, 10, 10)))["conv"]
    assert (layer.map, layer.shape) == ("conv2d", (8, 8))


def test_a_map_of_bf16_is_recorded():
    module = nn.Sequential(nn.Conv2d(3, 2, 3).bfloat16(), nn.Flatten(), nn.Linear(72, 3).bfloat16())
    whole = Rounded(module)
    network = TracedNetwork({"factory": "none"}, tracing.trace(whole, (3, 8, 8)))
    network.load_state_dict(whole.state_dict())
    pixels = np.full((2, 8, 8, 3), 255, np.uint8)
    images = Images(pixels, np.zeros(2, np.int64), ("a", "b", "c"), np.arange(2))
    (batch,) = activations.record(network.eval(), images, ["module.0/1"])
    weights = module[0].weight[1].double().sum() + module[0].bias[1].double()
    assert batch["module.0/1"].dtype == np.float32
    np.testing.assert_allclose(batch["module.0/1"], weights.item(), rtol=0.02, atol=0.02)


class Rounded(nn.Module):
    """Rounds its images to bf16."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.bfloat16()).float()


def test_a_map_is_one_result():
    layer = filter_layers.of_graph(tracing.trace(Unpooled(), (3, 10, 10)))["conv"]
    assert layer.map == "relu"
    assert layer.shape == (8, 8)
