"""What surrounds a job: its log, its progress line, its device, its way of failing."""

import contextlib
import ctypes
import functools
import math
import os
import resource
import sys
import time
import traceback
from pathlib import Path

from convprobe.errors import InputError
from convprobe.job import gpus
from convprobe.store import files

# Between two lines of progress.
LOG_SECONDS = 5
TERMINAL_SECONDS = 30

# How the last lines of a log begin.
DONE, ERROR = "done in ", "error: "

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


class Job:
    """The means of one job.

    Attributes:
        threads: how many the job was given.
        name: as a terminal tells it.
        terminal: its file descriptor, where progress is told too, or None.
    """

    def __init__(self, threads=1, name="", terminal=None):
        self.threads = threads
        self.name = name
        self.terminal = terminal

    @functools.cached_property
    def device(self):
        """A torch.device: a GPU that no other job has, where there is one, else the CPU with this job's threads."""
        import torch  # seconds: only jobs that compute need it

        # More threads than cores, as with --cores 4 on two, stall each other.
        threads = min(self.threads, usable_cores())
        torch.set_num_threads(threads)
        # TF32 keeps 10 bits of the mantissa: float32 results would differ from the CPU's.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        if not torch.cuda.is_available():
            _keep_memory()
            print(f"device: cpu ({threads} threads)", flush=True)
            return torch.device("cpu")
        # By their UUIDs: on a cluster every job may call the GPU that it was given the first one.
        found = [
            torch.cuda.get_device_properties(place) for place in range(torch.cuda.device_count())
        ]
        place = gpus.claim([str(gpu.uuid) for gpu in found])
        torch.cuda.set_device(place)
        print(f"device: cuda:{place} ({found[place].name})", flush=True)
        return torch.device("cuda", place)

    def batches(self, compute, rows, size, unit):
        """Yield compute(batch) of rows, batch by batch, with progress; one that doesn't fit is halved.

        Args:
            compute: what doesn't depend on how the rows are cut.
            rows: anything with a length that can be sliced.
            size: rows at a time, at most.
            unit: what the rows are, in the plural.

        Raises:
            InputError: not even a single row fits into the memory.
        """
        for _, result in self.progress(
            _fitting(compute, rows, size), len(rows), unit, lambda pair: len(pair[0])
        ):
            yield result

    def progress(self, batches, total, unit, length=len):
        """Yield each batch; print what is done, the rate and the time left, every few seconds.

        Args:
            batches: an iterable.
            total: units in all.
            unit: what is counted, in the plural.
            length: of a batch, in units.
        """
        start = shown = told = time.monotonic()
        done = 0
        for batch in batches:
            yield batch
            done += length(batch)
            now = time.monotonic()
            if now - shown > LOG_SECONDS or done == total:
                shown, rate = now, done / max(now - start, 1e-9)
                left = (total - done) / rate
                print(f"{done}/{total} {unit}, {rate:.4g} a second, {left:.0f} s left", flush=True)
                if now - told > TERMINAL_SECONDS and done < total:
                    told = now
                    self._tell(f"{done}/{total} {unit}, {_duration(left)} left")

    def _tell(self, words):
        if self.terminal is not None:
            # It may have been closed: the job goes on without.
            with contextlib.suppress(OSError):
                os.write(self.terminal, f"    {self.name}: {words}\n".encode())


def usable_cores() -> int:
    """How many cores this process may use; all there are where the system, as macOS, doesn't limit them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _fitting(compute, rows, size):
    """Yield (batch, compute(batch)); after a batch that didn't fit all are half as large.

    They are of about one size: sums of a small last batch are rounded otherwise than those of a large one,
    and two images that are equal would not get equal results.
    """
    start, size = 0, math.ceil(len(rows) / max(1, math.ceil(len(rows) / size)))
    while start < len(rows):
        found, size = halving(
            lambda size, start=start: compute(rows[start : start + size]),
            min(size, len(rows) - start),
        )
        yield rows[start : start + size], found
        start += size


def halving(compute, size):
    """compute(size), with half the size as often as it doesn't fit into the memory.

    Returns:
        what was computed, and the size with which it did fit.

    Raises:
        InputError: not even a single one fits.
    """
    while True:
        try:
            return compute(size), size
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            reason = _first_line(error)
        # Out of the handler: the error holds on to the memory of what failed.
        if size == 1:
            raise InputError(
                f"not even one at a time fits into the memory ({reason}): expected more of it"
            )
        print(f"out of memory with {size} at a time: going on with {size // 2}", flush=True)
        size //= 2
        _free_cached_memory()


def _out_of_memory(error):
    """Whether PyTorch, oneDNN or Python found no memory, on a GPU or a CPU."""
    message = str(error)
    words = (
        "out of memory",
        "can't allocate memory",
        "not enough memory",
        "could not create a primitive",
    )
    return isinstance(error, MemoryError) or any(word in message for word in words)


def _first_line(error):
    return (str(error) or type(error).__name__).partition("\n")[0][:100]


def _free_cached_memory():
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


IDLE = Job()


def _terminal():
    """The terminal that the job was started from, if any; not a pipe, which a job left alone would hold open."""
    return os.dup(sys.stderr.fileno()) if sys.stderr.isatty() else None


@contextlib.contextmanager
def job(log, threads=1):
    """Run a job: all that it prints goes to its log, a user's mistake is one line there.

    On an InputError, on Ctrl-C, or where the system refuses (no space, no permission, no memory), the process
    ends with status 1 after that line; on any other error after a traceback, for it is a mistake of ours.
    """
    start = time.monotonic()
    terminal = _terminal()
    try:
        with files.claim(log) as file:
            # The descriptors, not only Python's names: libraries write to them too.
            for stream in (sys.stdout, sys.stderr):
                os.dup2(file.fileno(), stream.fileno())
        # Below the experiment's folder, as the log is.
        yield Job(threads, "/".join(Path(log).with_suffix("").parts[2:]), terminal)
    except (InputError, OSError) as error:
        sys.exit(f"{ERROR}{error}")
    except KeyboardInterrupt:
        sys.exit(f"{ERROR}interrupted")
    except Exception as error:
        if _out_of_memory(error):
            sys.exit(f"{ERROR}out of memory ({_first_line(error)}): expected more of it")
        traceback.print_exc()
        sys.exit(1)
    print(
        f"{DONE}{time.monotonic() - start:.1f} s with {_most_memory() / 1e9:.1f} GB of memory",
        flush=True,
    )


def _keep_memory():
    """Have what is freed kept for what is allocated next, not given back to the system, which clears it again."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def _most_memory():
    """The most bytes of memory that this process had at once: what a cluster holds against the job's limit."""
    if not sys.platform.startswith("linux"):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    # There getrusage counts what the process was before it became Python: a copy of the one that started it.
    with open("/proc/self/status", encoding="ascii") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
