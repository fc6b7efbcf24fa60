"""Other studies: the best epoch, held-out images, a user's own images or weights; linting."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import MADE_OF_ALL
from PIL import Image

from convprobe.dataset import listing
from convprobe.network.layers import Network
from convprobe.report import explorer

REAL_IMAGES = os.environ.get("CONVPROBE_CIFAR10_JPEG", "")
needs_real_images = pytest.mark.skipif(
    not Path(REAL_IMAGES).is_file(),
    reason="CONVPROBE_CIFAR10_JPEG names no archive of CIFAR-10 as JPEGs",
)
# What `snakemake --lint` reports, and why it stays.
ACCEPTED_LINTS = {
    "Mixed rules and functions in same snakefile.": (
        "an input function is beside the only rule that uses it, so that one file has a whole topic"
    ),
    "Specify a conda environment or container for each rule.": (
        "all rules share one virtual environment, pinned in requirements.txt"
    ),
}


def test_lint_reports_nothing_but_what_is_accepted(workflow):
    linted = workflow.run("--lint")
    found = {
        line.strip().removeprefix("* ")
        for line in linted.stdout.splitlines()
        if line.startswith("    * ")
    }
    titles = {title[:-1] for title in found}
    assert titles == set(ACCEPTED_LINTS)


def test_a_deleted_epoch_is_trained_again_to_the_same_bytes(workflow):
    target = "results/tiny/normalised/checkpoints/epoch-02.pth"
    assert workflow.run(target).returncode == 0
    checkpoint = workflow.folder / target
    before = checkpoint.read_bytes()
    checkpoint.unlink()
    assert workflow.run(target).returncode == 0
    assert checkpoint.read_bytes() == before


def test_a_factory_s_code_counts_for_its_training_by_its_meaning(workflow):
    (workflow.folder / "mynet.py").write_text(module_for_users(workflow))
    workflow.configure(
        'network: {factory: "mynet.py:build", arguments: {classes: 10, width: 4}}\n'
        "filters: {chosen: [0/1, 1.conv/2]}\n",
        name="mine.yaml",
    )
    target = "results/tiny/normalised/checkpoints/epoch-02.pth"
    both = ["tiny.yaml", "mine.yaml"]
    completed = workflow.run(target, configs=both)
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert completed.stdout.count("mynet.py:build is traced, once") == 1

    def due():
        planned = workflow.run("--dry-run", target, configs=both).stdout
        return [number for number in ("01", "02") if f"training/epoch-{number}.log" in planned]

    assert due() == []
    with (workflow.folder / "mynet.py").open("a") as file:
        file.write("# A comment\n")
    assert due() == []
    with (workflow.folder / "mynet.py").open("a") as file:
        file.write("ADDED = 1\n")
    assert due() == ["01", "02"]


PERCEPTRON = """
import torch
from torch import nn


