"""A digest of a user's own files by their content, quick to ask for again.

Their dates and places don't count: images that were copied, moved or touched are the same ones. Reading
all of them takes seconds, so what was found is remembered until the system knows of a change: of a file's
inode or its time of change, which no one sets back, beside its size and date.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from convprobe.dataset import archives, listing
from convprobe.store import files


@dataclass(frozen=True)
class Images:
    """What can be said of a folder or an archive of images before any of them is opened.

    Attributes:
        digest: of the content, 16 hexadecimal digits.
        labels: the class of each image of `train` and `test`, in the order of the data set.
    """

    digest: str
    labels: dict[str, list[str]]


def digest(path: str | Path, memory: str | Path) -> str:
    """Digest of a file, or of the names and contents of all files in a folder: 16 hexadecimal digits.

    Args:
        path: of the file or folder.
        memory: a JSON file of what was found before, made when missing or unreadable.

    Raises:
        InputError: a file can't be read.
    """
    root = Path(path)
    with archives.reading(path):
        places = [()]
        if root.is_dir():
            places = sorted(
                file.relative_to(root).parts for file in root.rglob("*") if file.is_file()
            )
        return _remembered(
            memory, str(path), _statuses(root, places), lambda: _content(root, places)
        )


def images(path: str | Path, memory: str | Path, **split: float) -> Images:
    """Digest and classes of images: of a folder only these count, of an archive all its bytes.

    Args:
        path: of the folder or archive.
        memory: as for `digest`.
        split: `test_share` and `seed`, where the images lie at CLASS/NAME.

    Raises:
        InputError: a file can't be read, or as for `listing.Listing`.
    """
    root, listed = Path(path), listing.Listing(path, split)
    with archives.reading(path):
        places = [()]
        if root.is_dir():
            listed.read_names()
            places = sorted(listed.images)
        signature = [sorted(listed.folders), _statuses(root, places)]
        found = _remembered(
            memory,
            json.dumps([str(path), split]),
            signature,
            lambda: {"labels": listing.labels(path, **split), "digest": _content(root, places)},
        )
    return Images(**found)


def _remembered(
    memory: str | Path, key: str, signature: object, find: Callable[[], object]
) -> object:
    """What was found when the signature was last the same, or is found now."""
    signature = _digest(signature)
    known = _known(memory)
    if known.get(key, {}).get("signature") != signature:
        found = find()
        known = _known(memory) | {key: {"signature": signature, "found": found}}
        files.write_json(memory, known)
    return known[key]["found"]


def _known(memory: str | Path) -> dict:
    try:
        known = json.loads(Path(memory).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _statuses(root: Path, places: list[archives.Parts]) -> list:
    """What the system knows of files, and changes with them."""
    statuses = [(place, root.joinpath(*place).stat()) for place in places]
    return [
        (place, now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
        for place, now in statuses
    ]


def _content(root: Path, places: list[archives.Parts]) -> str:
    return _digest([(place, files.sha256(root.joinpath(*place))) for place in places])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
