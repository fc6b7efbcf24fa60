"""Where the maps of filters are taken, by hand."""

from pathlib import Path

import pytest
import yaml

from convprobe.network import chain, filter_layers
from convprobe.network.graph import INPUT, Graph, Node, Value, Weight
from convprobe.network.receptive_field import Grid

PUBLISHED = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["network"]


class Drawn:
    """A graph that is written down node by node; maps have 4 channels and 8×8 units."""

    def __init__(self):
        self.nodes = {INPUT: Node(INPUT, INPUT, shape=(3, 8, 8))}
        self.weights = {}

    def add(self, name, operator, *inputs, settings=(), shape=(4, 8, 8), layer=""):
        given = [Value(other) if other in self.nodes else Weight(other) for other in inputs]
        node = Node(name, f"aten.{operator}", (*given, *settings), {}, shape, layer)
        self.nodes[name] = node
        return name

    def convolution(self, name, source, kernel=3, layer=None):
        weight = f"{name}.weight"
        self.weights[weight] = ((4, self.nodes[source].shape[0], kernel, kernel), "float32")
        settings = (None, [1, 1], [kernel // 2] * 2)
        layer = name if layer is None else layer
        return self.add(name, "conv2d.default", source, weight, settings=settings, layer=layer)

    def norm(self, name, source):
        """Batch normalisation as it is traced: an operator of three results, and the first."""
        operator = "_native_batch_norm_legit_no_training.default"
        tensors = [f"{name}.{kind}" for kind in chain.NORM_TENSORS]
        self.weights |= dict.fromkeys(tensors, ((4,), "float32"))
        self.add(f"{name}-results", operator, source, *tensors, settings=(0.1, 1e-5), layer=name)
        self.nodes[name] = Node(name, "getitem", (Value(f"{name}-results"), 0), {}, (4, 8, 8))
        return name

    def relu(self, name, source):
        return self.add(name, "relu.default", source)

    def layers(self, output):
        return filter_layers.of_graph(Graph(self.nodes, output, self.weights))


def steps(layers):
    return {name: layer.steps for name, layer in layers.items()}


def test_the_published_network_has_its_maps_after_pooling_and_relu():
    layers = filter_layers.of_graph(chain.graph(PUBLISHED, (32, 32), 10))
    assert steps(layers) == {f"conv{n}": (f"pool{n}", f"relu{n}") for n in (1, 2, 3, 4)}
    assert [layer.map for layer in layers.values()] == ["relu1", "relu2", "relu3", "relu4"]
    assert [layer.channels for layer in layers.values()] == [256, 1024, 2048, 2048]
    assert [layer.shape for layer in layers.values()] == [(14, 14), (6, 6), (2, 2), (1, 1)]
    assert layers["conv3"].fields.y == layers["conv3"].fields.x
    assert layers["conv3"].fields.y.grid == Grid(size=24, stride=8, start=0)


def test_in_a_residual_block_maps_end_where_paths_meet():
    drawn = Drawn()
    stem = drawn.relu("relu", drawn.norm("bn", drawn.convolution("conv", INPUT)))
    inner = drawn.relu("relu1", drawn.norm("bn1", drawn.convolution("conv1", stem)))
    inner = drawn.norm("bn2", drawn.convolution("conv2", inner))
    shortcut = drawn.norm("bn3", drawn.convolution("shortcut", stem, kernel=1))
    total = drawn.relu("relu2", drawn.add("sum", "add.Tensor", inner, shortcut))
    assert steps(drawn.layers(total)) == {
        "conv": ("bn-results", "bn", "relu"),  # which both paths are given
        "conv1": ("bn1-results", "bn1", "relu1"),
        "conv2": ("bn2-results", "bn2"),
        "shortcut": ("bn3-results", "bn3"),
    }
    fields = drawn.layers(total)["conv2"].fields
    assert fields.y.grid == Grid(size=7, stride=1, start=-3)
    assert fields.y.seen[0] == (0, 4)


def test_in_a_densely_connected_block_a_normalisation_of_several_layers_is_nobodys():
    """Each layer's maps are joined to those before, and only then normalised."""
    drawn = Drawn()
    first = drawn.convolution("conv1", INPUT)
    narrow = drawn.convolution("conv2", drawn.relu("relu1", drawn.norm("norm1", first)))
    joined = ([Value(first), Value(narrow)], 1)
    drawn.nodes["cat"] = Node("cat", "aten.cat.default", joined, {}, (8, 8, 8))
    both = drawn.add("relu2", "relu.default", "cat", shape=(8, 8, 8))
    last = drawn.convolution("conv3", both)
    assert steps(drawn.layers(last)) == {"conv1": (), "conv2": (), "conv3": ()}
    assert drawn.layers(last)["conv1"].map == "conv1"


def test_in_a_vgg_maps_end_where_they_are_put_into_one_row():
    drawn = Drawn()
    first = drawn.relu("relu1", drawn.convolution("features.0", INPUT))
    second = drawn.relu("relu2", drawn.convolution("features.2", first))
    drawn.add("pool", "max_pool2d.default", second, settings=([2, 2], [2, 2]), shape=(4, 4, 4))
    drawn.add("mean", "adaptive_avg_pool2d.default", "pool", settings=([2, 2],), shape=(4, 2, 2))
    drawn.add("drop", "dropout.default", "mean", settings=(0.5, False), shape=(4, 2, 2))
    flat = drawn.add("flat", "flatten.using_ints", "drop", settings=(1,), shape=(16,))
    layers = drawn.layers(flat)
    assert steps(layers) == {
        "features.0": ("relu1",),
        "features.2": ("relu2", "pool", "mean", "drop"),
    }
    assert layers["features.2"].shape == (2, 2)
    assert layers["features.2"].fields.y.seen == ((0, 6), (2, 8))


def test_a_gate_and_a_mixture_of_channels_end_a_map():
    drawn = Drawn()
    first = drawn.relu("relu1", drawn.convolution("conv1", INPUT))
    mean = drawn.add("mean", "mean.dim", first, settings=([2, 3], True), shape=(4, 1, 1))
    gated = drawn.add("gated", "mul.Tensor", first, mean)
    last = drawn.convolution("conv2", gated)
    drawn.add("scaled", "mul.Tensor", last, settings=(2.0,))
    drawn.add("last", "permute.default", "scaled", settings=([0, 2, 3, 1],), shape=(8, 8, 4))
    drawn.add("squared", "mul.Tensor", "last", "last", shape=(8, 8, 4))
    assert steps(drawn.layers("squared")) == {"conv1": ("relu1",), "conv2": ("scaled",)}


def test_a_map_times_itself_still_has_its_own_channels_but_ends_where_it_is_used_twice():
    drawn = Drawn()
    squared = drawn.add("squared", "mul.Tensor", drawn.convolution("conv1", INPUT), "conv1")
    assert steps(drawn.layers(squared)) == {"conv1": ()}


def test_a_single_channel_that_is_stretched_to_several_is_no_filters_own():
    drawn = Drawn()
    drawn.weights["one.weight"] = ((1, 3, 1, 1), "float32")
    one = drawn.add("one", "conv2d.default", INPUT, "one.weight", shape=(1, 8, 8), layer="one")
    drawn.weights["scale"] = ((4, 1, 1), "float32")
    assert steps(drawn.layers(drawn.add("four", "mul.Tensor", one, "scale"))) == {"one": ()}


def test_names_are_paths_and_tell_calls_of_one_module_apart():
    drawn = Drawn()
    drawn.convolution("a", INPUT, layer="block.conv")
    drawn.convolution("b", "a", layer="block.conv")
    drawn.convolution("c", "b", layer="block.conv")
    drawn.convolution("conv2d", "c", layer="")
    assert list(drawn.layers("conv2d")) == ["block.conv", "block.conv-2", "block.conv-3", "conv2d"]


def test_a_convolution_that_does_not_see_the_image_has_no_filters():
    drawn = Drawn()
    drawn.weights["table"] = ((1, 3, 8, 8), "float32")
    drawn.add("constant", "clone.default", "table", shape=None)
    drawn.weights["conv.weight"] = ((4, 3, 1, 1), "float32")
    drawn.add("conv", "conv2d.default", "constant", "conv.weight", shape=None)
    total = drawn.add("sum", "add.Tensor", drawn.convolution("seeing", INPUT), "conv")
    assert list(drawn.layers(total)) == ["seeing"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv2/400", ("conv2", 400)),
        ("layer1.0.conv1/12", ("layer1.0.conv1", 12)),
        ("a/b/3", ("a/b", 3)),
    ],
)
def test_a_filters_name_is_its_layers_and_its_number(name, expected):
    assert filter_layers.split_name(name) == expected
