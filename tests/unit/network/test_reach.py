"""Which units a window can change, by hand."""

import pytest

from convprobe.network import chain, reach
from convprobe.network.graph import INPUT, Graph, Node, Value, Weight
from convprobe.network.reach import Reach


@pytest.mark.parametrize(
    ("shape", "is_boxed"),
    [
        ((), True),
        ((1,), True),
        ((4, 1, 1), True),
        ((8,), False),
        ((8, 1), False),
        ((1, 8, 8), False),
    ],
)
def test_what_differs_from_place_to_place_is_not_added_box_by_box(shape, is_boxed):
    """A box knows nothing of where in the map it lies."""
    given = (Value(INPUT), Weight("table"))
    nodes = {
        INPUT: Node(INPUT, INPUT, shape=(4, 8, 8)),
        "sum": Node("sum", "aten.add.Tensor", given, {}, (4, 8, 8)),
    }
    found = Reach(Graph(nodes, "sum", {"table": (shape, "float32")}))
    assert ("sum" in found.boxed) is is_boxed


VGG = [(64, 1), (64, 2), (128, 1), (128, 2), *[(256, 1), (256, 1), (256, 2)]]
VGG += [(512, 1), (512, 1), (512, 2)] * 2


@pytest.mark.parametrize(
    ("stages", "side", "precision", "way"),
    [
        (VGG, 224, "fp32", "boxes"),
        (VGG, 224, "bf16", "boxes"),
        (VGG[:4], 32, "fp32", "passes"),  # to start what is computed takes longer than all of it
        (VGG[:4], 32, "bf16", "passes"),
    ],
)
def test_on_a_gpu_boxes_are_for_large_maps(stages, side, precision, way):
    """As measured: nine times as fast as passes for VGG-16 in float32, three times in bf16."""
    conv = [{"channels": n, "kernel": 3, "padding": 1, "pool": pool} for n, pool in stages]
    graph = chain.graph({"conv": conv, "fc": [128]}, (side, side), 10)
    assert reach.cheapest_on_gpu(graph, (side, side), 17, 8, precision).name == way


def test_a_sum_differs_only_where_one_of_its_inputs_does():
    """A shortcut with stride 2 doesn't read odd pixels: a window there changes the rest alone."""
    weights = {"wide": ((1, 3, 3, 3), "float32"), "short": ((1, 3, 1, 1), "float32")}
    nodes = {INPUT: Node(INPUT, INPUT, shape=(3, 16, 16))}
    for name, padding in {"wide": 1, "short": 0}.items():
        given = (Value(INPUT), Weight(name), None, [2, 2], [padding, padding])
        nodes[name] = Node(name, "conv2d", given, {}, (1, 8, 8))
    both = (Value("wide"), Value("short"))
    nodes["sum"] = Node("sum", "aten.add.Tensor", both, {}, (1, 8, 8))
    spans = Reach(Graph(nodes, "sum", weights)).spans([(9, 10), (8, 9)], axis=0)
    assert spans["short"].lengths.tolist() == [0, 1]
    # Rows 7 to 9 and 9 to 11 are read by units 4 and 5 of the wide one.
    assert (spans["sum"].first.tolist(), spans["sum"].end.tolist()) == ([4, 4], [6, 5])
