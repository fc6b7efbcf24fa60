"""What part of the image a unit of a feature map sees, by arithmetic.

Each stage of the network is a convolution, batch normalisation if asked for, ReLU and max pooling.
Plain Python, so that a Snakefile can use it.
Source: Araujo, Norris & Sim 2019, Computing Receptive Fields of Convolutional Neural Networks,
equations 1 and 2.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from convprobe.errors import InputError


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


class ReceptiveField(NamedTuple):
    """What the units of a pooled map see along one axis of the image; both axes are alike.

    Attributes:
        size: of what a unit sees, in pixels, padding included.
        stride: pixels between what neighbouring units see.
        start: the first pixel that the first unit sees; below 0 if that is padding.
        seen: for each unit the half-open interval of the image's pixels that it sees; shorter than
            `size` if the unit sees padding too.
    """

    size: int
    stride: int
    start: int
    seen: tuple[tuple[int, int], ...]


def of_pooled_maps(network: Mapping[str, Any], side: int) -> dict[str, ReceptiveField]:
    """The receptive fields of pooled units, by layer name, `conv1` first.

    Where pooling or a stride drops the last rows of a map, later padding replaces them and lies
    inside the image. So each layer's intervals are made of those of the layer before.

    Args:
        network: the config's `network`.
        side: of the square images, in pixels.

    Raises:
        InputError: a layer shrinks the map below 1×1.
    """
    fields = {}
    size = 1
    stride = 1
    start = 0
    seen = [(pixel, pixel + 1) for pixel in range(side)]
    sides = pooled_sides(network, side)
    for stage, (layer, units) in zip(stages(network), sides.items(), strict=True):
        start -= stage.padding * stride
        size += (stage.kernel - 1) * stride
        stride *= stage.stride
        size += (stage.pool - 1) * stride
        stride *= stage.pool
        seen = [_seen(stage, unit, seen) for unit in range(units)]
        fields[layer] = ReceptiveField(size, stride, start, tuple(seen))
    return fields


def _seen(stage: Stage, unit: int, inputs: list[tuple[int, int]]) -> tuple[int, int]:
    """The interval that a pooled unit sees, given that of each of the stage's input units."""
    first_unit = unit * stage.pool
    last_unit = first_unit + stage.pool - 1
    first = first_unit * stage.stride - stage.padding
    last = last_unit * stage.stride - stage.padding + stage.kernel - 1
    # Padding sees nothing.
    first = max(first, 0)
    last = min(last, len(inputs) - 1)
    return inputs[first][0], inputs[last][1]


def convolved_side(stage: Stage, side: int) -> int:
    """Side of a stage's map before pooling, for an input of that side; below 1 if none is left."""
    return (side + 2 * stage.padding - stage.kernel) // stage.stride + 1


def pooled_sides(network: Mapping[str, Any], side: int) -> dict[str, int]:
    """Side of each layer's pooled map, by layer name, for square images of `side` pixels.

    Raises:
        InputError: a layer shrinks the map below 1×1.
    """
    sides = {}
    for index, stage in enumerate(stages(network)):
        pooled = convolved_side(stage, side) // stage.pool
        if pooled < 1:
            raise InputError(
                f"network.conv[{index}] is a {stage.kernel}×{stage.kernel} convolution and "
                f"{stage.pool}×{stage.pool} pooling, but its input is {side}×{side}: that leaves "
                "nothing. Expected fewer layers or smaller kernels"
            )
        sides[f"conv{index + 1}"] = pooled
        side = pooled
    return sides


def split_name(filter_name: str) -> tuple[str, int]:
    """Layer and channel of a filter: `conv2/400` is ("conv2", 400)."""
    layer, channel = filter_name.split("/")
    return layer, int(channel)
