"""CIFAR-10 as its authors publish it, every file checked against its digest before it is read.

Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. The address and the
digests are torchvision's.
"""

import os
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from torchvision.datasets import CIFAR10
from torchvision.datasets.utils import check_md5

from convprobe.dataset import download
from convprobe.errors import InputError
from convprobe.job import runtime


def download_archive(path, source=CIFAR10, job=runtime.IDLE):
    """Download the archive from its authors, or from the address in the environment's CONVPROBE_CIFAR10_URL.

    Raises:
        InputError: the address is none, the server can't be reached, or sends something else.
    """
    url = os.environ.get("CONVPROBE_CIFAR10_URL") or source.url
    if not url.lower().startswith(("http://", "https://")):
        raise InputError(
            f"CONVPROBE_CIFAR10_URL is {url}, expected an address that begins with http:// or https://"
        )
    download.fetch(url, path, source.tgz_md5, job)


def read(path, source=CIFAR10):
    """Pixels and labels of both splits.

    Args:
        path: the published archive, or a folder that holds `cifar-10-batches-py`.
        source: the torchvision class that knows the names and digests.

    Returns:
        dict by `train` and `test` of (uint8 (image, y, x, channel), int64 (image)); class names.

    Raises:
        InputError: a file is missing or its digest is wrong.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, source)
    if not path.is_file():
        raise InputError(
            f"{path}: missing: expected {source.filename}, or a folder that holds {source.base_folder}"
        )
    if not check_md5(path, source.tgz_md5):
        raise InputError(
            f"{path}: not the published archive: its MD5 digest should be {source.tgz_md5}"
        )
    with tempfile.TemporaryDirectory() as folder:  # the archive's own folder may be read-only
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
        return _read_folder(Path(folder), source)


def _read_folder(folder, source):
    # The batches are pickles: all digests are checked before the first of them is opened.
    named = [*source.train_list, *source.test_list, [source.meta["filename"], source.meta["md5"]]]
    for name, digest in named:
        file = folder / source.base_folder / name
        if not file.is_file():
            raise InputError(f"{file}: missing: expected the extracted archive {source.filename}")
        if not check_md5(file, digest):
            raise InputError(f"{file}: not the published file: its MD5 digest should be {digest}")
    splits = {name: source(folder, train=name == "train") for name in ("train", "test")}
    arrays = {
        name: (split.data, np.array(split.targets, dtype=np.int64))
        for name, split in splits.items()
    }
    return arrays, tuple(splits["train"].classes)
