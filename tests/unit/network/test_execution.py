"""A graph computes what PyTorch computes, only what is asked for, and nothing else than that."""

import dataclasses

import numpy as np
import pytest
import torch
from drawn_graphs import CLASSES, draw_network
from torch import nn

from convprobe.errors import InputError
from convprobe.network import chain, tracing
from convprobe.network.classifiers import RAW, FactoryNetwork, TracedNetwork
from convprobe.network.execution import Execution, operator_of
from convprobe.network.graph import INPUT, Graph, Node, Other, Value
from convprobe.network.layers import Network
from convprobe.network.operators import Maps

NORMALISATION = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}


def draw_chain(seed):
    draw = np.random.default_rng(seed)
    conv = [
        {
            "channels": int(draw.integers(1, 9)),
            "kernel": int(draw.integers(1, 5)),
            "stride": int(draw.integers(1, 3)),
            "padding": 1,
            "pool": int(draw.integers(1, 3)),
            "batch_norm": bool(draw.integers(2)),
        }
        for _ in range(2)
    ]
    return {"conv": conv, "fc": [7] * int(draw.integers(3)), "dropout": 0.5}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("count", [1, 5])
def test_the_graph_of_a_chain_computes_what_the_network_does_bit_by_bit(seed, count):
    torch.manual_seed(seed)
    network = Network(draw_chain(seed), 4, (24, 24), NORMALISATION)
    network(torch.rand(8, 3, 24, 24))  # in training, so that batch normalisation has learnt
    network.eval()
    images = torch.rand(count, 3, 24, 24)
    with torch.inference_mode():
        results = Execution(network.graph, network).results(
            network.normalised(images), network.graph.nodes
        )
        assert torch.equal(results[network.graph.output], network(images))
        for number, (_, maps) in enumerate(network.pooled_maps(images), start=1):
            assert torch.equal(results[f"relu{number}"], maps)
    for name, result in results.items():
        assert result.shape[1:] == network.graph.nodes[name].shape


def test_the_graph_of_a_chain_names_the_weights_of_the_network():
    settings = {"conv": [{"channels": 2, "kernel": 3, "batch_norm": True}], "fc": [4]}
    network = Network(settings, 3, (9, 9))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    del shapes["norm1.num_batches_tracked"]  # which evaluation doesn't use
    graph = chain.graph(settings, (9, 9), classes=3)
    assert {name: shape for name, (shape, _) in graph.weights.items()} == shapes
    assert (graph.classes, graph.image_shape) == (3, (3, 9, 9))


class Counting(Execution):
    """Knows which nodes it computed."""

    def __init__(self, graph, module):
        super().__init__(graph, module)
        self.computed = []

    def result(self, node, found):
        self.computed.append(node.name)
        return super().result(node, found)


def test_only_what_is_needed_is_computed_and_what_is_known_is_used():
    network = Network({"conv": [{"channels": 2, "kernel": 3}] * 2, "fc": []}, 3, (18, 18)).eval()
    images = torch.rand(2, 3, 18, 18)
    execution = Counting(network.graph, network)
    found = execution.results(images, ["relu1"])
    assert execution.computed == ["conv1", "pool1", "relu1"]
    execution.computed.clear()
    known = {"relu1": torch.zeros_like(found["relu1"])}
    results = execution.results(images, ["flat", "relu1"], known)
    assert execution.computed == ["conv2", "pool2", "relu2", "flat"]
    assert results["relu1"] is known["relu1"]
    assert torch.equal(results["flat"], execution.results(images * 0, ["flat"], known)["flat"])


def test_results_are_forgotten_when_nobody_needs_them_any_more():
    network = Network({"conv": [{"channels": 2, "kernel": 3}] * 2, "fc": [5]}, 3, (18, 18)).eval()

    class Held(Execution):
        def result(self, node, found):
            held.append(len(found))
            return super().result(node, found)

    held = []
    Held(network.graph, network).logits(torch.rand(1, 3, 18, 18))
    assert held == [1] * (len(network.graph.nodes) - 1)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("seed", range(10))
def test_channels_of_channelwise_operators_depend_on_the_same_channel_alone(seed):
    network = draw_network(seed)
    graph, maps = network.graph, Maps(network.graph)
    execution = Execution(graph, network)
    images = torch.rand(2, *graph.image_shape, dtype=torch.float64)
    clean = execution.results(images, graph.nodes)
    for node in graph.nodes.values():
        if not maps.is_channelwise(node):
            continue
        (source,) = node.inputs
        edited = clean[source].clone()
        edited[:, -1] += 1
        differs = (execution.result(node, clean | {source: edited}) != clean[node.name]).flatten(2)
        assert differs.any(2).any(0).tolist() == [False] * (node.shape[0] - 1) + [True], node.name


