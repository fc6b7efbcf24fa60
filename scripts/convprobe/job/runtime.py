"""What surrounds a job and changes no number: its log, its progress, the way it fails."""

import atexit
import contextlib
import gc
import os
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

from convprobe.errors import InputError, is_out_of_memory, short_reason
from convprobe.job import machine, records
from convprobe.job.progress_line import ProgressLine
from convprobe.store import files

LOG_SECONDS = 5  # between two lines of progress

# How the last line of a log begins.
DONE = "done in "
ERROR = "error: "

Batch = TypeVar("Batch")
Item = TypeVar("Item")


class Job:
    """What a computation reports its progress to.

    It is printed: to the job's log, whose last line is shown where Snakemake runs (`terminal`).
    """

    def progress(
        self,
        batches: Iterable[Batch],
        total: int,
        unit: str,
        length: Callable[[Batch], int] = len,
    ) -> Iterator[Batch]:
        """Yield each batch; every few seconds print how much is done, the rate and the time left.

        Args:
            total: of all batches, in units.
            unit: what is counted, in the plural.
            length: of a batch, in units.
        """
        start = time.monotonic()
        logged = start
        done = 0
        for batch in batches:
            yield batch
            done += length(batch)
            now = time.monotonic()
            if now - logged <= LOG_SECONDS and done != total:
                continue
            logged = now
            rate = done / max(now - start, 1e-9)
            left = (total - done) / rate
            print(ProgressLine(done, total, unit, rate, left), flush=True)

    def each(self, items: Collection[Item], unit: str) -> Iterator[Item]:
        """Yield item after item, and print progress as for batches of one."""
        return self.progress(items, len(items), unit, lambda item: 1)


IDLE = Job()  # for calls outside a job: progress is printed


@contextlib.contextmanager
def job(log: Path | str) -> Iterator[Job]:
    """Run a job: all that it prints goes to its log, and an error ends the process with status 1.

    A user's mistake (InputError), Ctrl-C, or a refusal of the system (no space, no permission, no
    memory) is one line at the end of the log. Any other error is a bug, and logged with its
    traceback.
    """
    start = time.monotonic()
    # The process frees its memory at its end. To look for garbage among all that PyTorch imports
    # would first take as long as many a job.
    atexit.register(gc.freeze)
    try:
        _log_to(log)
        records.THIS.log = log
        yield Job()
        records.write()
    except KeyboardInterrupt:
        sys.exit(f"{ERROR}interrupted")
    except Exception as error:
        _fail(error)
    seconds = time.monotonic() - start
    gigabytes = machine.peak_memory() / 1e9
    print(f"{DONE}{seconds:.1f} s with {gigabytes:.1f} GB of memory", flush=True)


def _log_to(log: Path | str) -> None:
    """Claim a log, and send to it all that this process prints from now on."""
    with files.claim(log) as file:
        # By their descriptors, not only Python's names: libraries write to them too.
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
            # Whatever the terminal takes: a log may name a class in any script.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _fail(error: Exception) -> NoReturn:
    """Log why the job failed, and end the process."""
    if isinstance(error, InputError | OSError):
        sys.exit(f"{ERROR}{error}")
    if is_out_of_memory(error):
        sys.exit(f"{ERROR}out of memory ({short_reason(error)}): expected more of it")
    traceback.print_exception(error)
    sys.exit(1)
