"""A layer behind the first one, whichever way it is computed: what it reads and gives."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int
from torch import Tensor
from torch.nn import functional as F

from convprobe.network.arithmetic import POOL
from convprobe.network.matrix import product
from convprobe.occlusion.states import Unit, UnitStates


@dataclass(frozen=True)
class Activations:
    """A feature map of one image, and what the window changes in it.

    Attributes:
        clean: the map without a window.
        changes: for each unit, how its states 1, 2, … differ from the clean one.
    """

    clean: Float32[Tensor, "channel y x"]
    changes: dict[Unit, Float32[Tensor, "_state channel"]]


class LaterLayer(ABC):
    """A later layer: a convolution, or fully connected, as a convolution over its whole input.

    Attributes:
        units: the states of its units before pooling.
        pooled: the states of its units after pooling.
    """

    def __init__(
        self,
        weight: Float32[Tensor, "output input kernel kernel"],
        bias: Float32[Tensor, " output"],
        inputs: UnitStates,
    ) -> None:
        """Lay out the layer.

        Args:
            inputs: the states of the units that it reads.
        """
        self.weight = weight
        self.bias = bias
        self.inputs = inputs
        self.kernel = weight.shape[-1]
        self.units = inputs.convolved(self.kernel)
        self.pooled = self.units.pooled()

    @abstractmethod
    def __call__(self, read: Activations) -> Activations:
        """The map after ReLU and pooling."""

    @abstractmethod
    def preactivations(self, read: Activations) -> Float32[Tensor, "state output"]:
        """The values before ReLU of a layer of one unit, those of the clean state first."""

    def field(self, pooled: Unit) -> list[tuple[Unit, Int[Tensor, " _state"]]]:
        """The units that a pooled one covers, and the state of each in every state of that one."""
        places = self.pooled.positions(pooled)
        covered = []
        for down, right in np.ndindex(POOL, POOL):
            unit = (POOL * pooled[0] + down, POOL * pooled[1] + right)
            states = self.units.at(unit, places)
            covered.append((unit, torch.from_numpy(states)))
        return covered

    def clean_values(
        self, clean: Float32[Tensor, "input _ _"]
    ) -> Float32[Tensor, "output unit unit"]:
        """Before ReLU and without a window. For one image this is faster than conv2d."""
        columns = F.unfold(clean[None], self.kernel)[0]
        values = product(columns.t(), self.weight.flatten(1).t()) + self.bias
        return values.t().reshape(-1, self.units.units, self.units.units)


def pooled_map(
    values: Float32[Tensor, "channel _ _"],
) -> Float32[Tensor, "channel _ _"]:
    """A map after ReLU and pooling."""
    return F.relu(F.max_pool2d(values[None], POOL)[0])
