"""A GPU of its own for each job on one machine, or a share of one.

Snakemake counts GPUs (`--resources gpu=2`) but doesn't say to a local job which one is its own. So
each GPU has a lock file, which the system releases when the process that holds it ends, in whatever
way. Where more jobs may run at a time than there are GPUs, each has as many lock files as jobs.
"""

import contextlib
import fcntl
import math
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

JOBS = "CONVPROBE_GPU_JOBS"  # environment variable: how many jobs with a GPU may run at a time

_held: list[TextIO] = []  # open lock files: closing one would release it


def claim(names: Sequence[str], folder: Path | str | None = None, wait: float = 1.0) -> int:
    """Take the GPU that the fewest jobs have, for as long as this process lives.

    Where each is held by as many as may, wait for one to end.

    Args:
        names: of the GPUs, unique on this machine.
        folder: of the lock files, the same for all jobs of a user.
        wait: seconds between two attempts.

    Returns:
        the GPU's index in `names`.
    """
    folder = Path(folder or _default_folder())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    jobs_each = max(1, math.ceil(int(os.environ.get(JOBS, 1)) / len(names)))
    locks = [[folder / f"{name}-{number}.lock" for number in range(jobs_each)] for name in names]
    waiting = False
    while True:
        with _alone(folder):
            for index in sorted(range(len(names)), key=lambda index: _held_by_others(locks[index])):
                if any(map(_lock, locks[index])):
                    return index
        if not waiting:
            print(f"all {len(names)} GPUs are taken: waiting for one", flush=True)
            waiting = True
        time.sleep(wait)


def _default_folder() -> Path:
    return Path(tempfile.gettempdir(), f"convprobe-gpus-{os.getuid()}")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one job at a time counts and takes: two that count together take the same GPU."""
    with open(folder / "choosing.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _held_by_others(locks: Sequence[Path]) -> int:
    """How many of a GPU's locks are held; one alone need not be asked."""
    return sum(map(_is_held, locks)) if len(locks) > 1 else 0


def _is_held(path: Path) -> bool:
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


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
