"""HDF5 files that are complete, or refused.

A writer that is killed leaves a file that opens, with rows missing. So the attribute `complete` is
set last, the file is moved to its place after that, and readers refuse a file without it.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from convprobe.errors import InputError
from convprobe.store import files
from convprobe.store.format import FORMAT_VERSION, check_version

Values = np.ndarray | Sequence[Any]  # numbers, or texts


@contextlib.contextmanager
def create(path: Path | str) -> Iterator[h5py.File]:
    """Yield a new file that appears at `path` when the block ends without an error.

    Raises:
        InputError: the disk is full or can't be written; the message names `path`.
    """
    # No chunk cache (rdcc_nbytes): HDF5 crashes at the end of the process over cached chunks that
    # a full disk refused.
    with (
        files.replacing(path) as partial,
        _system_errors(),
        h5py.File(partial, "w", rdcc_nbytes=0) as file,
    ):
        file.attrs["format_version"] = FORMAT_VERSION
        yield file
        file.flush()
        file.attrs["complete"] = True


@contextlib.contextmanager
def _system_errors() -> Iterator[None]:
    """Turn the RuntimeError by which h5py reports a full disk on closing into an OSError."""
    try:
        yield
    except RuntimeError as error:
        if "errno = " not in str(error):
            raise
        raise OSError(files.reason(error)) from error


@contextlib.contextmanager
def open_complete(path: Path | str) -> Iterator[h5py.File]:
    """Yield the file at `path`, opened for reading.

    Raises:
        InputError: the file is missing, damaged, incomplete, or of another format version.
    """
    try:
        with h5py.File(path, "r") as file:
            if not file.attrs.get("complete", False):
                raise InputError(
                    f"{path}: incomplete, its writer was stopped: delete it and run again"
                )
            check_version(path, file.attrs.get("format_version"))
            _refuse_missing_parts(path, file)
            yield file
    except OSError as error:
        raise InputError(
            f"{path}: damaged HDF5 file ({files.reason(error)}): delete it and run again"
        ) from error


def _refuse_missing_parts(path: Path | str, file: h5py.File) -> None:
    """Raise an InputError if an array is joined from a file that isn't there.

    HDF5 would show its rows as missing values.
    """
    for stored in file.values():
        if isinstance(stored, h5py.Dataset) and stored.is_virtual:
            for source in stored.virtual_sources():
                part = Path(path).parent / source.file_name
                if not part.is_file():
                    raise InputError(f"{path}: lacks its part {part}: delete it and run again")


def dimension(group: h5py.Group, name: str, values: Values, units: str | None = None) -> None:
    """Store the coordinates of an axis as a dimension scale, which xarray shows under `name`."""
    group[name] = values
    scale = group[name]
    scale.make_scale(name)
    if units:
        scale.attrs["units"] = units


def places(group: h5py.Group, size: tuple[int, int], units: str | None = "pixel") -> None:
    """Store the coordinates of the rows and columns of images or maps of that height and width."""
    for name, length in zip(("y", "x"), size, strict=True):
        dimension(group, name, np.arange(length), units)


def dataset(group: h5py.Group, name: str, values: Values, dimensions: Sequence[str]) -> None:
    """Store an array whose axes are the named dimension scales of the group."""
    stored = group.create_dataset(name, data=values)
    attach(group, stored, dimensions)


def virtual_dataset(
    file: h5py.File,
    name: str,
    parts: Sequence[h5py.Dataset],
    folder: Path | str,
    dimensions: Sequence[str],
) -> None:
    """Show datasets of other files as one array, joined along their first axis, without a copy.

    Args:
        parts: in order.
        folder: in which `file` will lie; the other files are found relative to it.
        dimensions: names of dimension scales of the file, one per axis.
    """
    first = parts[0]
    rows = sum(map(len, parts))
    layout = h5py.VirtualLayout((rows, *first.shape[1:]), first.dtype)
    start = 0
    for part in parts:
        path = Path(part.file.filename).relative_to(folder).as_posix()
        end = start + len(part)
        layout[start:end] = h5py.VirtualSource(path, part.name, part.shape, part.dtype)
        start = end
    # As h5py does for all others: with the time in it, each writing would give other bytes.
    layout.dcpl.set_obj_track_times(False)
    # What is missing shows as not a number, or as no label.
    missing = np.nan if first.dtype.kind == "f" else -1
    joined = file.create_virtual_dataset(name, layout, fillvalue=missing)
    attach(file, joined, dimensions)


def attach(group: h5py.Group, stored: h5py.Dataset, dimensions: Sequence[str]) -> None:
    """Name the axes of an array by dimension scales of the group."""
    for axis, name in enumerate(dimensions):
        stored.dims[axis].attach_scale(group[name])
