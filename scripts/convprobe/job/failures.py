"""Which jobs of a run failed, and why: from their logs, which are the same wherever the jobs run."""

from collections.abc import Iterable
from pathlib import Path

from convprobe.job.runtime import DONE, ERROR


def marks(logs: Path | str) -> dict[Path, tuple[int, int]]:
    """What tells a log in a folder from one that is written later."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in Path(logs).rglob("*.log")
    }


def failed(logs: Path | str, before: dict[Path, tuple[int, int]]) -> dict[Path, str]:
    """Why jobs failed, by log: those written since `before` whose job didn't come to its end.

    Not by dates: a log may be written on another machine, with another clock.

    Args:
        logs: the folder.
        before: its `marks` at the start of the run.
    """
    written = [path for path, mark in sorted(marks(logs).items()) if before.get(path) != mark]
    reasons = {
        path: _reason(path.read_text(encoding="utf-8", errors="replace")) for path in written
    }
    return {path: reason for path, reason in reasons.items() if reason}


def closing_words(
    logs: Path | str, before: dict[Path, tuple[int, int]], snakemake_logs: Iterable[str]
) -> str:
    """What a run that failed says at its end, in lines; of jobs that left no log Snakemake's own knows."""
    found = failed(logs, before)
    lines = ["stopped"]
    lines += [f"    {path}:\n        {reason}" for path, reason in found.items()]
    if not found:
        lines += [f"    no job's log says why, but {path} may" for path in snakemake_logs]
    return "\n".join([*lines, "    The same command goes on from here, once that is mended."])


def _reason(text: str) -> str:
    """The error line of a log, or where it breaks off; nothing if its job is done."""
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    if lines[-1].startswith(DONE):
        return ""
    told = [line for line in lines if line.startswith(ERROR)]
    return told[-1] if told else f"broke off after: {lines[-1].strip()}"
