"""What make sets up, and what it clears away."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# An interpreter that is too old to run the workflow: it says so, and does nothing else.
OLD = f"""#!/bin/sh
[ "$1" = -c ] || exit 3
exec {sys.executable} -c "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[1])" "$2"
"""


@pytest.fixture
def make(tmp_path):
    """A function that runs make in a folder of its own, without installing packages."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    write_old(tmp_path / "old-python")

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["make", "--silent", "INSTALL=true", *arguments], cwd=tmp_path, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip

    return run


def write_old(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(OLD, encoding="utf-8")
    path.chmod(0o755)


def test_a_python_that_is_too_old_is_told_in_one_line_before_anything_is_made(make, tmp_path):
    refused = make("PYTHON=./old-python", ".venv/installed")
    told, _ = refused.stdout.splitlines()  # the other is make's own
    assert refused.returncode != 0
    assert told.endswith(" is Python 3.9, expected 3.11 or newer: make PYTHON=...")
    assert not (tmp_path / ".venv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("left", ["old", "without pip"])
def test_what_a_failed_installation_left_is_made_anew(make, tmp_path, left):
    interpreter = tmp_path / ".venv/bin/python"
    if left == "old":
        write_old(interpreter)
    if left == "without pip":
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=tmp_path, check=True
        )
    assert make(f"PYTHON={sys.executable}", ".venv/installed").returncode == 0
    assert (tmp_path / ".venv/installed").exists()
    assert (
        subprocess.run(
            [interpreter, "-c", "import sys, pip; assert sys.version_info >= (3, 11)"]
        ).returncode
        == 0
    )


def test_clean_leaves_other_experiments_and_what_they_need(make, tmp_path):
    kept = [
        "results/mine/a.csv",
        "logs/mine/a.log",
        ".snakemake/metadata/a",
        ".venv/installed",
        "results/README.md",
    ]
    for name in [*kept, "results/demo/a.csv", "logs/demo/a.log"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert make("clean").returncode == 0
    assert all((tmp_path / name).exists() for name in kept)
    assert not (tmp_path / "results/demo").exists()
    assert not (tmp_path / "logs/demo").exists()


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_without_node_the_pages_scripts_are_skipped_in_one_line(make, tmp_path):
    for name in ("sh", "make", "echo"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    skipped = make("test-page", f"PATH={tmp_path / 'bin'}")
    assert skipped.stdout == "The page's scripts are not tested: there is no node.\n"
    assert skipped.returncode == 0


@pytest.mark.parametrize("status", [0, 1])
def test_a_failed_test_of_the_pages_scripts_counts(make, tmp_path, status):
    write_program(tmp_path / "bin/node", f"exit {status}")
    tested = make("test-page", f"PATH={tmp_path / 'bin'}:/usr/bin:/bin")
    assert (tested.returncode == 0) == (status == 0)


def test_linters_that_npm_cannot_install_are_skipped_in_one_line(make, tmp_path):
    write_program(tmp_path / "bin/npm", "exit 1")
    skipped = make("lint-page", f"PATH={tmp_path / 'bin'}:/usr/bin:/bin")
    assert "are not linted: npm" in skipped.stdout
    assert skipped.returncode == 0
