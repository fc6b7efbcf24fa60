"""What the machine gives a process: cores and memory."""

import contextlib
import os
import platform
import resource
import sys

PEAK = "VmHWM:"  # of /proc/self/status: the most resident memory so far, in KiB


def usable_cores() -> int:
    """How many cores this process may use; all where the system, as macOS, sets no limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """What the processor calls itself; its architecture where it has no name, as some ARM have."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def peak_memory() -> int:
    """The most bytes of memory that this process has held at once.

    It is what a cluster compares with the job's limit.
    """
    if not sys.platform.startswith("linux"):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    # On Linux getrusage also counts the process that forked this one, before it became Python.
    with open("/proc/self/status", encoding="ascii") as file:
        (line,) = [line for line in file if line.startswith(PEAK)]
    kibibytes = int(line.split()[1])
    return 1024 * kibibytes
