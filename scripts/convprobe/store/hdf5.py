"""HDF5 files that are complete, or refused.

A writer that is killed leaves a file that opens, with rows missing. So the attribute `complete` is
set last, the file is moved to its place after that, and readers refuse a file without it.
"""

import contextlib
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import ArrayLike

from convprobe.errors import InputError
from convprobe.store import files

FORMAT_VERSION = 1


@contextlib.contextmanager
def create(path):
    """Yield a new h5py.File that appears at `path` when the block ends well.

    Raises:
        InputError: the disk is full or can't be written; the message names `path`.
    """
    # No chunk cache: HDF5 crashes at the end of the process over cached chunks that a full disk refused.
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
def _system_errors():
    """On closing, h5py tells that the disk is full by a RuntimeError: make it the OSError that it is."""
    try:
        yield
    except RuntimeError as error:
        if "errno = " not in str(error):
            raise
        raise OSError(files.reason(error)) from error


@contextlib.contextmanager
def open_complete(path):
    """Yield the h5py.File at `path`, opened for reading.

    Raises:
        InputError: the file is missing, damaged or incomplete.
    """
    try:
        with h5py.File(path, "r") as file:
            if not file.attrs.get("complete", False):
                raise InputError(
                    f"{path}: incomplete, its writer was stopped: delete it and run again"
                )
            if file.attrs["format_version"] != FORMAT_VERSION:
                found = (
                    f"{path}: has format {file.attrs['format_version']}, expected {FORMAT_VERSION}"
                )
                raise InputError(f"{found}: delete it and run again")
            yield file
    except OSError as error:
        raise InputError(
            f"{path}: damaged HDF5 file ({files.reason(error)}): delete it and run again"
        ) from error


def dimension(file, name, values, units=None):
    """Store the coordinates of an axis as a dimension scale, which xarray shows under `name`."""
    file[name] = values
    file[name].make_scale(name)
    if units:
        file[name].attrs["units"] = units


def places(group: h5py.Group, side: int, units: str | None = "pixel") -> None:
    """Store the coordinates of the rows and columns of square images or maps."""
    for name in ("y", "x"):
        dimension(group, name, np.arange(side), units)


def dataset(group: h5py.Group, name: str, values: ArrayLike, dimensions: tuple[str, ...]) -> None:
    """Store an array whose axes are the named dimension scales of the group, which may be the file."""
    attach(group, group.create_dataset(name, data=values), dimensions)


def virtual_dataset(file, name, parts, folder, dimensions):
    """Show datasets of other files as one array, joined along their first axis, without a copy.

    Args:
        parts: h5py.Dataset, in order.
        folder: in which `file` will lie; the other files are found relative to it.
        dimensions: names of dimension scales of the file, one an axis.
    """
    layout, start = (
        h5py.VirtualLayout((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype),
        0,
    )
    for part in parts:
        place = Path(part.file.filename).relative_to(folder).as_posix()
        layout[start : start + len(part)] = h5py.VirtualSource(
            place, part.name, part.shape, part.dtype
        )
        start += len(part)
    # As h5py has it for all others: with the time in it, each writing would give other bytes.
    layout.dcpl.set_obj_track_times(False)
    # What is missing shows as no number, or as no label.
    missing = np.nan if parts[0].dtype.kind == "f" else -1
    attach(file, file.create_virtual_dataset(name, layout, fillvalue=missing), dimensions)


def attach(group: h5py.Group, stored: h5py.Dataset, dimensions: tuple[str, ...]) -> None:
    """Name the axes of an array by dimension scales of the group."""
    for axis, scale in enumerate(dimensions):
        stored.dims[axis].attach_scale(group[scale])
