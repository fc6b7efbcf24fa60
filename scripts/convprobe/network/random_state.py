"""All that a network may draw from at random: the generators of PyTorch, Python and NumPy."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


def seed(number: int) -> None:
    """Begin all of them anew.

    Args:
        number: from 0 to 2**64 - 1.
    """
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number % 2**32)


@contextlib.contextmanager
def seeded(number: int) -> Iterator[None]:
    """Begin them anew, and afterwards go on as if nothing had been drawn."""
    of_python = random.getstate()
    of_numpy = np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            seed(number)
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
