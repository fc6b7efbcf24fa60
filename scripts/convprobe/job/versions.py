"""Versions of the libraries that compute: another one may give other numbers."""

import importlib.metadata
import platform
from collections.abc import Iterable

COMPUTING = ("torch", "numpy")
# Those that read images and write results, or decide what is computed.
OTHERS = ("torchvision", "scipy", "pandas", "h5py", "pillow", "matplotlib", "snakemake")


def computing() -> dict[str, str]:
    """Versions by name, without importing the libraries, which takes seconds."""
    return {"Python": platform.python_version(), **of(COMPUTING)}


def recorded() -> dict[str, str]:
    """Versions by name of all that makes results, likewise."""
    return computing() | of(OTHERS)


def of(names: Iterable[str]) -> dict[str, str]:
    """Versions of installed libraries, by name."""
    return {name: importlib.metadata.version(name) for name in names}
