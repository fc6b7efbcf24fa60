"""The network of a config's `conv` and `fc`, as a graph."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from convprobe.errors import InputError
from convprobe.network.graph import INPUT, Graph, Node, Value, Weight

FLAT = "flat"  # name of the node that puts all maps into one row
NORM_EPSILON = 1e-5  # of nn.BatchNorm2d
NORM_MOMENTUM = 0.1
NORM_TENSORS = ("weight", "bias", "running_mean", "running_var")  # as batch_norm takes them


class Stage(NamedTuple):
    """A convolution of the config's `network.conv`, with the schema's defaults."""

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    pool: int = 2
    batch_norm: bool = False


def stages(network: Mapping[str, Any]) -> list[Stage]:
    """The stages of the config's `network`, the first one first."""
    return [Stage(**conv) for conv in network["conv"]]


def convolved_side(stage: Stage, side: int) -> int:
    """Side of a stage's map before pooling, for an input of that side; below 1 if none is left."""
    return (side + 2 * stage.padding - stage.kernel) // stage.stride + 1


def graph(
    network: Mapping[str, Any], image_size: tuple[int, int], classes: int, channels: int = 3
) -> Graph:
    """The graph of layers `conv1` … and `fc1` …

    Args:
        network: the config's `network`.
        image_size: height and width in pixels.
        classes: number of outputs.
        channels: of the images.

    Raises:
        InputError: a layer shrinks the map below 1×1.
    """
    built = _Builder(channels, image_size)
    for number, stage in enumerate(stages(network), start=1):
        built.add_stage(number, stage)
    built.add_flattening()
    widths = [*network["fc"], classes]
    for number, width in enumerate(widths, start=1):
        built.add_fully_connected(number, width, is_last=number == len(widths))
    return Graph(built.nodes, built.last.name, built.weights)


class _Builder:
    """A graph in the making.

    Attributes:
        last: the node that was added last.
    """

    def __init__(self, channels: int, image_size: tuple[int, int]) -> None:
        self.last = Node(INPUT, INPUT, shape=(channels, *image_size))
        self.nodes = {INPUT: self.last}
        self.weights: dict[str, tuple[tuple[int, ...], str]] = {}

    def add_stage(self, number: int, stage: Stage) -> None:
        """Add a convolution, batch normalisation if asked for, pooling and ReLU."""
        inputs, height, width = self.last.shape
        convolved = [convolved_side(stage, side) for side in (height, width)]
        pooled = [side // stage.pool for side in convolved]
        if min(pooled) < 1:
            raise InputError(
                f"network.conv[{number - 1}] is a {stage.kernel}×{stage.kernel} convolution and "
                f"{stage.pool}×{stage.pool} pooling, but its input is {width}×{height}: that "
                "leaves nothing. Expected fewer layers or smaller kernels"
            )
        name = f"conv{number}"
        shape = (stage.channels, *convolved)
        weight = self._weight(f"{name}.weight", stage.channels, inputs, stage.kernel, stage.kernel)
        bias = self._weight(f"{name}.bias", stage.channels)
        walk = ([stage.stride] * 2, [stage.padding] * 2)
        self._add(name, "conv2d.default", shape, weight, bias, *walk)
        if stage.batch_norm:
            norm = f"norm{number}"
            tensors = [self._weight(f"{norm}.{kind}", stage.channels) for kind in NORM_TENSORS]
            settings = (False, NORM_MOMENTUM, NORM_EPSILON, False)
            self._add(norm, "batch_norm.default", shape, *tensors, *settings)
        shape = (stage.channels, *pooled)
        # Pooling first gives the same maps, and leaves fewer values to ReLU.
        if stage.pool > 1:
            self._add(f"pool{number}", "max_pool2d.default", shape, [stage.pool] * 2)
        self._add(f"relu{number}", "relu.default", shape)

    def add_flattening(self) -> None:
        """Add what puts all maps into one row."""
        channels, height, width = self.last.shape
        self._add(FLAT, "flatten.using_ints", (channels * height * width,), 1)

    def add_fully_connected(self, number: int, width: int, *, is_last: bool) -> None:
        """Add a fully connected layer, with ReLU unless it is the last one."""
        (inputs,) = self.last.shape
        name = f"fc{number}"
        weight = self._weight(f"{name}.weight", width, inputs)
        bias = self._weight(f"{name}.bias", width)
        self._add(name, "linear.default", (width,), weight, bias)
        if not is_last:
            self._add(f"{name}-relu", "relu.default", (width,))

    def _weight(self, name: str, *shape: int) -> Weight:
        self.weights[name] = (shape, "float32")
        return Weight(name)

    def _add(self, name: str, operator: str, shape: tuple[int, ...], *arguments: Any) -> None:
        """Add a node that is given the last one's result and more."""
        given = (Value(self.last.name), *arguments)
        self.last = Node(name, f"aten.{operator}", given, {}, shape, layer=name)
        self.nodes[name] = self.last
