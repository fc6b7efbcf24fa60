"""Versions of the libraries that compute: another one may give other numbers."""

import importlib.metadata
import platform
from collections.abc import Iterable

COMPUTING = ("torch", "numpy")


def computing() -> dict[str, str]:
    """Versions by name, without importing the libraries, which takes seconds."""
    return {"Python": platform.python_version(), **of(COMPUTING)}


def of(names: Iterable[str]) -> dict[str, str]:
    """Versions of installed libraries, by name."""
    return {name: importlib.metadata.version(name) for name in names}
