"""The versions of what computes: another one may give other numbers."""

import importlib.metadata
import platform

COMPUTING = ("torch", "numpy")


def computing() -> dict[str, str]:
    """Versions by name, without an import of the libraries, which takes seconds."""
    return {"Python": platform.python_version()} | of(COMPUTING)


def of(names: tuple[str, ...]) -> dict[str, str]:
    """Versions of installed libraries."""
    return {name: importlib.metadata.version(name) for name in names}
