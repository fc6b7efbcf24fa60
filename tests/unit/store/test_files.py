"""Files are written whole or not at all, and read whole or refused in one line."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convprobe.errors import InputError
from convprobe.store import files

SCRIPTS = Path(files.__file__).parents[2]


# Writing


def test_a_file_appears_only_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with files.replacing(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert sorted(file.name for file in path.parent.iterdir()) == [".a.txt.sha256", "a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, InputError])
def test_an_error_leaves_the_old_file_and_no_partial_one(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error, match="ours"), files.replacing(path) as partial:  # noqa: PT012
        partial.write_text("half")
        raise error("ours")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named(tmp_path, refusal):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "a.json"
    assert refusal(path, lambda path: files.write_json(path, {})) == "can't be written: File exists"


def test_sha256_is_the_published_one_of_abc(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert (
        files.sha256(tmp_path / "a")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


# Reading


def test_json_that_is_written_is_read_again(tmp_path):
    files.write_json(tmp_path / "a.json", {"städte": [1, 2.5, None]})
    assert files.read_json(tmp_path / "a.json") == {"städte": [1, 2.5, None]}


def test_equal_values_give_equal_bytes_under_any_name(tmp_path):
    for name in ("one", "another-name"):
        files.write_json(tmp_path / f"{name}.json", {"mean": [0.1]})
    assert files.sha256(tmp_path / "one.json") == files.sha256(tmp_path / "another-name.json")


@pytest.mark.parametrize("content", [b"", b'{"epoch": 1', b"\xff\xfe", b"no"])
def test_damaged_json_is_refused(tmp_path, content, refusal):
    (tmp_path / "a.json").write_bytes(content)
    assert refusal(tmp_path / "a.json", files.read_json).startswith("damaged (")


CLAIMS = """
import sys
import time
from convprobe.store import files

files_are_open = []
for line in sys.stdin:
    action, path = line.split()
    try:
        if action == "claim":
            files_are_open.append(files.claim(path))
        else:
            files.write_json(path, {})
        print("done", flush=True)
    except files.InputError as error:
        print(error, flush=True)
"""


@pytest.fixture
def process():
    """Starts a process, and gives a function that commands it and reads its answer."""
    with contextlib.ExitStack() as running:

        def start():
            command = [sys.executable, "-c", CLAIMS]
            child = subprocess.Popen(
                command, cwd=SCRIPTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            running.enter_context(child)  # its end closes the pipe, which ends the process

            def tell(action, path):
                child.stdin.write(f"{action} {path}\n")
                child.stdin.flush()
                return child.stdout.readline().strip()

            return tell

        yield start


def test_who_has_lost_its_log_to_a_newer_process_replaces_nothing(process, tmp_path):
    log, result = tmp_path / "job.log", tmp_path / "result.json"
    older = process()
    assert older("claim", log) == older("write", result) == "done"
    time.sleep(0.05)
    newer = process()
    assert newer("claim", log) == newer("write", result) == "done"
    date = result.stat().st_mtime_ns
    assert (
        older("write", result)
        == f"{result}: left as it is: a newer job, whose log is {log}, makes it"
    )
    assert result.stat().st_mtime_ns == date
    assert newer("write", result) == "done"


def test_an_older_process_that_comes_late_gets_no_claim(process, tmp_path):
    older = process()
    older("write", tmp_path / "any.json")  # it runs
    time.sleep(0.05)
    newer = process()
    assert newer("claim", tmp_path / "job.log") == "done"
    assert (
        older("claim", tmp_path / "job.log")
        == f"{tmp_path / 'job.log'}: belongs to a newer job: nothing was done"
    )
    assert newer("write", tmp_path / "result.json") == "done"


def test_what_a_killed_job_left_beside_its_result_is_removed_by_the_next(process, tmp_path):
    (tmp_path / "result.json.partial-1").write_text("{")
    (tmp_path / "other.json.partial-1").write_text("{")
    job = process()
    job("claim", tmp_path / "job.log")
    assert job("write", tmp_path / "result.json") == "done"
    assert {path.name for path in tmp_path.glob("[!.]*.json*")} == {
        "result.json",
        "other.json.partial-1",
    }


def test_sha256sum_reads_the_recorded_digest(tmp_path):
    path = tmp_path / "a result.json"
    files.write_json(path, {"a": 1})
    command = ["sha256sum", "--check", "--strict", files.digest_path(path).name]
    assert (
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
        == b"a result.json: OK\n"
    )
    files.check_digest(path)
    path.write_text('{"a": 2}')
    with pytest.raises(
        InputError,
        match=r"a result.json: altered since it was written: its SHA-256 is \w{64}, expected",
    ):
        files.check_digest(path)
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 1
