"""Results made ahead of the jobs that will ask for them.

A process that computes takes seconds to start, and so does an epoch of a small network, or of a large one
on a GPU. So a job goes on to what the next jobs of its rule will be asked for, as long as that is quick, and
puts it on a shelf, a hidden folder beside the results. A job whose results lie there takes them in place of
computing. They lie under a digest of all that they are made from: nothing is taken that the job itself
would not have made, and what a killed job has put there is not lost.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import psutil

from convprobe.job import versions
from convprobe.store import files

FOLDER = ".ahead"
STARTS = 4  # a result is quick that takes at most so many times what its process took to start


@contextlib.contextmanager
def shelf(results, params, inputs):
    """Yield the Shelf of a rule and run; one job at a time has it, others wait for it.

    Args:
        results: folder of the rule's results.
        params: settings and digests of code, plain values.
        inputs: paths of the files that all its results are made from.
    """
    results = Path(results)
    results.mkdir(parents=True, exist_ok=True)
    folder = os.open(results, os.O_RDONLY)
    try:
        # Some clusters' file systems have no locks: two jobs may then make the same, each file whole all the same.
        with contextlib.suppress(OSError):
            fcntl.flock(
                folder, fcntl.LOCK_EX
            )  # the system releases it when the process ends, in whatever way
        yield Shelf(results / FOLDER, params, inputs)
    finally:
        os.close(folder)


class Shelf:
    """Results in a folder each, named by a digest of what they are made from.

    A folder stays, empty, when its results are taken: they are not made ahead again.

    Attributes:
        folder: where these folders are.
    """

    def __init__(self, folder, params, inputs):
        self.folder = folder
        # Not by importing them: torch takes seconds, and a job that takes its results does without it.
        self._made_from = [params, versions.computing(), *map(files.sha256, inputs)]

    def place(self, *inputs):
        """The folder for what is made from these files, and from what everything on the shelf is made from."""
        text = json.dumps([*self._made_from, *map(files.sha256, inputs)])
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]

    def take(self, outputs, *inputs):
        """Move results from the shelf to where a job is to write them.

        Args:
            outputs: paths by the names under which the results were put there.
            inputs: what they must be made from.

        Returns:
            whether they were there.
        """
        place = self.place(*inputs)
        if not all((place / name).exists() for name in outputs):
            return False
        for name, path in outputs.items():
            files.move(place / name, path)
        for left in place.iterdir():
            left.unlink()
        print("made ahead, by the job of another epoch", flush=True)
        return True

    @contextlib.contextmanager
    def adding(self, place):
        """Yield a folder to write results to, which then is at its place, whole."""
        partial = self.folder / "partial"
        shutil.rmtree(partial, ignore_errors=True)  # of a killed job
        partial.mkdir(parents=True)
        yield partial
        partial.rename(place)

    def keep(self, places):
        """Throw away what lies elsewhere than there: it is made from something that has changed."""
        for place in set(self.folder.glob("*")) - set(places):
            shutil.rmtree(place, ignore_errors=True)


def quick(results):
    """Yield results as long as each takes no longer than a few starts of a process.

    Args:
        results: an iterator that computes them one by one.
    """
    start = time.time() - psutil.Process().create_time()
    while True:
        begun = time.monotonic()
        try:
            yield next(results)
        except StopIteration:
            return
        if time.monotonic() - begun > STARTS * start:
            return


@contextlib.contextmanager
def left_to_its_job():
    """A context that suppresses errors of results made early, but for a line; the job that needs them reports them."""
    try:
        yield
    except Exception as error:  # a file that an earlier config left can be wrong in any way
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        print(f"nothing more is made ahead ({reason}): left to its own job", flush=True)
