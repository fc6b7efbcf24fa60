"""What surrounds a job: its log, its progress line, its device, its way of failing."""

import contextlib
import os
import sys
import time
import traceback

from convprobe import files
from convprobe.errors import InputError


class Job:
    """The means of one job.

    Attributes:
        threads: how many the job was given.
    """

    def __init__(self, threads=1):
        self.threads = threads

    @property
    def device(self):
        """A torch.device: the GPU where there is one, else the CPU with this job's threads."""
        import torch  # seconds: only jobs that compute need it

        # More threads than cores, as with --cores 4 on two, stall each other.
        threads = min(self.threads, len(os.sched_getaffinity(0)))
        torch.set_num_threads(threads)
        # TF32 keeps 10 bits of the mantissa: float32 results would differ from the CPU's.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        name = torch.cuda.get_device_name() if device.type == "cuda" else f"{threads} threads"
        print(f"device: {device.type} ({name})", flush=True)
        return device

    def progress(self, batches, total, unit):
        """Yield each batch; print what is done, the rate and the time left, every few seconds.

        Args:
            batches: an iterable whose items have a length, in units.
            total: units in all.
            unit: what is counted, in the plural.
        """
        start = shown = time.monotonic()
        done = 0
        for batch in batches:
            yield batch
            done += len(batch)
            now = time.monotonic()
            if now - shown > 5 or done == total:
                shown, rate = now, done / max(now - start, 1e-9)
                left = (total - done) / rate
                print(f"{done}/{total} {unit}, {rate:.4g} a second, {left:.0f} s left", flush=True)


IDLE = Job()


@contextlib.contextmanager
def job(log, threads=1):
    """Run a job: all that it prints goes to its log, a user's mistake is one line there.

    On an InputError, or where the system refuses (no space, no permission), the process ends with
    status 1 after that line; on any other error after a traceback, for it is a mistake of ours.
    """
    start = time.monotonic()
    try:
        with files.claim(log) as file:
            # The descriptors, not only Python's names: libraries write to them too.
            for stream in (sys.stdout, sys.stderr):
                os.dup2(file.fileno(), stream.fileno())
        yield Job(threads)
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    print(f"done in {time.monotonic() - start:.1f} s", flush=True)
