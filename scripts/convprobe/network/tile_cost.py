"""What a 3×3 convolution by tiles takes, see `winograd`.

Plain Python without torch: the estimate that is printed when Snakemake starts needs it.
"""

import math
from collections.abc import Iterable

KERNEL = 3
OUTPUTS = 4  # of a tile, along one axis
TILE = OUTPUTS + KERNEL - 1
# What a channel's way to one point and back takes, in multiply-adds of as much time: ten layers of
# 16 to 2048 channels on one core of an AMD EPYC (Zen 3), torch 2.15.
TRANSFORM = 100
# What a weight's way to the points takes in a step of training, where it changes: its values are
# made, read twice and given back for each batch, forward and backward, a third of which is counted
# here as of the sums. Seven layers of 64 to 2048 channels, 2 to 128 images, one core of an AMD EPYC
# (Zen 4), torch 2.15.
WEIGHT = 2000


def along(sides: Iterable[int]) -> int:
    """How many tiles lie along one axis of maps; the last one of each may be mostly empty."""
    return sum(math.ceil(side / OUTPUTS) for side in sides)


def of_tile(inputs: int, outputs: int) -> int:
    """The multiply-adds of a tile, and what takes as long, for so many channels."""
    return TILE**2 * (inputs * outputs + TRANSFORM * (inputs + outputs))


def pays(inputs: int, outputs: int, height: int, width: int, images: int) -> bool:
    """Whether the sums themselves take longer.

    Args:
        inputs, outputs: channels.
        height, width: of the convolved map.
        images: of the batch for which the weights' values are made.
    """
    sums = height * width * KERNEL**2 * inputs * outputs
    tiles = along([height]) * along([width])
    return images * tiles * of_tile(inputs, outputs) + WEIGHT * inputs * outputs < images * sums
