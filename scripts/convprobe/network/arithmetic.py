"""How many multiply-adds a forward pass and an occlusion map take, and how many weights there are.

Plain Python without torch: the estimate that is printed when Snakemake starts needs it, and so does
the choice of how occlusion maps are computed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from convprobe.network import chain, tile_cost
from convprobe.network.chain import Stage
from convprobe.network.filter_layers import of_graph
from convprobe.network.graph import Graph, Node, Weight
from convprobe.network.operators import CONVOLUTIONS, Step, groups, steps

POOL = Stage._field_defaults["pool"]  # of every stage that incremental.Incremental can compute
# The overhead of one matrix product and of the Python around it, which only one thread at a time
# runs, in multiply-adds that take as long.
CALL = 4_000_000
# As CALL by compiled code (occlusion/sparse), where one call computes all products of a layer.
COMPILED_CALL = 100_000
# The rate of its multiply-adds, many of them with 0 and left out, as a multiple of a forward
# pass's: 2 to 3, the published network on one core of an AMD EPYC (Zen 3).
COMPILED_RATE = 2.0


class Layer(NamedTuple):
    """A convolution, or a fully connected layer as a convolution over its whole input.

    Attributes:
        kernel: its side.
        inputs: channels.
        outputs: channels.
        units: of its map before pooling, along one axis.
    """

    kernel: int
    inputs: int
    outputs: int
    units: int

    @property
    def channel_pairs(self) -> int:
        """Multiply-adds of one unit for one place of its kernel."""
        return self.inputs * self.outputs


def centres(side: int, stride: int) -> range:
    """The pixels along an axis at which a window is centred.

    Args:
        side: of the image, in pixels.
        stride: from one of them to the next, in pixels; at most `side`.
    """
    return range(stride // 2, side, stride)


def forward(graph: Graph) -> int:
    """Multiply-adds of one image's forward pass, those of convolutions and matrix products."""
    return sum(of_node(node, graph) for node in graph.nodes.values())


def forward_by_tiles(graph: Graph) -> float:
    """What takes as long as one image's forward pass on a CPU in float32, in multiply-adds."""
    return sum(of_whole(node, graph) for node in graph.nodes.values())


def of_whole(node: Node, graph: Graph) -> float:
    """What takes as long as one node for one image, likewise; 0 where shapes don't tell."""
    if not of_node(node, graph):
        return 0.0
    height, width = node.shape[1:] if len(node.shape) == 3 else (1, 1)
    return of_parts(node, graph, [height], [width])


def of_parts(node: Node, graph: Graph, heights: Sequence[int], widths: Sequence[int]) -> float:
    """What takes as long as some parts of a node's map, in multiply-adds.

    On a CPU in float32, where some convolutions are computed by tiles, see `tile_cost`.

    Args:
        heights, widths: of the parts, in units; each height with each width is one.
    """
    sums = sums_of_parts(node, graph, heights, widths)
    if not _has_tiles(node, graph):
        return sums
    outputs, inputs, *_ = graph.tensor_shape(node.argument(1, "weight").name)
    tiles = tile_cost.along(heights) * tile_cost.along(widths)
    return min(sums, tiles * tile_cost.of_tile(inputs, outputs))


def sums_of_parts(node: Node, graph: Graph, heights: Sequence[int], widths: Sequence[int]) -> float:
    """Multiply-adds of some parts of a node's map.

    Args: as those of `of_parts`.
    """
    units = math.prod(node.shape[1:]) if len(node.shape) == 3 else 1
    return of_node(node, graph) / units * sum(heights) * sum(widths)


def _has_tiles(node: Node, graph: Graph) -> bool:
    if node.kind not in CONVOLUTIONS or not isinstance(node.argument(1, "weight"), Weight):
        return False
    walk = steps(node, graph)
    kernel = Step(tile_cost.KERNEL)
    return (
        bool(walk) and {step._replace(padding=0) for step in walk} == {kernel} and groups(node) == 1
    )


