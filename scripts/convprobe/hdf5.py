"""HDF5 files that are complete, or refused.

A writer that is killed leaves a file that opens, with rows missing. So the attribute `complete` is
set last, the file is moved to its place after that, and readers refuse a file without it.
"""

import contextlib

import h5py

from convprobe import files
from convprobe.errors import InputError

FORMAT_VERSION = 1


@contextlib.contextmanager
def create(path):
    """Yield a new h5py.File that appears at `path` when the block ends well.

    Raises:
        InputError: the disk is full or can't be written; the message names `path`.
    """
    # No chunk cache: HDF5 crashes at the end of the process over cached chunks that a full disk refused.
    with files.replacing(path) as partial, _system_errors(), h5py.File(partial, "w", rdcc_nbytes=0) as file:
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
                raise InputError(f"{path}: incomplete, its writer was stopped: delete it and run again")
            if file.attrs["format_version"] != FORMAT_VERSION:
                found = f"{path}: has format {file.attrs['format_version']}, expected {FORMAT_VERSION}"
                raise InputError(f"{found}: delete it and run again")
            yield file
    except OSError as error:
        raise InputError(f"{path}: damaged HDF5 file ({files.reason(error)}): delete it and run again") from error


def dimension(file, name, values):
    """Store the coordinates of an axis as a dimension scale, which xarray shows under `name`."""
    file[name] = values
    file[name].make_scale(name)


def dataset(file, name, values, dimensions, **storage):
    """Store an array whose axes are the named dimension scales of the file."""
    stored = file.create_dataset(name, data=values, **storage)
    for axis, scale in enumerate(dimensions):
        stored.dims[axis].attach_scale(file[scale])
    return stored
