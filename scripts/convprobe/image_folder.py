"""A folder of images, `SPLIT/CLASS/NAME` or `CLASS/NAME`, as it lies or inside a .tar.gz or .zip.

Archives are read in memory and never unpacked, so no path in one can point outside; links in
them are passed over. What claims to be far larger than an image of this study is refused unread.
"""

import gzip
import io
import itertools
import lzma
import tarfile
import unicodedata
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
import psutil
from PIL import Image, ImageOps, UnidentifiedImageError

from convprobe import files
from convprobe.errors import InputError

SPLITS = ("train", "test")
MOST_BYTES = 2**26  # of an image file
MOST_ENTRIES = 2_000_000  # of an archive
MOST_UNPACKED = 2**36  # bytes of a .tar.gz, which must be read in a row
MOST_PIXELS = 2**24  # of an image, once it is unpacked
Image.MAX_IMAGE_PIXELS = None  # Pillow's own, higher limit only warns
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")  # of all that Pillow reads: some hand a file on to other programs
# RuntimeError: a zip with a password, or a compression that Python doesn't know; UnicodeError: a damaged name.
DAMAGED = (
    tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError,
    UnicodeError,
)  # fmt: skip


def read(path, image_size=None, split=None):
    """Pixels and labels of both splits.

    The folders may lie at any one depth; classes are numbered by name; images are ordered by NAME and
    then CLASS, so that `00000.jpg` of any class is image 0. What is hidden is passed over. Pixels are as
    torchvision's ImageFolder has them: transparency is dropped, an EXIF orientation doesn't turn them.

    Args:
        path: of the folder or archive.
        image_size: side in pixels to which the middle square of each image is scaled; without it,
            images must be square and of one size.
        split: `test_share` and `seed`, where there are no folders `train` and `test`: the share of each
            class's images that is drawn for the test.

    Returns:
        dict by `train` and `test` of (uint8 (image, y, x, 3), int64 (image)); class names.

    Raises:
        InputError: nothing there, a damaged archive, an unreadable image, unequal sizes, a class
            without images or only in test, the same image twice, more than the memory holds.
    """
    images, folders = _images(path, image_size, split)
    found = {name: [] for name in SPLITS}
    tested = _drawn([parts[-2:] for parts, _ in images], **split) if split else None
    for parts, pixels in images:
        name = parts[-3] if tested is None else "test" if parts[-2:] in tested else "train"
        found[name].append((parts[-1], parts[-2], pixels))
    classes = _class_names(path, found, "CLASS/NAME" if split else "{}/CLASS/NAME")
    if split:
        _refuse_depths(path, [parts for parts, _ in images])
    _refuse_empty(path, folders, [parts for parts, _ in images])
    for images in found.values():
        images.sort(key=lambda image: image[:2])
    _refuse_mixed(path, found)
    return {name: _arrays(images, classes) for name, images in found.items()}, classes


def _images(path, image_size, split):
    """The parts of the path, and the pixels, of each image; the parts of the path of each folder."""
    images, folders, taken = [], [], 0
    most = psutil.virtual_memory().available // 2  # they are held twice, once one by one and once in a row
    for place, content in _files(path, split):
        if content is None:
            folders.append(place.parts)
            continue
        images.append((place.parts, _pixels(f"{path}: {place}", content, image_size)))
        taken += images[-1][1].nbytes
        if taken > most:
            found = f"{path}: the first {len(images)} images take {taken} bytes of memory"
            raise InputError(f"{found}, expected at most {most}, half of what is free: fewer or smaller ones")
    return images, folders


def _drawn(places, test_share, seed):
    """Which of the places (CLASS, NAME) are tested: of each class that share, one at least and not all.

    A class is drawn by its own name, so that another one added changes nothing.
    """
    tested = set()
    for class_name in {class_name for class_name, _ in places}:
        names = sorted({name for other, name in places if other == class_name})
        count = min(max(1, round(test_share * len(names))), len(names) - 1)
        random = np.random.default_rng([seed, *class_name.encode()])
        tested |= {(class_name, names[index]) for index in random.permutation(len(names))[:count]}
    return tested


def _files(path, split):
    """Yield (place, bytes) of every image that lies at SPLIT/CLASS/NAME, or at CLASS/NAME to be split.

    And (place, None) of every folder.
    """
    path = Path(path)
    try:
        for name, size, read_content in _entries(path):
            place = PurePosixPath(name)
            # A Mac puts a folder `__MACOSX`, or files `._NAME`, with what it knows of NAME into its archives.
            if any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in place.parts):
                continue
            if {"Cc", "Cs"} & set(map(unicodedata.category, name)):  # control characters, and bytes that are no text
                raise InputError(f"{path}: {name!a} is no name that can be shown, expected letters and signs")
            if read_content is None:
                yield place, None
            elif _is_image(place, split):
                if size > MOST_BYTES:
                    raise InputError(
                        f"{path}: {place} is a file of {size} bytes, expected an image of at most {MOST_BYTES}"
                    )
                yield place, read_content()
    except DAMAGED as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(f"{path}: damaged archive, expected .tar.gz or .zip ({first_line})") from error
    except OSError as error:
        raise InputError(f"{path}: can't be read: {files.reason(error)}") from error


