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
    """A square of `size` pixels a side; neighbouring units see squares `stride` pixels apart.

    The first unit's begins at pixel `start`: below 0 where padding lets it leave the image.
    """

    size: int
    stride: int
    start: int

    def box(self, y, x):
        """Half-open box (top, left, bottom, right) in input pixels that unit (y, x) sees; it may leave the image."""
        top, left = y * self.stride + self.start, x * self.stride + self.start
        return top, left, top + self.size, left + self.size


def of_pooled_maps(network):
    """The receptive field of a pooled unit, per layer.

    Args:
        network: the config's `network`.

    Returns:
        dict of ReceptiveField by layer name, `conv1` first.
    """
    fields, size, stride, start = {}, 1, 1, 0
    for number, stage in enumerate(stages(network), start=1):
        start -= stage.padding * stride
        size += (stage.kernel - 1) * stride
        stride *= stage.stride
        size += (stage.pool - 1) * stride
        stride *= stage.pool
        fields[f"conv{number}"] = ReceptiveField(size, stride, start)
    return fields


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
