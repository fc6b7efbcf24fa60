"""C++ as a library: compiled when it is first needed, once for each kind of processor.

A library lies among what its user's programs remember (XDG_CACHE_HOME, or ~/.cache). Its name holds
a digest of all that it is made from: of its source, of the compiler's options, and of what the
processor says of itself, so that a node of another kind, which sees the same folder, never runs it.
It ends with a digest of its own content: where that is wrong, it is made anew.
"""

import contextlib
import ctypes
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from convprobe.errors import InputError
from convprobe.job import machine
from convprobe.store import files

COMPILERS = ("c++", "g++", "clang++")  # looked for in this order; CXX names another
DIGITS = 16  # of the digest in a name, hexadecimal
SECONDS = 300  # that a compiler may take


def library(source: Path, options: Sequence[str]) -> ctypes.CDLL:
    """A C++ file as a library for this processor.

    Args:
        options: of the compiler, beside those that make a library.

    Raises:
        InputError: it can't be made here, or not be trusted; the message says why.
    """
    try:
        made_from = [source.read_text(encoding="utf-8"), *options, *machine.kind()]
        digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()
        path = _folder() / f"{source.stem}-{digest[:DIGITS]}.so"
        if not _is_whole(path):
            _compile(source, options, path)
        return ctypes.CDLL(str(path))
    except (OSError, RuntimeError) as error:  # no right, no space, or no home
        raise InputError(files.reason(error)) from error


def exists() -> bool:
    """Whether there is a compiler."""
    try:
        return bool(_compiler())
    except InputError:
        return False


def _folder() -> Path:
    """Where libraries are kept; nobody else may write there."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    folder = (named if named.is_absolute() else Path("~/.cache").expanduser()) / "convprobe"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_of_others(folder)
    return folder


def _refuse_of_others(path: Path) -> None:
    status = path.stat()
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(f"{path} belongs to another user, or others may write to it")


def _is_whole(path: Path) -> bool:
    if not path.exists():
        return False
    _refuse_of_others(path)
    content = path.read_bytes()
    size = hashlib.sha256().digest_size
    return hashlib.sha256(content[:-size]).digest() == content[-size:]


def _compile(source: Path, options: Sequence[str], path: Path) -> None:
    """Make a library beside its place, and move it there: others may be making the same one."""
    command = _compiler()
    _remove_what_killed_jobs_left(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent) as beside:
        made = Path(beside, path.name)
        command += [*options, "-shared", "-fPIC", "-o", str(made), str(source)]
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(f"{command[0]} took more than {SECONDS} seconds") from error
        if ended.returncode:
            said = ended.stderr.strip().partition("\n")[0]
            raise InputError(f"{command[0]} ended with {ended.returncode}: {said}")
        digest = hashlib.sha256(made.read_bytes()).digest()
        with open(made, "ab") as file:
            file.write(digest)  # behind the end of what a loader reads
        made.chmod(0o700)
        os.replace(made, path)


def _remove_what_killed_jobs_left(folder: Path) -> None:
    for left in folder.glob(f"{tempfile.gettempprefix()}*"):
        with contextlib.suppress(OSError):  # another job has removed it
            if time.time() - left.stat().st_mtime > 2 * SECONDS:
                shutil.rmtree(left)


def _compiler() -> list[str]:
    try:
        named = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:  # a quote that isn't closed
        raise InputError(f"the environment's CXX is no command: {error}") from error
    for command in [named] if named else [[name] for name in COMPILERS]:
        if shutil.which(command[0]):
            return command
    expected = named[0] if named else ", ".join(COMPILERS)
    raise InputError(f"there is no C++ compiler: expected one of {expected}")
