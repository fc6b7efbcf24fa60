"""What the machine gives a process: cores and memory."""

import contextlib
import os
import platform
import resource
import sys
import time

CPU_INFO = "/proc/cpuinfo"  # of Linux
# Either set of instructions lets oneDNN, which PyTorch computes by, take bf16 on an x86 processor.
# With neither, PyTorch's slow fallback takes its place.
BF16 = ({"avx512bw", "avx512dq", "avx512vl"}, {"avx_ne_convert"})
AVX512_BF16 = {"avx512_bf16"}  # multiplies bf16 itself
AMX = {"amx_bf16"}  # and whole tiles of it
# What Linux says of a processor that decides which instructions it has, and which are quick.
KIND = ("vendor_id", "cpu family", "model", "model name", "flags")
STARTED = 19  # field of /proc/self/stat, counted from 0 behind the process's name
PEAK = "VmHWM:"  # of /proc/self/status: the most resident memory so far, in KiB


def usable_cores() -> int:
    """How many cores this process may use; all where the system, as macOS, sets no limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """What the processor calls itself; its architecture where it has no name, as some ARM have."""
    return _told("model name") or platform.processor() or platform.machine()


def kind() -> list[str]:
    """What two processors have in common that run the same machine code equally well."""
    return [platform.machine(), *(_told(key) for key in KIND)]


def is_intel() -> bool:
    """Whether it is one of the processors that Intel's library, MKL, is made for."""
    return _told("vendor_id") == "GenuineIntel"


def has(instructions: set[str]) -> bool:
    """Whether the processor is known to have all of these sets of instructions."""
    return instructions <= set(_told("flags").split())


def computes_bf16() -> bool:
    """Whether PyTorch is quick in bf16 here; True where the system doesn't tell."""
    flags = set(_told("flags").split())
    return not flags or any(needed <= flags for needed in BF16)


def _told(key: str) -> str:
    """What Linux says of the first processor; nothing elsewhere."""
    with contextlib.suppress(OSError), open(CPU_INFO, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return ""


def running_seconds() -> float:
    """How long ago this process was started.

    Linux tells that in ticks since the machine's own start, whose date it knows to a second only.
    """
    if not sys.platform.startswith("linux"):
        import psutil  # here, because a plan can do without

        return time.time() - psutil.Process().create_time()
    with open("/proc/self/stat", encoding="utf-8") as file:
        _, _, behind_its_name = file.read().rpartition(")")
    ticks = int(behind_its_name.split()[STARTED])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def peak_memory() -> int:
    """The most bytes of memory that this process has held at once.

    It is what a cluster compares with the job's limit.
    """
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if not sys.platform.startswith("linux"):
        return most  # bytes on macOS
    # On Linux getrusage also counts the process that forked this one, before it became Python.
    # The file tells it of this one alone, but not in every container.
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(PEAK):
                most = int(line.split()[1])
    return 1024 * most
