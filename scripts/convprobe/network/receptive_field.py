"""What part of the image a unit of a feature map sees, by arithmetic.

Each stage of the network is a convolution, which may be normalised, then ReLU and max pooling. Plain
Python, so that a Snakefile can use it. Source: Araujo, Norris & Sim 2019, Computing Receptive
Fields of Convolutional Neural Networks, equations 1 and 2.
"""

from typing import NamedTuple

from convprobe.errors import InputError


class Stage(NamedTuple):
    """A convolution of the config's `network.conv`, with the schema's defaults."""

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    pool: int = 2
    batch_norm: bool = False


def stages(network):
    """The stages of the config's `network`, first to last."""
    return [Stage(**conv) for conv in network["conv"]]


class ReceptiveField(NamedTuple):
    """What the units of a pooled map see along an axis of the image; both axes are alike.

    Attributes:
        size: of what a unit sees, in pixels, padding included.
        stride: pixels from what one unit sees to what the next one does.
        start: the first unit's first pixel; below 0 where that is padding.
        seen: half-open interval of the image's pixels, for each unit; less than `size` where it sees padding too.
    """

    size: int
    stride: int
    start: int
    seen: tuple[tuple[int, int], ...]


def of_pooled_maps(network: dict, side: int) -> dict[str, ReceptiveField]:
    """The receptive fields of pooled units, by layer name, `conv1` first.

    Padding stands at the end of the map that it pads. Where pooling or a stride dropped rows of an earlier map,
    that is before the end of the image: so each layer's intervals are made of those of the layer before.

    Args:
        network: the config's `network`.
        side: of the square images, in pixels.

    Raises:
        InputError: a layer shrinks the map below 1×1.
    """
    fields, size, stride, start = {}, 1, 1, 0
    seen = [(pixel, pixel + 1) for pixel in range(side)]
    for stage, (layer, units) in zip(
        stages(network), pooled_sides(network, side).items(), strict=True
    ):
        start -= stage.padding * stride
        size += (stage.kernel - 1) * stride
        stride *= stage.stride
        size += (stage.pool - 1) * stride
        stride *= stage.pool
        seen = [_seen(stage, unit, seen) for unit in range(units)]
        fields[layer] = ReceptiveField(size, stride, start, tuple(seen))
    return fields


def _seen(stage: Stage, unit: int, inputs: list[tuple[int, int]]) -> tuple[int, int]:
    """What a pooled unit sees, by what each unit of the stage's input does; padding sees nothing."""
    first = unit * stage.pool * stage.stride - stage.padding
    last = ((unit + 1) * stage.pool - 1) * stage.stride - stage.padding + stage.kernel - 1
    return inputs[max(first, 0)][0], inputs[min(last, len(inputs) - 1)][1]


def convolved_side(stage, side):
    """Side of a stage's map before pooling, for an input of `side` units; below 1 where nothing is left."""
    return (side + 2 * stage.padding - stage.kernel) // stage.stride + 1


def pooled_sides(network, side):
    """Side of each layer's pooled map, for square images of `side` pixels.

    Returns:
        dict of int by layer name, `conv1` first.

    Raises:
        InputError: a layer shrinks the map below 1×1.
    """
    sides = {}
    for number, stage in enumerate(stages(network), start=1):
        found, side = side, convolved_side(stage, side) // stage.pool
        if side < 1:
            raise InputError(
                f"network.conv[{number - 1}] is a {stage.kernel}×{stage.kernel} convolution and "
                f"{stage.pool}×{stage.pool} pooling, but its input is {found}×{found}: that leaves nothing. "
                "Expected fewer layers or smaller kernels"
            )
        sides[f"conv{number}"] = side
    return sides


def split_name(filter_name):
    """`conv2/400` as ("conv2", 400)."""
    layer, channel = filter_name.split("/")
    return layer, int(channel)
