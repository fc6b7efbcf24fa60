"""Which units a window can change, by hand."""

import pytest

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
    reach = Reach(Graph(nodes, "sum", {"table": (shape, "float32")}))
    assert ("sum" in reach.boxed) is is_boxed
