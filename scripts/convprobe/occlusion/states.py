"""Into which states can the window put the units of a feature map?

A unit sees a square of the image, its receptive field. Of the window it notices only the part that
lies within that square. Two positions of the window that hide the same part are one *state* of the
unit, and where the window misses the field, the unit is in its clean state.

A window and a field are squares, so that the two axes are alike: along each of them the window
hides one run of the field's pixels, and a state is a pair of such runs. Here is one axis, of 8
pixels, with a window of 3 and a unit that sees pixels 2 to 5:

    window centred at   0     1      2       3       4      5     6     7
    hides pixels        –     2     2–3     2–4     3–5    4–5    5     –
    run                 0     1      2       3       4      5     6     0

These 6 runs make 6 × 6 = 36 states of the unit beside the clean one; an image of 8×8 pixels has 64
positions of the window. The deeper a layer is, the larger are its fields and the more states its
units have, up to one per position.

Several windows have many states in common: a window of 5 at the edge of the field hides what one of
3 hides there. Each is one state, whichever window makes it.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from convprobe.network.arithmetic import POOL

TILE = 16  # states along an axis of a tile: those in one change nearly the same channels
Unit = tuple[int, int]  # its row and column in the feature map


class Positions(NamedTuple):
    """Positions of windows.

    Attributes:
        window: which of the windows, counted from 0.
        row, column: of the pixel that it is centred at.
    """

    window: Int[np.ndarray, "*position"]
    row: Int[np.ndarray, "*position"]
    column: Int[np.ndarray, "*position"]


class Runs(NamedTuple):
    """The runs of pixels that windows hide along one axis of a unit's field, numbered from 1.

    Attributes:
        at: of each window and position the run that is hidden; 0 for none.
        own: of each window the runs that it hides, in order.
        first: of each window and run the first position at which it is hidden, if it ever is.
    """

    at: Int[np.ndarray, "window position"]
    own: tuple[tuple[int, ...], ...]
    first: Int[np.ndarray, "window run"]


class UnitStates:
    """The units of a feature map, each with its states.

    The states of a unit are numbered from 1, tile by tile, so that those that hide nearly the same
    follow one another; 0 is the clean state.

    Attributes:
        side: of the image, in pixels.
        windows: their sides, in pixels.
        units: how many along an axis.
        size: side of their receptive fields, in pixels.
        stride: from the field of one unit to that of the next one, in pixels.
    """

    def __init__(
        self, side: int, windows: Sequence[int], units: int, size: int, stride: int
    ) -> None:
        self.side = side
        self.windows = tuple(windows)
        self.units = units
        self.size = size
        self.stride = stride
        self._runs = [self._runs_of(unit) for unit in range(units)]

    def _runs_of(self, unit: int) -> Runs:
        """The runs of the units in one row, or in one column."""
        centre = np.arange(self.side)
        half = np.array(self.windows)[:, None] // 2
        first_pixel = unit * self.stride
        last_pixel = first_pixel + self.size - 1
        low = np.maximum(centre - half, first_pixel)
        high = np.minimum(centre + half, last_pixel)
        hidden = np.where(low <= high, low * self.side + high + 1, 0)
        # As if a window missed the field once more: so that no run, 0, is numbered 0 everywhere.
        _, number = np.unique(np.append(0, hidden), return_inverse=True)
        at = number[1:].reshape(hidden.shape)
        own = []
        first = np.zeros((len(at), 1 + at.max()), dtype=np.int64)
        for window, runs in enumerate(at):
            ever, position = np.unique(runs, return_index=True)
            first[window, ever] = position
            own.append(tuple(ever[ever > 0].tolist()))
        return Runs(at, tuple(own), first)

    def _numbers(self, unit: Unit) -> "Numbers":
        rows, columns = (self._runs[axis] for axis in unit)
        return _numbered(rows.own, columns.own)

    @classmethod
    def of_pixels(cls, side: int, windows: Sequence[int]) -> "UnitStates":
        """Those of the image itself, whose units are its pixels."""
        return cls(side, windows, units=side, size=1, stride=1)

    def convolved(self, kernel: int) -> "UnitStates":
        """Those of a convolution over this map, with stride 1 and without padding."""
        units = self.units - kernel + 1
        size = self.size + (kernel - 1) * self.stride
        return UnitStates(self.side, self.windows, units, size, self.stride)

    def pooled(self) -> "UnitStates":
        """Those of this map after max pooling."""
        units = self.units // POOL
        size = self.size + (POOL - 1) * self.stride
        return UnitStates(self.side, self.windows, units, size, self.stride * POOL)

    def all_units(self) -> list[Unit]:
        """All units, row by row."""
        return list(np.ndindex(self.units, self.units))

    def count(self, unit: Unit) -> int:
        """How many states a unit has, without the clean one."""
        return self._numbers(unit).bounds[-1]

    def total(self) -> int:
        """How many states all units have together, without the clean ones."""
        return sum(map(self.count, self.all_units()))

    def at(self, unit: Unit, positions: Positions) -> Int[np.ndarray, "*position"]:
        """The state of a unit with a window at each of some positions."""
        rows, columns = (self._runs[axis] for axis in unit)
        row = rows.at[positions.window, positions.row]
        column = columns.at[positions.window, positions.column]
        return self._numbers(unit).of_pair[row, column]

    def positions(self, unit: Unit) -> Positions:
        """A position of a window for each state 1, 2, … of a unit."""
        rows, columns = (self._runs[axis] for axis in unit)
        window, row, column = self._numbers(unit).made_by
        return Positions(window, rows.first[window, row], columns.first[window, column])

    def tiles(self, unit: Unit) -> list[tuple[int, int]]:
        """The states of a unit, tile by tile: half-open ranges, counted from 0 for state 1."""
        bounds = self._numbers(unit).bounds
        return [pair for pair in itertools.pairwise(bounds) if pair[0] < pair[1]]


class Numbers(NamedTuple):
    """The states of a unit.

    Attributes:
        of_pair: the state of each pair of runs, along the rows and along the columns.
        made_by: of each state 1, 2, … a window, and the two runs.
        bounds: how many states there are before each tile, and in all.
    """

    of_pair: Int[np.ndarray, "row_run column_run"]
    made_by: tuple[Int[np.ndarray, " state"], Int[np.ndarray, " state"], Int[np.ndarray, " state"]]
    bounds: list[int]


@functools.cache
def _numbered(
    own_rows: tuple[tuple[int, ...], ...], own_columns: tuple[tuple[int, ...], ...]
) -> Numbers:
    """Number the states of a unit.

    Args:
        own_rows, own_columns: of each window the runs that it hides.
    """
    of_pair = np.zeros([1 + max(map(max, own), default=0) for own in (own_rows, own_columns)], int)
    made_by = [np.zeros((3, 0), dtype=np.int64)]
    bounds = [0]
    for window, (rows, columns) in enumerate(zip(own_rows, own_columns, strict=True)):
        for top in _parts(rows):
            for left in _parts(columns):
                pairs = np.ix_(top, left)
                tile = of_pair[pairs]
                new = tile == 0  # else another window has made that state
                count = int(new.sum())
                tile[new] = bounds[-1] + np.arange(1, 1 + count)
                of_pair[pairs] = tile
                row, column = new.nonzero()
                made_by.append(np.stack([np.full(count, window), top[row], left[column]]))
                bounds.append(bounds[-1] + count)
    return Numbers(of_pair, tuple(np.concatenate(made_by, axis=1)), bounds)


def _parts(runs: tuple[int, ...]) -> list[Int[np.ndarray, " _run"]]:
    """Runs cut into nearly equal parts of at most TILE."""
    parts = math.ceil(len(runs) / TILE)
    return np.array_split(np.array(runs, dtype=np.int64), max(parts, 1))