def build(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 8), nn.ReLU(), nn.Linear(8, classes))
"""


def test_a_network_without_filters_is_occluded_and_nothing_else(workflow):
    """Trained here, and with weights from elsewhere."""
    (workflow.folder / "perceptron.py").write_text(PERCEPTRON)
    made = {}
    exec(PERCEPTRON, made)
    torch.save(made["build"](10).state_dict(), workflow.folder / "own.pth")
    workflow.configure(
        'network: {factory: "perceptron.py:build", arguments: {classes: 10}}\n'
        "runs: {own: {weights: own.pth}}\n"
        "studied: [normalised, own]\n"
        "compared: []\n"
        "occlusion: {windows: [3], images: 2, stride: 4}\n",
        name="mine.yaml",
    )
    both = ["tiny.yaml", "mine.yaml"]
    completed = workflow.run(configs=both)
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert completed.stdout.count("filters and ablation are left out: perceptron.py:build") == 1
    files = workflow.files()
    probes = {
        name.split("/")[2] for name in files if re.match("normalised/epoch-|own/weights/", name)
    }
    assert probes == {"occlusion"}
    card = pd.read_csv(files["reproduction.csv"]).set_index("claim")
    verdict = card.loc["loss of test accuracy with filters switched off", "verdict"]
    assert verdict.startswith("not tested: no layer of this network has filters")
    shown, _ = explorer.read(files["explorer.html"])
    assert [probe["filters"] or probe["ablation"] for probe in shown["probes"]] == [None, None]
    assert list(shown["links"]) == ["occlusion"]
    verified = workflow.run("verify_results", configs=both)
    assert verified.returncode == 0, verified.stdout


def module_for_users(workflow):
    """The Python file that the page about one's own shows."""
    page = (workflow.folder / "docs/your-own.md").read_text()
    (found,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return found


def example_for_users(workflow, word):
    """The block of YAML that contains a word, in the README or on the page about one's own."""
    pages = [(workflow.folder / name).read_text() for name in ("README.md", "docs/your-own.md")]
    blocks = re.findall(r"```yaml\n(.*?)```", "\n".join(pages), re.DOTALL)
    (found,) = [block for block in blocks if word in block]
    return found


def test_the_example_of_a_user_s_own_images_runs_as_a_whole_study(workflow):
    random = np.random.default_rng(0)
    with zipfile.ZipFile(workflow.folder / "pictures.zip", "w") as archive:
        for split, count in (("train", 60), ("test", 4)):
            for index in range(count):
                for name, level in (("007", 60), ("clean", 120), ("heller, größer", 180)):
                    pixels = random.integers(level - 50, level + 50, (20, 20, 3), dtype=np.uint8)
                    with archive.open(f"{split}/{name}/{index:03d}.png", "w") as file:
                        Image.fromarray(pixels).save(file, "png")
        # One of the training images lies in the test set as well.
        archive.writestr("test/clean/004.png", archive.read("train/clean/000.png"))
    workflow.configure(example_for_users(workflow, "pictures.zip"), name="mine.yaml").configure(
        "dataset: {train_images: all, test_images: all}\n"
        "compared: []\n"
        "occlusion: {images: all}\n"
        "ablation: {table_images: 5}\n",
        name="small.yaml",
    )
    completed = workflow.run(configs=["tiny.yaml", "small.yaml", "mine.yaml"])
    assert completed.returncode == 0, completed.stdout[-3000:]
    files = workflow.files()
    epoch = json.loads(files["normalised/selection.json"].read_text())["epoch"]
    probed = f"normalised/epoch-{epoch:02d}"
    with h5py.File(files[f"{probed}/occlusion/window-5.h5"]) as file:
        assert file["confidence"].shape == (13, 20, 20)
    first = pd.read_csv(files[f"{probed}/ablation/first-images.csv"], dtype={"class": str})
    assert first["class"].tolist() == ["007", "clean", "heller, größer", "007", "clean"]
    confusion = pd.read_csv(files[f"{probed}/ablation/confusion-clean.csv"], index_col=0)
    assert confusion.sum(axis=1).tolist() == [4, 5, 4]
    # Of 180 images 100 are held out, the last ones of each class.
    rows = [
        "class,train,test,test_in_train,validation,validation_in_train",
        "007,26,4,0,34,0",
        "clean,27,5,1,33,0",
        '"heller, größer",27,4,0,33,0',
        "",
    ]
    assert files["dataset/classes.csv"].read_text() == "\n".join(rows)
    said = " ".join(completed.stdout.split())
    assert "convprobe: warning: few training steps for normalised: 2, which is epochs × " in said
    assert "warning: 1 of 13 test images are training images too, pixel for pixel" in said


@pytest.mark.parametrize(("tested", "shards", "sheets"), [(6, 3, 2), (2, 0, 1)])
def test_all_images_of_a_folder_are_occluded_in_shards_and_shown_four_a_sheet(
    workflow, tested, shards, sheets
):
    """With two images per shard."""
    config = workflow.folder / "scripts/convprobe/plan/study.py"
    config.write_text(re.sub(r"SHARD_IMAGES = \d+", "SHARD_IMAGES = 2", config.read_text()))
    for split, count in (("train", 12), ("test", tested // 2)):
        for name, level in (("ant", 60), ("bee", 180)):
            folder = workflow.folder / "pictures" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                Image.new("RGB", (20, 20), (level + index, level, 10 * index)).save(
                    folder / f"{index}.png"
                )
    workflow.configure(
        "dataset: {name: image-folder, path: pictures, train_images: all, test_images: all}\n"
        "compared: []\n"
        "occlusion: {images: all, windows: [3]}\n"
        "ablation: {table_images: 2}\n",
        name="own.yaml",
    )
    folder = workflow.folder / "results/tiny/normalised/epoch-02/occlusion"
    wanted = [
        f"{folder.relative_to(workflow.folder)}/sheet-{number + 1}.png" for number in range(sheets)
    ]
    completed = workflow.run(*wanted, configs=["tiny.yaml", "own.yaml"])
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert len(list(folder.glob("window-3/*.h5"))) == shards
    beyond = wanted[-1].replace(f"sheet-{sheets}", f"sheet-{sheets + 1}")
    assert workflow.run("--dry-run", beyond, configs=["tiny.yaml", "own.yaml"]).returncode != 0
    with h5py.File(folder / "window-3.h5") as file:
        assert file["image"][:].tolist() == list(range(tested))


@needs_real_images
def test_real_images_come_in_the_order_of_cifar10():
    labels = listing.labels(REAL_IMAGES)
    assert {split: len(found) for split, found in labels.items()} == {
        "train": 50_000,
        "test": 10_000,
    }
    # The first labels of the published test_batch and data_batch_1.
    assert labels["test"][:6] == ["cat", "ship", "ship", "airplane", "frog", "frog"]
    assert labels["train"][:4] == ["frog", "truck", "truck", "deer"]


@needs_real_images
def test_the_small_preset_is_judged_on_real_images(workflow):
    workflow.configure(
        "dataset:\n"
        f"  {{name: image-folder, path: {REAL_IMAGES}, train_images: 128, test_images: 20}}\n"
        "training: {epochs: 1}\n"
        "selection: {epoch: 1}\n"
        "occlusion: {images: 2, windows: [9], stride: 4}\n"
        "compared: []\n"
        "ablation: {table_images: 20, random_controls: 1}\n",
        name="real.yaml",
    )
    name = "reproduction.csv"
    completed = workflow.run(f"results/small/{name}", configs=["presets/small.yaml", "real.yaml"])
    assert completed.returncode == 0, completed.stdout[-3000:]
    card = pd.read_csv(workflow.files()[name]).set_index("claim")
    verdict = card.loc["test accuracy with normalisation, selected epoch", "verdict"]
    assert verdict == "not tested: other images than CIFAR-10's"
    with h5py.File(workflow.files()["dataset/test-images.h5"]) as file:
        assert file["test/images"].shape == (20, 32, 32, 3)
        classes = file.attrs["classes"]
        assert classes[file["test/labels"][:6]].tolist() == [
            "cat", "ship", "ship", "airplane", "frog", "frog",
        ]  # fmt: skip


def test_the_snakefile_never_imports_torch(workflow):
    """Snakemake's own process loads every rule and plans; importing torch would take seconds.

    Pandas is not tested: Snakemake loads every installed executor plugin, and SLURM's imports it.
    """
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "snakemake",
        "--cores",
        "1",
        "-n",
        "--configfile",
        "tiny.yaml",
    ]
    planned = subprocess.run(
        command, cwd=workflow.folder, check=True, capture_output=True, text=True
    )
    imported = {
        line.rpartition("|")[2].strip()
        for line in planned.stderr.splitlines()
        if line.startswith("import time")
    }
    assert "convprobe.plan.config" in imported
    assert not imported & {"torch", "torchvision", "matplotlib"}


def test_more_images_compute_only_the_new_shards(finished, tmp_path):
    """With two images per shard; the joined file equals what one job makes of all images."""
    workflow = finished.copy(tmp_path / "convprobe")
    config = workflow.folder / "scripts/convprobe/plan/study.py"
    config.write_text(re.sub(r"SHARD_IMAGES = \d+", "SHARD_IMAGES = 2", config.read_text()))
    folder = workflow.folder / "results/tiny/normalised/epoch-01/occlusion"
    with h5py.File(folder / "window-3.h5") as file:
        at_once = file["probability"][:]
    workflow.configure("occlusion: {images: 4}", name="edit.yaml")
    assert workflow.run().returncode == 0
    made = {path: path.stat().st_mtime_ns for path in folder.glob("window-*/*.h5")}
    assert sorted(path.relative_to(folder).as_posix() for path in made) == [
        "window-3/0001.h5", "window-3/0002.h5", "window-5/0001.h5", "window-5/0002.h5",
    ]  # fmt: skip
    workflow.configure("occlusion: {images: 5}", name="edit.yaml")
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert workflow.log().count("localrule map_occlusion:") == 2
    assert {path: path.stat().st_mtime_ns for path in made} == made
    with h5py.File(folder / "window-3.h5") as file:
        assert file["probability"].is_virtual
        np.testing.assert_allclose(file["probability"][:], at_once, atol=1e-6)
    assert len(pd.read_csv(folder / "summary.csv")) == 10
    verified = workflow.run("verify_results")
    assert verified.returncode == 0, verified.stdout
    # Joined again from the same shards the file is the same, and from another shard it is not.
    joined = "results/tiny/normalised/epoch-01/occlusion/window-3.h5"
    (workflow.folder / joined).unlink()
    assert workflow.run(joined).returncode == 0
    assert "Nothing to be done" in workflow.run("--dry-run").stdout
    with h5py.File(folder / "window-3/0002.h5", "r+") as file:
        file["confidence"][0] = 0
    assert workflow.run(joined).returncode == 0
    planned = workflow.run("--dry-run").stdout
    assert "rule summarise_occlusion:" in planned
    assert "rule join_occlusion:" not in planned


def test_the_example_of_a_user_s_own_weights_is_probed_without_training(workflow):
    settings = {"conv": [{"channels": 4, "kernel": 5}, {"channels": 6, "kernel": 3}], "fc": []}
    normalisation = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]}
    torch.manual_seed(1)
    network = Network(settings, classes=10, image_size=(32, 32), normalisation=normalisation).eval()
    torch.save({"state_dict": network.half().state_dict()}, workflow.folder / "own.pth")
    workflow.configure(example_for_users(workflow, "own.pth"), name="own.yaml")
    completed = workflow.run(configs=["tiny.yaml", "own.yaml"])
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert "train_epoch" not in workflow.log()
    files = workflow.files()
    with h5py.File(files["dataset/test-images.h5"]) as file:
        pixels, classes = file["test/images"][:], file.attrs["classes"]
    with torch.no_grad():
        expected = network.float()(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255)
    table = pd.read_csv(files["own/weights/ablation/predictions.csv"])
    assert table["clean"].tolist() == [classes[label] for label in expected.argmax(1)]
    verified = workflow.run("verify_results", configs=["tiny.yaml", "own.yaml"])
    assert verified.returncode == 0, verified.stdout

    state = network.state_dict()
    del state["conv2.bias"]
    torch.save({**state, "conv1.weight": torch.zeros(4, 3, 3, 3)}, workflow.folder / "own.pth")
    before = {name: path.read_bytes() for name, path in files.items()}
    refused = workflow.run(configs=["tiny.yaml", "own.yaml"])
    assert refused.returncode == 1
    log = (workflow.folder / "logs/own/own/weights.log").read_text().splitlines()
    assert log[1:] == [
        "error: own.pth: conv1.weight has shape (4, 3, 3, 3), expected (4, 3, 5, 5)",
        "own.pth: conv2.bias is missing, expected shape (6,)",
    ]
    assert "Traceback" not in refused.stdout
    assert {name: path.read_bytes() for name, path in workflow.files().items()} == before


