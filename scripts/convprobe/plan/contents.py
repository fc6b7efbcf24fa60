"""A digest of a user's own files by their content, quick to ask for again.

Their dates and places don't count: images that were copied, moved or touched are the same ones.
Reading all of them takes seconds, so what was found is remembered until the system knows of a
change: of a file's inode or its time of change, which no one sets back, beside its size and date.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convprobe.dataset import archives, image_sizes, listing, splits
from convprobe.dataset.archives import Parts
from convprobe.dataset.kinds import Size
from convprobe.errors import InputError
from convprobe.store import files

DIGITS = 16  # of a digest, hexadecimal
# Of what finds images: another version of it may find others in the same files.
CODE = [files.sha256(module.__file__) for module in (archives, image_sizes, listing, splits)]
WHOLE: list[Parts] = [()]  # the place of a file that isn't looked into


@dataclass(frozen=True)
class UnopenedImages:
    """What is known of a folder or an archive of images before any of them is opened.

    Attributes:
        digest: of the content, 16 hexadecimal digits.
        labels: the class of each image of `train` and `test`, in the order of the data set.
    """

    digest: str
    labels: dict[str, list[str]]


def digest(path: Path | str, memory: Path | str) -> str:
    """Digest of a file, or of the names and contents of all files in a folder.

    Args:
        path: of the file or folder.
        memory: a JSON file of what was found before, made when missing or unreadable.

    Raises:
        InputError: a file can't be read.
    """
    root = Path(path)
    with archives.reading(path):
        places = _files(root) if root.is_dir() else WHOLE
        signature = _statuses(root, places)
        return remembered(memory, str(path), signature, lambda: _content(root, places))


def images(path: Path | str, memory: Path | str, **split: float) -> UnopenedImages:
    """Digest and classes of images: of a folder only these count, of an archive all its bytes.

    Args:
        path: of the folder or archive.
        memory: as for `digest`.
        split: `test_share` and `seed`, where the images lie at CLASS/NAME.

    Raises:
        InputError: a file can't be read, or as for `listing.Listing`.
    """
    root = Path(path)

    with archives.reading(path):
        places, folders = _listed(root, split)
        signature = [CODE, folders, _statuses(root, places)]
        key = json.dumps([str(path), split])

        def find() -> dict:
            return {"labels": listing.labels(path, **split), "digest": _content(root, places)}

        known = remembered(memory, key, signature, find)
    return UnopenedImages(**known)


def sizes(path: Path | str, memory: Path | str, **split: float) -> list[Size]:
    """The sizes of images, as `image_sizes.read` gives them; args and errors as for `images`."""
    root = Path(path)

    with archives.reading(path):
        places, _ = _listed(root, split)
        key = json.dumps(["sizes", str(path), split])
        signature = [CODE, _statuses(root, places)]
        found = remembered(memory, key, signature, lambda: image_sizes.read(path, **split))
    return [tuple(size) for size in found]  # lists in the file


def _listed(root: Path, split: Mapping[str, float]) -> tuple[list[Parts], list[Parts]]:
    """The places of a folder's images, and of the folders in it; an archive is one file."""
    if not root.is_dir():
        return WHOLE, []
    listed = listing.Listing(root, split)
    listed.read_names()
    return sorted(listed.images), sorted(listed.folders)


def _files(folder: Path) -> list[Parts]:
    """The places of all files in a folder, without hidden ones, as an editor keeps beside them."""
    paths = [file for file in folder.rglob("[!.]*") if file.is_file()]
    return sorted(file.relative_to(folder).parts for file in paths)


def remembered(
    memory: Path | str,
    key: str,
    signature: object,
    find: Callable[[], Any],
    is_there: Callable[[Any], bool] = lambda found: True,
) -> Any:
    """What was found when the signature was last the same, or is found now.

    Args:
        memory: a JSON file, as for `digest`.
        key: of what is looked for.
        signature: changes with what is found.
        find: looks for it.
        is_there: whether what was found then can still be used.
    """
    signature = _digest(signature)
    known = _known(memory)
    last = known.get(key, {})
    if last.get("signature") != signature or not is_there(last["found"]):
        found = find()
        known = _known(memory) | {key: {"signature": signature, "found": found}}
        with contextlib.suppress(InputError):  # a full disk: it is found again next time
            files.write_json(memory, known)
    return known[key]["found"]


def _known(memory: Path | str) -> dict:
    try:
        known = json.loads(Path(memory).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _statuses(root: Path, places: list[Parts]) -> list[tuple]:
    """What the system knows of files, and changes with them."""
    statuses = []
    for place in places:
        now = root.joinpath(*place).stat()
        times = (now.st_mtime_ns, now.st_ctime_ns)
        statuses.append((place, now.st_size, *times, now.st_ino))
    return statuses


def _content(root: Path, places: list[Parts]) -> str:
    return _digest([(place, files.sha256(root.joinpath(*place))) for place in places])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:DIGITS]