@pytest.mark.parametrize(
    ("kernel", "walk"),
    [
        (3, {}),
        (3, {"padding": 1, "bias": False}),
        (3, {"stride": 2, "padding": (1, 1)}),
        (3, {"stride": (1, 2), "padding": (0, 1)}),
        (3, {"dilation": 2}),
        (3, {"groups": 2}),
        (3, {"padding": "same"}),
        ((3, 1), {}),
        (1, {}),
    ],
    ids=str,
)
def test_convolutions_are_those_of_the_module_however_they_walk(kernel, walk):
    """Of so many channels that tiles pay where they can be used."""
    torch.manual_seed(0)
    convolution = nn.Conv2d(128, 192, kernel, **walk)
    module = nn.Sequential(convolution, nn.AvgPool2d(2), nn.Flatten()).eval()
    graph = tracing.trace(module, (128, 14, 14))
    module.double()
    images = torch.rand(2, 128, 14, 14, dtype=torch.float64)
    torch.testing.assert_close(Execution(graph, module).logits(images), module(images))


# Graphs from elsewhere


def hostile(operator, *arguments):
    nodes = {
        INPUT: Node(INPUT, INPUT, shape=(3, 4, 4)),
        "bad": Node("bad", operator, arguments, {}, (3,), layer="stem"),
    }
    return Graph(nodes, "bad", {})


@pytest.mark.parametrize(
    "operator",
    [
        "aten.from_file.default",
        "aten.relu_.default",
        "aten.add.out",
        "aten._print.default",
        "aten.save.default",
        "aten.item.default",
        "aten.no_such_operator.default",
        "aten.conv2d.__init__",
        "aten.__class__.mro",
        "prims.add.default",
        "os.system",
        "operator.pow",
        "operator.attrgetter",
        "system",
        "",
    ],
)
def test_a_graph_that_does_anything_else_than_compute_is_refused(operator):
    with pytest.raises(InputError) as refused:
        Execution(hostile(operator, "file"), nn.Module())
    assert str(refused.value) == (
        f"bad in stem is computed by {operator}, expected an operator of PyTorch's own that gives "
        "a tensor and changes none"
    )


@pytest.mark.parametrize("name", ["load", "hub", "__name__", "no_such_name"])
def test_a_graph_can_name_types_of_pytorch_alone(name):
    graph = hostile("aten.to.dtype", Value(INPUT), Other("dtype", name))
    with pytest.raises(InputError, match=f"^{name} is no type, layout or memory format of PyTorch"):
        Execution(graph, nn.Module()).logits(torch.zeros(1, 3, 4, 4))
    constants = {"table": {"dtype": name, "shape": [1], "data": "AAAA"}}
    with pytest.raises(InputError, match=f"^{name} is no type"):
        Execution(dataclasses.replace(graph, constants=constants), nn.Module())


@pytest.mark.parametrize(
    "name", ["conv2d.default", "max_pool2d_with_indices.default", "sym_size.int"]
)
def test_operators_that_compute_are_found(name):
    assert operator_of(Node("good", f"aten.{name}")).name().startswith("aten::")


# Networks that are computed by a graph


@pytest.mark.parametrize("name", ["mean", "std", "graph", "settings", "module", "image_size"])
def test_a_tensor_may_have_the_name_of_something_of_ours(name):
    """A module may well have its own `mean`."""
    nodes = {
        INPUT: Node(INPUT, INPUT, shape=(3, 2, 2)),
        "sum": Node("sum", "aten.sum.dim_IntList", (Value(INPUT), [2, 3]), {}, (3,)),
    }
    graph = Graph(nodes, "sum", {name: ((3,), "float32"), f"{name}_.0.weight": ((1,), "float64")})
    network = TracedNetwork({"factory": "a:b"}, graph, NORMALISATION)
    assert list(network.state_dict()) == [name, f"{name}_.0.weight"]
    assert network.mean.flatten().tolist() == pytest.approx(NORMALISATION["mean"])
    images = torch.rand(2, 3, 2, 2)
    torch.testing.assert_close(network(images), network.normalised(images).sum((2, 3)))


def test_the_weights_of_a_factorys_network_have_the_modules_own_names():
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, CLASSES))
    graph = Graph({INPUT: Node(INPUT, INPUT, shape=(3, 2, 2))}, INPUT, {})
    network = FactoryNetwork({"factory": "a:b"}, graph, module, RAW)
    assert list(network.state_dict()) == ["1.weight", "1.bias"]
    network.load_state_dict({"1.weight": torch.ones(CLASSES, 12), "1.bias": torch.zeros(CLASSES)})
    assert network(torch.ones(1, 3, 2, 2)).tolist() == [[12.0] * CLASSES]
    assert [name for name, _ in network.named_parameters()] == ["module.1.weight", "module.1.bias"]
