"""The version of the files that the workflow writes and reads again."""

from pathlib import Path
from typing import Any

from convprobe.errors import InputError

# Of all files that results/README.md describes: raised when one of them changes its form.
# It stands in each HDF5 file and checkpoint.
FORMAT_VERSION = 3


def check_version(path: Path | str, version: Any) -> None:
    """Refuse a file of another format version.

    Args:
        path: of the file, for the message.
        version: as the file states it; None if it states none.

    Raises:
        InputError: it isn't FORMAT_VERSION.
    """
    if version == FORMAT_VERSION:
        return
    found = "has no format version" if version is None else f"has format version {version}"
    raise InputError(f"{path}: {found}, expected {FORMAT_VERSION}: delete it and run again")
