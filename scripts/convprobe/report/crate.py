"""An experiment as an RO-Crate: its files and the jobs that made them, in words others agreed on.

By the profile Process Run Crate a job is a `CreateAction`, and its instrument the script of its
rule. Only the job that writes the crate imports this, for importing `rocrate` takes a while.
"""

import hashlib
import json
import mimetypes
from pathlib import Path
from typing import Any

from rocrate.model import ContextEntity, File
from rocrate.rocrate import ROCrate

from convprobe.report import manifest as manifests
from convprobe.report.manifest import JobRecord, Manifest

VERSION = "1.1"  # of RO-Crate: the one that the profile extends
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}  # RO-Crate 1.1 has no such word
DESCRIPTION = (
    "Where does a convolutional network look, what do its filters answer to, and what does it lose "
    "without them? Trained and probed by convprobe, a Snakemake workflow; manifest.json holds the "
    "config and the digests of the code."
)
LICENSE = "Not stated: ask whoever ran the experiment, and whoever the images belong to."
# Python knows these only where the system's own list has them.
MEDIA_TYPES = {".h5": "application/x-hdf5", ".pth": "application/octet-stream"}


def collect(folder: Path, manifest: Manifest, others: list[str]) -> dict[str, Any]:
    """The metadata of the crate, as JSON-LD; it is the same whenever it is written.

    Args:
        folder: of the experiment.
        manifest: of the experiment.
        others: files that the manifest doesn't list, relative to `folder`.
    """
    crate = ROCrate(version=VERSION)
    crate.metadata.extra_terms.update(TERMS)
    crate.name = f"convprobe: {manifest['experiment']}"
    crate.description = DESCRIPTION
    crate.license = LICENSE
    ends = [manifests.end(job) for job in manifest["jobs"]]
    crate.datePublished = max(ends, default="1970-01-01T00:00:00+00:00")
    profile = {"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    crate.root_dataset["conformsTo"] = crate.add(ContextEntity(crate, PROFILE, profile))
    listed = {name: _file(crate, name, file) for name, file in manifest["files"].items()}
    for name in others:
        path = folder / name
        _file(crate, name, {"sha256": manifests.digest(path), "bytes": path.stat().st_size})
    for number, job in enumerate(manifest["jobs"]):
        _action(crate, number, job, manifest, listed)
    return crate.metadata.generate()


def _file(crate: ROCrate, name: str, file: dict[str, Any]) -> File:
    suffix = Path(name).suffix
    properties = {
        "name": name,
        "encodingFormat": MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "text/plain",
        "contentSize": str(file["bytes"]),
        "sha256": file["sha256"],
    }
    return crate.add_file(dest_path=name, properties=properties)


def _action(
    crate: ROCrate, number: int, job: JobRecord, manifest: Manifest, listed: dict[str, File]
) -> None:
    """Add a job; of its inputs those that are files of the experiment."""
    wildcards = " ".join(job["wildcards"].values())
    properties = {
        "name": f"{job['rule']} {wildcards}".strip(),
        "description": f"computed on {job['device'] or 'the processor'}",
        "startTime": job["started"],
        "endTime": manifests.end(job),
    }
    action = crate.add_action(
        _instrument(crate, job, manifest),
        identifier=f"#job-{number}",
        object=_entities(listed, job["inputs"]),
        result=_entities(listed, job["outputs"]),
        properties=properties,
    )
    crate.root_dataset.append_to("mentions", action)


def _entities(listed: dict[str, File], names: list[str]) -> File | list[File]:
    """The files of these names that are listed; JSON-LD has one alone without a list."""
    entities = [listed[name] for name in names if name in listed]
    return entities[0] if len(entities) == 1 else entities


def _instrument(crate: ROCrate, job: JobRecord, manifest: Manifest) -> ContextEntity:
    """The script of a job's rule, with the libraries that it ran on; added once."""
    identifier = f"#{job['rule']}-{job['code']}-{job['environment']}"
    known = crate.get(identifier)
    if known is not None:
        return known
    environment = manifest["environments"][job["environment"]]
    code = json.dumps(manifest["code"][job["code"]])
    properties = {
        "@type": "SoftwareApplication",
        "name": job["rule"],
        "softwareVersion": hashlib.sha256(code.encode()).hexdigest()[:16],
        "operatingSystem": environment["system"],
        "processorRequirements": environment["processor"],
    }
    instrument = crate.add(ContextEntity(crate, identifier, properties))
    libraries = environment["versions"].items()
    instrument["softwareRequirements"] = [_library(crate, *library) for library in libraries]
    return instrument


def _library(crate: ROCrate, name: str, version: str) -> ContextEntity:
    properties = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version}
    return crate.add(ContextEntity(crate, f"#{name}-{version}", properties))
