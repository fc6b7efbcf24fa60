"""Graphs in files, and which of their nodes are needed."""

import math

import pytest
from drawn_graphs import draw_network

from convprobe.network.graph import INPUT, Graph, Node, Other, Value, Weight
from convprobe.network.operators import Maps

WITH_ALL = Graph(
    nodes={
        INPUT: Node(INPUT, INPUT, shape=(3, 4, 5)),
        "size": Node("size", "aten.sym_size.int", (Value(INPUT), 0), layer="stem"),
        "cat": Node(
            "cat",
            "aten.cat.default",
            ([Value(INPUT), Weight("table"), Value(INPUT)], -3),
            {"to": Other("dtype", "float64"), "where": [None, True, "same", 0.1, -math.inf]},
            (9, 4, 5),
            "blocks.0",
        ),
        "pick": Node("pick", "getitem", (Value("cat"), 1), shape=()),
    },
    output="pick",
    weights={"stem.weight": ((2, 3, 1, 1), "float32"), "stem.count": ((), "int64")},
    constants={"table": {"dtype": "uint8", "shape": [1], "data": "AA=="}},
)


def test_a_graph_is_read_as_it_was_written():
    text = WITH_ALL.to_json()
    read = Graph.from_json(text)
    assert read == WITH_ALL
    assert list(read.nodes) == list(WITH_ALL.nodes)
    assert read.to_json() == text
    assert isinstance(read.nodes["cat"].keywords["to"], Other)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_graph_is_read_as_it_was_written(seed):
    graph = draw_network(seed).graph
    assert Graph.from_json(graph.to_json()) == graph


def test_a_node_knows_what_it_is_given():
    node = WITH_ALL.nodes["cat"]
    assert (node.kind, node.inputs, node.weights) == ("cat", [INPUT], ["table"])
    assert (node.argument(1, "dim"), node.argument(2, "to")) == (-3, Other("dtype", "float64"))
    assert node.argument(3, "nothing", default=7) == 7
    assert WITH_ALL.tensor_shape("table") == (1,)
    assert WITH_ALL.tensor_shape("stem.weight") == (2, 3, 1, 1)
    assert [user.name for user in WITH_ALL.users()[INPUT]] == ["size", "cat"]


def test_needed_are_those_on_the_way_to_what_is_wanted():
    def names(wanted, known=()):
        return [node.name for node in WITH_ALL.needed(wanted, known)]

    assert names(["pick"]) == [INPUT, "cat", "pick"]
    assert names(["pick"], known=[INPUT]) == ["cat", "pick"]
    assert names(["pick"], known=["cat"]) == ["pick"]
    assert names(["size", "pick"], known=["cat", INPUT]) == ["size", "pick"]
    assert names(["cat"], known=["cat"]) == []


def test_what_depends_on_the_image():
    assert Maps(WITH_ALL).depending == set(WITH_ALL.nodes)
