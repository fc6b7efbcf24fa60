"""Mistakes in a config, each one line that names the file and the key."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

MOST_SHOWN = 60  # characters of a value that a message quotes

Key = tuple[str | int, ...]  # path of a key in the config, as in ("occlusion", "windows", 1)


class Mistake(NamedTuple):
    """What is wrong with a key of the config.

    Attributes:
        key: path of the key.
        line: what was found and what is expected, with the key's name.
    """

    key: Key
    line: str


def at(key: Key, words: str) -> Mistake:
    """A mistake whose line begins with the name of its key."""
    return Mistake(key, f"{name(key)} {words}")


def name(key: Key) -> str:
    """`("occlusion", "windows", 1)` as `occlusion.windows[1]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the config"


def shown(value: object) -> str:
    """A value of the config as a message quotes it."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "…"


def lines(found: Iterable[Mistake], sources: list[tuple[str, Mapping]]) -> str:
    """The message: one line per mistake.

    Args:
        found: the mistakes.
        sources: name and content of each config file and of --config, in the order of merging.
    """
    message = [printable(f"{origin(key, sources)}: {line}") for key, line in found]
    return "\n".join(message)


def printable(line: str) -> str:
    """A line without line breaks and characters that would control a terminal."""
    text = ""
    for letter in " ".join(line.splitlines()):
        text += letter if letter.isprintable() else f"\\x{ord(letter):02x}"
    return text


def origin(key: Key, sources: list[tuple[str, Mapping]]) -> str:
    """The last of the sources that holds the longest part of a key's path.

    Where the key is the whole config, the first one: the others say only what differs.
    """
    if sources and not key:
        return sources[0][0]
    best = "config"
    longest = 1
    for source, content in sources:
        depth = _depth(key, content)
        if depth >= longest:
            best = source
            longest = depth
    return best


def last_holder(key: Key, sources: list[tuple[str, Mapping]]) -> int:
    """The place of the last of the sources that holds a key; -1 if none does."""
    places = range(len(sources))
    return max((at for at in places if _depth(key, sources[at][1]) == len(key)), default=-1)


def _depth(key: Key, content: object) -> int:
    """How many parts of a key's path a config file holds."""
    for depth, part in enumerate(key):
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(key)
