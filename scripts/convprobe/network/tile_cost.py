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


def along(sides: Iterable[int]) -> int:
    """How many tiles lie along one axis of maps; the last one of each may be mostly empty."""
    return sum(math.ceil(side / OUTPUTS) for side in sides)


def of_tile(inputs: int, outputs: int) -> int:
    """The multiply-adds of a tile, and what takes as long, for so many channels."""
    return TILE**2 * (inputs * outputs + TRANSFORM * (inputs + outputs))


def pays(inputs: int, outputs: int, height: int, width: int) -> bool:
    """Whether the sums themselves take longer.

    Args:
        inputs, outputs: channels.
        height, width: of the convolved map.
    """
    sums = height * width * KERNEL**2 * inputs * outputs
    return along([height]) * along([width]) * of_tile(inputs, outputs) < sums
