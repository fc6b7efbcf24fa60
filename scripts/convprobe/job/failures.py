"""Which jobs of a run failed, and why: from their logs, wherever the jobs ran."""

from collections.abc import Iterable
from pathlib import Path

from convprobe.job.runtime import DONE, ERROR

Marks = dict[Path, tuple[int, int]]


def marks(logs: Path | str) -> Marks:
    """Inode and time of change of each log in a folder: they differ once it is written anew."""
    marked = {}
    for path in Path(logs).rglob("*.log"):
        status = path.stat()
        marked[path] = (status.st_ino, status.st_mtime_ns)
    return marked


def failed(logs: Path | str, before: Marks) -> dict[Path, str]:
    """Why jobs failed, by log: those written since `before` that don't end as a finished job's do.

    Logs are told apart by their marks, not by date: another machine's clock may be wrong.

    Args:
        logs: the folder.
        before: its `marks` at the start of the run.
    """
    reasons = {}
    for path, mark in sorted(marks(logs).items()):
        if before.get(path) == mark:
            continue
        reason = _reason(path.read_text(encoding="utf-8", errors="replace"))
        if reason:
            reasons[path] = reason
    return reasons


def closing_words(logs: Path | str, before: Marks, snakemake_logs: Iterable[str]) -> str:
    """What is printed at the end of a failed run: each failed job's log and reason.

    Args:
        logs, before: as in `failed`.
        snakemake_logs: named where no job's log gives a reason.
    """
    reasons = failed(logs, before)
    lines = ["stopped"]
    for path, reason in reasons.items():
        lines += [f"    {path}:", f"        {reason}"]
    if not reasons:
        lines += [f"    no job's log says why, but {path} may" for path in snakemake_logs]
    lines.append("    The same command continues from here once that is fixed.")
    return "\n".join(lines)


def _reason(text: str) -> str:
    """The error line of a log, or its last line if there is none; nothing if its job is done."""
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if last.startswith(DONE):
        return ""
    errors = [line for line in lines if line.startswith(ERROR)]
    if errors:
        return errors[-1]
    return f"broke off after: {last.strip()}"
