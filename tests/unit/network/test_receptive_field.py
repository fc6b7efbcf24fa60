"""What units see of the image, against changing pixel after pixel, and against gradients."""

import numpy as np
import pytest
import torch
from drawn_graphs import changed_units, draw_network
from torch import nn
from torch.nn.utils import parametrizations

from convprobe.network import filter_layers, receptive_field, tracing
from convprobe.network.execution import Execution
from convprobe.network.graph import INPUT, Graph, Node, Value
from convprobe.network.operators import Maps

NOTHING = (0, 0)
SEEDS = 40


def fields_of(graph):
    maps = Maps(graph)
    names = [name for name, axes in maps.axes.items() if axes and name in maps.depending]
    return receptive_field.of_maps(maps, names)


def hull(changed, axis):
    """The interval of pixels along an axis that change a unit: bool (pixel y, x)."""
    (places,) = changed.any(1 - axis).nonzero(as_tuple=True)
    return (int(places.min()), int(places.max()) + 1) if len(places) else NOTHING


def check_grid(field):
    """What a unit sees lies where the grid says, of which padding is a part."""
    for unit, (first, end) in enumerate(field.seen):
        if field.grid is not None and first < end:
            start = field.grid.start + unit * field.grid.stride
            assert start <= first < end <= start + field.grid.size


def are_exact(maps, name):
    """Whether all operators on the way from the image to a map are known."""
    node = maps.graph.nodes[name]
    sources = [source for source in node.inputs if source in maps.depending]
    if name != INPUT and not maps.is_known(name):
        return False
    return all(are_exact(maps, source) for source in sources)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_boxes_of_random_networks_are_exact(seed):
    """A box holds all pixels that change a unit; behind known operators it is the smallest one."""
    network = draw_network(seed)
    maps, fields = Maps(network.graph), fields_of(network.graph)
    changed = changed_units(network)
    assert fields.keys() == changed.keys()
    for name, units in changed.items():
        along = fields[name]
        assert (len(along.y.seen), len(along.x.seen)) == units.shape[2:]
        for field in along:
            check_grid(field)
        for y, x in np.ndindex(units.shape[2:]):
            box = (along.y.seen[y], along.x.seen[x])
            if NOTHING in box:
                box = (NOTHING, NOTHING)
            seen = tuple(hull(units[:, :, y, x], axis) for axis in (0, 1))
            if are_exact(maps, name):
                assert box == seen, (name, y, x)
            for (first, end), (low, high) in zip(box, seen, strict=True):
                assert low == high or first <= low < high <= end, (name, y, x)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_random_networks_have_everything_that_is_known():
    kinds = {node.kind for seed in range(SEEDS) for node in draw_network(seed).graph.nodes.values()}
    assert kinds >= {
        "conv2d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "batch_norm", "relu", "add",
        "mul", "cat", "permute", "transpose", "view", "reshape", "linear", "slice", "flip", "mean",
        "constant_pad_nd", "reflection_pad2d", "replication_pad2d",
    }  # fmt: skip


