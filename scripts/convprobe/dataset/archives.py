"""The files of a folder, a .tar.gz or a .zip, one by one; bombs and damaged archives are refused.

One policy for all of them, CIFAR-10's archive included:

- An archive with more entries or bytes than any data set of this study has is refused, as is a file
  that is read; what is stated counts, so a bomb is refused before it is unpacked.
- An archive that is damaged or cut off is refused, wherever that is.
- Hidden files and folders are passed over, as are symbolic links and devices in an archive; links
  in a folder are followed, for its user put them there. A tar with a hard link, which stands for a
  file that was packed before, is refused.
- A name that can't be shown is refused. Any other is a name only: it is never used as a path.
"""

import contextlib
import functools
import gzip
import lzma
import os
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convprobe.errors import InputError
from convprobe.store import files

MOST_ENTRIES = 2_000_000  # of an archive
MOST_BYTES = 2**26  # of a file that is read
MOST_UNPACKED = 2**36  # bytes of an archive, whether they are read or not
BLOCK = 2**20  # bytes read at a time where only their end matters
MOST_HEADER = 2**20  # bytes of a name, or of what else a tar says of an entry before it
# Of these Python unpacks no more than it is asked for.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# RuntimeError: a zip with a password, or a compression that Python doesn't know; the last four: a
# name or a number that is none.
DAMAGED = (
    tarfile.TarError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    LookupError,
    struct.error,
)
UNPRINTABLE = {"Cc", "Cs"}  # control characters, and bytes that are no text

Parts = tuple[str, ...]  # of the path of a file or folder, from the folder or archive on


@dataclass(frozen=True)
class Entry:
    """A file or a folder, in a folder or an archive.

    Attributes:
        root: path of the folder or archive.
        name: path inside it.
        size: of the file, in bytes, as stated.
        content: reads the file, an archive's before the next entry is asked for; None for a folder.
    """

    root: Path
    name: str
    size: int = 0
    content: Callable[[], bytes] | None = None

    @functools.cached_property
    def parts(self) -> Parts:
        return PurePosixPath(self.name).parts

    @property
    def is_folder(self) -> bool:
        return self.content is None

    def refuse_large(self) -> None:
        """Raise an InputError if the file is larger than any that is read here."""
        if self.size > MOST_BYTES:
            found = f"{self.root}: {self.name} is a file of {self.size} bytes"
            raise InputError(f"{found}, expected at most {MOST_BYTES}")

    def read(self) -> bytes:
        """What is in the file; raises as `refuse_large`."""
        self.refuse_large()
        return self.content()


def entries(path: Path | str) -> Iterator[Entry]:
    """All files and folders that aren't hidden. Iterate inside `reading`.

    Raises:
        InputError: too many entries, too many bytes, or a name that can't be shown.
    """
    path = Path(path)
    if path.is_dir():
        listed = _of_folder(path, path, "", frozenset())
    elif _is_zip(path):
        listed = _of_zip(path)
    else:
        listed = _of_tar(path)
    for entry in listed:
        if not any(map(_is_hidden, entry.parts)):
            _refuse_unprintable(entry)
            yield entry


