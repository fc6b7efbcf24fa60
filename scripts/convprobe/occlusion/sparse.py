"""A later layer by code of our own, which leaves out the zeros of every few states.

`sparse.cpp` multiplies, adds up, takes the largest and subtracts what is clean, panel by panel of
outputs, without leaving the cache. What is the same for all images is laid out for it here. It is
compiled for numbers in float32 and, for processors that multiply these, or matrices of them (AMX),
in bfloat16.
"""

import ctypes
import functools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, Int32, Int64
from torch import Tensor
from torch.nn import functional as F

from convprobe.errors import InputError
from convprobe.job import compiler, machine
from convprobe.occlusion.later_layers import Activations, LaterLayer, pooled_map
from convprobe.occlusion.states import Unit, UnitStates

SOURCE = Path(__file__).with_suffix(".cpp")
# Not -ffast-math: a number that isn't one must stay so.
OPTIONS = ("-O3", "-march=native", "-std=c++17")
OF_BF16 = ("-DBFLOAT16",)
OF_AMX = (*OF_BF16, "-DAMX")
# Without them there are too few registers, and PyTorch's products are faster.
INSTRUCTIONS = {"avx2", "fma"}
NUMBERS = {2: torch.bfloat16, 4: torch.float32}  # that the code multiplies, by their bytes

# What `compute` and `pack` take, in the order of sparse.cpp.
ADDRESS, NUMBER = ctypes.c_void_p, ctypes.c_int64
COMPUTE = (
    *(ADDRESS, ADDRESS, ADDRESS),  # changed, packed, starts
    *(ADDRESS, NUMBER, NUMBER, NUMBER, NUMBER),  # weights, inputs, panels, first, last
    *(NUMBER, ADDRESS, ADDRESS, ADDRESS),  # taps, tap, use_starts, uses
    *(ADDRESS, NUMBER, NUMBER, ADDRESS, ADDRESS),  # clean, cells, members, unit_ and cell_states
    *(
        ADDRESS,
        NUMBER,
        ADDRESS,
        NUMBER,
        ADDRESS,
    ),  # chosen, pools, memory, most_unit_states, results
)
PACK = (ADDRESS, NUMBER, NUMBER, NUMBER, NUMBER, ADDRESS, ADDRESS, ADDRESS)

Cell = list[tuple[Unit, Int[Tensor, " _state"]]]


@functools.cache
def library(*options: str) -> ctypes.CDLL | None:
    """The compiled code; None, and a line in the log, where it can't be used.

    Args:
        options: of the compiler, beside those that it always gets.
    """
    try:
        if not machine.has(INSTRUCTIONS):
            raise InputError("the processor isn't known to have AVX2")
        code = compiler.library(SOURCE, OPTIONS + options)
        for name in ("number", "panel", "rows", "together", "allowed", "pack"):
            getattr(code, name).restype = NUMBER
        if not code.allowed():
            raise InputError("the system doesn't let it use AMX")
        code.compute.argtypes = COMPUTE
        code.pack.argtypes = PACK
    except (InputError, AttributeError) as error:
        print(f"occlusion without {SOURCE.name}, which is faster: {error}", flush=True)
        return None
    return code


def fastest(precision: str) -> ctypes.CDLL | None:
    """The compiled code that is fastest here; None where none can be used."""
    if precision == "bf16":
        if machine.has(machine.AMX) and (code := library(*OF_AMX)):
            return code
        # On a processor with AMX float32 is faster than this one.
        if machine.has(machine.AVX512_BF16) and not machine.has(machine.AMX):
            return library(*OF_BF16)
    return library()


