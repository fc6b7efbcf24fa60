"""Random small networks as graphs, with weights: branches that meet, and all that keeps maps."""

import numpy as np
import torch

from convprobe.network.classifiers import TracedNetwork
from convprobe.network.execution import Execution
from convprobe.network.graph import INPUT, Graph, Node, Value, Weight
from convprobe.network.operators import Maps

CLASSES = 3


class Drawing:
    """A graph in the making; each node is computed as it is added, which tells its shape."""

    def __init__(self, seed, image_shape):
        self.draw = np.random.default_rng(seed)
        self.random = torch.Generator().manual_seed(seed)
        self.nodes = {INPUT: Node(INPUT, INPUT, shape=image_shape)}
        self.weights = {}
        self.results = {INPUT: self.numbers(2, *image_shape)}

    def numbers(self, *shape):
        """Positive ones in float64, so that no ReLU hides what a unit sees."""
        return torch.rand(shape, generator=self.random, dtype=torch.float64) + 0.1

    def weight(self, *shape):
        name = f"layer{len(self.nodes)}.tensor{len(self.weights)}"
        self.weights[name] = self.numbers(*shape)
        return Weight(name)

    def add(self, operator, *arguments, **keywords):
        """Add a node, and give its name."""
        name = f"{operator.partition('.')[0]}_{len(self.nodes)}"
        node = Node(name, f"aten.{operator}", arguments, keywords, layer=f"layer{len(self.nodes)}")
        execution = Execution(Graph({}, name, {}), torch.nn.Module())
        execution.tensors = self.weights
        execution._calls[name] = getattr(torch.ops.aten, operator.split(".")[0])
        self.results[name] = execution.result(node, self.results)
        shape = tuple(self.results[name].shape[1:])
        self.nodes[name] = Node(name, node.operator, arguments, keywords, shape, node.layer)
        return name

    def maps(self):
        """Names of nodes that have channels, height and width."""
        return [name for name, node in self.nodes.items() if len(node.shape) == 3]

    def pair(self, low, high):
        return [int(number) for number in self.draw.integers(low, high + 1, 2)]

    # Each of these adds something behind the node of a name.

    def convolution(self, name):
        channels, *sides = self.nodes[name].shape
        kernel, dilation = self.pair(1, 3), self.pair(1, 2)
        groups = channels if self.draw.integers(3) == 0 else 1
        outputs = groups * int(self.draw.integers(1, 4))
        weight = self.weight(outputs, channels // groups, *kernel)
        bias = self.weight(outputs) if self.draw.integers(2) else None
        given = (Value(name), weight, bias)
        if self.draw.integers(4) == 0:
            return self.add("conv2d.padding", *given, [1, 1], "same", dilation, groups)
        padding = [int(self.draw.integers(0, side)) for side in kernel]
        for side, size, step, around in zip(sides, kernel, dilation, padding, strict=True):
            if side + 2 * around < (size - 1) * step + 1:
                return None
        return self.add("conv2d.default", *given, self.pair(1, 2), padding, dilation, groups)

    def pooling(self, name):
        kernel, stride = self.pair(1, 3), self.pair(1, 3)
        if min(self.nodes[name].shape[1:]) < max(kernel):
            return None
        padding = [int(self.draw.integers(0, size // 2 + 1)) for size in kernel]
        ceil_mode = bool(self.draw.integers(2))
        given = (Value(name), kernel, stride, padding)
        if self.draw.integers(2):
            return self.add("max_pool2d.default", *given, [1, 1], ceil_mode)
        return self.add("avg_pool2d.default", *given, ceil_mode, bool(self.draw.integers(2)))

    def normalisation(self, name):
        channels = self.nodes[name].shape[0]
        tensors = [self.weight(channels) for _ in range(4)]
        return self.add("batch_norm.default", Value(name), *tensors, False, 0.1, 1e-5, False)

    def activation(self, name):
        return self.add("relu.default", Value(name))

    def adaptive_pooling(self, name):
        return self.add("adaptive_avg_pool2d.default", Value(name), self.pair(1, 4))

    def meeting(self, name):
        """An addition, a product or a concatenation with another map of the same size."""
        shape = self.nodes[name].shape
        others = [other for other in self.maps() if self.nodes[other].shape[1:] == shape[1:]]
        other = others[int(self.draw.integers(len(others)))]
        if self.nodes[other].shape != shape or self.draw.integers(3) == 0:
            return self.add("cat.default", [Value(other), Value(name)], 1)
        return self.add(
            str(self.draw.choice(["add.Tensor", "mul.Tensor"])), Value(name), Value(other)
        )

    def gate(self, name):
        """A product with a mean over the whole map, as in squeeze-and-excitation."""
        mean = self.add("mean.dim", Value(name), [2, 3], True)
        return self.add("mul.Tensor", Value(mean), Value(name))

    def channels_last(self, name):
        """A linear layer over the channels, as in ConvNeXt."""
        channels = self.nodes[name].shape[0]
        last = self.add("permute.default", Value(name), [0, 2, 3, 1])
        outputs = int(self.draw.integers(1, 4))
        linear = self.add("linear.default", Value(last), self.weight(outputs, channels))
        return self.add("permute.default", Value(linear), [0, 3, 1, 2])

    def shuffle(self, name):
        """Channels in another order, as in ShuffleNet."""
        channels, *sides = self.nodes[name].shape
        if channels % 2:
            return None
        grouped = self.add("view.default", Value(name), [-1, 2, channels // 2, *sides])
        swapped = self.add("transpose.int", Value(grouped), 1, 2)
        return self.add("reshape.default", Value(swapped), [-1, channels, *sides])

    def part(self, name):
        """Some of the channels."""
        return self.add("slice.Tensor", Value(name), 1, 0, 1)

    def padding(self, name):
        """What stands around a map: zeros, or its own units; or some of these cut off."""
        _, height, width = self.nodes[name].shape
        operator = str(
            self.draw.choice(["constant_pad_nd", "reflection_pad2d", "replication_pad2d"])
        )
        if min(height, width) < 3:
            return None
        around = [int(units) for units in self.draw.integers(-1, 3, 4)]
        filling = [0.5] if operator == "constant_pad_nd" else []  # a product with 0 sees nothing
        return self.add(f"{operator}.default", Value(name), around, *filling)

    def mirroring(self, name):
        """An operator of which each result is taken to depend on everything."""
        return self.add("flip.default", Value(name), [2])


COMMON = ["convolution"] * 4 + ["meeting"] * 4 + ["pooling"] * 2 + ["normalisation", "activation"]
RARE = ["adaptive_pooling", "gate", "channels_last", "shuffle", "part", "padding", "mirroring"]


def draw_network(seed, image_shape=None, kinds=(*COMMON, *RARE), count=9):
    """A network of some nodes, most of them in a row, in float64.

    Args:
        kinds: names of methods of Drawing.
        count: how many of them are tried.
    """
    drawing = Drawing(seed, image_shape or (2, *(6 + number for number in divmod(seed % 25, 5))))
    last = INPUT
    for _ in range(count):
        kind = str(drawing.draw.choice(kinds))
        places = [name for name in drawing.maps()[-3:] if min(drawing.nodes[name].shape) > 0]
        behind = (
            last if drawing.draw.integers(3) else places[int(drawing.draw.integers(len(places)))]
        )
        last = getattr(drawing, kind)(behind) or last
    mean = drawing.add("mean.dim", Value(last), [2, 3])
    width = drawing.nodes[mean].shape[0]
    output = drawing.add("linear.default", Value(mean), drawing.weight(CLASSES, width))
    weights = {name: (tuple(w.shape), "float64") for name, w in drawing.weights.items()}
    network = TracedNetwork({}, Graph(drawing.nodes, output, weights))
    network.load_state_dict(drawing.weights)
    return network.double().eval()


def changed_units(network):
    """By brute force, which units a pixel changes: of each map, bool (pixel y, x, unit y, x).

    Each pixel in turn becomes much brighter than all others: where weights are positive, no
    unit that sees it stays the same.
    """
    graph = network.graph
    channels, height, width = graph.image_shape
    random = torch.Generator().manual_seed(0)
    clean = torch.rand(channels, height, width, generator=random, dtype=torch.float64)
    images = clean.repeat(1 + height * width, 1, 1, 1)
    for pixel in range(height * width):
        images[1 + pixel].flatten(1)[:, pixel] += 1e3
    maps = Maps(graph)
    names = [name for name, axes in maps.axes.items() if axes is not None]
    changed = {}
    for name, values in Execution(graph, network).results(images, names).items():
        y, x = (axis + 1 for axis in maps.axes[name])
        others = [axis for axis in range(1, values.ndim) if axis not in (y, x)]
        units = ((values[1:] - values[0]).abs() > 1e-9 * values[0].abs()).permute(0, y, x, *others)
        changed[name] = units.flatten(3).any(3).view(height, width, *units.shape[1:3])
    return changed
