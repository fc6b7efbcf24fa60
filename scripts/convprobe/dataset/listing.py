"""Which images a folder or an archive of one holds: `SPLIT/CLASS/NAME`, or `CLASS/NAME` to be split.

By names alone: no image is opened, and an archive is never unpacked, so that this can be asked before
anything runs. What is read, what is digested and what is counted is decided here, once for all three.
"""

import contextlib
import gzip
import itertools
import lzma
import os
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from convprobe.dataset.splits import SPLITS
from convprobe.errors import InputError
from convprobe.store import files

MOST_BYTES = 2**26  # of an image file
MOST_ENTRIES = 2_000_000  # of an archive
MOST_UNPACKED = 2**36  # bytes of a .tar.gz, which must be read in a row
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
# RuntimeError: a zip with a password, or a compression that Python doesn't know; UnicodeError: a damaged name.
DAMAGED = (
    tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError,
    UnicodeError,
)  # fmt: skip

Parts = tuple[str, ...]  # of the path of a file or folder, from the folder or archive on


def labels(path: str | Path, **split: float) -> dict[str, list[str]]:
    """The class of each image of `train` and `test`, in the order of the data set.

    Args:
        path: of the folder or archive.
        split: `test_share` and `seed`, where the images lie at CLASS/NAME.

    Raises:
        InputError: as for `Listing`.
    """
    with told(path):
        listed = Listing(path, split)
        listed.read_names()
    return listed.labels()


@contextlib.contextmanager
def told(path: str | Path) -> Iterator[None]:
    """Tell what goes wrong with reading a folder or an archive in one line."""
    try:
        yield
    except DAMAGED as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(
            f"{path}: damaged archive, expected .tar.gz or .zip ({first_line})"
        ) from error
    except OSError as error:
        raise InputError(
            f"{error.filename or path}: can't be read: {files.reason(error)}"
        ) from error


class Listing:
    """The images of a folder or an archive: iterate over them, then ask how they are arranged.

    The folders may lie at any one depth. What is hidden is passed over; so are links in an archive, while
    those of a folder are followed. What claims to be far larger than an image of this study is refused.

    Attributes:
        images: the places of the images seen so far.
        folders: those of the folders.
    """

    def __init__(self, path: str | Path, split: dict | None = None):
        """Args as for `labels`; nothing is read yet."""
        self.path, self.split = Path(path), split
        self.images: list[Parts] = []
        self.folders: list[Parts] = []
        self._elsewhere: list[
            Parts
        ] = []  # images that lie at CLASS/NAME, where SPLIT/CLASS/NAME is expected

    def __iter__(self) -> Iterator[tuple[Parts, Callable[[], bytes]]]:
        """Yield the place of each image, and the function that reads its file.

        An archive's must be called before the next one is asked for. Iterate inside `told`.
        """
        for name, size, read_content in _entries(self.path):
            place = PurePosixPath(name)
            if any(map(_is_hidden, place.parts)):
                continue
            if {"Cc", "Cs"} & set(
                map(unicodedata.category, name)
            ):  # control characters, and bytes that are no text
                raise InputError(
                    f"{self.path}: {name!a} is no name that can be shown, expected letters and signs"
                )
            if read_content is None:
                self.folders.append(place.parts)
            elif place.suffix.lower() not in SUFFIXES or len(place.parts) < 2:
                continue
            elif not self.split and place.parts[-3:-2] not in ((split,) for split in SPLITS):
                self._elsewhere.append(place.parts)
            elif size > MOST_BYTES:
                found = f"{self.path}: {place} is a file of {size} bytes"
                raise InputError(f"{found}, expected an image of at most {MOST_BYTES}")
            else:
                self.images.append(place.parts)
                yield place.parts, read_content

    def read_names(self) -> None:
        """Go over all images without reading their files."""
        for _ in self:
            pass

    def labels(self) -> dict[str, list[str]]:
        """The class of each image of `train` and `test`, in the order of the data set; raises as `arranged`."""
        return {split: [parts[-2] for parts in places] for split, places in self.arranged().items()}

    def arranged(self) -> dict[str, list[Parts]]:
        """The places of the images of `train` and `test`, by NAME and then CLASS.

        Raises:
            InputError: a split or a class without images, a class only in test, the same image twice,
                images at different depths.
        """
        if self.split:
            tested = _drawn([parts[-2:] for parts in self.images], **self.split)
            found = {"train": [], "test": []}
            for parts in self.images:
                found["test" if parts[-2:] in tested else "train"].append(parts)
        else:
            found = {
                split: [parts for parts in self.images if parts[-3] == split] for split in SPLITS
            }
        self._refuse_missing(found)
        if self.split:
            self._refuse_depths()
        self._refuse_empty()
        for places in found.values():
            places.sort(key=_by_name)
            self._refuse_twice(places)
        return found

    def _refuse_missing(self, found: dict[str, list[Parts]]) -> None:
        for split in SPLITS:
            if found[split]:
                continue
            place = "CLASS/NAME" if self.split else f"{split}/CLASS/NAME"
            if self._elsewhere and not self.images:
                seen = f"{self.path}: no image at {place}, but at CLASS/NAME, as {'/'.join(min(self._elsewhere))}"
                raise InputError(
                    f"{seen}: expected folders train and test, or dataset.split to draw the test images"
                )
            raise InputError(
                f"{self.path}: no image at {place}, expected files that end in {', '.join(SUFFIXES)}"
            )
        trained, tested = ({parts[-2] for parts in found[split]} for split in SPLITS)
        if tested - trained:
            raise InputError(
                f"{self.path}: only in test, never in train: class {', '.join(sorted(tested - trained))}"
            )

    def _refuse_depths(self) -> None:
        """Where there is no folder `train` or `test` to go by, a file beside the classes would make one of its own."""
        first, last = min(self.images, key=len), max(self.images, key=len)
        if len(first) != len(last):
            places = f"{'/'.join(first)} and {'/'.join(last)} lie at different depths"
            raise InputError(f"{self.path}: {places}, expected all images at CLASS/NAME")

    def _refuse_empty(self) -> None:
        """A folder beside those of the classes without an image: else its class would be missing without a word."""
        classes = {place[:-1] for place in self.images}
        beside = {(len(place), place[:-1]) for place in classes if place[-2:-1] != ("test",)}
        for folder in sorted(set(self.folders) - classes):
            if (len(folder), folder[:-1]) in beside:
                raise InputError(
                    f"{self.path}: {'/'.join(folder)} holds no image, expected some of each class"
                )

    def _refuse_twice(self, places: list[Parts]) -> None:
        for one, other in itertools.pairwise(places):
            if one == other:
                raise InputError(
                    f"{self.path}: {'/'.join(one)} is there twice, expected one file of each name"
                )
            if _by_name(one) == _by_name(other):
                both = f"{'/'.join(one)} and {'/'.join(other)}"
                raise InputError(
                    f"{self.path}: {both} have one class and name, expected one folder of each name"
                )


