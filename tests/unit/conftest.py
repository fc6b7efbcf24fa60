"""Unit tests compute small things, and check every call against the types in its signature."""

import pytest
import torch
from jaxtyping import install_import_hook

# Before a test imports them: their functions are then checked at each call.
CHECKED = [
    "convprobe.store.outputs",
    "convprobe.store.checks",
    "convprobe.occlusion.sheets",
    "convprobe.filters.pages",
]  # parts of the library, as in convprobe.store
install_import_hook(CHECKED, "beartype.beartype")


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Two threads would only wait for each other."""
    torch.set_num_threads(1)
