"""A folder of images, `SPLIT/CLASS/NAME`, as it lies or inside a .tar.gz or .zip.

Archives are read in memory and never unpacked, so no path in one can point outside.
"""

import io
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from convprobe.errors import InputError

SPLITS = ("train", "test")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")


def read(path):
    """Pixels and labels of both splits.

    The folders `train` and `test` may lie at any one depth; classes are numbered by name; images
    are ordered by NAME and then CLASS, so that `00000.jpg` of any class is image 0.

    Returns:
        dict by `train` and `test` of (uint8 (image, y, x, 3), int64 (image)); class names.

    Raises:
        InputError: nothing there, an unreadable image, unequal sizes, a class only in test.
    """
    found = {split: [] for split in SPLITS}
    for place, content in _files(Path(path)):
        split, class_name, name = place.parts[-3:]
        found[split].append((name, class_name, _pixels(f"{path}: {place}", content)))
    classes = _class_names(path, found)
    return {split: _arrays(path, images, classes) for split, images in found.items()}, classes


def _files(path):
    """Yield (place, bytes) of every image that lies at SPLIT/CLASS/NAME."""
    try:
        for name, read_content in _entries(path):
            place = PurePosixPath(name)
            if place.suffix.lower() in SUFFIXES and len(place.parts) >= 3 and place.parts[-3] in SPLITS:
                yield place, read_content()
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{path}: damaged archive ({error})") from error


def _entries(path):
    """Yield (name, function that reads it) of every file of a folder or an archive."""
    if path.is_dir():
        for file in path.rglob("*"):
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


def _pixels(where, content):
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise InputError(f"{where}: not a readable image ({error})") from error


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


def _arrays(path, images, classes):
    images.sort(key=lambda image: image[:2])
    shape = images[0][2].shape
    for name, class_name, pixels in images:
        if pixels.shape != shape or shape[0] != shape[1]:
            raise InputError(
                f"{path}: {class_name}/{name} is {pixels.shape[1]}×{pixels.shape[0]} pixels, expected "
                f"{shape[1]}×{shape[1]} as in {images[0][1]}/{images[0][0]}: all images square and of one size"
            )
    number = {name: index for index, name in enumerate(classes)}
    labels = np.array([number[class_name] for _, class_name, _ in images], dtype=np.int64)
    return np.stack([pixels for _, _, pixels in images]), labels
