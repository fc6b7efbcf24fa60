"""What jobs took on this machine, remembered for the estimates of later runs.

A job says how quickly it computed in its log, and how long it took in the record beside its first
output. Both are read when a run ends, and kept by machine, kind of work and size of the network: of
the last few runs, for the machine may have had other work.
"""

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from convprobe.job import progress_line, shared_process
from convprobe.store import files

RUNS = 5  # so many of the last ones are remembered
# Jobs that computed for less in all don't say how fast a long one is.
LEAST_SECONDS = 1.0


class Took(NamedTuple):
    """What jobs of a kind took.

    Attributes:
        start: seconds of a process beside what it computes.
        taken: seconds of a job that takes a result made ahead.
        rate: multiply-adds a second; 0 where none are counted, or too few to tell.
    """

    start: float
    taken: float
    rate: float


class Done(NamedTuple):
    """A finished job.

    Attributes:
        kind: of its work.
        units: images or positions of its own results, as planned.
        each: multiply-adds of one.
        seconds: of its own results, whichever process made them.
        log: what its process printed.
    """

    kind: str
    units: int
    each: float
    seconds: float
    log: str


def told(record: Path, log: Path | str) -> tuple[float, str]:
    """What a finished job's record and log tell: its seconds, and what it printed."""
    return files.read_json(record)["seconds"], Path(log).read_text(encoding="utf-8")


def of_jobs(jobs: Iterable[Done]) -> dict[str, Took]:
    """What finished jobs took, by kind."""
    by_kind: dict[str, list[Done]] = {}
    for job in jobs:
        by_kind.setdefault(job.kind, []).append(job)
    took = {kind: _of_kind(alike) for kind, alike in by_kind.items()}
    return {kind: of_kind for kind, of_kind in took.items() if of_kind}


def _of_kind(jobs: list[Done]) -> Took | None:
    """What jobs of one kind took; None if none of them computed anything itself."""
    counted = [_counted(job.log) for job in jobs]
    computing = sum(count / rate for of_job in counted for count, rate in of_job)
    multiply_adds = sum(
        count * job.each for job, of_job in zip(jobs, counted, strict=True) for count, _ in of_job
    )
    counts_units = jobs[0].units > 0
    if counts_units and not multiply_adds:
        return None
    rate = multiply_adds / computing if counts_units else 0.0

    starts = []
    takes = []
    for job, of_job in zip(jobs, counted, strict=True):
        if shared_process.TAKEN in job.log:
            takes.append(_beside_units(job, job.units, rate))
        else:
            # A shard may have fewer images than planned.
            own = min(job.units, sum(count for count, _ in of_job))
            starts.append(_beside_units(job, own, rate))
    if not starts:
        return None
    start = statistics.mean(starts)
    taken = statistics.mean(takes) if takes else start
    certain = rate if computing >= LEAST_SECONDS else 0.0
    return Took(max(start, 0.0), max(taken, 0.0), certain)


def _counted(log: str) -> list[tuple[int, float]]:
    """How many units a job computed, and how many a second, by its log.

    The images that give a mean are not among its units.
    """
    return [(end.done, end.rate) for end in progress_line.ends(log) if " " not in end.unit]


def _beside_units(job: Done, units: int, rate: float) -> float:
    """Seconds that a job took beside so many units, at a rate in multiply-adds a second."""
    return job.seconds - (units * job.each / rate if units else 0.0)


def read(memory: Path | str, machine: str, size: int) -> dict[str, Took]:
    """What is known of a machine, by kind of work, from the network of the nearest size.

    The median over the last runs.

    Args:
        memory: a JSON file; one that is missing or damaged tells nothing.
        machine: its name.
        size: multiply-adds of the network's forward pass.
    """
    of_kinds = _known(memory).get(machine, {})
    return {kind: _of_nearest(by_size, size) for kind, by_size in of_kinds.items()}


def _of_nearest(by_size: dict[str, list[list[float]]], size: int) -> Took:
    # A run that was too short to tell a rate has none.
    rates = {other: [rate for _, _, rate in runs if rate] for other, runs in by_size.items()}
    telling = [other for other in by_size if rates[other]] or list(by_size)
    nearest = min(telling, key=lambda other: abs(math.log(int(other) / size)))
    starts, takes, _ = zip(*by_size[nearest], strict=True)
    return Took(
        start=statistics.median(starts),
        taken=statistics.median(takes),
        rate=statistics.median(rates[nearest] or [0.0]),
    )


def write(memory: Path | str, machine: str, size: int, by_kind: Mapping[str, Took]) -> None:
    """Remember what the jobs of a run took on a machine; args as for `read`."""
    known = _known(memory)
    for kind, took in by_kind.items():
        by_size = known.setdefault(machine, {}).setdefault(kind, {})
        by_size[str(size)] = [*by_size.get(str(size), []), took][-RUNS:]
    files.write_json(memory, known)


def _known(memory: Path | str) -> dict[str, Any]:
    """By machine, kind of work and size of the network; nothing if any of it can't be meant."""
    try:
        known = json.loads(Path(memory).read_text(encoding="utf-8"))
        for kinds in known.values():
            if not all(map(_makes_sense, kinds.values())):
                return {}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return known


def _makes_sense(by_size: dict[str, list[list[float]]]) -> bool:
    for size, runs in by_size.items():
        numbers = [number for run in runs for number in Took(*run)]
        if int(size) < 1 or not numbers or not all(0 <= number < math.inf for number in numbers):
            return False
    return bool(by_size)
