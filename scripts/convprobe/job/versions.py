"""Versions of the workflow and of the libraries that compute: others may give other numbers."""

import importlib.metadata
import platform
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[3]  # of the workflow's files, where the library isn't installed
COMPUTING = ("torch", "numpy")
# Those that read images and write results, or decide what is computed.
OTHERS = ("torchvision", "scipy", "pandas", "h5py", "pillow", "matplotlib", "snakemake")


def computing() -> dict[str, str]:
    """Versions by name, without importing the libraries, which takes seconds."""
    return {"Python": platform.python_version(), **of(COMPUTING)}


def recorded() -> dict[str, str]:
    """Versions by name of all that makes results, likewise."""
    return {"convprobe": own()} | computing() | of(OTHERS)


def of(names: Iterable[str]) -> dict[str, str]:
    """Versions of installed libraries, by name."""
    return {name: importlib.metadata.version(name) for name in names}


def own(root: Path = ROOT) -> str:
    """The workflow's version, as `1.0.0`; of a git checkout with its commit, as `1.0.0+97d2d6f`.

    Of a checkout whose files differ from the commit, as `1.0.0+97d2d6f.dirty`.

    Args:
        root: folder with the workflow's `pyproject.toml`; where there is none, the version is that
            of the installed library.
    """
    project = root / "pyproject.toml"
    if not project.is_file():
        return importlib.metadata.version("convprobe")
    version = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    return "+".join([version, *_commit(root)])


def _commit(root: Path) -> list[str]:
    """What git says of a checkout, or nothing where there is none."""
    if not (root / ".git").exists():  # git would describe a repository around it
        return []
    describe = ["git", "describe", "--always", "--exclude=*", "--dirty=.dirty", "--abbrev=7"]
    try:
        told = subprocess.run(describe, cwd=root, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [told.stdout.strip()]
