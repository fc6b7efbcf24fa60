"""Unit tests compute small things, and hold every call against the types and shapes in signatures."""

import pytest
import torch
from jaxtyping import install_import_hook

# Before a test imports them: their functions are then checked at each call.
CHECKED = [  # parts of the library
    "convprobe.report.explorer",
    "convprobe.report.packing",
    "convprobe.report.page_script",
    "convprobe.report.sprites",
    "convprobe.report.tabs",
]
install_import_hook(CHECKED, "beartype.beartype")


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Two threads would only wait for each other."""
    torch.set_num_threads(1)