class SparseLayer(LaterLayer):
    """A later layer whose products leave out what doesn't change in any of a few states."""

    def __init__(
        self,
        weight: Float32[Tensor, "output input kernel kernel"],
        bias: Float32[Tensor, " output"],
        inputs: UnitStates,
        code: ctypes.CDLL,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Lay out the layer.

        Args:
            inputs: the states of the units that it reads.
            code: as `library` gives it.
            dtype: that weights and changes are rounded to, if the code's own numbers are wider.
        """
        super().__init__(weight, bias, inputs)
        self._dtype = dtype
        self._code = code
        self._multiplied = NUMBERS[code.number()]
        self._panel = code.panel()
        self._panels = math.ceil(len(bias) / self._panel)
        self._weights = self._in_panels(self._rounded(weight).permute(2, 3, 1, 0))
        if self._multiplied == torch.bfloat16:
            self._weights = self._weights[..., _interleaved(self._panel)].contiguous()
        if self.pooled.units:
            cells = [self.field(unit) for unit in self.pooled.all_units()]
        else:
            cells = [[((0, 0), torch.arange(1 + self.units.count((0, 0))))]]
        self._layout = Layout.of(cells, self.kernel, inputs, self.units, code.rows())

    def _rounded(self, values: Float32[Tensor, "..."]) -> Float[Tensor, "..."]:
        return values.to(self._dtype).to(self._multiplied)

    def _in_panels(
        self, values: Float[Tensor, "*other output"]
    ) -> Float[Tensor, "panel *other lane"]:
        """Values of all outputs, panel by panel; behind the last ones there are zeros."""
        missing = self._panels * self._panel - values.shape[-1]
        panels = F.pad(values, (0, missing)).unflatten(-1, (self._panels, self._panel))
        return panels.movedim(-2, 0).contiguous()

    def __call__(self, read: Activations) -> Activations:
        clean = self.clean_values(read.clean)
        counts = self._layout.cell_states.tolist()
        changes = self._results(read, clean, pools=True).split(counts)
        return Activations(
            pooled_map(clean), dict(zip(self.pooled.all_units(), changes, strict=True))
        )

    def preactivations(self, read: Activations) -> Float32[Tensor, "state output"]:
        return self._results(read, self.clean_values(read.clean), pools=False)

    def _results(
        self, read: Activations, clean: Float32[Tensor, "output unit unit"], pools: bool
    ) -> Float32[Tensor, "state output"]:
        """The results of all cells, one after the other.

        Args:
            clean: values before ReLU.
            pools: whether these are changes after ReLU and pooling, or sums.
        """
        layout = self._layout
        changes = self._packed(read)
        rows, columns = layout.order
        clean = self._in_panels(clean[:, rows, columns].t())
        states = int(layout.cell_states.sum())
        results = torch.empty(states, self._panels * self._panel)
        most = int(layout.unit_states.max())

        def compute(first: int, last: int) -> None:
            """The results in some panels of outputs."""
            memory = torch.empty(most + int(layout.cell_states.max()), self._panel)
            self._code.compute(
                *map(_address, changes),
                _address(self._weights), self.weight.shape[1], self._panels, first, last,
                self.kernel**2, _address(layout.taps), _address(layout.use_starts),
                _address(layout.uses), _address(clean[first:]), len(layout.cell_states),
                len(rows) // len(layout.cell_states), _address(layout.unit_states),
                _address(layout.cell_states), _address(layout.chosen), pools, _address(memory),
                most, _address(results),
            )  # fmt: skip

        self._by_threads(compute)
        return results[:, : len(self.bias)]

    def _by_threads(self, compute: Callable[[int, int], None]) -> None:
        """Give each of PyTorch's threads some of the panels.

        Args:
            compute: the panels from one to before another.
        """
        threads = min(torch.get_num_threads(), self._panels)
        bounds = [self._panels * thread // threads for thread in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(compute, bounds[:-1], bounds[1:]))

    def _packed(
        self, read: Activations
    ) -> tuple[Int32[Tensor, " input"], Float[Tensor, "input row"], Int64[Tensor, " start"]]:
        """The changes of all units that are read, of each group of states only what changes.

        Returns:
            the inputs that change in each group, their values, and where each group's begin.
        """
        rows = self._code.rows()
        inputs = self.weight.shape[1]
        groups = [math.ceil(len(change) / rows) for change in read.changes.values()]
        together = self._code.together()
        most = (sum(groups) + 1) * (inputs + together)  # those of a group are filled up
        changed = torch.empty(most, dtype=torch.int32)
        values = torch.empty(most, rows, dtype=self._multiplied)
        starts = torch.empty(sum(groups) + 1, dtype=torch.int64)
        place = group = 0
        for change, count in zip(map(self._rounded, read.changes.values()), groups, strict=True):
            assert change.stride(1) == 1, "the inputs of a state lie beside each other"
            place = self._code.pack(
                _address(change), len(change), inputs, change.stride(0),
                place, _address(changed), _address(values), _address(starts[group:]),
            )  # fmt: skip
            group += count
        return changed, values, starts


def _interleaved(panel: int) -> Int64[Tensor, " lane"]:
    """The order in which the code takes the weights of a panel in bfloat16."""
    return torch.arange(panel).view(-1, 2, 4, 4).transpose(1, 2).flatten()


@dataclass(frozen=True)
class Layout:
    """What `compute` in sparse.cpp adds up, where, and what it takes the largest of.

    Results are arranged in cells: a cell is a pooled unit with the units that it covers, or the
    only unit of a layer that isn't pooled.

    Attributes:
        order: row and column of each unit, those of a cell one after the other.
        taps: of each unit and tap: the first group of states of the unit that is read there, how
            many states it has, and where the uses of the first one begin in `use_starts`.
        use_starts: of each state that is read, where its uses begin; behind those of a tap where
            the last ones end.
        uses: the states of a unit that a product is added to.
        unit_states: of each unit how many states it has, with the clean one.
        cell_states: of each cell how many results it has.
        chosen: of each cell, and each of its units, that one's state in each state of the cell.
    """

    order: tuple[list[int], list[int]]
    taps: Int64[np.ndarray, "tap 3"]
    use_starts: Int64[np.ndarray, " start"]
    uses: Int32[np.ndarray, " use"]
    unit_states: Int64[np.ndarray, " unit"]
    cell_states: Int64[np.ndarray, " cell"]
    chosen: Int32[np.ndarray, " state"]

    @classmethod
    def of(
        cls, cells: list[Cell], kernel: int, inputs: UnitStates, units: UnitStates, rows: int
    ) -> "Layout":
        """Lay out a layer.

        Args:
            cells: of each, the units, and the state of each of them in every state of the cell.
            inputs: the states of the units that are read.
            units: the states of the units of all cells.
            rows: states in a group.
        """
        groups = [math.ceil(inputs.count(unit) / rows) for unit in inputs.all_units()]
        first_group = dict(zip(inputs.all_units(), np.cumsum([0, *groups]), strict=False))
        order = [unit for cell in cells for unit, _ in cell]
        taps = []
        starts = []
        uses = []
        begun = used = 0
        for unit in order:
            positions = units.positions(unit)
            for down, right in np.ndindex(kernel, kernel):
                read = (unit[0] + down, unit[1] + right)
                count = inputs.count(read)
                state = inputs.at(read, positions)
                taps.append((first_group[read], count, begun))
                ends = np.cumsum(np.bincount(state, minlength=count + 1))
                # First come the states in which the unit that is read is clean: no use of any.
                starts.append(used + ends - ends[0])
                uses.append(1 + np.argsort(state, kind="stable")[ends[0] :])
                begun += count + 1
                used += len(uses[-1])
        chosen = [states.numpy() for cell in cells for _, states in cell]
        return cls(
            tuple(map(list, zip(*order, strict=True))),
            np.array(taps, dtype=np.int64),
            np.concatenate(starts).astype(np.int64),
            np.concatenate(uses).astype(np.int32),
            np.array([1 + units.count(unit) for unit in order], dtype=np.int64),
            np.array([len(cell[0][1]) for cell in cells], dtype=np.int64),
            np.concatenate(chosen).astype(np.int32),
        )


def _address(array: Tensor | np.ndarray) -> int:
    """Where an array's first number lies, for compiled code; it must live until that has ended."""
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data_ptr()
