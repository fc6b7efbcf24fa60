"""Unit tests compute small things, and check every call by the types and shapes in signatures."""

import pytest
import torch
from jaxtyping import install_import_hook

# Before a test imports them: their functions are then checked at each call.
CHECKED = [
    "convprobe.errors",
    "convprobe.intervals",
    "convprobe.job",
    "convprobe.network",
    "convprobe.phrases",
    "convprobe.store",
    "convprobe.style",
    "convprobe.training",
    "convprobe.verdicts",
]
install_import_hook(CHECKED, "typechecker.check")


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Two threads would only wait for each other."""
    torch.set_num_threads(1)