def _by_name(parts: Parts) -> Parts:
    return parts[-1], parts[-2]


def _is_hidden(name: str) -> bool:
    """A Mac puts a folder `__MACOSX`, or files `._NAME`, with what it knows of NAME into its archives."""
    return name == "__MACOSX" or (name.startswith(".") and name != "..")


def _drawn(places: list[Parts], test_share: float, seed: int) -> set[Parts]:
    """Which of the places (CLASS, NAME) are tested: of each class that share, one at least and not all.

    A class is drawn by its own name, so that another one added changes nothing.
    """
    import numpy as np  # here, for most plans can do without

    names = {}
    for class_name, name in places:
        names.setdefault(class_name, set()).add(name)
    tested = set()
    for class_name, unordered in names.items():
        ordered = sorted(unordered)
        count = min(max(1, round(test_share * len(ordered))), len(ordered) - 1)
        random = np.random.default_rng([seed, *class_name.encode()])
        tested |= {
            (class_name, ordered[index]) for index in random.permutation(len(ordered))[:count]
        }
    return tested


def _entries(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes] | None]]:
    """Yield (name, size in bytes, function that reads it) of every file of a folder or an archive.

    And (name, 0, None) of every folder in it.
    """
    if path.is_dir():
        yield from _walk(path, "", frozenset())
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
                    yield (
                        entry.name,
                        entry.size,
                        lambda entry=entry: archive.extractfile(entry).read(),
                    )
                elif entry.isdir():
                    yield entry.name, 0, None
            _refuse_cut(path, archive)


def _walk(
    folder: Path, above: str, around: frozenset[tuple[int, int]]
) -> Iterator[tuple[str, int, Callable[[], bytes] | None]]:
    """As `_entries`, of a folder. Links are followed, but not back to a folder that they lie in."""
    status = folder.stat()
    around |= {(status.st_dev, status.st_ino)}
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found if not _is_hidden(entry.name))
    for name in names:
        place = folder / name
        if place.is_file():
            yield above + name, place.stat().st_size, place.read_bytes
        elif place.is_dir():
            status = place.stat()
            if (status.st_dev, status.st_ino) not in around:
                yield above + name, 0, None
                yield from _walk(place, f"{above}{name}/", around)


def _refuse_huge(path: Path, entries: int = 0, unpacked: int = 0) -> None:
    if entries > MOST_ENTRIES:
        raise InputError(
            f"{path}: has more than {MOST_ENTRIES} entries, expected an archive of images"
        )
    if unpacked > MOST_UNPACKED:
        raise InputError(
            f"{path}: unpacks to more than {MOST_UNPACKED} bytes, expected an archive of images"
        )


def _refuse_cut(path: Path, archive: tarfile.TarFile) -> None:
    """A damaged entry ends a tar for Python without a word: only a block of zeros is its end."""
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it breaks off")
    while archive.fileobj.read(1 << 20):  # to the end, where gzip compares its checksum
        _refuse_huge(path, unpacked=archive.fileobj.tell())