def _is_image(place, split):
    if place.suffix.lower() not in SUFFIXES:
        return False
    return len(place.parts) >= 2 if split else len(place.parts) >= 3 and place.parts[-3] in SPLITS


def _entries(path):
    """Yield (name, size in bytes, function that reads it) of every file of a folder or an archive.

    And (name, 0, None) of every folder in it.
    """
    if path.is_dir():
        for file in path.rglob("*"):
            name = file.relative_to(path).as_posix()
            if file.is_file():
                yield name, file.stat().st_size, file.read_bytes
            elif file.is_dir():
                yield name, 0, None
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _refuse_huge(path, entries=len(archive.infolist()))
            for entry in archive.infolist():
                # No more is unpacked than the entry's stated size: zipfile stops there.
                read_content = None if entry.is_dir() else lambda entry=entry: archive.read(entry)
                yield entry.filename, entry.file_size, read_content
    else:
        with tarfile.open(path) as archive:
            for number, entry in enumerate(archive, start=1):
                archive.members = []  # it would keep them all
                _refuse_huge(path, entries=number, unpacked=entry.offset_data + entry.size)
                if entry.isfile():
                    yield entry.name, entry.size, lambda entry=entry: archive.extractfile(entry).read()
                elif entry.isdir():
                    yield entry.name, 0, None
            _refuse_cut(path, archive)


def _refuse_huge(path, entries=0, unpacked=0):
    if entries > MOST_ENTRIES:
        raise InputError(f"{path}: has more than {MOST_ENTRIES} entries, expected an archive of images")
    if unpacked > MOST_UNPACKED:
        raise InputError(f"{path}: unpacks to more than {MOST_UNPACKED} bytes, expected an archive of images")


def _refuse_cut(path, archive):
    """A damaged entry ends a tar for Python without a word: only a block of zeros is its end."""
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it breaks off")
    while archive.fileobj.read(1 << 20):  # to the end, where gzip compares its checksum
        _refuse_huge(path, unpacked=archive.fileobj.tell())


def _pixels(where, content, image_size):
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size  # as stated, before anything is unpacked
            if width * height > MOST_PIXELS:
                raise InputError(f"{where}: is {width}×{height} pixels, expected at most {MOST_PIXELS} in all")
            deep = image.mode.startswith(("I", "F"))
            rgb = image.convert("RGB")
            # The middle square, scaled.
            pixels = np.asarray(ImageOps.fit(rgb, (image_size, image_size)) if image_size else rgb)
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{where}: not a readable image, expected one as its name says") from error
    except Exception as error:  # what a damaged image makes of Pillow's readers can be any of them
        raise InputError(f"{where}: not a readable image ({' '.join(str(error).split())})") from error
    if deep:
        # Pillow would cut off what is above 255, and so turn most of it white.
        raise InputError(f"{where}: has more than 8 bits a channel, expected 8")
    return pixels


def _class_names(path, found, place):
    for split in SPLITS:
        if not found[split]:
            place = place.format(split)
            raise InputError(f"{path}: no image at {place}, expected files that end in {', '.join(SUFFIXES)}")
    trained, tested = ({class_name for _, class_name, _ in found[split]} for split in SPLITS)
    if tested - trained:
        raise InputError(f"{path}: only in test, never in train: class {', '.join(sorted(tested - trained))}")
    return tuple(sorted(trained))


def _refuse_depths(path, places):
    """Where there is no folder `train` or `test` to go by, a file beside the classes would make one of its own."""
    first, last = min(places, key=len), max(places, key=len)
    if len(first) != len(last):
        places = f"{'/'.join(first)} and {'/'.join(last)} lie at different depths"
        raise InputError(f"{path}: {places}, expected all images at CLASS/NAME")


def _refuse_empty(path, folders, places):
    """A folder beside those of the classes in which no image lies: else its class would be missing without a word."""
    classes = {place[:-1] for place in places}
    beside = {(len(place), place[:-1]) for place in classes if place[-2:-1] != ("test",)}
    for folder in sorted(set(folders) - classes):
        if (len(folder), folder[:-1]) in beside:
            raise InputError(f"{path}: {'/'.join(folder)} holds no image, expected some of each class")


def _refuse_mixed(path, found):
    """One place for each image, and one size for all of them, in both splits."""
    images = [(f"{split}/{class_name}/{name}", pixels) for split in SPLITS for name, class_name, pixels in found[split]]
    first_place, first = images[0]
    for (place, _), (following, _) in itertools.pairwise(images):
        if place == following:
            raise InputError(f"{path}: {place} is there twice, expected one folder of each name")
    for place, pixels in images:
        height, width, _ = pixels.shape
        if height != width:
            expected = "square images, or dataset.image_size to scale them to"
            raise InputError(f"{path}: {place} is {width}×{height} pixels, expected {expected}")
        if pixels.shape != first.shape:
            expected = f"{len(first)}×{len(first)} as in {first_place}: all of one size, or dataset.image_size"
            raise InputError(f"{path}: {place} is {width}×{height} pixels, expected {expected}")


def _arrays(images, classes):
    labels = np.array([classes.index(class_name) for _, class_name, _ in images], dtype=np.int64)
    return np.stack([pixels for _, _, pixels in images]), labels
