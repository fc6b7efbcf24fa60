"""How an experiment was made: its files, the jobs that made them, on what and by which versions.

Every job leaves a record beside its results (`job/records.py`). Here they are put together, each
environment and each set of modules once. A file without a record is listed all the same: an older
version made it, or its record was lost.
"""

import datetime
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from convprobe.job import records
from convprobe.store import files

Manifest = dict[str, Any]
JobRecord = dict[str, Any]
Digests = dict[str, str]  # SHA-256 by the name of a file, relative to the experiment's folder

OF_RECORD = ("rule", "wildcards", "started", "seconds", "device", "peak_memory")


# Put together


def collect(folder: Path, settings: dict[str, Any]) -> Manifest:
    """The manifest of an experiment.

    Args:
        folder: of the experiment.
        settings: its name, `experiment`; `config`, to be shown; `sources`, digests of a user's own
            files; `files`, all results, relative to `folder`. Those that aren't there are left out.
    """
    names = [name for name in settings["files"] if (folder / name).is_file()]
    digests = {name: digest(folder / name) for name in names}
    jobs = _jobs(folder, digests)
    environments = _each_once(jobs, "environment")
    code = _each_once(jobs, "code")
    makers = {name: number for number, job in enumerate(jobs) for name in job["outputs"]}
    listed = {}
    for name in names:
        size = (folder / name).stat().st_size
        listed[name] = {"sha256": digests[name], "bytes": size, "job": makers.get(name)}
    return {
        "experiment": settings["experiment"],
        "config": settings["config"],
        "sources": settings["sources"],
        "environments": environments,
        "code": code,
        "jobs": jobs,
        "files": listed,
    }


def digest(path: Path) -> str:
    """The SHA-256 of a file as it was written: reading gigabytes again would take long."""
    return records.recorded_digest(path) or files.sha256(path)


def _jobs(folder: Path, digests: Digests) -> list[JobRecord]:
    """The jobs that made these files, the earliest first.

    A record of which no output has its digest any more is that of earlier files.
    """
    jobs = []
    for path in sorted(folder.rglob(f".*{records.SUFFIX}")):
        record = files.read_json(path)
        outputs = []
        for output, written in record["outputs"].items():
            name = _name(path.parent / output, folder)
            if name in digests and digests[name] == written:
                outputs.append(name)
        if outputs:
            job = {key: record[key] for key in (*OF_RECORD, "environment", "code")}
            job["inputs"] = [_name(path.parent / other, folder) for other in record["inputs"]]
            jobs.append(job | {"outputs": outputs})
    return sorted(jobs, key=lambda job: job["started"])


def _name(path: Path, folder: Path) -> str:
    """A path relative to the experiment's folder; of a file elsewhere only how it is called."""
    name = os.path.relpath(path, folder)
    return Path(name).name if name.startswith(os.pardir) else Path(name).as_posix()


def _each_once(jobs: list[JobRecord], key: str) -> list[Any]:
    """The different values that jobs have under a key; in each job its number takes their place."""
    values: list[Any] = []
    for job in jobs:
        if job[key] not in values:
            values.append(job[key])
        job[key] = values.index(job[key])
    return values


# Summed up


def summary(manifest: Manifest) -> dict[str, Any]:
    """What the page shows of it.

    Returns:
        `environments`, as in the manifest; `devices` that jobs named; `first` and `last`, when the
        earliest and the latest job was started; `seconds` of all jobs; `unrecorded`, the number of
        files of which no job is known; `rules`, a table of how many jobs each had and how long
        they took.
    """
    jobs = manifest["jobs"]
    by_rule = defaultdict(list)
    for job in jobs:
        by_rule[job["rule"]].append(job["seconds"])
    rows = [[rule, len(seconds), _rounded(seconds)] for rule, seconds in by_rule.items()]
    started = [job["started"] for job in jobs]
    return {
        "environments": manifest["environments"],
        "devices": list(dict.fromkeys(job["device"] for job in jobs if job["device"])),
        "first": min(started, default=None),
        "last": max(started, default=None),
        "seconds": _rounded([job["seconds"] for job in jobs]),
        "unrecorded": [file["job"] for file in manifest["files"].values()].count(None),
        "rules": {"columns": ["rule", "jobs", "seconds"], "rows": rows},
    }


def _rounded(seconds: list[float]) -> float:
    return round(sum(seconds), 1)


def end(job: JobRecord) -> str:
    """When a job was done, in the form of its start."""
    started = datetime.datetime.fromisoformat(job["started"])
    return (started + datetime.timedelta(seconds=job["seconds"])).isoformat(timespec="seconds")
