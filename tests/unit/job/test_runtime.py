"""What surrounds a job: progress in its log, its last line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"

# Each of eight batches is logged, whatever the clock says.
LOGGED = """
import sys
from convprobe.job import runtime

runtime.LOG_SECONDS = -1
with runtime.job(sys.argv[1]) as job:
    list(job.progress([range(100)] * 8, 800, "images"))
"""


def test_progress_goes_to_the_log_alone(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", LOGGED, "logs/demo/a.log"],
        cwd=tmp_path, env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    _, *lines, _ = (tmp_path / "logs/demo/a.log").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == [
        f"{done}/800 images" for done in range(100, 900, 100)
    ]
    # Nothing is computed, so that many thousands are done a second.
    assert all(re.fullmatch(r" \d{4,} a second", line.split(",")[1]) for line in lines)
    assert run.stdout + run.stderr == ""


SAID = """
import sys
from convprobe.job import runtime

with runtime.job(sys.argv[1]):
    print("no test image of class 猫")
    print("nor one of × or \\udcff", file=sys.stderr)
"""


def test_a_log_is_utf_8_whatever_the_terminal_takes(tmp_path):
    environment = {"PYTHONPATH": str(SCRIPTS), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", SAID, tmp_path / "a.log"]
    subprocess.run(command, env=environment, check=True, timeout=60)
    lines = (tmp_path / "a.log").read_text(encoding="utf-8").splitlines()
    assert {"no test image of class 猫", "nor one of × or \\udcff"} <= set(lines)


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


@pytest.mark.slow
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


@pytest.mark.slow
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
