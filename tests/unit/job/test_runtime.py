"""What surrounds a job: progress in its log and on the terminal, its last line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"

# Each of eight batches is shown, whatever the clock says, on a terminal that may be closed.
SHOWN = """
import os, pty, sys
from convprobe.job import runtime

runtime.LOG_SECONDS = runtime.TERMINAL_SECONDS = -1
ours, theirs = pty.openpty()
os.dup2(theirs, 2)
with runtime.job(sys.argv[1]) as job:
    if sys.argv[2] == "closed":
        os.close(ours), os.close(theirs)
    batches = [range(100)] * 8
    list(job.progress(batches, 800, "images"))
    shown = b"" if sys.argv[2] == "open" else b"nothing to read"
    while sys.argv[2] == "open" and shown.count(b"\\n") < 7:  # a terminal may hand it over in parts
        shown += os.read(ours, 10_000)
    print(shown.decode())
"""


def lines_of(folder, script, *arguments, prefix=""):
    """What a job wrote to its log, without the first and last line, and to its streams."""
    log = f"{prefix}logs/demo/normalised/epoch-08/occlusion/window-9/0003.log"
    run = subprocess.run(
        [sys.executable, "-c", script, log, *arguments],
        cwd=folder, env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return (folder / log).read_text().splitlines()[1:-1], run.stdout + run.stderr


@pytest.mark.parametrize("prefix", ["", "an/importer's/"])
def test_progress_is_shown_in_the_log_and_on_the_terminal_in_80_columns(tmp_path, prefix):
    lines, _ = lines_of(tmp_path, SHOWN, "open", prefix=prefix)
    assert [line.split(",")[0] for line in lines[:8]] == [
        f"{done}/800 images" for done in range(100, 900, 100)
    ]
    place = "    normalised/epoch-08/occlusion/window-9/0003"
    shown = [line for line in lines[8:] if line]
    assert [line.split(",")[0] for line in shown] == [
        f"{place}: {done}/800 images" for done in range(100, 800, 100)
    ]
    assert all(line.endswith(" s left") and len(line) < 80 for line in shown)


def test_a_terminal_that_is_closed_stops_no_job(tmp_path):
    lines, _ = lines_of(tmp_path, SHOWN, "closed")
    assert lines[7].startswith("800/800 images")
    assert lines[8:] == ["nothing to read"]


def test_nothing_is_shown_through_a_pipe(tmp_path):
    lines, streams = lines_of(tmp_path, SHOWN.replace("os.dup2(theirs, 2)", ""), "closed")
    assert lines[7].startswith("800/800 images")
    assert streams == ""


BOMB = """
import io, resource, sys, zipfile
from pathlib import Path
from PIL import Image
from convprobe.dataset import image_folder; from convprobe.job import runtime

content = io.BytesIO()
Image.new("RGB", (4096, 4096)).save(content, "PNG")
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for place in [f"{split}/a/{number}.png" for split in ("train", "test") for number in range(20)]:
        archive.writestr(place, content.getvalue())
del content
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 400 * 2**20, resource.RLIM_INFINITY))
with runtime.job(sys.argv[2]):
    image_folder.read(sys.argv[1])
"""


def test_a_job_that_finds_no_memory_says_so_in_one_line(tmp_path):
    """Two megabytes of images unpack to two gigabytes, where the system gives a fifth of that."""
    command = [sys.executable, "-c", BOMB, tmp_path / "a.zip", tmp_path / "a.log"]
    run = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert (tmp_path / "a.zip").stat().st_size < 2**21
    lines = (tmp_path / "a.log").read_text().splitlines()[1:]
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: out of memory (")
    assert lines[0].endswith("): expected more of it")


def test_a_log_ends_with_the_time_and_the_most_memory_of_its_job(tmp_path):
    code = """
import sys
from convprobe.job import runtime

with runtime.job(sys.argv[1]):
    b"x" * 500_000_000
"""
    subprocess.run([sys.executable, "-c", code, tmp_path / "log"], cwd=SCRIPTS, check=True)
    memory = re.search(
        r"done in [\d.]+ s with ([\d.]+) GB of memory\n$", (tmp_path / "log").read_text()
    )[1]
    assert 0.5 <= float(memory) < 0.7
