"""CIFAR-10 as its authors publish it, every file checked against its digest before it is read.

Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. The address and the
digests are torchvision's.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8
from torchvision.datasets import CIFAR10
from torchvision.datasets.utils import check_md5

from convprobe.dataset import archives, download
from convprobe.errors import InputError
from convprobe.job import runtime

NOT_READ = ("readme.html",)  # lies beside the batches

Source = type[CIFAR10]  # knows names, digests and the address
Arrays = tuple[UInt8[np.ndarray, "image y x channel"], Int64[np.ndarray, " image"]]


def download_archive(
    path: Path | str, source: Source = CIFAR10, job: runtime.Job = runtime.IDLE
) -> None:
    """Download the archive from its authors.

    A mirror's address may stand in the environment's CONVPROBE_CIFAR10_URL.

    Raises:
        InputError: that is no address, or the server can't be reached, or sends something else.
    """
    url = os.environ.get("CONVPROBE_CIFAR10_URL") or source.url
    if not url.lower().startswith(("http://", "https://")):
        found = f"CONVPROBE_CIFAR10_URL is {url}"
        raise InputError(f"{found}, expected an address that begins with http:// or https://")
    download.fetch(url, path, source.tgz_md5, job)


def read(path: Path | str, source: Source = CIFAR10) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    """Pixels and labels of both splits.

    Args:
        path: the published archive, or a folder that holds `cifar-10-batches-py`.
        source: the torchvision class that knows the names and digests.

    Returns:
        pixels and labels by `train` and `test`; class names.

    Raises:
        InputError: a file is missing or its digest is wrong.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, source)
    if not path.is_file():
        expected = f"{source.filename}, or a folder that holds {source.base_folder}"
        raise InputError(f"{path}: missing: expected {expected}")
    if not check_md5(path, source.tgz_md5):
        found = f"{path}: not the published archive"
        raise InputError(f"{found}: its MD5 digest should be {source.tgz_md5}")
    with tempfile.TemporaryDirectory() as folder:  # the archive's own folder may be read-only
        _unpack(path, Path(folder), source)
        return _read_folder(Path(folder), source)


def _published(source: Source) -> dict[str, str]:
    """Digests of the published files, by their names."""
    batches = dict([*source.train_list, *source.test_list])
    return {**batches, source.meta["filename"]: source.meta["md5"]}


def _unpack(path: Path, folder: Path, source: Source) -> None:
    """Write the published files to a folder; an archive that holds others is refused."""
    base = source.base_folder
    missing = {f"{base}/{name}" for name in _published(source)}
    ignored = {base, *(f"{base}/{name}" for name in NOT_READ)}
    (folder / base).mkdir()
    with archives.reading(path):
        for entry in archives.entries(path):
            if entry.name in ignored:
                continue
            if entry.name not in missing:
                found = f"{path}: holds {entry.name}"
                raise InputError(f"{found}, expected the published files, each once")
            missing.remove(entry.name)
            (folder / entry.name).write_bytes(entry.read())
    if missing:
        raise InputError(f"{path}: holds no file {min(missing)}, expected all published files")


def _read_folder(folder: Path, source: Source) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    # The batches are pickles: all digests are checked before the first of them is opened.
    for name, digest in _published(source).items():
        file = folder / source.base_folder / name
        if not file.is_file():
            raise InputError(f"{file}: missing: expected the extracted archive {source.filename}")
        if not check_md5(file, digest):
            raise InputError(f"{file}: not the published file: its MD5 digest should be {digest}")
    arrays = {}
    for split in ("train", "test"):
        images = source(folder, train=split == "train")
        arrays[split] = (images.data, np.array(images.targets, dtype=np.int64))
    return arrays, tuple(images.classes)
