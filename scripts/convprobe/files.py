"""Small files, written whole or not at all.

Everything is written beside its place and moved there at the end, so that a job that is killed,
or a disk that fills up, leaves no half file behind that later counts as done.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path

from convprobe.errors import InputError


@contextlib.contextmanager
def replacing(path):
    """Yield a path beside `path` to write to; at the end it takes the place of `path`.

    On any error the partial file is removed and `path` is left as it was.

    Raises:
        InputError: the disk is full or can't be written; the message names `path`.
    """
    partial = Path(f"{path}.partial-{os.getpid()}")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {reason(error)}") from error
    finally:
        with contextlib.suppress(OSError):  # most often: it was moved to its place
            partial.unlink()


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
