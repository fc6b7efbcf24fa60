"""Batches: halved where memory runs out, and nothing else is changed by how they are cut."""

import subprocess
import sys
from pathlib import Path

import pytest

from convprobe.errors import InputError
from convprobe.network import batches, chain
from convprobe.network.batches import fitting, in_batches

SCRIPTS = Path(__file__).parents[3] / "scripts"
# All probes of a network, with all memory and then with little: the system refuses what is above.
LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np, torch
from convprobe.ablation import passes
from convprobe.dataset import image_file
from convprobe.filters import activations, ranking
from convprobe.job import runtime
from convprobe.network import checkpoints
from convprobe.network.layers import Network
from convprobe.network.normalisation import RAW
from convprobe.occlusion import windows
from convprobe.training import evaluation, trainer

torch.set_num_threads(1)
torch.manual_seed(0)
random = np.random.default_rng(0)
layers = {"conv": [{"channels": 64, "kernel": 3}, {"channels": 8, "kernel": 3}], "fc": []}
network = Network(layers, classes=3, image_size=(32, 32)).eval()
pixels = random.integers(0, 256, (600, 32, 32, 3), dtype=np.uint8)
images = image_file.Images(pixels, random.integers(3, size=600), ("a", "b", "c"), np.arange(600))
hidden = windows.windows(32, 32, 5)
def maps_of(name):
    batches = activations.record(network, images, [name], batch=600)
    return np.concatenate([found[name] for found in batches])


probes = {
    "evaluation": lambda: evaluation.predict(network, images, batch=600).numpy(),
    "activations": lambda: maps_of("conv1/5"),
    "ranking": lambda: ranking.top_images(network, images, 2, batch=600)["response"].to_numpy(),
    "variants": lambda: passes.predict(network, [["conv1/3"]], images, batch=600).numpy(),
    "occlusion": lambda: windows._plain(
        network, pixels[:1], hidden, 128, "fp32", runtime.IDLE, 1024
    ),
}
def train():
    torch.manual_seed(0)
    trained = Network({"conv": [{"channels": 64, "kernel": 3}], "fc": []}, 3, (32, 32))
    checkpoint = checkpoints.Checkpoint(trained, trained.settings, images.classes, (32, 32), RAW, 0)
    settings = {"batch_size": 300, "augmentation": "none", "precision": "fp32", "seed": 0,
                "schedule": "constant",
                "label_smoothing": 0.0,
                "optimizer": {"learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0}}
    record, _ = trainer.train_epoch(checkpoint, None, images, settings)
    weights = trained.conv1.weight.detach().numpy()
    return np.append(weights, [record["train_loss"], record["train_accuracy"]])


probes["training"] = train
for name, probe in probes.items():
    print(name)
    expected = probe()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 60 * 2**20, resource.RLIM_INFINITY))
    np.testing.assert_allclose(probe(), expected, atol=1e-5, rtol=1e-5)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_halved_and_the_result_stays_the_same():
    run = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY],
        cwd=SCRIPTS, capture_output=True, text=True, timeout=120,
        env={"MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "65536"},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    halved = [line for line in run.stdout.splitlines() if line.startswith("out of memory with ")]
    assert len(halved) >= 6, run.stdout


def test_what_never_fits_is_one_line():
    def compute(batch):
        return bytearray(2**62)

    with pytest.raises(
        InputError,
        match=r"^not even one at a time fits into the memory \(.*\): expected more of it$",
    ):
        list(in_batches(compute, range(8), 4, "images"))


def test_other_errors_are_no_lack_of_memory():
    def compute(batch):
        raise RuntimeError("another mistake")

    with pytest.raises(RuntimeError, match="another mistake"):
        list(in_batches(compute, range(8), 4, "images"))


def test_fewer_images_are_computed_at_a_time_where_maps_are_large(monkeypatch):
    small = chain.graph({"conv": [{"channels": 4, "kernel": 3}], "fc": []}, (12, 12), 2)
    assert fitting(small, 250) == 250
    # Its largest map has 4 channels of 10×10; the image is smaller.
    monkeypatch.setattr(batches, "LARGEST_MAPS", 400 * 7 + 399)
    assert fitting(small, 250) == 7
    assert fitting(small, 3) == 3
    monkeypatch.setattr(batches, "LARGEST_MAPS", 10)
    assert fitting(small, 250) == 1