class Residual(nn.Module):
    """Two blocks in which a convolution of stride 2 meets a shortcut."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, (3, 5), padding="same")
        self.blocks = nn.ModuleList()
        for _ in range(2):
            block = nn.ModuleDict(
                {
                    "first": nn.Conv2d(4, 4, 3, stride=2, padding=1),
                    "norm": nn.BatchNorm2d(4),
                    "second": nn.Conv2d(4, 4, 3, padding=2, dilation=2),
                    "shortcut": nn.Conv2d(4, 4, 1, stride=2),
                }
            )
            self.blocks.append(block)
        self.fc = nn.Linear(4, 2)

    def forward(self, images):
        maps = self.stem(images)
        for block in self.blocks:
            inner = block["second"](torch.relu(block["norm"](block["first"](maps))))
            maps = torch.relu(inner + block["shortcut"](maps))
        return self.fc(maps.mean((2, 3)))


@pytest.mark.slow
def test_boxes_of_a_residual_network_are_where_gradients_are():
    torch.manual_seed(0)
    module = Residual().eval()
    graph = tracing.trace(module, (3, 14, 18))
    module.double()
    with torch.no_grad():
        for weights in module.parameters():
            weights.abs_().add_(0.1)  # so that no ReLU hides what it sees
    fields = fields_of(graph)
    image = torch.rand(1, 3, 14, 18, dtype=torch.float64, requires_grad=True)
    results = Execution(graph, module).results(image, fields)
    assert len(fields) > 12
    tensors = {name: result for name, result in results.items() if torch.is_tensor(result)}
    for name, maps in tensors.items():
        along = fields[name]
        for y, x in np.ndindex(maps.shape[2:]):
            unit = maps[0, :, y, x].sum()
            (gradient,) = torch.autograd.grad(unit, image, retain_graph=True)
            seen = (gradient != 0).any(1)[0]
            assert (along.y.seen[y], along.x.seen[x]) == (hull(seen, 0), hull(seen, 1)), name


def chained(*operators, side=9):
    """A graph of operators on one map, each with a function that gives the side of its map."""
    nodes = {INPUT: Node(INPUT, INPUT, shape=(1, side, side))}
    last = INPUT
    for number, (operator, arguments, units) in enumerate(operators):
        last = f"node{number}"
        previous = list(nodes)[-1]
        shape = (1, units, units)
        nodes[last] = Node(last, f"aten.{operator}", (Value(previous), *arguments), {}, shape)
    return Graph(nodes, last, {})


def test_an_adaptive_pooling_to_an_uneven_size_by_hand():
    graph = chained(("adaptive_avg_pool2d.default", ([4, 4],), 4))
    along = fields_of(graph)["node0"].y
    assert along.seen == ((0, 3), (2, 5), (4, 7), (6, 9))
    assert along.grid is None


def test_a_pooling_beyond_the_border_sees_what_is_there():
    graph = chained(("max_pool2d.default", ([2, 2], [2, 2], [1, 1], [1, 1], True), 5))
    assert fields_of(graph)["node0"].x.seen == ((0, 1), (1, 3), (3, 5), (5, 7), (7, 9))


def test_a_pooling_over_axes_that_are_not_height_and_width_sees_everything():
    """Behind a permutation a pooling joins columns and channels."""
    nodes = {
        INPUT: Node(INPUT, INPUT, shape=(6, 8, 8)),
        "last": Node("last", "aten.permute.default", (Value(INPUT), [0, 2, 3, 1]), {}, (8, 8, 6)),
        "pool": Node("pool", "aten.max_pool2d.default", (Value("last"), [2, 2]), {}, (8, 4, 3)),
    }
    along = fields_of(Graph(nodes, "pool", {}))["pool"]
    assert along.y.seen == ((0, 8),) * 4
    assert along.y.grid is along.x.grid is None


def test_behind_an_unknown_operator_each_unit_sees_everything_that_its_inputs_see():
    pool = ("max_pool2d.default", ([2, 2], [2, 2]), 4)
    along = fields_of(chained(pool, ("flip.default", ([2],), 4)))["node1"]
    assert along.y.seen == ((0, 8),) * 4
    assert along.y.grid is along.x.grid is None


@pytest.mark.parametrize("computed", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_a_weight_that_is_computed_of_weights_has_a_kernel_too(computed):
    def seen(change):
        convolutions = (nn.Conv2d(3, 4, (3, 5)), nn.Conv2d(4, 2, 3, stride=2, padding=1))
        layers = [change(convolutions[0]), nn.ReLU(), change(convolutions[1]), nn.Flatten()]
        graph = tracing.trace(nn.Sequential(*layers, nn.Linear(40, 2)), (3, 12, 12))
        return [layer.fields for layer in filter_layers.of_graph(graph).values()]

    as_they_are = seen(lambda convolution: convolution)
    assert as_they_are[1].y.seen[1] == (1, 6)
    assert seen(computed) == as_they_are


def test_a_padded_map_sees_nothing_in_its_padding():
    """Of 9 units, 2 zeros in front of them and the last one cut off."""
    graph = chained(("pad.default", ([2, -1, 2, -1],), 10))
    along = fields_of(graph)["node0"].y
    assert along.seen == (NOTHING, NOTHING, *((unit, unit + 1) for unit in range(8)))
    assert along.grid == (1, 1, -2)


def test_a_map_that_is_padded_by_its_other_side_sees_everything():
    graph = chained(("pad.default", ([1, 1, 1, 1], "circular"), 11))
    assert fields_of(graph)["node0"].y.seen == ((0, 9),) * 11


def test_a_convolution_whose_weights_depend_on_the_image_sees_everything():
    nodes = dict(chained(("sigmoid.default", (), 9)).nodes)
    given = (Value(INPUT), Value("node0"), None, [1, 1], [1, 1])
    nodes["conv"] = Node("conv", "aten.conv2d.default", given, {}, (1, 3, 3))
    along = fields_of(Graph(nodes, "conv", {}))["conv"]
    assert along.y.seen == ((0, 9),) * 3
    assert along.y.grid is None
