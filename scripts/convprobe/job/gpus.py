"""A GPU of its own for each job on one machine.

Snakemake counts GPUs (`--resources gpu=2`) but doesn't say to a local job which one is its own. So
each GPU has a lock file, which the system releases when the process that holds it ends, in whatever
way.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

_held: list[TextIO] = []  # open lock files: closing one would release it


def claim(names: Sequence[str], folder: Path | str | None = None, wait: float = 1.0) -> int:
    """Take a GPU that no other job has, for as long as this process lives; wait for one if need be.

    Args:
        names: of the GPUs, unique on this machine.
        folder: of the lock files, the same for all jobs of a user.
        wait: seconds between two attempts.

    Returns:
        the GPU's index in `names`.
    """
    folder = Path(folder or _default_folder())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = False
    while True:
        for index, name in enumerate(names):
            if _lock(folder / f"{name}.lock"):
                return index
        if not waiting:
            print(f"all {len(names)} GPUs are taken: waiting for one", flush=True)
            waiting = True
        time.sleep(wait)


def _default_folder() -> Path:
    return Path(tempfile.gettempdir(), f"convprobe-gpus-{os.getuid()}")


def _lock(path: Path) -> bool:
    """Lock a file until this process ends; False if another one holds it."""
    file = open(path, "a")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _held.append(file)
    return True
