"""Which operators work on a map, and what each unit of their map reads of the map before.

A map has a height and a width, and one axis of channels. Any operator that isn't known here counts
as one of which each result reads everything: that is never wrong, and only takes longer.
Plain Python, so that a Snakefile can use it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from convprobe.network.graph import INPUT, ITEM, Graph, Node, Value, within

# Each result depends on its own place in the arguments, or on the one that is stretched to it.
ELEMENTWISE = frozenset([
    "abs", "add", "alias", "celu", "clamp", "clamp_max", "clamp_min", "clone", "contiguous",
    "detach", "div", "elu", "erf", "exp", "gelu", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "log", "log_sigmoid", "maximum", "minimum", "mish", "mul", "neg", "pow",
    "reciprocal", "relu", "relu6", "rsqrt", "rsub", "selu", "sigmoid", "silu", "softplus", "sqrt",
    "square", "sub", "tanh", "threshold", "to", "_to_copy", "where",
])  # fmt: skip
DROPOUTS = frozenset(["dropout", "feature_dropout", "native_dropout"])
BATCH_NORMS = frozenset(["batch_norm", "_native_batch_norm_legit_no_training"])
MAX_POOLS = frozenset(["max_pool2d", "max_pool2d_with_indices"])
POOLS = MAX_POOLS | {"avg_pool2d"}
ADAPTIVE_POOLS = frozenset(["adaptive_avg_pool2d", "_adaptive_avg_pool2d", "adaptive_max_pool2d"])
CHANNELWISE = ELEMENTWISE | DROPOUTS | BATCH_NORMS | POOLS | ADAPTIVE_POOLS | {"prelu"}
BESIDE_EACH_OTHER = ELEMENTWISE | DROPOUTS | BATCH_NORMS | {"prelu", "cat"}
CONVOLUTIONS = frozenset(["conv2d", "convolution"])
# What takes parts of a result along an axis, or puts them into another order: place of the axis.
CUTS = {"slice": 1, "split": 2, "split_with_sizes": 2, "chunk": 2, "index_select": 1}
ENDLESS = 2**63 - 1  # the end of a slice that has none
# Each unit is one of the map before, or stands in padding; by way of padding.
PADS = {
    "constant_pad_nd": "constant",
    "reflection_pad2d": "reflect",
    "replication_pad2d": "replicate",
}
RESHAPES = frozenset(["view", "reshape", "_unsafe_view", "flatten", "unflatten"])

UnitRange = tuple[int, int]  # half-open
Axes = tuple[int, int]  # which axes of a result are its height and width; the images' isn't counted


class Step(NamedTuple):
    """How a kernel walks along an axis; that of a pooling too.

    Attributes:
        kernel: how many units it reads.
        dilation: from one of these to the next.
        padding: units before the first one.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def places(self, unit: int, inputs: int) -> range:
        """The units that one reads, of so many; padding is none."""
        start = unit * self.stride - self.padding
        skipped = max(0, math.ceil(-start / self.dilation))
        first = start + skipped * self.dilation
        end = start + self.kernel * self.dilation
        return range(first, min(end, inputs), self.dilation)


def steps(node: Node, graph: Graph) -> tuple[Step, Step] | None:
    """How a convolution or a pooling walks along both axes; None if it isn't one of these."""
    if node.kind in CONVOLUTIONS:
        return _steps_of_convolution(node, graph)
    if node.kind not in POOLS:
        return None
    kernel = _pair(node.argument(1, "kernel_size"))
    stride = _pair(node.argument(2, "stride") or kernel)
    padding = _pair(node.argument(3, "padding", 0))
    dilation = (1, 1)
    if node.kind in MAX_POOLS:
        dilation = _pair(node.argument(4, "dilation", 1))
    return _both(kernel, stride, padding, dilation)