def test_another_epoch_is_probed_beside_the_selected_one_and_none_twice(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    before = {
        name: path.stat().st_mtime_ns
        for name, path in workflow.files().items()
        if name not in MADE_OF_ALL
    }
    workflow.configure(
        "studied: [normalised, normalised/epoch-2, normalised/epoch-1]", name="edit.yaml"
    )
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-3000:]
    after = workflow.files()
    assert {name: after[name].stat().st_mtime_ns for name in before} == before
    assert after["normalised/through-training.png"].is_file()
    for name in [name for name in before if name.startswith("normalised/epoch-01/")]:
        assert name.replace("epoch-01", "epoch-02") in after
    assert workflow.run("verify_results").returncode == 0


OTHER_LAYERS = """
network:
  conv:
    - {channels: 6, kernel: 5, stride: 2, padding: 2, batch_norm: true}
    - {channels: 6, kernel: 3, padding: 1, pool: 1}
  fc: [16]
  dropout: 0.25
dataset: {train_images: 179, validation_images: 50}
training: {batch_size: 32}
selection: {policy: best, split: validation}
occlusion: {images: [3, 1], stride: 5}
"""


def test_a_network_of_other_layers_is_probed_at_its_best_epoch_on_held_out_images(workflow):
    """The last batch would be one image, on which batch normalisation can't be trained."""
    workflow.configure(OTHER_LAYERS, name="other.yaml")
    configs = ["tiny.yaml", "other.yaml"]
    completed = workflow.run(configs=configs)
    assert completed.returncode == 0, completed.stdout[-3000:]
    files = workflow.files()
    curve = pd.read_csv(files["normalised/learning-curve.csv"])
    epoch = json.loads(files["normalised/selection.json"].read_text())["epoch"]
    assert epoch == curve["validation_accuracy"].idxmax() + 1
    assert json.loads(files["dataset/normalisation.json"].read_text())["images"] == 129
    probed = f"normalised/epoch-{epoch:02d}"
    with h5py.File(files[f"{probed}/occlusion/window-3.h5"]) as file:
        assert file["image"][:].tolist() == [3, 1]
        assert file["confidence"].shape == (2, 6, 6)
        assert file["y"][:].tolist() == file["x"][:].tolist() == [2, 7, 12, 17, 22, 27]
        labels = file["label"][:]
    with h5py.File(files["dataset/test-images.h5"]) as file:
        assert labels.tolist() == file["test/labels"][:][[3, 1]].tolist()
    table = pd.read_csv(files[f"{probed}/filters/top-images.csv"])
    # conv2 pooled sees 5 + 2 + 2·4 = 15 pixels, its units lie 4 apart, and the first begins at -6.
    deep = table[table["layer"] == "conv2"]
    assert (deep["top"] == (4 * deep["peak_y"] - 6).clip(lower=0)).all()
    with h5py.File(files[f"{probed}/filters/patches.h5"]) as file:
        assert file["conv2/5"].shape[1:] == (15, 15, 3)
    verified = workflow.run("verify_results", configs=configs)
    assert verified.returncode == 0, verified.stdout
    assert "Nothing to be done" in workflow.run(configs=configs).stdout
    trained = "normalised/checkpoints/epoch-02.pth"
    before = files[trained].read_bytes()
    shutil.rmtree(workflow.folder / "results/tiny/normalised/checkpoints")
    assert workflow.run(f"results/tiny/{trained}", configs=configs).returncode == 0
    assert files[trained].read_bytes() == before, "dropout must draw from the run's seed"
