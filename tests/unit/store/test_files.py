"""Files are written whole or not at all, and read whole or refused in one line."""

import contextlib
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from convprobe.errors import InputError
from convprobe.network import checkpoints
from convprobe.network.layers import Network
from convprobe.store import files, hdf5

SCRIPTS = Path(files.__file__).parents[2]
SETTINGS = {"conv": [{"channels": 2, "kernel": 3}], "fc": [4]}
PLAIN = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}


def checkpoint():
    network = Network(SETTINGS, classes=2, side=8)
    return checkpoints.Checkpoint(network, SETTINGS, ("cat", "dog"), 8, PLAIN, epoch=3)


def write_hdf5(path):
    with hdf5.create(path) as file:
        hdf5.dimension(file, "image", np.arange(50))
        file.create_dataset(
            "maps", data=np.random.default_rng(0).random((50, 40)), compression="gzip"
        )
        hdf5.dimension(file, "x", np.arange(40))
        hdf5.dataset(file, "means", np.arange(40.0), ("x",))


def refusal(path, read):
    with pytest.raises(InputError) as refused:
        read(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def read_maps(path):
    with hdf5.open_complete(path) as file:
        return file["maps"][:]


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


def test_an_error_while_an_hdf5_file_is_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.h5"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="ours"), hdf5.create(path) as file:  # noqa: PT012
        file["maps"] = np.zeros(9)
        raise RuntimeError("ours")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "a.json"
    assert refusal(path, lambda path: files.write_json(path, {})) == "can't be written: File exists"


WRITERS = {
    "json": "files.write_json(path, list(range(10**5)))",
    "pth": "checkpoints.save_tensors(path, {'weights': torch.zeros(10**5)})",
    "h5": "with hdf5.create(path) as file: file['maps'] = np.zeros(10**5)",
    "chunks.h5": "with hdf5.create(path) as file: file.create_dataset('maps', data=noise, chunks=(99,), compression=4)",
}
NO_SPACE = """
import resource, sys
from pathlib import Path
import numpy as np, torch
from convprobe.network import checkpoints; from convprobe.store import files, hdf5
from convprobe.errors import InputError

noise = np.random.default_rng(0).random(10**5)
for limit in (3, 100, 4096, 20_000, 100_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for path, write in WRITERS:
        try:
            exec(write)
        except InputError as error:
            print(error)
"""


def test_where_no_space_is_left_the_old_file_stays_and_one_line_tells_it(tmp_path):
    """The limit of the system on the size of a file, at several sizes, stands for a full disk."""
    paths = {kind: tmp_path / f"a.{kind}" for kind in WRITERS}
    for path in paths.values():
        path.write_text("old")
    script = (
        f"WRITERS = {[(str(paths[kind]), write) for kind, write in WRITERS.items()]}\n{NO_SPACE}"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=SCRIPTS, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert (
        run.stdout.splitlines()
        == [f"{path}: can't be written: File too large" for path in paths.values()] * 5
    )
    assert {path.read_text() for path in paths.values()} == {"old"}
    assert sorted(tmp_path.iterdir()) == sorted(paths.values())


def test_equal_values_give_equal_bytes_under_any_name(tmp_path):
    same = checkpoint()
    for name in ("one", "another-name"):
        files.write_json(tmp_path / f"{name}.json", {"mean": [0.1]})
        write_hdf5(tmp_path / f"{name}.h5")
        checkpoints.save(tmp_path / f"{name}.pth", same)
    for kind in ("json", "h5", "pth"):
        assert files.sha256(tmp_path / f"one.{kind}") == files.sha256(
            tmp_path / f"another-name.{kind}"
        )


def test_an_hdf5_file_holds_no_dates(tmp_path):
    write_hdf5(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert {h5py.h5g.get_objinfo(file[name].id).mtime for name in ("image", "maps")} == {0}


def test_sha256_is_the_published_one_of_abc(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert (
        files.sha256(tmp_path / "a")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


# Reading


def test_what_is_written_is_read_again(tmp_path):
    files.write_json(tmp_path / "a.json", {"städte": [1, 2.5, None]})
    assert files.read_json(tmp_path / "a.json") == {"städte": [1, 2.5, None]}
    write_hdf5(tmp_path / "a.h5")
    with hdf5.open_complete(tmp_path / "a.h5") as file:
        assert file["means"].dims[0].keys() == ["x"]
        assert file.attrs["format_version"] == 2
    before = checkpoint()
    checkpoints.save(tmp_path / "a.pth", before)
    after = checkpoints.load(tmp_path / "a.pth")
    assert (after.settings, after.classes, after.side) == (SETTINGS, ("cat", "dog"), 8)
    assert (after.normalisation, after.epoch, after.network.training) == (PLAIN, 3, False)
    assert after.training is None
    assert all(torch.equal(a, b) for a, b in
               zip(before.network.state_dict().values(), after.network.state_dict().values(), strict=True))  # fmt: skip


@pytest.mark.parametrize("content", [b"", b'{"epoch": 1', b"\xff\xfe", b"no"])
def test_damaged_json_is_refused(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert refusal(tmp_path / "a.json", files.read_json).startswith("damaged (")


def test_an_hdf5_file_that_was_never_finished_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["maps"] = np.zeros(3)
    told = "incomplete, its writer was stopped: delete it and run again"
    assert refusal(tmp_path / "a.h5", read_maps) == told


def test_an_hdf5_file_that_is_truncated_anywhere_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    write_hdf5(path)
    content = path.read_bytes()
    for length in [*range(0, len(content), 256), len(content) - 1]:
        path.write_bytes(content[:length])
        assert refusal(path, read_maps).startswith("damaged HDF5 file ("), length


def test_an_hdf5_file_with_a_damaged_chunk_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    write_hdf5(path)
    with h5py.File(path) as file:
        place, size = (
            file["maps"].id.get_chunk_info(0).byte_offset,
            file["maps"].id.get_chunk_info(0).size,
        )
    content = bytearray(path.read_bytes())
    content[place : place + size] = b"\xee" * size
    path.write_bytes(content)
    assert refusal(path, read_maps).startswith("damaged HDF5 file (")


def test_files_that_are_not_there_are_told(tmp_path):
    assert refusal(tmp_path / "a.h5", read_maps).startswith(
        "damaged HDF5 file (No such file or directory)"
    )
    assert "No such file or directory" in refusal(tmp_path / "a.pth", checkpoints.load)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_checkpoint_is_refused(tmp_path, share):
    path = tmp_path / "a.pth"
    checkpoints.save(path, checkpoint())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refusal(path, checkpoints.load).startswith("damaged or not a checkpoint (")


@pytest.mark.parametrize(
    "content", [b"no checkpoint", b"\x80\x02]q", b"}}a", b"h\x05.", b"\x80\x84", bytes(1000)]
)
def test_garbage_for_a_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith("damaged or not a checkpoint (")


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("form", ["pickle", "PyTorch's"])
def test_a_payload_in_a_checkpoint_is_refused_and_not_executed(tmp_path, form):
    path, executed = tmp_path / "a.pth", tmp_path / "executed"
    if form == "pickle":
        path.write_bytes(pickle.dumps({"weights": Payload(executed)}))
    else:
        torch.save({"weights": Payload(executed)}, path)
        assert zipfile.is_zipfile(path)
    assert refusal(path, checkpoints.load).startswith("damaged or not a checkpoint (")
    assert not executed.exists()
    torch.load(path, weights_only=False) if form != "pickle" else pickle.loads(path.read_bytes())
    assert executed.exists()  # the payload works where it is let


def values_of(tmp_path):
    checkpoints.save(tmp_path / "good.pth", checkpoint())
    return checkpoints.load_tensors(tmp_path / "good.pth")


def test_a_checkpoint_with_a_weight_that_is_no_number_is_refused(tmp_path):
    values = values_of(tmp_path)
    next(iter(values["weights"].values())).view(-1)[0] = float("nan")
    checkpoints.save_tensors(tmp_path / "a.pth", values)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "has weights that are not finite"
    )


def test_so_is_one_whose_batch_normalisation_has_a_mean_that_is_no_number(tmp_path):
    network = Network(
        {"conv": [{"channels": 2, "kernel": 3, "batch_norm": True}], "fc": []}, classes=2, side=8
    )
    network.norm1.running_mean[1] = float("inf")
    same = checkpoints.Checkpoint(network, network.settings, ("cat", "dog"), 8, PLAIN, epoch=3)
    checkpoints.save(tmp_path / "a.pth", same)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "has weights that are not finite"
    )


@pytest.mark.parametrize("key", ["weights", "network", "classes", "side", "normalisation", "epoch"])
@pytest.mark.parametrize("value", ["missing", None, [], "text", {}], ids=str)
def test_a_checkpoint_with_a_wrong_part_is_refused(tmp_path, key, value):
    values = values_of(tmp_path)
    if value == "missing":
        del values[key]
    else:
        values[key] = value
    checkpoints.save_tensors(tmp_path / "a.pth", values)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "not a checkpoint of this workflow ("
    )


@pytest.mark.parametrize("weights", ["one missing", "another shape", "one too many"])
def test_weights_that_do_not_fit_their_network_are_refused(tmp_path, weights):
    values = values_of(tmp_path)
    if weights == "one missing":
        del values["weights"]["fc1.bias"]
    elif weights == "another shape":
        values["weights"]["fc1.bias"] = torch.zeros(5)
    else:
        values["weights"]["fc9.bias"] = torch.zeros(5)
    checkpoints.save_tensors(tmp_path / "a.pth", values)
    told = refusal(tmp_path / "a.pth", checkpoints.load)
    assert told.startswith("not a checkpoint of this workflow (")
    assert ("fc9.bias" if weights == "one too many" else "fc1.bias") in told


@pytest.mark.parametrize("value", [None, 3, [1], "text"], ids=str)
def test_a_checkpoint_that_is_no_mapping_is_refused(tmp_path, value):
    checkpoints.save_tensors(tmp_path / "a.pth", value)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "not a checkpoint of this workflow ("
    )


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
    """A function: start a process and get a function that tells it what to do, and returns its answer."""
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
