"""A digest of a data set by the content of its files, quick to ask for again.

The files' dates don't count: a data set that was copied, moved or touched is the same one. Reading
all of it takes seconds, so the digest is remembered as long as no file's size or date changes.
"""

import hashlib
import json
from pathlib import Path

from convprobe import files
from convprobe.errors import InputError


def digest(path, memory):
    """Digest of a file, or of the names and contents of all files in a folder.

    Args:
        path: of the file or folder.
        memory: a JSON file of digests, made when missing or unreadable.

    Returns:
        16 hexadecimal digits.

    Raises:
        InputError: a file can't be read.
    """
    root = Path(path)
    try:
        found = sorted(file for file in root.rglob("*") if file.is_file()) if root.is_dir() else [root]
        stats = [(file.relative_to(root).as_posix(), file.stat()) for file in found]
        signature = _digest((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
        remembered = _remembered(memory)
        if remembered.get(str(path), {}).get("signature") != signature:
            content = _digest((name, files.sha256(root / name)) for name, _ in stats)
            remembered[str(path)] = {"signature": signature, "content": content}
            files.write_json(memory, remembered)
    except OSError as error:
        raise InputError(f"{error.filename}: can't be read: {files.reason(error)}") from error
    return remembered[str(path)]["content"]


def _digest(rows):
    return hashlib.sha256(json.dumps(list(rows)).encode()).hexdigest()[:16]


def _remembered(memory):
    try:
        return json.loads(Path(memory).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
