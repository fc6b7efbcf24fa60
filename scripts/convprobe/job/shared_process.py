"""Which results one process makes: its own, and ahead of their jobs those that are quick.

Starting Python and PyTorch takes seconds, and so does an epoch of a small network, or of a large
one on a GPU. So a job that has made its own results goes on with those of the next jobs of its
rule, as long as they are quick; and windows that share work are computed together. It puts them on
a shelf: a hidden folder beside the results. A job that finds its results there takes them, and
computes nothing.

On the shelf, results lie under a digest of everything that they are made from: settings, code,
versions and input files. So a job takes only what it would have made itself, and what a killed job
put there is used all the same.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from convprobe.job import machine, records, versions
from convprobe.store import files

FOLDER = ".ahead"
PARTIAL = "partial"  # on the shelf: how the names begin of what is being written
TAKEN = "made ahead, by another job"  # what the job that takes results logs
STARTS = 4  # a result is quick if it takes at most so many times what its process took to start

Result = TypeVar("Result")


class Shelf:
    """Results made ahead: for each future job a folder, named by what they are made from.

    A folder that was emptied by its job stays, as a sign that they need not be made again.
    """

    def __init__(self, folder: Path, params: Iterable[Any], inputs: Iterable[Path | str]) -> None:
        self.folder = folder
        # Versions are read without importing torch: a job that takes its results doesn't need it.
        self._made_from = [list(params), versions.computing(), _digests(inputs)]

    def place(self, *inputs: Path | str, of: int | None = None) -> Path:
        """The folder of results that are made from these files, and from what all are made from.

        Args:
            of: which results, where several are made from the same.
        """
        return self.folder / digest([*self._made_from, _digests(inputs), of])

    def take(
        self, outputs: Mapping[str, Path | str], *inputs: Path | str, of: int | None = None
    ) -> bool:
        """Move a job's results from the shelf to its outputs.

        Args:
            outputs: paths by the names that the results have on the shelf.
            inputs, of: as those of `place`.

        Returns:
            whether all were there; else nothing is moved.
        """
        place = self.place(*inputs, of=of)
        if not all((place / name).exists() for name in outputs):
            return False
        for name, path in outputs.items():
            files.move(place / name, path)
        records.take(place)
        for left in place.iterdir():
            left.unlink()
        print(TAKEN, flush=True)
        return True

    @contextlib.contextmanager
    def adding(self, place: Path, seconds: float = 0) -> Iterator[Path]:
        """Yield a folder to write results to, which appears at its place once it is complete.

        Args:
            seconds: spent on them before.
        """
        # A name of its own: where there are no locks, another job may be writing too.
        partial = self.folder / f"{PARTIAL}-{uuid.uuid4().hex}"
        partial.mkdir(parents=True)
        yield partial
        records.put(partial, seconds)
        partial.rename(place)

    def discard_all_but(self, places: Collection[Path]) -> None:
        """Delete results elsewhere on the shelf: what they were made from has changed."""
        for place in self.folder.glob("*"):
            if place not in places:
                shutil.rmtree(place, ignore_errors=True)


def digest(made_from: list[Any]) -> str:
    """A name for what results are made from: plain values."""
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:32]


@contextlib.contextmanager
def shelf(
    results: Path | str, params: Iterable[Any], inputs: Iterable[Path | str]
) -> Iterator[Shelf]:
    """Yield the shelf of a rule and run. One job at a time has it; others wait.

    Args:
        results: folder of the rule's results.
        params: settings and digests of code, plain values.
        inputs: the files that all results on the shelf are made from.
    """
    results = Path(results)
    results.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(results, os.O_RDONLY)
    try:
        # Some clusters' file systems have no locks, or none that other nodes see: there two jobs
        # may make the same results, and each is still written whole.
        with contextlib.suppress(OSError):
            # The system releases it when the process ends, in whatever way.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield Shelf(results / FOLDER, params, inputs)
    finally:
        os.close(descriptor)


def while_quick(results: Iterator[Result]) -> Iterator[Result]:
    """Yield results, up to the first that takes longer than a few starts of this process.

    Args:
        results: computes them one by one.
    """
    start = machine.running_seconds()
    seconds = 0.0
    while seconds <= STARTS * start:
        begun = time.monotonic()
        records.begin_next()
        try:
            yield next(results)
        except StopIteration:
            return
        seconds = time.monotonic() - begun


@contextlib.contextmanager
def leaving_errors_to_their_job() -> Iterator[None]:
    """Suppress errors of results made ahead; the job that needs them reports them."""
    try:
        yield
    except Exception as error:  # a file that an earlier config left can be wrong in any way
        first_line = f"{type(error).__name__}: {error}".partition("\n")[0]
        print(f"nothing more is made ahead ({first_line}): left to its own job", flush=True)


def _digests(paths: Iterable[Path | str]) -> list[str]:
    return [files.sha256(path) for path in paths]
