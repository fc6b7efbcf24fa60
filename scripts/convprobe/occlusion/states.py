"""Into which states can the window put the units of a feature map?

A unit sees a square of the image, its receptive field. Of the window it notices only the part that
lies within that square. Two positions of the window that hide the same part are one *state* of the
unit, and where the window misses the field, the unit is in its clean state.

A window and a field are squares, so that the two axes are alike: along each of them the window
hides one run of the field's pixels, and a state is a pair of such runs. Here is one axis, of 8
pixels, with a window of 3 and a unit that sees pixels 2 to 5:

    window centred at   0     1      2       3       4      5     6     7
    hides pixels        –     2     2–3     2–4     3–5    4–5    5     –
    state               0     1      2       3       4      5     6     0

These 6 states beside the clean one make 6 × 6 = 36 states of the unit; an image of 8×8 pixels has
64 positions of the window. The deeper a layer is, the larger are its fields and the more states its
units have, up to one per position.
"""

import functools

import numpy as np
from jaxtyping import Int

from convprobe.network.arithmetic import POOL

TILE = 16  # states along an axis of a tile: those in one change nearly the same channels
Unit = tuple[int, int]  # its row and column in the feature map


class UnitStates:
    """The units of a feature map, each with its states.

    The states of a unit are numbered from 1, tile by tile, so that those that hide nearly the same
    follow one another; 0 is the clean state.

    Attributes:
        side: of the image, in pixels.
        window: its side, in pixels.
        units: how many along an axis.
        size: side of their receptive fields, in pixels.
        stride: from the field of one unit to that of the next one, in pixels.
    """

    def __init__(self, side: int, window: int, units: int, size: int, stride: int) -> None:
        self.side = side
        self.window = window
        self.units = units
        self.size = size
        self.stride = stride
        # Of the units along an axis: the state at each position, and a position for each state.
        self._state = []
        self._position = []
        for unit in range(units):
            # As if the window missed every field once, at a position in front of all others: so the
            # clean state comes first and is numbered 0.
            hidden = np.append(0, self._hidden_run(unit))
            _, first, state = np.unique(hidden, return_index=True, return_inverse=True)
            self._state.append(state[1:])
            self._position.append(first[1:] - 1)

    def _hidden_run(self, unit: int) -> Int[np.ndarray, " position"]:
        """A number for the run of pixels that each position hides along an axis, 0 for none."""
        position = np.arange(self.side)
        half = self.window // 2
        first_pixel = unit * self.stride
        last_pixel = first_pixel + self.size - 1
        low = np.maximum(position - half, first_pixel)
        high = np.minimum(position + half, last_pixel)
        return np.where(low <= high, low * self.side + high + 1, 0)

    @classmethod
    def of_pixels(cls, side: int, window: int) -> "UnitStates":
        """Those of the image itself, whose units are its pixels."""
        return cls(side, window, units=side, size=1, stride=1)

    def convolved(self, kernel: int) -> "UnitStates":
        """Those of a convolution over this map, with stride 1 and without padding."""
        units = self.units - kernel + 1
        size = self.size + (kernel - 1) * self.stride
        return UnitStates(self.side, self.window, units, size, self.stride)

    def pooled(self) -> "UnitStates":
        """Those of this map after max pooling."""
        units = self.units // POOL
        size = self.size + (POOL - 1) * self.stride
        return UnitStates(self.side, self.window, units, size, self.stride * POOL)

    def places(self) -> list[Unit]:
        """All units, row by row."""
        return list(np.ndindex(self.units, self.units))

    def count(self, unit: Unit) -> int:
        """How many states a unit has, without the clean one."""
        rows, columns = self._counts(unit)
        return rows * columns

    def at(
        self, unit: Unit, row: Int[np.ndarray, " place"], column: Int[np.ndarray, " place"]
    ) -> Int[np.ndarray, " place"]:
        """The state of a unit with the window centred at each of some places."""
        y, x = unit
        numbers = _pair_numbers(*self._counts(unit))
        return numbers[self._state[y][row], self._state[x][column]]

    def positions(self, unit: Unit) -> tuple[Int[np.ndarray, " state"], Int[np.ndarray, " state"]]:
        """Row and column of a position of the window for each state 1, 2, … of a unit."""
        y, x = unit
        numbers = _pair_numbers(*self._counts(unit))[1:, 1:]
        by_number = np.argsort(numbers, axis=None)
        row, column = np.unravel_index(by_number, numbers.shape)
        return self._position[y][row], self._position[x][column]

    def tiles(self, unit: Unit) -> list[tuple[int, int]]:
        """The states of a unit, tile by tile: half-open ranges, counted from 0 for state 1."""
        rows, columns = self._counts(unit)
        ranges = []
        start = 0
        for top in _parts(rows):
            for left in _parts(columns):
                stop = start + top.size * left.size
                ranges.append((start, stop))
                start = stop
        return ranges

    def _counts(self, unit: Unit) -> tuple[int, int]:
        """How many states a unit has along each axis, without the clean one."""
        y, x = unit
        return len(self._position[y]), len(self._position[x])


@functools.cache
def _pair_numbers(rows: int, columns: int) -> Int[np.ndarray, "row column"]:
    """The number of each pair of states along the two axes; 0 where one of them is clean."""
    numbers = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    start = 1
    for top in _parts(rows):
        for left in _parts(columns):
            stop = start + top.size * left.size
            tile = np.arange(start, stop).reshape(top.size, left.size)
            numbers[np.ix_(top, left)] = tile
            start = stop
    return numbers


def _parts(count: int) -> list[Int[np.ndarray, " state"]]:
    """States 1 to `count` along an axis, cut into nearly equal parts of at most TILE."""
    parts = -(-count // TILE)
    return np.array_split(np.arange(1, count + 1), parts)