def of_node(node: Node, graph: Graph) -> int:
    """Multiply-adds of one node for one image; 0 where shapes don't tell."""
    if node.shape is None:
        return 0
    results = math.prod(node.shape)
    if node.kind in CONVOLUTIONS or node.kind == "linear":
        shape = graph.weight_shape(node.argument(1, "weight"))
        return results * math.prod(shape[1:]) if shape else 0
    if node.kind in ("matmul", "bmm", "scaled_dot_product_attention"):
        first, second = (_shape(argument, graph) for argument in node.arguments[:2])
        if node.kind == "scaled_dot_product_attention":
            return 2 * results * second[-2] if second else 0
        return results * first[-1] if first else 0
    return 0


def _shape(argument: Any, graph: Graph) -> tuple[int, ...] | None:
    if isinstance(argument, Weight):
        return graph.tensor_shape(argument.name)
    return graph.nodes[argument.name].shape


def weights(graph: Graph) -> int:
    """Number of weights and biases, and of what batch normalisation counts."""
    return sum(math.prod(shape) for shape, _ in graph.weights.values())


def occlusion_map(
    network: Mapping[str, Any], side: int, classes: int, window: int, call: int = CALL
) -> float:
    """Multiply-adds of one image's map by incremental.Incremental, its overhead included.

    Of square images. Infinite if it can't compute the network: all stages must have stride 1, no
    padding, no batch normalisation and 2×2 pooling. Channels that don't change are not left out:
    only the image can tell which these are.

    Args:
        network: the config's `network`, of plain layers.
        side: of the images, in pixels.
        classes: number of outputs.
        window: side in pixels.
        call: the overhead of a matrix product, in multiply-adds.
    """
    if not _is_computed_incrementally(network):
        return float("inf")
    first, *others = _layers(network, side, classes)
    states = list(_states_by_layer(network, side, window))
    total = forward(chain.graph(network, (side, side), classes))
    total += _first_changes(first, states[0], call)
    for layer, inputs in zip(others, states, strict=False):
        total += _changes(layer, inputs, call)
    for layer in others[len(states) :]:
        total += side**2 * layer.channel_pairs  # once for each position of the window
    return total


def _is_computed_incrementally(network: Mapping[str, Any]) -> bool:
    stages = chain.stages(network)
    return all(stage == Stage(stage.channels, stage.kernel) for stage in stages)


def _first_changes(layer: Layer, states: list[int], call: int) -> int:
    """Multiply-adds of the first convolution's changes: of whole pooled units, from pixels."""
    field = POOL + layer.kernel - 1
    products = sum(states) ** 2 * POOL**2 * field**2
    return products * layer.channel_pairs + call * len(states) ** 2


def _changes(layer: Layer, states: list[int], call: int) -> int:
    """Multiply-adds of a later layer's changes: every state of an input times who reads it."""
    count = len(states)
    products = 0
    for unit, number in enumerate(states):
        # An input unit is read by as many units as its distance from the map's edge allows.
        readers = min(unit + 1, layer.kernel, layer.units, count - unit)
        products += number * readers
    return products**2 * layer.channel_pairs + call * (layer.units * layer.kernel) ** 2


def _layers(network: Mapping[str, Any], side: int, classes: int) -> Iterator[Layer]:
    """Yield the layers, the first one first; a fully connected one is a unit that sees all."""
    width = 3
    for stage in chain.stages(network):
        units = chain.convolved_side(stage, side)
        yield Layer(stage.kernel, width, stage.channels, units)
        side = units // stage.pool
        width = stage.channels
    for outputs in [*network["fc"], classes]:
        yield Layer(side, width, outputs, 1)
        side = 1
        width = outputs


def _states_by_layer(network: Mapping[str, Any], side: int, window: int) -> Iterator[list[int]]:
    """Yield, per layer, how many parts of each pooled unit's field can be hidden, on one axis."""
    for layer in of_graph(chain.graph(network, (side, side), classes=1)).values():
        yield [_states(first, end, side, window // 2) for first, end in layer.fields.y.seen]


def _states(first: int, end: int, side: int, half: int) -> int:
    """How many different parts of an interval of pixels a window hides as it moves."""
    parts = set()
    for centre in range(side):
        low = max(centre - half, first)
        high = min(centre + half + 1, end)
        if low < high:
            parts.add((low, high))
    return len(parts)
