"""A folder of images, `SPLIT/CLASS/NAME`, as it lies or inside a .tar.gz or .zip.

Archives are read in memory and never unpacked, so no path in one can point outside; links in
them are passed over.
"""

import gzip
import io
import itertools
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from convprobe import files
from convprobe.errors import InputError

SPLITS = ("train", "test")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
# RuntimeError: a zip with a password, or a compression that Python doesn't know.
DAMAGED = (tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


def read(path):
    """Pixels and labels of both splits.

    The folders `train` and `test` may lie at any one depth; classes are numbered by name; images
    are ordered by NAME and then CLASS, so that `00000.jpg` of any class is image 0.

    Returns:
        dict by `train` and `test` of (uint8 (image, y, x, 3), int64 (image)); class names.

    Raises:
        InputError: nothing there, a damaged archive, an unreadable image, unequal sizes, a class
            only in test, the same image twice.
    """
    found = {split: [] for split in SPLITS}
    for place, content in _files(Path(path)):
        split, class_name, name = place.parts[-3:]
        found[split].append((name, class_name, _pixels(f"{path}: {place}", content)))
    classes = _class_names(path, found)
    for images in found.values():
        images.sort(key=lambda image: image[:2])
    _refuse_mixed(path, found)
    return {split: _arrays(images, classes) for split, images in found.items()}, classes


def _files(path):
    """Yield (place, bytes) of every image that lies at SPLIT/CLASS/NAME."""
    try:
        for name, read_content in _entries(path):
            if _is_image(place := PurePosixPath(name)):
                yield place, read_content()
    except DAMAGED as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(f"{path}: damaged archive, expected .tar.gz or .zip ({first_line})") from error
    except OSError as error:
        raise InputError(f"{path}: can't be read: {files.reason(error)}") from error


def _is_image(place):
    # A Mac puts a file `._NAME` with what it knows of NAME into its archives.
    hidden = place.name.startswith(".")
    return not hidden and place.suffix.lower() in SUFFIXES and len(place.parts) >= 3 and place.parts[-3] in SPLITS


def _entries(path):
    """Yield (name, function that reads it) of every file of a folder or an archive."""
    if path.is_dir():
        for file in filter(Path.is_file, path.rglob("*")):
            yield file.relative_to(path).as_posix(), file.read_bytes
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, lambda name=name: archive.read(name)
    else:
        with tarfile.open(path) as archive:
            for entry in archive:
                if entry.isfile():
                    yield entry.name, lambda entry=entry: archive.extractfile(entry).read()
            _refuse_cut(archive)


def _refuse_cut(archive):
    """A damaged entry ends a tar for Python without a word: only a block of zeros is its end."""
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it breaks off")
    while archive.fileobj.read(1 << 20):  # to the end, where gzip compares its checksum
        pass


def _pixels(where, content):
    try:
        with Image.open(io.BytesIO(content)) as image:
            deep = image.mode.startswith(("I", "F"))
            pixels = np.asarray(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise InputError(f"{where}: not a readable image, expected one as its name says") from error
    except Exception as error:  # what a damaged image makes of Pillow's readers can be any of them
        raise InputError(f"{where}: not a readable image ({' '.join(str(error).split())})") from error
    if deep:
        # Pillow would cut off what is above 255, and so turn most of it white.
        raise InputError(f"{where}: has more than 8 bits a channel, expected 8")
    return pixels


def _class_names(path, found):
    for split in SPLITS:
        if not found[split]:
            raise InputError(
                f"{path}: no image at {split}/CLASS/NAME, expected files that end in {', '.join(SUFFIXES)}"
            )
    trained, tested = ({class_name for _, class_name, _ in found[split]} for split in SPLITS)
    if tested - trained:
        raise InputError(f"{path}: only in test, never in train: class {', '.join(sorted(tested - trained))}")
    return tuple(sorted(trained))


def _refuse_mixed(path, found):
    """One place for each image, and one size for all of them, in both splits."""
    images = [(f"{split}/{class_name}/{name}", pixels) for split in SPLITS for name, class_name, pixels in found[split]]
    first_place, first = images[0]
    for (place, _), (following, _) in itertools.pairwise(images):
        if place == following:
            raise InputError(f"{path}: {place} is there twice, expected one folder {place.split('/')[0]}")
    for place, pixels in images:
        height, width, _ = pixels.shape
        if height != width:
            raise InputError(f"{path}: {place} is {width}×{height} pixels, expected square images")
        if pixels.shape != first.shape:
            expected = f"{len(first)}×{len(first)} as in {first_place}: all images of one size"
            raise InputError(f"{path}: {place} is {width}×{height} pixels, expected {expected}")


def _arrays(images, classes):
    labels = np.array([classes.index(class_name) for _, class_name, _ in images], dtype=np.int64)
    return np.stack([pixels for _, _, pixels in images]), labels
