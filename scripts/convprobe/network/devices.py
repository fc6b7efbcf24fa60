"""The device that computes a job's numbers, and how exactly it computes them."""

import ctypes

import torch

from convprobe.job import gpus, machine

# Parameters of glibc's mallopt, from its malloc.h, and the largest value that they take.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
LARGEST = 2**31 - 1


def choose(threads: int) -> torch.device:
    """A GPU that no other job uses, where the machine has one, else the CPU.

    Either computes float32 in full precision, and the same way each time.

    Args:
        threads: how many the job may use.
    """
    # More threads than cores, as with --cores 4 on two of them, would wait for each other.
    threads = min(threads, machine.usable_cores())
    torch.set_num_threads(threads)
    # TF32 keeps 10 bits of the mantissa: float32 results would differ from the CPU's.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    if torch.cuda.is_available():
        return _claimed_gpu()
    _keep_freed_memory()
    print(f"device: cpu ({threads} threads)", flush=True)
    return torch.device("cpu")


def _claimed_gpu() -> torch.device:
    """A GPU that this process holds from now on."""
    numbers = range(torch.cuda.device_count())
    properties = [torch.cuda.get_device_properties(number) for number in numbers]
    # By their UUIDs: on a cluster each job may see the GPU that it was given as number 0.
    number = gpus.claim([str(gpu.uuid) for gpu in properties])
    torch.cuda.set_device(number)
    print(f"device: cuda:{number} ({properties[number].name})", flush=True)
    return torch.device("cuda", number)


def _keep_freed_memory() -> None:
    """Reuse freed memory for the next batch: the system would take time to clear it again."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, LARGEST)