def _steps_of_convolution(node: Node, graph: Graph) -> tuple[Step, Step] | None:
    if node.kind == "convolution" and node.argument(6, "transposed"):
        return None
    shape = graph.weight_shape(node.argument(1, "weight"))
    if shape is None or len(shape) != 4:
        return None
    kernel = shape[2:]
    stride = _pair(node.argument(3, "stride", 1))
    padding = node.argument(4, "padding", 0)
    dilation = _pair(node.argument(5, "dilation", 1))
    if padding == "valid":
        padding = 0
    elif padding == "same":
        # PyTorch puts the odd one behind.
        padding = [(side - 1) * step // 2 for side, step in zip(kernel, dilation, strict=True)]
    return _both(kernel, stride, _pair(padding), dilation)


class Pad(NamedTuple):
    """How a map is padded along an axis.

    Attributes:
        before: units in front of the first one; below 0 if some are cut off.
        mode: `constant`, `reflect` or `replicate`.
    """

    before: int
    mode: str

    def place(self, unit: int, inputs: int) -> range:
        """The unit that one is, of so many before padding; none if it is padding."""
        place = unit - self.before
        if self.mode == "reflect":
            place = inputs - 1 - abs(inputs - 1 - abs(place))
        elif self.mode == "replicate":
            place = min(max(place, 0), inputs - 1)
        return range(place, place + 1) if 0 <= place < inputs else range(0)


def pads(node: Node) -> tuple[Pad, Pad] | None:
    """How a map is padded along height and width; None if a node does something else, too."""
    mode = PADS.get(node.kind)
    if node.kind == "pad":
        mode = node.argument(2, "mode", "constant")
    if mode not in PADS.values():
        return None
    # From the last axis on, in front and behind.
    left, _, top, _, *others = [*node.arguments[1], 0, 0]
    return None if any(others) else (Pad(top, mode), Pad(left, mode))


def groups(node: Node) -> int:
    """Into how many groups of channels a convolution is cut."""
    if node.kind == "convolution":
        return node.argument(8, "groups", 1)
    return node.argument(6, "groups", 1)


def _both(*settings: Sequence[int]) -> tuple[Step, Step]:
    height, width = zip(*settings, strict=True)
    return Step(*height), Step(*width)


def _pair(setting: int | Sequence[int]) -> tuple[int, int]:
    if isinstance(setting, int):
        return setting, setting
    first, *others = setting
    return first, (others[0] if others else first)


# Maps


class Maps:
    """Where the maps of a graph lie in its results, and what their units read.

    Attributes:
        axes: of each node's result those that are height and width; None where it has none. Where
            an unknown operator has a result of three axes, they are taken for channel, height and
            width, and each of its units reads everything.
        depending: names of the nodes whose results depend on the image.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.axes: dict[str, Axes | None] = {}
        self.depending: set[str] = set()
        self._known: set[str] = set()
        for node in graph.nodes.values():
            self._add(node)

    def _add(self, node: Node) -> None:
        if node.kind == INPUT:
            self.axes[node.name] = (1, 2)
            self.depending.add(node.name)
            return
        if self.depending.intersection(node.inputs):
            self.depending.add(node.name)
        self.axes[node.name] = None
        if node.shape is None:
            return
        kept = self._kept_axes(node)
        if kept:
            self._known.add(node.name)
            self.axes[node.name] = kept
        elif len(node.shape) == 3:
            self.axes[node.name] = (1, 2)

    def _kept_axes(self, node: Node) -> Axes | None:
        """Where the maps of an operator lie that is known to keep them; None if it isn't."""
        sources = [self.graph.nodes[name] for name in node.inputs]
        maps = [self.axes[source.name] for source in sources if self.axes[source.name]]
        if not maps:
            return None
        first = maps[0]
        if node.kind in BESIDE_EACH_OTHER:
            ranks = {len(source.shape or ()) for source in sources}
            is_aligned = ranks == {len(node.shape)} and set(maps) == {first}
            return first if is_aligned and not _joins(node, first) else None
        if node.kind in ADAPTIVE_POOLS or steps(node, self.graph):
            return first if first == (1, 2) else None
        if pads(node):
            rank = len(node.shape)
            return first if first == (rank - 2, rank - 1) else None
        if node.kind in ("permute", "transpose"):
            order = _order(node)
            return None if order[0] else tuple(order.index(axis + 1) - 1 for axis in first)
        if node.kind == "linear":
            return first if len(node.shape) - 1 not in first else None
        if node.kind == "layer_norm":
            normalised = len(node.arguments[1])
            return first if max(first) < len(node.shape) - normalised else None
        if node.kind == "slice" and _is_whole(node):
            return first
        if node.kind in CUTS:
            axis = node.argument(CUTS[node.kind], "dim", 0) % (len(node.shape) + 1) - 1
            return first if axis >= 0 and axis not in first else None
        if node.kind in ("flip", "index"):
            is_as_deep = len(sources[0].shape or ()) == len(node.shape)
            keeps = is_as_deep and len(self.depending.intersection(node.inputs)) == 1
            return first if keeps and _changed_axes(node).isdisjoint({-1, *first}) else None
        if node.kind == ITEM:
            # The graph knows the shape of the first of several results alone.
            return first if len(sources[0].shape) == len(node.shape) else None
        if node.kind in RESHAPES:
            return _behind(sources[0].shape, first, node.shape)
        return None

    def is_known(self, name: str) -> bool:
        """Whether a node's operator is known to keep maps, so that `reads` is exact."""
        return name in self._known

    def side(self, name: str, axis: int) -> int:
        """How many units a map has along an axis, 0 for height and 1 for width."""
        return self.graph.nodes[name].shape[self.axes[name][axis]]

    def reads(self, name: str, source: str, axis: int) -> list[UnitRange]:
        """As `places`, each from its first to its last unit."""
        units = self.places(name, source, axis)
        return [(places[0], places[-1] + 1) if places else (0, 0) for places in units]

    def places(self, name: str, source: str, axis: int) -> list[range]:
        """For each unit of a node's map the units that it reads of an input's, along an axis.

        Args:
            source: name of the input, which has a map too.
            axis: 0 for height, 1 for width.
        """
        inputs = self.side(source, axis)
        count = self.side(name, axis)
        node = self.graph.nodes[name]
        if self.is_known(name):
            walk = steps(node, self.graph)
            if walk:
                return [walk[axis].places(unit, inputs) for unit in range(count)]
            padded = pads(node)
            if padded:
                return [padded[axis].place(unit, inputs) for unit in range(count)]
            if node.kind in ADAPTIVE_POOLS:
                return [_adaptive(unit, count, inputs) for unit in range(count)]
            if inputs == count:
                return [range(unit, unit + 1) for unit in range(count)]
        return [range(inputs)] * count

    def is_channelwise(self, node: Node) -> bool:
        """Whether each channel of a map is made of the same channel of one other map alone."""
        sources = self.depending.intersection(node.inputs)
        if len(sources) != 1 or not self.is_known(node.name) or self.axes[node.name] != (1, 2):
            return False
        (source,) = (self.graph.nodes[name] for name in sources)
        if node.kind == ITEM:
            has_channels = source.kind in BATCH_NORMS | POOLS | ADAPTIVE_POOLS | DROPOUTS
            return has_channels and node.arguments[1] == 0
        times = list(within((*node.arguments, *node.keywords.values()), Value))
        is_as_wide = node.shape[0] == source.shape[0]
        return node.kind in CHANNELWISE and len(times) == 1 and is_as_wide


def _joins(node: Node, axes: Axes) -> bool:
    """Whether results are put together along the height or the width of their maps."""
    if node.kind != "cat":
        return False
    axis = node.argument(1, "dim", 0) % (len(node.shape) + 1) - 1
    return axis < 0 or axis in axes


def _behind(before: tuple[int, ...], axes: Axes, after: tuple[int, ...]) -> Axes | None:
    """The last two axes, if these are height and width before and after a change of shape."""
    rank = len(after)
    if axes != (len(before) - 2, len(before) - 1) or before[-2:] != after[-2:]:
        return None
    return (rank - 2, rank - 1) if rank > 2 else None


def _is_whole(node: Node) -> bool:
    """Whether a slice takes all, as `images[:, order]` does of the images."""
    start, end, step = (
        node.argument(2, "start"),
        node.argument(3, "end"),
        node.argument(4, "step", 1),
    )
    return start in (None, 0) and end in (None, ENDLESS) and step == 1


def _changed_axes(node: Node) -> set[int]:
    """The axes along which a result is turned round or indexed; -1 is that of the images."""
    axes = node.arguments[1]
    if node.kind == "index":
        axes = [axis for axis, index in enumerate(axes) if index is not None]
        if len(axes) > 1:
            return {-1}  # the axes of the result may be others
    return {axis % (len(node.shape) + 1) - 1 for axis in axes}


def _order(node: Node) -> list[int]:
    """The axes in their new order, that of images being 0."""
    rank = len(node.shape) + 1
    if node.kind == "permute":
        return [axis % rank for axis in node.arguments[1]]
    first, second = (axis % rank for axis in node.arguments[1:3])
    order = list(range(rank))
    order[first], order[second] = order[second], order[first]
    return order


def _adaptive(unit: int, count: int, inputs: int) -> range:
    return range(unit * inputs // count, math.ceil((unit + 1) * inputs / count))
