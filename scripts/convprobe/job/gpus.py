"""A GPU of its own for each job on one machine.

Snakemake counts GPUs (`--resources gpu=2`) but doesn't tell a local job which one is its own. Each GPU has a lock
file, which the system releases when the process that holds it ends, in whatever way.
"""

import fcntl
import os
import tempfile
import time
from pathlib import Path

_held = []  # open lock files: closing one would release it


def claim(names, folder=None, wait=1.0):
    """Take a GPU that no other job has, for as long as this process lives; wait for one if all are taken.

    Args:
        names: of the GPUs, unique on this machine.
        folder: of the locks, the same for all jobs.
        wait: seconds between two looks.

    Returns:
        the place of the GPU in `names`.
    """
    folder = Path(folder or Path(tempfile.gettempdir()) / f"convprobe-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = False
    while True:
        for place, name in enumerate(names):
            lock = open(folder / f"{name}.lock", "a")  # noqa: SIM115 - held until the process ends
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
            else:
                _held.append(lock)
                return place
        if not told:
            print(f"all {len(names)} GPUs are taken: waiting for one", flush=True)
            told = True
        time.sleep(wait)
