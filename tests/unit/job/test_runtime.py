"""What surrounds a job: batches that don't fit into memory, progress on the terminal."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from convprobe.errors import InputError
from convprobe.job import runtime
from convprobe.plan import cost

SCRIPTS = Path(__file__).parents[3] / "scripts"
# All probes of a network, with all memory and then with little: the system refuses what is above.
LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np, torch
from convprobe.ablation import passes
from convprobe.dataset import image_file
from convprobe.filters import activations, ranking
from convprobe.network import checkpoints
from convprobe.network.layers import RAW, Network
from convprobe.occlusion import windows
from convprobe.training import evaluation, trainer

torch.set_num_threads(1)
torch.manual_seed(0)
random = np.random.default_rng(0)
network = Network({"conv": [{"channels": 64, "kernel": 3}, {"channels": 8, "kernel": 3}], "fc": []}, 3, 32).eval()
pixels = random.integers(0, 256, (600, 32, 32, 3), dtype=np.uint8)
images = image_file.Images(pixels, random.integers(3, size=600), ("a", "b", "c"), np.arange(600))
hidden = torch.from_numpy(windows.windows(32, 32, 5))
probes = {
    "evaluation": lambda: evaluation.predict(network, images, batch=600).numpy(),
    "activations": lambda: np.concatenate(
        [found["conv1/5"] for found in activations.record(network, images, ["conv1/5"], batch=600)]),
    "ranking": lambda: ranking.top_images(network, images, 2, batch=600)["response"].to_numpy(),
    "variants": lambda: passes.predict(network, [["conv1/3"]], images, batch=600).numpy(),
    "occlusion": lambda: windows._plain(network, pixels[:1], hidden, 128, "fp32", windows.runtime.IDLE, 1024),
}
def train():
    torch.manual_seed(0)
    trained = Network({"conv": [{"channels": 64, "kernel": 3}], "fc": []}, 3, 32)
    checkpoint = checkpoints.Checkpoint(trained, trained.settings, images.classes, 32, RAW, 0)
    settings = {"batch_size": 300, "augmentation": "none", "precision": "fp32", "seed": 0, "schedule": "constant",
                "label_smoothing": 0.0,
                "optimizer": {"learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0}}
    record, _ = trainer.train_epoch(checkpoint, None, images, settings)
    return np.append(trained.conv1.weight.detach().numpy(), [record["train_loss"], record["train_accuracy"]])


probes["training"] = train
for name, probe in probes.items():
    print(name)
    expected = probe()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 60 * 2**20, resource.RLIM_INFINITY))
    np.testing.assert_allclose(probe(), expected, atol=1e-5, rtol=1e-5)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def test_a_batch_that_does_not_fit_is_halved_and_the_result_stays_the_same():
    run = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY], cwd=SCRIPTS, capture_output=True, text=True, timeout=120,
        env={"MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "65536"},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    halved = [line for line in run.stdout.splitlines() if line.startswith("out of memory with ")]
    assert len(halved) >= 6, run.stdout


def test_what_never_fits_is_told_in_one_line():
    def compute(batch):
        return bytearray(2**62)

    with pytest.raises(
        InputError,
        match=r"^not even one at a time fits into the memory \(.*\): expected more of it$",
    ):
        list(runtime.IDLE.batches(compute, range(8), 4, "images"))


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def compute(batch):
        raise RuntimeError("another mistake")

    with pytest.raises(RuntimeError, match="another mistake"):
        list(runtime.IDLE.batches(compute, range(8), 4, "images"))


def test_where_the_system_limits_no_process_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    assert runtime.usable_cores() == os.cpu_count()
    assert cost.device()[1]


# Each of eight batches is told, whatever the clock says, on a terminal of its own that may be closed meanwhile.
TOLD = """
import os, pty, sys
from convprobe.job import runtime

runtime.LOG_SECONDS = runtime.TERMINAL_SECONDS = -1
ours, theirs = pty.openpty()
os.dup2(theirs, 2)
with runtime.job(sys.argv[1]) as job:
    if sys.argv[2] == "closed":
        os.close(ours), os.close(theirs)
    list(job.batches(len, range(800), 100, "images"))
    shown = b"" if sys.argv[2] == "open" else b"nothing to read"
    while sys.argv[2] == "open" and shown.count(b"\\n") < 7:  # a terminal may hand it over in parts
        shown += os.read(ours, 10_000)
    print(shown.decode())
"""


def told(folder, script, *arguments):
    """What a job wrote to its log, without the lines of its start and end, and to where its streams led."""
    log = "logs/demo/normalised/epoch-08/occlusion/window-9/0003.log"
    run = subprocess.run(
        [sys.executable, "-c", script, log, *arguments], cwd=folder, env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return (folder / log).read_text().splitlines()[1:-1], run.stdout + run.stderr


def test_progress_is_told_in_the_log_and_on_the_terminal_in_80_columns(tmp_path):
    lines, _ = told(tmp_path, TOLD, "open")
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
    lines, _ = told(tmp_path, TOLD, "closed")
    assert lines[7].startswith("800/800 images")
    assert lines[8:] == ["nothing to read"]


def test_nothing_is_told_through_a_pipe(tmp_path):
    lines, streams = told(tmp_path, TOLD.replace("os.dup2(theirs, 2)", ""), "closed")
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
    """Two megabytes of images that unpack to two gigabytes, where the system gives a fifth of that."""
    command = [sys.executable, "-c", BOMB, tmp_path / "a.zip", tmp_path / "a.log"]
    run = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert (tmp_path / "a.zip").stat().st_size < 2**21
    told = (tmp_path / "a.log").read_text().splitlines()[1:]
    assert len(told) == 1, told
    assert told[0].startswith("error: out of memory (")
    assert told[0].endswith("): expected more of it")


def test_a_log_ends_with_the_time_and_the_most_memory_of_its_job(tmp_path):
    code = "import sys; from convprobe.job import runtime\nwith runtime.job(sys.argv[1]): b'x' * 500_000_000"
    subprocess.run([sys.executable, "-c", code, tmp_path / "log"], cwd=SCRIPTS, check=True)
    memory = re.search(
        r"done in [\d.]+ s with ([\d.]+) GB of memory\n$", (tmp_path / "log").read_text()
    )[1]
    assert 0.5 <= float(memory) < 0.7
