"""Ablation of networks that are no chains, in float64, against a module that hooks change."""

import itertools

import numpy as np
import pytest
import torch
from unit.traced_modules import KINDS, Joined, Precise, Residual, Reused, Traced

from convprobe.ablation import passes, variants
from convprobe.dataset.image_file import Images
from convprobe.network import filter_layers, tracing
from convprobe.network.classifiers import TracedNetwork


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def traced(request):
    traced = Traced(request.param)
    traced.network.double()
    return traced


def several(traced):
    """One filter of each layer alone, all of them, and some of every two layers."""
    layers = list(traced.maps)
    alone = [[f"{layer}/1"] for layer in layers]
    pairs = []
    for first, second in itertools.pairwise(layers):
        pairs.append([f"{second}/0", f"{first}/0", f"{first}/2"])
    return [[], *alone, *pairs, [name for names in alone for name in names]]


class Half(torch.nn.Module):
    """Computes in another precision than its images have."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.fc = torch.nn.Linear(4, 3)
        self.bfloat16()

    def forward(self, x):
        return self.fc(self.norm(self.conv(x.bfloat16())).relu().mean((2, 3)))


@pytest.mark.parametrize("mode", ["zero", "weights-only", "mean"])
def test_a_network_in_bfloat16_is_ablated_too(mode):
    module = Half().eval()
    network = TracedNetwork({}, tracing.trace(module, (3, 8, 8))).eval()
    network.load_state_dict(module.state_dict())
    pixels = np.random.default_rng(0).integers(256, size=(2, 8, 8, 3), dtype=np.uint8)
    images = Images(pixels, np.array([0, 1]), ("ant", "bee", "cow"), np.arange(2))
    table = variants.predictions(network, ["conv/0", "conv/1", "conv/2", "conv/3"], images, mode)
    assert table["clean_confidence"].between(0.01, 0.99).all()
    if mode == "zero":  # what is left is the last layer's bias
        bias = module.fc.bias.float().softmax(0)
        expected = bias[[0, 1]].tolist()
        assert table["ablated_confidence"].tolist() == pytest.approx(expected, abs=1e-6)


@torch.no_grad()
def logits_without(traced, filters, mode):
    """Of the module, each of these maps changed by a hook."""
    inputs = traced.inputs()
    clean = traced.maps_of(inputs)
    hooks = {}
    for layer in traced.maps:
        channels = [int(name.split("/")[1]) for name in filters if name.split("/")[0] == layer]
        if not channels:
            continue
        path, _, again = layer.partition("-")
        place = traced.maps[layer]
        if mode == "weights-only":
            place = (path, int(again or 1))
        bias = traced.module.get_submodule(path).bias

        def change(result, layer=layer, channels=channels, bias=bias):
            changed = result.clone()
            changed[:, channels] = 0
            if mode == "weights-only" and bias is not None:
                changed[:, channels] += bias.double()[channels, None, None]
            if mode == "mean":
                changed[:, channels] = clean[layer][:, channels].mean(0)
            return changed

        hooks[place] = change
    return traced.with_hooks(hooks)(inputs)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["zero", "weights-only", "mean"])
def test_variants_predict_as_a_module_does_that_hooks_change(traced, mode):
    filters = several(traced)
    found = passes.predict(traced.network, filters, traced.images, mode, batch=4)
    clean = found[0]
    for logits, names in zip(found, filters, strict=True):
        expected = logits_without(traced, names, mode)
        # Pixels are float32 when they come to the network.
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
        if names:
            assert (logits - clean).abs().max() > 1e-3, "or the test could not fail"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["zero", "weights-only", "mean"])
def test_maps_may_be_of_another_precision_than_images(mode):
    traced = Traced(Precise)
    filters = several(traced)
    found = passes.predict(traced.network, filters, traced.images, mode, batch=4)
    for logits, names in zip(found, filters, strict=True):
        expected = logits_without(traced, names, mode)
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


class Computed(torch.nn.Module):
    """The bias of its convolution is twice a parameter."""

    maps, shape = (), (8, 8)

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.rand(4, 3, 3, 3))
        self.bias = torch.nn.Parameter(torch.rand(4))
        self.fc = torch.nn.Linear(4, 3)

    def forward(self, x):
        maps = torch.nn.functional.conv2d(x, self.weight, 2 * self.bias)
        return self.fc(maps.relu().mean((2, 3)))


@torch.no_grad()
def test_a_bias_may_be_computed():
    traced = Traced(Computed)
    (layer,) = filter_layers.of_graph(traced.network.graph)
    off = [[f"{layer}/0"]]
    (found,) = passes.predict(traced.network, off, traced.images, "weights-only")
    traced.module.weight[0] = 0
    expected = traced.module(traced.inputs().float())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_only_what_a_filter_leads_to_is_computed_again():
    ways = passes.Passes(Traced(Residual).network)
    layers = filter_layers.of_graph(ways.graph)

    def computed(layer):
        variant = ways.variant({layers[layer].map: [1]})
        return [node.kind for node in variant.steps], variant

    steps, variant = computed("block.conv2")
    assert steps == ["add", "relu", "mean", "linear"]
    assert variant.kept == {layers["block.conv2"].map, layers["block.around.0"].map}
    steps, variant = computed("block.conv1")
    assert steps[0] == "conv2d"
    assert "conv2d" not in steps[1:], "the way around it stays as it is"
    # The convolution changes by what the filter contributed to it: the whole map isn't needed.
    assert variant.whole == set()


def test_a_fully_connected_layer_behind_a_map_changes_by_what_the_filter_contributed():
    ways = passes.Passes(Traced(Joined).network)
    layers = filter_layers.of_graph(ways.graph)
    variant = ways.variant({layers["conv3"].map: [0]})
    assert [node.kind for node in variant.steps] == ["linear", "relu", "linear"]
    assert ways.linear(variant.steps[0]).source == layers["conv3"].map


@pytest.mark.slow
def test_fewer_images_are_computed_at_a_time_where_much_is_kept(monkeypatch):
    ways = passes.Passes(Traced(Residual).network)
    layers = filter_layers.of_graph(ways.graph)
    variant = ways.variant({layers["block.conv2"].map: [0]})
    assert ways.images_at_a_time([variant], 100) == 100
    # Two maps of 5 channels, 4 rows and 5 columns are kept.
    monkeypatch.setattr(passes, "LARGEST_KEPT", 200 * 7)
    assert ways.images_at_a_time([variant], 100) == 7
    monkeypatch.setattr(passes, "LARGEST_KEPT", 1)
    assert ways.images_at_a_time([variant], 100) == 1


def test_controls_are_of_the_same_layers():
    network = Traced(Reused).network
    (draw,) = variants.draw_controls(network, ["conv-2/0", "stem/1", "stem/3"], 1, seed=0)
    assert [name.split("/")[0] for name in draw] == ["conv-2", "stem", "stem"]
