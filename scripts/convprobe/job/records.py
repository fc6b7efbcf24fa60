"""How each result was made: a record beside it, written by the job that computed it.

Logs may be deleted, and results may be moved. So a job's record is a hidden file beside its first
output, as digests are. The manifest of an experiment is put together from all of them.
"""

import contextlib
import datetime
import json
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from convprobe.job import machine, versions
from convprobe.store import files

SUFFIX = ".job.json"
AHEAD = ".made.json"  # on the shelf: how a result was made there for another job
DEVICE = "device: "  # how network/devices.py says in the log what it computes on

How = dict[str, Any]  # when a result was made, how long that took, on what, by which versions


@dataclass
class Process:
    """What this process has done so far.

    Attributes:
        log: of its job.
        next_begun: when the result was begun that it makes ahead for another job: the date, and
            the time of a clock that nobody sets.
        seconds_ahead: what it has spent on such results.
        taken: how the results were made that it took from the shelf, if it did.
    """

    log: Path | str = ""
    next_begun: tuple[float, float] = (0.0, 0.0)
    seconds_ahead: float = 0.0
    taken: How | None = None


THIS = Process()


# Results that are made ahead


def begin_next() -> None:
    """Say that a result is begun which may be that of another job."""
    THIS.next_begun = time.time(), time.monotonic()


def put(folder: Path, seconds_before: float = 0) -> None:
    """Record how the result was made that lies in a folder of the shelf.

    Args:
        seconds_before: spent on it before it was begun, together with others.
    """
    date, begun = THIS.next_begun
    seconds = seconds_before + time.monotonic() - begun
    THIS.seconds_ahead += seconds
    _write(folder / AHEAD, _how(date, seconds))


def take(folder: Path) -> None:
    """Remember how the result was made that this job takes from the shelf."""
    with contextlib.suppress(OSError):  # an older version recorded nothing
        THIS.taken = files.read_json(folder / AHEAD)


# Results of this job


def write() -> None:
    """Record how the outputs of this job were made; nothing if Snakemake did not start it.

    A job isn't lost for its record: the log says if that can't be written.
    """
    job = getattr(sys.modules["__main__"], "snakemake", None)  # which Snakemake puts there
    outputs = [Path(path) for path in job.output] if job else []
    if not outputs:
        return
    folder = outputs[0].parent
    try:
        record = {
            "rule": job.rule,
            "wildcards": dict(job.wildcards.items()),
            **_how_this_job(),
            "code": dict(
                param.rsplit(maxsplit=1) for param in job.params if isinstance(param, str)
            ),
            "inputs": [os.path.relpath(path, folder) for path in job.input],
            "outputs": {os.path.relpath(path, folder): recorded_digest(path) for path in outputs},
        }
        _write(beside(outputs[0]), record)
    except Exception as error:  # what tells of a machine or a library may fail in any way
        why = files.reason(error) if isinstance(error, OSError) else repr(error)
        print(f"how this was made is not recorded: {why}", flush=True)


def beside(path: Path) -> Path:
    """Where it is recorded how a file was made, and all others of the same job."""
    return path.with_name(f".{path.name}{SUFFIX}")


def recorded_digest(path: Path) -> str | None:
    """The SHA-256 of a file from the time when it was written; None if none was recorded."""
    try:
        return files.digest_path(path).read_text(encoding="utf-8").split()[0]
    except OSError:
        return None


def _how_this_job() -> How:
    """How the outputs of this job were made, by itself or ahead by another one."""
    seconds = machine.running_seconds() - THIS.seconds_ahead
    if THIS.taken is None:
        return _how(psutil.Process().create_time(), seconds)  # the date that its log has
    return THIS.taken | {"seconds": round(THIS.taken["seconds"] + seconds, 1)}


def _how(begun: float, seconds: float) -> How:
    started = datetime.datetime.fromtimestamp(begun, datetime.UTC)
    return {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "device": _device(),
        "peak_memory": machine.peak_memory(),
        "environment": {
            "processor": machine.processor(),
            "cores": machine.usable_cores(),
            "memory": psutil.virtual_memory().total,
            "system": platform.platform(),
            "versions": versions.recorded(),
        },
    }


def _device() -> str | None:
    """What this job computes on, as its log says; None if it says nothing."""
    with contextlib.suppress(OSError):
        for line in Path(THIS.log).read_text(encoding="utf-8").splitlines():
            if line.startswith(DEVICE):
                return line.removeprefix(DEVICE)
    return None


def _write(path: Path, values: dict[str, Any]) -> None:
    partial = Path(f"{path}.{os.getpid()}")
    partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)
