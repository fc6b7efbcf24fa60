"""Exact occlusion maps for less work: what the window doesn't change is not computed again.

A unit of a feature map depends on the window only through the part of its receptive field that is
hidden. So a unit has few distinct *states* beside the clean one, far fewer than there are positions:
under a window of 3, the 12×12 field of a unit of the second layer has 14 × 14. Layer by layer, the
change of each distinct state goes through the next convolution once per tap that it feeds, and a
state of the next layer is the clean value plus a sum of at most kernel² of these products. Channels
that don't change, most of them in a trained network, are left out: 0 adds nothing.

Nothing is approximated: only the order of the additions differs from that of a plain forward pass.
"""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from convprobe.network.arithmetic import POOL
from convprobe.network.layers import as_input
from convprobe.network.matrix import product

TILE = 16  # states a side whose changed channels are found together: near ones change the same
DENSE = 0.7  # share of values that change from which leaving out channels doesn't pay
STEP = 32  # changed channels are filled up to a multiple: oneDNN prepares a kernel for each shape
CACHE = 8 * 2**20  # bytes of products at a time


class Level:
    """The units of a feature map, and the states that the window can put them into.

    A state is a pair of states along the two axes, which are alike. States are numbered from 1, tile
    by tile, so that near ones are neighbours; 0 is the clean state, where the window misses the field.

    Attributes:
        units: how many a side.
        size, stride: of their receptive fields, in pixels.
    """

    def __init__(self, units, size, stride, side, window):
        self.units, self.size, self.stride = units, size, stride
        position, start = np.arange(side), np.arange(units)[:, None] * stride
        low = np.maximum(position - window // 2, start)
        high = np.minimum(position + window // 2, start + size - 1)
        hidden = np.where(
            low <= high, low * side + high + 1, 0
        )  # a number for each part, 0 for none
        self._state, self._first = np.empty_like(hidden), []
        for unit, part in enumerate(hidden):
            _, first, numbers = np.unique(
                np.append(0, part), return_index=True, return_inverse=True
            )
            self._state[unit] = numbers[1:]
            self._first.append(first[1:] - 1)

    def convolved(self, kernel, side, window):
        """The level of a convolution's units, without padding."""
        return Level(
            self.units - kernel + 1,
            self.size + (kernel - 1) * self.stride,
            self.stride,
            side,
            window,
        )

    def pooled(self, side, window):
        """The level after max pooling."""
        size = self.size + (POOL - 1) * self.stride
        return Level(self.units // POOL, size, self.stride * POOL, side, window)

    def states(self, y, x):
        """How many states unit (y, x) has, without the clean one."""
        return len(self._first[y]) * len(self._first[x])

    def number(self, y, x, row, column):
        """The states of unit (y, x) with the window at some positions (row, column)."""
        numbers = _numbers(len(self._first[y]), len(self._first[x]))
        return numbers[self._state[y][row], self._state[x][column]]

    def positions(self, y, x):
        """A position (row, column) for each state 1, 2, … of unit (y, x)."""
        numbers = _numbers(len(self._first[y]), len(self._first[x]))[1:, 1:]
        row, column = np.unravel_index(np.argsort(numbers, axis=None), numbers.shape)
        return self._first[y][row], self._first[x][column]

    def tiles(self, y, x):
        """Half-open ranges of the states of unit (y, x), each a tile, counted from 0 for state 1."""
        sizes = [
            rows * columns
            for rows in _parts(len(self._first[y]))
            for columns in _parts(len(self._first[x]))
        ]
        ends = np.cumsum(sizes).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True))


def _parts(count):
    """Cut a number of states into nearly equal parts of at most TILE."""
    return [len(part) for part in np.array_split(np.arange(count), -(-count // TILE))]


@functools.cache
def _numbers(rows, columns):
    """Number of each pair of states, int64 (rows + 1, columns + 1), 0 where one of them is clean."""
    numbers, done = np.zeros((rows + 1, columns + 1), dtype=np.int64), 0
    for top in np.array_split(np.arange(1, rows + 1), -(-rows // TILE)):
        for left in np.array_split(np.arange(1, columns + 1), -(-columns // TILE)):
            tile = np.arange(done + 1, done + top.size * left.size + 1)
            numbers[np.ix_(top, left)] = tile.reshape(top.size, left.size)
            done += tile.size
    return numbers


class FirstLayer:
    """The first convolution with ReLU and pooling: few channels, so each state is computed from pixels."""

    def __init__(self, weight, bias, level, window):
        self.bias, self.level = bias, level
        outputs, channels, kernel, _ = weight.shape
        self.reach = kernel + POOL - 1  # side of the patch that a pooled unit sees
        shifted = torch.zeros(POOL, POOL, outputs, channels, self.reach, self.reach)
        for y, x in np.ndindex(POOL, POOL):
            shifted[y, x, :, :, y : y + kernel, x : x + kernel] = weight
        self.weight = shifted.flatten(3).flatten(0, 2).t().contiguous()
        # A row of units at a time: the pixels that are hidden in each state, and how many states each unit has.
        units = range(level.units)
        self.hidden = [torch.cat([self._hidden((y, x), window // 2) for x in units]) for y in units]
        self.counts = [[1 + level.states(y, x) for x in units] for y in units]

    def _hidden(self, place, half):
        """Which pixels of the patch are hidden: bool (state, 1, y, x), the clean state first."""
        rows, columns = (
            torch.from_numpy(abs(POOL * start + np.arange(self.reach) - position[:, None]) <= half)
            for start, position in zip(place, self.level.positions(*place), strict=True)
        )
        states = rows[:, :, None] & columns[:, None, :]
        return torch.cat([torch.zeros_like(states[:1]), states])[:, None]

    def __call__(self, image, grey):
        """The clean map float32 (channel, y, x), and the change of each unit's states (state, channel)."""
        patches = (
            image.unfold(1, self.reach, POOL).unfold(2, self.reach, POOL).permute(1, 2, 0, 3, 4)
        )
        clean, changes = torch.empty(len(self.bias), self.level.units, self.level.units), {}
        for y, (hidden, counts) in enumerate(zip(self.hidden, self.counts, strict=True)):
            patch = patches[y].repeat_interleave(torch.tensor(counts), dim=0)
            # The clean patch is a row of the same product, so that what doesn't change gives exactly 0.
            rows = product(torch.where(hidden, grey[:, None, None], patch).flatten(1), self.weight)
            values = rows.view(len(rows), POOL * POOL, -1).amax(1).add_(self.bias).relu_()
            for x, states in enumerate(values.split(counts)):
                clean[:, y, x], changes[y, x] = states[0], states[1:] - states[0]
        return clean, changes


@dataclass(frozen=True)
class Bag:
    """Where the products are that make up the states of one unit.

    Attributes:
        spans: (tap, input unit, row): from that row on, the products of the input's states.
        rows: how many products there are.
        indices, offsets: of embedding_bag; bag s adds up the products of state s, none for the clean one.
    """

    spans: list
    rows: int
    indices: torch.Tensor
    offsets: torch.Tensor

    @classmethod
    def of(cls, inputs, units, kernel, y, x):
        row, column = units.positions(y, x)
        spans, found, rows = [], [], 0
        for tap, (down, right) in enumerate(np.ndindex(kernel, kernel)):
            place = (y + down, x + right)
            number = inputs.number(*place, row, column)
            found.append(np.where(number > 0, number - 1 + rows, -1))
            spans.append((tap, place, rows))
            rows += inputs.states(*place)
        found = np.stack(found, axis=1)
        lengths = (found >= 0).sum(axis=1)
        indices, offsets = found[found >= 0], np.cumsum([0, 0, *lengths[:-1]])
        return cls(
            spans,
            rows,
            *(torch.from_numpy(values.astype(np.int32)) for values in (indices, offsets)),
        )


class Layer:
    """A later layer: a convolution, or fully connected, as a convolution over its whole input."""

    def __init__(self, weight, bias, inputs, side, window, dtype):
        """Lay out the layer.

        Args:
            weight: float32 (output channel, input channel, y, x).
            bias: float32 (output channel).
            inputs: the Level that it reads.
            dtype: of the products.
        """
        self.weight, self.bias, self.inputs, self.dtype = weight, bias, inputs, dtype
        kernel = weight.shape[-1]
        self.units = inputs.convolved(kernel, side, window)
        self.pooled = self.units.pooled(side, window)
        places = np.ndindex(self.units.units, self.units.units)
        self.bags = {place: Bag.of(inputs, self.units, kernel, *place) for place in places}
        self.fields = {
            place: self._field(place) for place in np.ndindex(self.pooled.units, self.pooled.units)
        }
        self.rows = max(bag.rows for bag in self.bags.values())
        width = max(64, CACHE // (self.rows * dtype.itemsize) // 64 * 64)
        self.blocks = [
            slice(start, min(start + width, len(bias))) for start in range(0, len(bias), width)
        ]
        taps = [weight[:, :, y, x].t().to(dtype) for y, x in np.ndindex(kernel, kernel)]
        self.taps = [[tap[:, block].contiguous() for block in self.blocks] for tap in taps]

    def _field(self, place):
        """The units that a pooled one covers, each with its states in the states of the pooled one."""
        position = self.pooled.positions(*place)
        corners = [
            (POOL * place[0] + down, POOL * place[1] + right)
            for down, right in np.ndindex(POOL, POOL)
        ]
        return [(unit, torch.from_numpy(self.units.number(*unit, *position))) for unit in corners]

    def __call__(self, clean, changes):
        """After ReLU and pooling: the clean map and the change of each unit's states, as FirstLayer's."""
        before, products = self._before(clean), self._products(changes)
        pooled, found = F.relu(F.max_pool2d(before[None], POOL)[0]), {}
        for place in np.ndindex(self.pooled.units, self.pooled.units):
            states = torch.empty(self.pooled.states(*place), len(self.bias))
            for number, block in enumerate(self.blocks):
                states[:, block] = self._largest(place, number, products, before)
            found[place] = states.relu_().sub_(pooled[:, *place])
        return pooled, found

    def preactivations(self, clean, changes):
        """Of a layer of one unit: float32 (state, channel), the clean state first."""
        before, products = self._before(clean), self._products(changes)
        return torch.cat(
            [self._states((0, 0), number, products, before) for number in range(len(self.blocks))],
            dim=1,
        )

    def _before(self, clean):
        """The clean values before ReLU, float32 (channel, y, x). For one image this is faster than conv2d."""
        columns = F.unfold(clean[None], self.weight.shape[-1])[0]
        values = torch.addmm(self.bias[:, None], self.weight.flatten(1), columns)
        return values.view(-1, self.units.units, self.units.units)

    def _largest(self, place, number, products, before):
        """One block of channels before ReLU, at its largest in a pooled unit's field: (state, channel)."""
        largest = None
        for unit, numbers in self.fields[place]:
            states = self._states(unit, number, products, before).index_select(0, numbers)
            largest = states if largest is None else torch.maximum(largest, states, out=largest)
        return largest

    def _states(self, place, number, products, before):
        """Of a unit, one block of channels before ReLU: float32 (state, channel), the clean state first."""
        bag, block = self.bags[place], self.blocks[number]
        rows = products(bag, [tap[number] for tap in self.taps])
        return (
            F.embedding_bag(bag.indices, rows, bag.offsets, mode="sum")
            .float()
            .add_(before[block, *place])
        )

    def _products(self, changes):
        """A function: the products of the changes that a unit's inputs have with the weights of its taps."""
        tiles = {
            place: list(_tiles(change, self.inputs.tiles(*place), self.dtype))
            for place, change in changes.items()
        }
        memory = torch.empty(
            self.rows * self.blocks[0].stop, dtype=self.dtype
        )  # the same for all units

        def products(bag, weights):
            width = weights[0].shape[1]
            rows = memory[: bag.rows * width].view(bag.rows, width)
            for tap, source, first in bag.spans:
                for start, stop, channels, values in tiles[source]:
                    weight = (
                        weights[tap] if channels is None else weights[tap].index_select(0, channels)
                    )
                    rows[first + start : first + stop] = product(values, weight)
            return rows

        return products


def _tiles(change, tiles, dtype):
    """Yield (first state, last state, channels, their changes) per tile: all that change and a few that don't.

    Channels are None for all of them.
    """
    sample = change[:: TILE // 2]  # to decide on, which needs no exactness
    if sample.count_nonzero() > DENSE * sample.numel():
        yield 0, len(change), None, change.to(dtype)
        return
    changed = change != 0
    for start, stop in tiles:
        changes = changed[start:stop].any(0)
        count = min((int(changes.sum()) // STEP + 1) * STEP, len(changes))
        channels = changes.sort(descending=True, stable=True).indices[:count]
        yield start, stop, channels, change[start:stop].index_select(1, channels).to(dtype)


def _parameters(network, side):
    """Weight (output, input, y, x) and bias of each convolution and of the first fully connected layer."""
    parameters = []
    for name in network.convolutions:
        convolution = network.get_submodule(name)
        parameters.append((convolution.weight.detach(), convolution.bias.detach()))
        side = (side - convolution.kernel_size[0] + 1) // POOL
    head = network.get_submodule(network.fully_connected[0])
    return [
        *parameters,
        (head.weight.detach().view(head.out_features, -1, side, side), head.bias.detach()),
    ]


class Incremental:
    """The occlusion maps of one network under one window."""

    def __init__(self, network, side, window, precision="fp32"):
        """Lay out what is the same for all images.

        Args:
            network: a network.Network in evaluation mode, on the CPU; its stages have stride 1, no padding,
                no batch normalisation and are pooled 2×2.
            side: of the images, in pixels.
            window: side in pixels, odd.
            precision: `fp32`, or `bf16`: the changes are multiplied in bfloat16 and added to clean
                values in float32. Probabilities of the published network with trained weights were off
                by at most 9e-7 and 3e-3 (5 images, 4 windows); a plain pass in bf16 is by 8e-3.
        """
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.network, self.side = network, side
        (weight, bias), *later = _parameters(network, side)
        level = (
            Level(side, 1, 1, side, window)
            .convolved(weight.shape[-1], side, window)
            .pooled(side, window)
        )
        self.first, self.layers = FirstLayer(weight, bias, level, window), []
        for weight, bias in later:
            self.layers.append(Layer(weight, bias, level, side, window, dtype))
            level = self.layers[-1].pooled
        self.head = self.layers.pop()
        self.tail = [network.get_submodule(name) for name in network.fully_connected[1:]]

    @torch.inference_mode()
    def __call__(self, image: np.ndarray, fill: int) -> tuple[np.ndarray, np.ndarray]:
        """Class probabilities with the window centred at every pixel, and without it.

        Args:
            image: uint8 (y, x, channel).
            fill: grey level, 0 to 255.

        Returns:
            float32 (y, x, class) and (class); equal, bit by bit, where the window changes nothing.
        """
        network = self.network
        pixels = (as_input(torch.from_numpy(image)[None])[0] - network.mean) / network.std
        grey = (
            torch.tensor(fill, dtype=torch.uint8).float().div_(255) - network.mean
        ) / network.std
        clean, changes = self.first(pixels, grey.flatten())
        for layer in self.layers:
            clean, changes = layer(clean, changes)
        hidden = self.head.preactivations(clean, changes)
        for linear in self.tail:
            hidden = linear(hidden.relu_())
        row, column = np.divmod(np.arange(self.side**2), self.side)
        states = torch.from_numpy(self.head.units.number(0, 0, row, column))
        probability = hidden.softmax(1)
        return probability[states].view(self.side, self.side, -1).numpy(), probability[0].numpy()
