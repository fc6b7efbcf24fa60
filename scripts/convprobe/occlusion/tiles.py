"""A later layer by products of matrices: tiles of states, without the channels that don't change.

It takes nothing but PyTorch, and computes in bfloat16 too; `sparse` is faster where it can be used.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, Int32
from torch import Tensor
from torch.nn import functional as F

from convprobe.network.matrix import product
from convprobe.occlusion.later_layers import Activations, LaterLayer, pooled_map
from convprobe.occlusion.states import TILE, Unit, UnitStates

DENSE = 0.7  # share of values that change, above which leaving out channels doesn't pay
STEP = 32  # channels are filled up to a multiple of it: oneDNN prepares a kernel for each shape
CACHE = 8 * 2**20  # bytes of products at a time
BLOCK_STEP = 64  # output channels that are computed together are a multiple of it


class TiledLayer(LaterLayer):
    """A later layer whose output channels are computed in blocks.

    So the products of one unit stay in the cache.
    """

    def __init__(
        self,
        weight: Float32[Tensor, "output input kernel kernel"],
        bias: Float32[Tensor, " output"],
        inputs: UnitStates,
        dtype: torch.dtype,
    ) -> None:
        """Lay out the layer.

        Args:
            inputs: the states of the units that it reads.
            dtype: of the products.
        """
        super().__init__(weight, bias, inputs)
        self.dtype = dtype
        self.sums = {
            unit: Sums.of(unit, self.kernel, inputs, self.units) for unit in self.units.all_units()
        }
        self.fields = {unit: self.field(unit) for unit in self.pooled.all_units()}
        self.most_products = max(sums.products for sums in self.sums.values())
        self.blocks = self._blocks()
        self.taps = []
        for y, x in np.ndindex(self.kernel, self.kernel):
            tap = weight[:, :, y, x].t().to(dtype)
            self.taps.append([tap[:, block].contiguous() for block in self.blocks])

    def _blocks(self) -> list[slice]:
        """The output channels in blocks, as many in each as CACHE holds the products of."""
        fitting = CACHE // (self.most_products * self.dtype.itemsize)
        width = max(BLOCK_STEP, fitting // BLOCK_STEP * BLOCK_STEP)
        outputs = len(self.bias)
        return [slice(start, min(start + width, outputs)) for start in range(0, outputs, width)]

    def __call__(self, read: Activations) -> Activations:
        image = Pass(self, read)
        clean = pooled_map(image.clean)
        changes = {}
        for unit in self.pooled.all_units():
            states = torch.empty(self.pooled.count(unit), len(self.bias))
            for number, block in enumerate(self.blocks):
                states[:, block] = image.largest(self.fields[unit], number)
            changes[unit] = states.relu_().sub_(clean[:, *unit])
        return Activations(clean, changes)

    def preactivations(self, read: Activations) -> Float32[Tensor, "state output"]:
        image = Pass(self, read)
        blocks = range(len(self.blocks))
        return torch.cat([image.values((0, 0), block) for block in blocks], dim=1)


class Pass:
    """One image on its way through a later layer: the values before ReLU.

    Attributes:
        clean: those without a window.
    """

    clean: Float32[Tensor, "output y x"]

    def __init__(self, layer: TiledLayer, read: Activations) -> None:
        self.clean = layer.clean_values(read.clean)
        self._layer = layer
        self._tiles = {}
        for unit, change in read.changes.items():
            ranges = layer.inputs.tiles(unit)
            self._tiles[unit] = list(_tiles(change, ranges, layer.dtype))
        # Of the products of one unit and block: the next ones overwrite them.
        widest = layer.blocks[0].stop
        self._memory = torch.empty(layer.most_products * widest, dtype=layer.dtype)

    def values(self, unit: Unit, block: int) -> Float32[Tensor, "state channel"]:
        """One block of channels in each state of a unit, the clean one first."""
        sums = self._layer.sums[unit]
        products = self._products(sums, block)
        changes = F.embedding_bag(sums.indices, products, sums.offsets, mode="sum")
        channels = self._layer.blocks[block]
        return changes.float().add_(self.clean[channels, *unit])

    def largest(
        self, field: list[tuple[Unit, Int[Tensor, " state"]]], block: int
    ) -> Float32[Tensor, "state channel"]:
        """One block of channels at its largest in the field of a pooled unit, in each state of it.

        Args:
            field: the units, and the state of each of them in every state of the pooled one.
        """
        largest = None
        for unit, states in field:
            values = self.values(unit, block).index_select(0, states)
            if largest is None:
                largest = values
            else:
                torch.maximum(largest, values, out=largest)
        return largest

    def _products(self, sums: "Sums", block: int) -> Float[Tensor, "product channel"]:
        """The products that make up the states of one unit."""
        taps = self._layer.taps
        width = taps[0][block].shape[1]
        products = self._memory[: sums.products * width].view(sums.products, width)
        for of_tap in sums.needed:
            weight = taps[of_tap.tap][block]
            for tile in self._tiles[of_tap.read]:
                start = of_tap.start + tile.start
                stop = start + len(tile.changes)
                chosen = weight
                if tile.channels is not None:
                    chosen = weight.index_select(0, tile.channels)
                products[start:stop] = product(tile.changes, chosen)
        return products


@dataclass(frozen=True)
class TapProducts:
    """Products that one tap of a unit needs: those of all states of the unit that it reads there.

    Attributes:
        tap: number of the weight, in row order of the kernel.
        read: the unit that is read.
        start: row of the product of its state 1; the others follow.
    """

    tap: int
    read: Unit
    start: int


@dataclass(frozen=True)
class Sums:
    """Which products add up to each state of one unit.

    Attributes:
        needed: what the products are.
        products: how many there are.
        indices: of the products of each state, one state after the other.
        offsets: where each state starts in them, as embedding_bag takes it. The clean state comes
            first and has none.
    """

    needed: list[TapProducts]
    products: int
    indices: Int32[Tensor, " index"]
    offsets: Int32[Tensor, " state"]

    @classmethod
    def of(cls, unit: Unit, kernel: int, inputs: UnitStates, units: UnitStates) -> "Sums":
        """Lay out the sums of a unit.

        Args:
            inputs: the states of the units that are read.
            units: the states of the units before pooling, one of which is `unit`.
        """
        places = units.positions(unit)
        needed = []
        rows_by_tap = []
        products = 0
        for tap, (down, right) in enumerate(np.ndindex(kernel, kernel)):
            read = (unit[0] + down, unit[1] + right)
            state = inputs.at(read, places)
            rows_by_tap.append(np.where(state > 0, products + state - 1, -1))
            needed.append(TapProducts(tap, read, products))
            products += inputs.count(read)
        rows = np.stack(rows_by_tap, axis=1)  # of each state; -1 where a unit that is read is clean
        lengths = (rows >= 0).sum(axis=1)
        indices = rows[rows >= 0].astype(np.int32)
        offsets = np.cumsum([0, 0, *lengths[:-1]]).astype(np.int32)
        return cls(needed, products, torch.from_numpy(indices), torch.from_numpy(offsets))


@dataclass(frozen=True)
class Tile:
    """Changes of some states of a unit that follow one another.

    Attributes:
        start: row of the first one, 0 for state 1.
        channels: which of the channels these are; None for all.
    """

    start: int
    channels: Int[Tensor, " channel"] | None
    changes: Float[Tensor, "state channel"]


def _tiles(
    change: Float32[Tensor, "state input"], ranges: list[tuple[int, int]], dtype: torch.dtype
) -> Iterator[Tile]:
    """Cut the changes of a unit into tiles, and leave out channels that don't change in a tile.

    Args:
        ranges: of the states in each tile.
        dtype: of the changes in the tiles.
    """
    sample = change[:: TILE // 2]  # enough, for the decision changes the speed alone
    if sample.count_nonzero() > DENSE * sample.numel():
        yield Tile(0, None, change.to(dtype))
        return
    differs = change != 0
    for start, stop in ranges:
        changed = differs[start:stop].any(0)
        # All channels that change, and a few that don't.
        count = min((int(changed.sum()) // STEP + 1) * STEP, len(changed))
        channels = changed.sort(descending=True, stable=True).indices[:count]
        changes = change[start:stop].index_select(1, channels)
        yield Tile(start, channels, changes.to(dtype))