@contextlib.contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Report in one line what goes wrong while a folder or an archive is read.

    Raises:
        InputError: a damaged archive, or a file that can't be read.
    """
    try:
        yield
    except InputError:
        raise
    except DAMAGED as error:
        reason = str(error).partition("\n")[0]
        message = f"{path}: damaged archive, expected .tar.gz or .zip ({reason})"
        raise InputError(message) from error
    except OSError as error:
        where = error.filename or path
        raise InputError(f"{where}: can't be read: {files.reason(error)}") from error


def _of_folder(
    root: Path, folder: Path, above: str, around: frozenset[tuple[int, int]]
) -> Iterator[Entry]:
    """Links are followed, but not back to a folder that they lie in.

    Args:
        root: the whole folder.
        folder: the part of it to go through.
        above: name of that part, with a slash at its end.
        around: the folders that it lies in, as device and inode.
    """
    around |= {_identity(folder)}
    with os.scandir(folder) as scanned:
        names = sorted(entry.name for entry in scanned if not _is_hidden(entry.name))
    for name in names:
        path = folder / name
        if path.is_file():
            yield Entry(root, above + name, path.stat().st_size, path.read_bytes)
        elif path.is_dir() and _identity(path) not in around:
            yield Entry(root, above + name)
            yield from _of_folder(root, path, f"{above}{name}/", around)


def _is_zip(path: Path) -> bool:
    """Whether it begins as one, too: a tar may end with a zip that was packed into it."""
    if not zipfile.is_zipfile(path):
        return False
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _of_zip(path: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        listed = archive.infolist()
        unpacked = sum(entry.file_size for entry in listed)
        _refuse_huge(path, len(listed), unpacked)
        for entry in listed:
            if entry.is_dir():
                yield Entry(path, entry.filename)
            elif not stat.S_ISLNK(entry.external_attr >> 16):
                yield Entry(path, entry.filename, entry.file_size, _zip_reader(archive, entry))


def _zip_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        if entry.compress_type not in COMPRESSIONS:
            raise zipfile.BadZipFile(f"{entry.filename} is neither stored nor deflated")
        with archive.open(entry) as file:
            # No more is unpacked: asked for all, zipfile would unpack all and then cut it.
            content = file.read(entry.file_size)
            if len(content) != entry.file_size or file.read(1):
                raise zipfile.BadZipFile(f"{entry.filename} is not as long as stated")
        return content

    return read


class _BoundedHeader(tarfile.TarInfo):
    """What a tar says of an entry; Python reads a long name whole, however long it is."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        is_file = self.isreg() or self.issparse()
        if not is_file and not 0 <= self.size <= MOST_HEADER:
            raise tarfile.ReadError(f"{self.size} bytes of what is no file")
        return super()._proc_member(archive)


def _of_tar(path: Path) -> Iterator[Entry]:
    with tarfile.open(path, tarinfo=_BoundedHeader) as archive:
        for number, entry in enumerate(archive, start=1):
            archive.members = []  # it would keep them all
            _refuse_huge(path, number, entry.offset_data + entry.size)
            if entry.isfile():
                yield Entry(path, entry.name, entry.size, _tar_reader(archive, entry))
            elif entry.isdir():
                yield Entry(path, entry.name)
            elif entry.islnk():
                found = f"{path}: {entry.name!a} is a hard link to {entry.linkname!a}"
                raise InputError(f"{found}, expected the file: pack it by tar --hard-dereference")
        _refuse_cut(path, archive)


def _tar_reader(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Callable[[], bytes]:
    return lambda: archive.extractfile(entry).read()


def _refuse_cut(path: Path, archive: tarfile.TarFile) -> None:
    """Python takes a damaged entry for the end of a tar: only a block of zeros is its end."""
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it breaks off")
    while archive.fileobj.read(BLOCK):  # to the end, where gzip compares its checksum
        _refuse_huge(path, 0, archive.fileobj.tell())


def _refuse_huge(path: Path, count: int, unpacked: int) -> None:
    expected = "expected an archive of images"
    if count > MOST_ENTRIES:
        raise InputError(f"{path}: has more than {MOST_ENTRIES} entries, {expected}")
    if unpacked > MOST_UNPACKED:
        raise InputError(f"{path}: unpacks to more than {MOST_UNPACKED} bytes, {expected}")


def _refuse_unprintable(entry: Entry) -> None:
    if UNPRINTABLE & set(map(unicodedata.category, entry.name)):
        found = f"{entry.root}: {entry.name!a} has characters that can't be shown"
        raise InputError(f"{found}, expected letters and signs")


def _is_hidden(name: str) -> bool:
    """macOS puts a folder `__MACOSX`, or files `._NAME` with metadata of NAME, into archives.

    Into a folder with a picture of its own it puts a file `Icon` with a carriage return behind.
    """
    return name in ("__MACOSX", "Icon\r") or (name.startswith(".") and name != "..")
