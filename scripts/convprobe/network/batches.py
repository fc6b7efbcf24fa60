"""How images are cut into batches, and what happens when one doesn't fit into the memory."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch

from convprobe.errors import InputError, is_out_of_memory, short_reason
from convprobe.job.runtime import IDLE, Job
from convprobe.network.graph import Graph

LARGEST_MAPS = 2**26  # numbers in one result of a node, of all images of a batch together

Rows = TypeVar("Rows")  # an array, a tensor or a range: it has a length and can be sliced
Result = TypeVar("Result")


def fitting(graph: Graph, largest: int) -> int:
    """How many images to compute at a time: fewer where a network has large maps.

    Args:
        largest: at most so many.
    """
    shapes = [node.shape for node in graph.nodes.values() if node.shape is not None]
    numbers = max(math.prod(shape) for shape in shapes)
    return max(1, min(largest, LARGEST_MAPS // numbers))


def in_batches(
    compute: Callable[[Rows], Result], rows: Rows, size: int, unit: str, job: Job = IDLE
) -> Iterator[Result]:
    """Yield what is computed of rows, batch by batch, with progress.

    A batch that doesn't fit into the memory is halved, and all later ones are as small.

    Args:
        compute: a function of a batch whose result doesn't depend on how the rows are cut.
        size: of a batch, at most.
        unit: what the rows are, in the plural.

    Raises:
        InputError: not even a single row fits into the memory.
    """
    pairs = computed(compute, rows, _even_size(len(rows), size))
    for _, result in job.progress(pairs, len(rows), unit, _length):
        yield result


def _even_size(count: int, largest: int) -> int:
    """The size of batches that are all about as large.

    PyTorch rounds sums of a small last batch differently from those of a large one, and two equal
    images would get unequal results.
    """
    batches = max(1, math.ceil(count / largest))
    return math.ceil(count / batches)


def computed(
    compute: Callable[[Rows], Result], rows: Rows, size: int
) -> Iterator[tuple[Rows, Result]]:
    """Yield each batch and its result; args and errors as for `in_batches`."""
    while len(rows):
        of_first = functools.partial(_of_first, compute, rows)
        result, size = halving(of_first, min(size, len(rows)))
        yield rows[:size], result
        rows = rows[size:]


def _of_first(compute: Callable[[Rows], Result], rows: Rows, count: int) -> Result:
    return compute(rows[:count])


def _length(pair: tuple[Any, Any]) -> int:
    batch, _ = pair
    return len(batch)


def halving(compute: Callable[[int], Result], size: int) -> tuple[Result, int]:
    """Compute at a given size, or at half of it as often as memory runs out.

    Returns:
        the result, and the size at which it fitted.

    Raises:
        InputError: not even size 1 fits.
    """
    while True:
        try:
            return compute(size), size
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            reason = short_reason(error)
        # Outside the handler: the error keeps the memory of what failed.
        if size == 1:
            raise InputError(
                f"not even one at a time fits into the memory ({reason}): expected more of it"
            )
        print(f"out of memory with {size} at a time: going on with {size // 2}", flush=True)
        size //= 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
