"""What a run that failed says of its jobs."""

import subprocess
import sys
from pathlib import Path

from convprobe.job import failures

SCRIPTS = Path(__file__).parents[3] / "scripts"
# How a job may end, each in a process of its own.
ENDS = {
    "done": "print('error: of a file that was left out')",
    "mistake": "raise InputError('a.zip: no images\\nb.zip: none either')",
    # A process started in the background inherits that it ignores the signal.
    "interrupted": "signal.signal(signal.SIGINT, signal.default_int_handler);"
    " signal.raise_signal(signal.SIGINT)",
    "ours": "print('3/9 images', flush=True); [][1]",
    "killed": "print('5/9 images', flush=True); signal.raise_signal(signal.SIGKILL)",
}


def run_job(folder, name):
    code = f"""
import signal
from convprobe.job import runtime
from convprobe.errors import InputError

with runtime.job("logs/tiny/{name}.log"):
    {ENDS[name]}
"""
    subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=False, env={"PYTHONPATH": str(SCRIPTS)}
    )


def test_each_job_that_failed_is_named_with_its_error_line_or_where_its_log_breaks_off(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ENDS:
        run_job(tmp_path, name)
    assert {path.stem: reason for path, reason in failures.failed("logs", {}).items()} == {
        "mistake": "error: a.zip: no images",
        "interrupted": "error: interrupted",
        "ours": "broke off after: IndexError: list index out of range",
        "killed": "broke off after: 5/9 images",
    }
    assert failures.closing_words("logs", {}, []).splitlines()[:3] == [
        "stopped", "    logs/tiny/interrupted.log:", "        error: interrupted",
    ]  # fmt: skip


def test_only_logs_written_since_count_even_where_they_say_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_job(tmp_path, "mistake")
    run_job(tmp_path, "killed")
    before = failures.marks("logs")
    assert failures.failed("logs", before) == {}
    run_job(tmp_path, "killed")
    assert list(failures.failed("logs", before)) == [Path("logs/tiny/killed.log")]


def test_without_a_log_that_says_why_snakemakes_own_is_named(tmp_path):
    assert failures.closing_words(tmp_path, {}, ["/x/snakemake.log"]).splitlines() == [
        "stopped",
        "    no job's log says why, but /x/snakemake.log may",
        "    The same command continues from here once that is fixed.",
    ]
