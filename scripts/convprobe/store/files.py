"""Small files, written whole or not at all.

Everything is written beside its place and moved there at the end, so that a job that is killed, or
a disk that fills up, leaves no half file behind that later counts as done.
"""

import contextlib
import datetime
import glob
import hashlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import psutil

from convprobe.errors import InputError

CLAIMED = "started "  # how the first line of a claimed file begins
_claims: dict[Path, os.stat_result] = {}  # status of each file that this process has claimed


# Claims: a log belongs to the job that was started last


def claim(path: Path | str) -> TextIO:
    """Open a text file in place of an older one, and hold it against processes started earlier.

    A job claims its log. When Snakemake is killed, one of its jobs may keep running; once the same
    command has started that job again, the older one has lost its claim, and `replacing` refuses
    its results.

    Raises:
        InputError: a process that was started later has claimed it already.
    """
    path = Path(path)
    started = datetime.datetime.fromtimestamp(psutil.Process().create_time(), datetime.UTC)
    if started < _claimed_at(path):
        raise InputError(f"{path}: belongs to a newer job: nothing was done")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    file = open(beside, "x", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed by the caller
    print(f"{CLAIMED}{started.isoformat()} on {socket.gethostname()}", file=file)
    os.replace(beside, path)
    _claims[path] = os.fstat(file.fileno())
    return file


def _claimed_at(path: Path) -> datetime.datetime:
    """When the process that last claimed a file was started; long ago if none has claimed it."""
    try:
        with open(path, encoding="utf-8") as file:
            words = file.readline().removeprefix(CLAIMED).split()
        return datetime.datetime.fromisoformat(words[0])
    except (OSError, ValueError, IndexError):
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)


def _refuse_if_superseded(path: Path | str) -> None:
    """Raise an InputError if a newer job has claimed this job's log."""
    for log, claimed in _claims.items():
        if log.exists() and not os.path.samestat(log.stat(), claimed):
            raise InputError(f"{path}: left as it is: a newer job, whose log is {log}, makes it")


# Writing


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a path beside `path` to write to; at the end it takes the place of `path`.

    Its digest is recorded beside it, for `check_digest`. On any error the partial file is removed
    and `path` is left as it was.

    Raises:
        InputError: the disk is full or can't be written, or a newer job makes the same file; the
            message names `path`.
    """
    path = Path(path)
    partial = Path(f"{path}.partial-{os.getpid()}")
    _refuse_if_superseded(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_partial_files_of_killed_jobs(path)
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        digest = sha256(partial)
        _refuse_if_superseded(path)
        os.replace(partial, path)
        _record_digest(path, digest)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {reason(error)}") from error
    finally:
        with contextlib.suppress(OSError):  # most often it was moved to its place
            partial.unlink()


def _remove_partial_files_of_killed_jobs(path: Path) -> None:
    if not _claims:
        return  # another process may be writing the same file just now
    for left in path.parent.glob(f"{glob.escape(path.name)}.partial-*"):
        left.unlink(missing_ok=True)


def move(source: Path | str, path: Path | str) -> None:
    """Move a file that `replacing` has written, and its digest with it.

    Raises:
        InputError: as `replacing`.
    """
    path = Path(path)
    _refuse_if_superseded(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = digest_path(source).read_text(encoding="utf-8").split()[0]
        os.replace(source, path)
        _record_digest(path, digest)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {reason(error)}") from error


def reason(error: OSError | RuntimeError) -> str:
    """Why the system refused something, in its own words, on one line.

    HDF5 hides them in a longer message.
    """
    _, found, rest = str(error).partition("error message = '")
    if found:
        return rest.partition("'")[0]
    words = getattr(error, "strerror", None)
    return words or " ".join(str(error).split())


# Digests


def sha256(path: Path | str) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_path(path: Path | str) -> Path:
    """Where a file's digest is recorded: hidden beside it, as `sha256sum --check` reads it."""
    path = Path(path)
    return path.with_name(f".{path.name}.sha256")


def _digest_line(path: Path | str, digest: str) -> str:
    return f"{digest}  {Path(path).name}\n"


def _record_digest(path: Path, digest: str) -> None:
    recorded = digest_path(path)
    partial = Path(f"{recorded}.{os.getpid()}")
    partial.write_text(_digest_line(path, digest), encoding="utf-8")
    os.replace(partial, recorded)


def check_digest(path: Path | str) -> str:
    """The digest of a file, which must be the one that was recorded when it was written.

    Raises:
        InputError: the file or its digest is missing, or they differ.
    """
    try:
        recorded = digest_path(path).read_bytes()
        digest = sha256(path)
    except OSError as error:
        raise InputError(f"{error.filename}: can't be read: {reason(error)}") from error
    if recorded != _digest_line(path, digest).encode():
        written = recorded[:64].decode(errors="replace")
        raise InputError(
            f"{path}: altered since it was written: its SHA-256 is {digest}, expected {written}"
        )
    return digest


# JSON


def write_json(path: Path | str, values: Any) -> None:
    """Write nested plain values, indented."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path | str) -> Any:
    """The values of a JSON file.

    Raises:
        InputError: the file is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error}): delete it and run again") from error
