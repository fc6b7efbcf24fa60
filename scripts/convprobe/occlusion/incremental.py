"""Exact occlusion maps for less work: what the window doesn't change is not computed again.

Seen from a unit of a feature map, many positions of the window are the same: they put it into the
same *state* (see states.py). So each layer is computed once for each state of its units, and not
once for each position of the window. And it is computed from what the window *changes*: a
convolution is a sum of products, one for each unit that it reads and the weight there (a *tap*), so

    value in a state = clean value + sum over taps of weight × change of the unit that is read there

As an example, take an image of 8 pixels in a line, and a window of 3. The first layer has a kernel
of 1 and is pooled by 2: its unit 0 sees pixels 0 and 1, its unit 1 sees pixels 2 and 3, and so on.
These are the states into which the window can put them:

    unit 0    hides 0–1    hides 1
    unit 1    hides 2      hides 2–3    hides 3

The second layer has a kernel of 2. Its unit 0 reads these two with the weights v and w, and sees
pixels 0 to 3. In each of its own states the units that it reads are in one of theirs:

    hides     change of the sum
    0–1       v × (unit 0, 0–1)
    0–2       v × (unit 0, 0–1)  +  w × (unit 1, 2)
    1–3       v × (unit 0, 1)    +  w × (unit 1, 2–3)
    2–3                             w × (unit 1, 2–3)
    3                               w × (unit 1, 3)

These are five products, each computed once and added up wherever it is needed; a forward pass at
each of the 8 positions computes 16. In two dimensions both numbers are squared: 25 and 256. The sum
is added to the clean value, ReLU and pooling follow, and what then differs from the clean map is
what the third layer reads.

Channels that don't change, most of them in a trained network, would add 0: the products leave them
out. Nothing is approximated: only the order of the additions differs from that of a plain forward
pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Int32, UInt8
from torch import Tensor
from torch.nn import functional as F

from convprobe.network.arithmetic import POOL, centres
from convprobe.network.layers import Network, as_input
from convprobe.network.matrix import product
from convprobe.occlusion.states import TILE, Unit, UnitStates

DENSE = 0.7  # share of values that change, above which leaving out channels doesn't pay
STEP = 32  # channels are filled up to a multiple of it: oneDNN prepares a kernel for each shape
CACHE = 8 * 2**20  # bytes of products at a time
BLOCK_STEP = 64  # output channels that are computed together are a multiple of it


@dataclass(frozen=True)
class Activations:
    """A feature map of one image, and what the window changes in it.

    Attributes:
        clean: the map without a window.
        changes: for each unit, how its states 1, 2, … differ from the clean one.
    """

    clean: Float32[Tensor, "channel y x"]
    changes: dict[Unit, Float32[Tensor, "_state channel"]]


class Incremental:
    """The occlusion maps of one network under one window."""

    def __init__(
        self,
        network: Network,
        side: int,
        window: int,
        precision: str = "fp32",
        stride: int = 1,
    ) -> None:
        """Lay out what is the same for all images.

        Args:
            network: in evaluation mode, on the CPU; its stages have stride 1, no padding and no
                batch normalisation, and are pooled 2×2.
            side: of the images, in pixels.
            window: side in pixels, odd.
            precision: `fp32`, or `bf16`: the changes are multiplied in bfloat16 and added to clean
                values in float32. Probabilities of the published network with trained weights were
                off by at most 9e-7 and 3e-3 (5 images, 4 windows); those of a plain pass in bf16
                by 8e-3.
            stride: from one position to the next, in pixels; all states are computed nevertheless.
        """
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.network = network
        self.centres = np.array(centres(side, stride))
        (weight, bias), *later = _parameters(network, side)
        states = UnitStates.of_pixels(side, window).convolved(weight.shape[-1]).pooled()
        self.first = FirstLayer(weight, bias, states)
        self.layers = []
        for weight, bias in later:
            layer = LaterLayer(weight, bias, states, dtype)
            self.layers.append(layer)
            states = layer.pooled
        # The first fully connected layer is one unit that sees the whole image. After it each
        # state goes its own way.
        self.head = self.layers.pop()
        self.tail = [network.get_submodule(name) for name in network.fully_connected[1:]]

    @torch.inference_mode()
    def __call__(
        self, image: UInt8[np.ndarray, "y x channel"], fill: int
    ) -> tuple[Float32[np.ndarray, "row column class"], Float32[np.ndarray, " class"]]:
        """Class probabilities with the window centred at every pixel, and without it.

        Both are equal, bit by bit, where the window changes nothing.

        Args:
            fill: grey level of the window, 0 to 255.
        """
        pixels = as_input(torch.from_numpy(image)[None])[0]
        grey = torch.tensor(fill, dtype=torch.uint8).float().div_(255)
        activations = self.first(self._normalised(pixels), self._normalised(grey).flatten())
        for layer in self.layers:
            activations = layer(activations)
        hidden = self.head.preactivations(activations)
        for linear in self.tail:
            hidden = linear(hidden.relu_())
        probability = hidden.softmax(1)
        count = len(self.centres)
        maps = probability[self._state_by_position()].view(count, count, -1)
        return maps.numpy(), probability[0].numpy()

    def _normalised(self, pixels: Float32[Tensor, "..."]) -> Float32[Tensor, "channel y x"]:
        return (pixels - self.network.mean) / self.network.std

    def _state_by_position(self) -> Int[Tensor, " position"]:
        """The state of the whole image with the window at each position, in row order."""
        row, column = np.divmod(np.arange(len(self.centres) ** 2), len(self.centres))
        row, column = self.centres[row], self.centres[column]
        return torch.from_numpy(self.head.units.at((0, 0), row, column))


class FirstLayer:
    """The first convolution with ReLU and pooling.

    It reads few channels, so each state is computed from the pixels. A pooled unit sees a patch of
    the image; the convolution at the POOL² places in it is one product with the patch's pixels.
    """

    def __init__(
        self,
        weight: Float32[Tensor, "output input kernel kernel"],
        bias: Float32[Tensor, " output"],
        states: UnitStates,
    ) -> None:
        """Lay out the layer.

        Args:
            states: of its pooled units.
        """
        self.bias = bias
        self.states = states
        outputs, inputs, kernel, _ = weight.shape
        self.reach = kernel + POOL - 1  # side of the patch
        shifted = torch.zeros(POOL, POOL, outputs, inputs, self.reach, self.reach)
        for y, x in np.ndindex(POOL, POOL):
            shifted[y, x, :, :, y : y + kernel, x : x + kernel] = weight
        self.weight = shifted.flatten(3).flatten(0, 2).t().contiguous()
        # The units of one row are computed together, each in its clean state and all others.
        self.hidden = []
        self.counts = []
        for y in range(states.units):
            row = [(y, x) for x in range(states.units)]
            self.hidden.append(torch.cat([self._hidden(unit) for unit in row]))
            self.counts.append([1 + states.count(unit) for unit in row])

    def _hidden(self, unit: Unit) -> Bool[Tensor, "state 1 y x"]:
        """Which pixels of a unit's patch are hidden; none in the clean state, which comes first."""
        y, x = unit
        row, column = self.states.positions(unit)
        hidden_rows = self._hidden_along_axis(y, row)
        hidden_columns = self._hidden_along_axis(x, column)
        hidden = hidden_rows[:, :, None] & hidden_columns[:, None, :]
        nothing = torch.zeros_like(hidden[:1])
        return torch.cat([nothing, hidden])[:, None]

    def _hidden_along_axis(
        self, unit: int, position: Int[np.ndarray, " state"]
    ) -> Bool[Tensor, "state pixel"]:
        pixels = POOL * unit + np.arange(self.reach)
        distance = abs(pixels - position[:, None])
        return torch.from_numpy(distance <= self.states.window // 2)

    def __call__(
        self, image: Float32[Tensor, "channel y x"], grey: Float32[Tensor, " channel"]
    ) -> Activations:
        """The map of a normalised image that is covered with a normalised grey."""
        rows = image.unfold(1, self.reach, POOL)
        patches = rows.unfold(2, self.reach, POOL).permute(1, 2, 0, 3, 4)
        clean = torch.empty(len(self.bias), self.states.units, self.states.units)
        changes = {}
        for y, counts in enumerate(self.counts):
            patch = patches[y].repeat_interleave(torch.tensor(counts), dim=0)
            covered = torch.where(self.hidden[y], grey[:, None, None], patch)
            values = self._values(covered)
            # Clean values are rows of the same product: what doesn't change differs by exactly 0.
            for x, states in enumerate(values.split(counts)):
                clean[:, y, x] = states[0]
                changes[y, x] = states[1:] - states[0]
        return Activations(clean, changes)

    def _values(
        self, patches: Float32[Tensor, "patch channel y x"]
    ) -> Float32[Tensor, "patch output"]:
        sums = product(patches.flatten(1), self.weight)
        largest = sums.view(len(patches), POOL * POOL, -1).amax(1)
        return largest.add_(self.bias).relu_()


class LaterLayer:
    """A later layer: a convolution, or fully connected, as a convolution over its whole input.

    Its output channels are computed in blocks, so that the products of one unit stay in the cache.

    Attributes:
        units: the states of its units before pooling.
        pooled: the states of its units after pooling.
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
        self.weight = weight
        self.bias = bias
        self.inputs = inputs
        self.dtype = dtype
        kernel = weight.shape[-1]
        self.units = inputs.convolved(kernel)
        self.pooled = self.units.pooled()
        self.sums = {
            unit: Sums.of(unit, kernel, inputs, self.units) for unit in self.units.places()
        }
        self.fields = {unit: self._field(unit) for unit in self.pooled.places()}
        self.most_products = max(sums.products for sums in self.sums.values())
        self.blocks = self._blocks()
        self.taps = []
        for y, x in np.ndindex(kernel, kernel):
            tap = weight[:, :, y, x].t().to(dtype)
            self.taps.append([tap[:, block].contiguous() for block in self.blocks])

    def _blocks(self) -> list[slice]:
        """The output channels in blocks, as many in each as CACHE holds the products of."""
        fitting = CACHE // (self.most_products * self.dtype.itemsize)
        width = max(BLOCK_STEP, fitting // BLOCK_STEP * BLOCK_STEP)
        outputs = len(self.bias)
        return [slice(start, min(start + width, outputs)) for start in range(0, outputs, width)]

    def _field(self, pooled: Unit) -> list[tuple[Unit, Int[Tensor, " _state"]]]:
        """The units that a pooled one covers, and the state of each in every state of that one."""
        row, column = self.pooled.positions(pooled)
        covered = []
        for down, right in np.ndindex(POOL, POOL):
            unit = (POOL * pooled[0] + down, POOL * pooled[1] + right)
            states = self.units.at(unit, row, column)
            covered.append((unit, torch.from_numpy(states)))
        return covered

    def __call__(self, read: Activations) -> Activations:
        """The map after ReLU and pooling."""
        image = Pass(self, read)
        clean = F.relu(F.max_pool2d(image.clean[None], POOL)[0])
        changes = {}
        for unit in self.pooled.places():
            states = torch.empty(self.pooled.count(unit), len(self.bias))
            for number, block in enumerate(self.blocks):
                states[:, block] = image.largest(self.fields[unit], number)
            changes[unit] = states.relu_().sub_(clean[:, *unit])
        return Activations(clean, changes)

    def preactivations(self, read: Activations) -> Float32[Tensor, "state output"]:
        """The values before ReLU of a layer of one unit, those of the clean state first."""
        image = Pass(self, read)
        blocks = range(len(self.blocks))
        return torch.cat([image.values((0, 0), block) for block in blocks], dim=1)


class Pass:
    """One image on its way through a later layer: the values before ReLU.

    Attributes:
        clean: those without a window.
    """

    clean: Float32[Tensor, "output y x"]

    def __init__(self, layer: LaterLayer, read: Activations) -> None:
        self.clean = _clean_values(layer, read.clean)
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
        for span in sums.spans:
            weight = taps[span.tap][block]
            for tile in self._tiles[span.read]:
                start = span.start + tile.start
                stop = start + len(tile.changes)
                chosen = weight
                if tile.channels is not None:
                    chosen = weight.index_select(0, tile.channels)
                products[start:stop] = product(tile.changes, chosen)
        return products


def _clean_values(
    layer: LaterLayer, clean: Float32[Tensor, "input _ _"]
) -> Float32[Tensor, "output y x"]:
    """Before ReLU and without a window. For one image this is faster than conv2d."""
    columns = F.unfold(clean[None], layer.weight.shape[-1])[0]
    values = torch.addmm(layer.bias[:, None], layer.weight.flatten(1), columns)
    return values.view(-1, layer.units.units, layer.units.units)


@dataclass(frozen=True)
class Span:
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
        spans: what the products are.
        products: how many there are.
        indices: of the products of each state, one state after the other.
        offsets: where each state starts in them, as embedding_bag takes it. The clean state comes
            first and has none.
    """

    spans: list[Span]
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
        row, column = units.positions(unit)
        spans = []
        rows_by_tap = []
        products = 0
        for tap, (down, right) in enumerate(np.ndindex(kernel, kernel)):
            read = (unit[0] + down, unit[1] + right)
            state = inputs.at(read, row, column)
            rows_by_tap.append(np.where(state > 0, products + state - 1, -1))
            spans.append(Span(tap, read, products))
            products += inputs.count(read)
        rows = np.stack(rows_by_tap, axis=1)  # of each state; -1 where a unit that is read is clean
        lengths = (rows >= 0).sum(axis=1)
        indices = rows[rows >= 0].astype(np.int32)
        offsets = np.cumsum([0, 0, *lengths[:-1]]).astype(np.int32)
        return cls(spans, products, torch.from_numpy(indices), torch.from_numpy(offsets))


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


Parameters = tuple[Float32[Tensor, "output input y x"], Float32[Tensor, " output"]]


def _parameters(network: Network, side: int) -> list[Parameters]:
    """Weight and bias of each convolution and of the first fully connected layer, as one."""
    parameters = []
    for name in network.convolutions:
        convolution = network.get_submodule(name)
        parameters.append((convolution.weight.detach(), convolution.bias.detach()))
        side = (side - convolution.kernel_size[0] + 1) // POOL
    head = network.get_submodule(network.fully_connected[0])
    weight = head.weight.detach().view(head.out_features, -1, side, side)
    parameters.append((weight, head.bias.detach()))
    return parameters
