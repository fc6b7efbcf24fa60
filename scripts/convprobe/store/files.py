"""Small files, written whole or not at all.

Everything is written beside its place and moved there at the end, so that a job that is killed,
or a disk that fills up, leaves no half file behind that later counts as done.
"""

import contextlib
import datetime
import glob
import hashlib
import json
import os
import socket
import uuid
from pathlib import Path

import psutil

from convprobe.errors import InputError

CLAIMED = "started "  # how the first line of a claimed file begins
_claims = {}  # by path: the status of the file as this process opened it


def claim(path):
    """Open a text file in place of an older one, and hold it against later processes.

    A job claims its log. When Snakemake is killed, a job of its may go on; once the same command has
    started that job again, the older one has lost its claim, and `replacing` refuses its results.

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


def _claimed_at(path):
    """When the process that last claimed a file was started; long ago if none did."""
    try:
        with open(path, encoding="utf-8") as file:
            return datetime.datetime.fromisoformat(file.readline().removeprefix(CLAIMED).split()[0])
    except (OSError, ValueError, IndexError):
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)


def _refuse_if_superseded(path):
    for claimed, mine in _claims.items():
        if claimed.exists() and not os.path.samestat(claimed.stat(), mine):
            raise InputError(
                f"{path}: left as it is: a newer job, whose log is {claimed}, makes it"
            )


@contextlib.contextmanager
def replacing(path):
    """Yield a path beside `path` to write to; at the end it takes the place of `path`.

    Its digest is recorded beside it, for `check_digest`. On any error the partial file is removed and
    `path` is left as it was.

    Raises:
        InputError: the disk is full or can't be written, or a newer job makes the same file; the
            message names `path`.
    """
    partial = Path(f"{path}.partial-{os.getpid()}")
    _refuse_if_superseded(path)
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
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
        with contextlib.suppress(OSError):  # most often: it was moved to its place
            partial.unlink()


def _remove_partial_files_of_killed_jobs(path):
    if _claims:  # without one, another process may be writing the same file just now
        for left in Path(path).parent.glob(f"{glob.escape(Path(path).name)}.partial-*"):
            left.unlink(missing_ok=True)


def reason(error):
    """Why an OSError happened, in the system's words, on one line; HDF5 hides them in a longer message."""
    _, found, rest = str(error).partition("error message = '")
    if found:
        return rest.partition("'")[0]
    return error.strerror or " ".join(str(error).split())


def sha256(path):
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_path(path):
    """Where the digest of a file is recorded: hidden beside it, in the form that `sha256sum --check` reads."""
    return Path(path).with_name(f".{Path(path).name}.sha256")


def _record_digest(path, digest):
    partial = Path(f"{digest_path(path)}.{os.getpid()}")
    partial.write_text(f"{digest}  {Path(path).name}\n", encoding="utf-8")
    os.replace(partial, digest_path(path))


def move(source, path):
    """Move a file that `replacing` has written, and its digest with it.

    Raises:
        InputError: as `replacing`.
    """
    _refuse_if_superseded(path)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        digest = digest_path(source).read_text(encoding="utf-8").split()[0]
        os.replace(source, path)
        _record_digest(path, digest)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {reason(error)}") from error


def check_digest(path: str | Path) -> str:
    """The digest of a file, held against the one that was recorded when it was written.

    Raises:
        InputError: the file or its digest is missing, or they differ.
    """
    try:
        recorded, found = digest_path(path).read_bytes(), sha256(path)
    except OSError as error:
        raise InputError(f"{error.filename}: can't be read: {reason(error)}") from error
    if recorded != f"{found}  {Path(path).name}\n".encode():
        written = recorded[:64].decode(errors="replace")
        raise InputError(
            f"{path}: altered since it was written: its SHA-256 is {found}, expected {written}"
        )
    return found


def write_json(path, values):
    with replacing(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def read_json(path):
    """The values of a JSON file.

    Raises:
        InputError: the file is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error}): delete it and run again") from error
