"""Several computations beside one another, each on some of PyTorch's threads.

Threads that share one wait for one another after every operator, which takes long where a network
is small.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


@contextlib.contextmanager
def shared_by(computations: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads, among which those of PyTorch are divided."""
    threads = torch.get_num_threads()
    of_each = max(threads // computations, 1)
    torch.set_num_threads(of_each)
    try:
        with ThreadPoolExecutor(
            computations, initializer=torch.set_num_threads, initargs=(of_each,)
        ) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)
