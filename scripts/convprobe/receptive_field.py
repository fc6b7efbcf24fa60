"""What part of the image a unit of a feature map sees, by arithmetic.

Each stage of the network is a convolution without padding, stride 1, and 2×2 max pooling. Plain
Python, so that a Snakefile can use it. Source: Araujo, Norris & Sim 2019, Computing Receptive
Fields of Convolutional Neural Networks, equations 1 and 2.
"""

from typing import NamedTuple

from convprobe.errors import InputError

POOL = 2  # side and stride of every max pooling


class ReceptiveField(NamedTuple):
    """A square of `size` pixels a side; neighbouring units see squares `stride` pixels apart."""

    size: int
    stride: int

    def box(self, y, x):
        """Half-open box (top, left, bottom, right) in input pixels that unit (y, x) sees."""
        top, left = y * self.stride, x * self.stride
        return top, left, top + self.size, left + self.size


def of_pooled_maps(network):
    """The receptive field of a pooled unit, per layer.

    Args:
        network: the config's `network`, whose `conv` lists each convolution's `kernel`.

    Returns:
        dict of ReceptiveField by layer name, `conv1` first.
    """
    fields, size, stride = {}, 1, 1
    for number, conv in enumerate(network["conv"], start=1):
        size += (conv["kernel"] - 1) * stride + (POOL - 1) * stride
        stride *= POOL
        fields[f"conv{number}"] = ReceptiveField(size, stride)
    return fields


def pooled_sides(network, side):
    """Side of each layer's pooled map, for square images of `side` pixels.

    Returns:
        dict of int by layer name, `conv1` first.

    Raises:
        InputError: a layer shrinks the map below 1×1.
    """
    sides = {}
    for number, conv in enumerate(network["conv"], start=1):
        found, side = side, (side - conv["kernel"] + 1) // POOL
        if side < 1:
            raise InputError(
                f"network.conv[{number - 1}] is a {conv['kernel']}×{conv['kernel']} convolution and "
                f"{POOL}×{POOL} pooling, but its input is {found}×{found}: that leaves nothing. "
                "Expected fewer layers or smaller kernels"
            )
        sides[f"conv{number}"] = side
    return sides
