"""Results that are altered, lost, or don't agree with one another are found and named."""

import hashlib
import json
import random
import shutil

import h5py
import numpy as np
import pytest
import yaml

from convprobe import config as configs
from convprobe import verification

PROBED = "normalised/epoch-01"


@pytest.fixture(scope="session")
def config(finished):
    """The checked config of the finished study."""
    merged = {}
    for name in ("config.yaml", *finished.configs):
        merged = configs.merged(merged, yaml.safe_load((finished.folder / name).read_text()))
    merged["dataset"]["path"] = str(finished.folder / "pictures.zip")
    return configs.checked(merged, finished.folder / "schemas/config.schema.json")


@pytest.fixture(scope="session")
def names(finished):
    """What was made: of the experiment, and of its probed epoch."""
    probes = [name.removeprefix(f"{PROBED}/") for name in finished.files() if name.startswith(PROBED)]
    return sorted(name for name in finished.files() if not name.startswith(PROBED)), sorted(probes)


@pytest.fixture
def results(finished, tmp_path):
    return shutil.copytree(finished.folder / "results/tiny", tmp_path / "tiny")


@pytest.fixture
def mistakes(results, config, names):
    return lambda: verification.verify(results, config, *names)[0]


def record_digest(path):
    """As `sha256sum NAME > .NAME.sha256` does."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (path.parent / f".{path.name}.sha256").write_text(f"{digest}  {path.name}\n")


def test_the_rule_finds_nothing_wrong_and_makes_nothing(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    before = {name: path.stat().st_mtime_ns for name, path in workflow.files().items()}
    completed = workflow.run("verify_results")
    assert completed.returncode == 0, completed.stdout
    log = (workflow.folder / "logs/tiny/verification.log").read_text()
    assert f"all {len(before)} files are there, whole and in agreement" in log
    assert {name: path.stat().st_mtime_ns for name, path in workflow.files().items()} == before


def test_the_rule_names_every_mistake_and_mends_nothing(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    workflow.files()["explorer.html"].unlink()
    with open(workflow.files()["normalised/learning-curve.png"], "ab") as file:
        file.write(b"\n")
    completed = workflow.run("verify_results")
    assert completed.returncode == 1
    assert "error: 2 mistakes in the results" in completed.stdout
    assert "results/tiny/explorer.html: can't be read: No such file or directory" in completed.stdout
    assert "results/tiny/normalised/learning-curve.png: altered since it was written" in completed.stdout
    assert "Traceback" not in completed.stdout
    assert "explorer.html" not in workflow.files()


def test_a_flipped_bit_in_any_file_is_found_and_named(results, mistakes, finished):
    draw = random.Random(0)
    for name in finished.files():
        path = results / name
        content = bytearray(path.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        whole = path.read_bytes()
        path.write_bytes(content)
        assert [line for line in mistakes() if line.startswith(f"{path}: altered since it was written")], name
        path.write_bytes(whole)
    assert not mistakes()


def test_a_lost_file_is_named_and_one_too_many_is_no_mistake(results, mistakes, finished):
    (results / "notes.txt").write_text("mine")
    for name in finished.files():
        (results / name).rename(results / "elsewhere")
        assert f"{results / name}: can't be read: No such file or directory" in mistakes()
        (results / "elsewhere").rename(results / name)
    (results / ".explorer.html.sha256").unlink()
    assert mistakes() == [f"{results / '.explorer.html.sha256'}: can't be read: No such file or directory"]


def edit_hdf5(change):
    def do(path):
        with h5py.File(path, "r+") as file:
            change(file)

    return do


def edit_text(old, new):
    def do(path):
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return do


def edit_json(key, value):
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))


def put(dataset, place, value):
    def change(file):
        file[dataset][place] = value

    return edit_hdf5(change)


def first_cell(path):
    """One image more in the first cell of a confusion table."""
    rows = path.read_text().splitlines()
    cells = rows[1].split(",")
    rows[1] = ",".join([cells[0], str(int(cells[1]) + 1), *cells[2:]])
    path.write_text("\n".join(rows) + "\n")


OCCLUSION, FILTERS, ABLATION = f"{PROBED}/occlusion", f"{PROBED}/filters", f"{PROBED}/ablation"
FORGERIES = {
    "a label": ("dataset/images.h5", put("test/labels", 0, 10), "test/labels beyond the classes"),
    "a pixel": ("dataset/images.h5", put("train/images", (0, 0, 0, 0), 7), "differs from that of the training images"),
    "a weight that is no number": ("raw/checkpoints/epoch-01.pth", "nan", "weights that are not finite"),
    "weights of another epoch": ("raw/checkpoints/epoch-01.pth", "raw/checkpoints/epoch-02.pth", "is of epoch 2"),
    "weights of another run": (
        "raw/checkpoints/epoch-01.pth", "normalised/checkpoints/epoch-01.pth", "has another normalisation",
    ),
    "other probed weights": (
        "normalised/checkpoints/epoch-01.pth", "normalised/checkpoints/epoch-02.pth", "was made from other weights",
    ),
    "a train loss": ("raw/training/epoch-02.json", edit_json("train_loss", 9.5), "differs from what its sources give"),
    "the selected epoch": ("raw/selection.json", edit_json("epoch", 2), "expected {'epoch': 1"),
    "a confidence": (f"{OCCLUSION}/window-3.h5", put("confidence", (0, 1, 2), 0.5), "another confidence than the true"),
    "a probability": (f"{OCCLUSION}/window-5.h5", put("probability", (4, 31, 31, 0), 2), "don't sum to 1"),
    "an infinite probability": (f"{OCCLUSION}/window-5.h5", put("probability", (0, 0, 0, 0), np.inf), "not finite"),
    "a clean probability": (f"{OCCLUSION}/window-3.h5", put("clean_probability", 0, 0.1), "differs from predictions"),
    "another window": (
        f"{OCCLUSION}/window-3.h5", edit_hdf5(lambda file: file.attrs.modify("window", 5)), "has window and fill (",
    ),
    "maps left out": (f"{OCCLUSION}/window-3.h5", edit_hdf5(lambda file: file.pop("probability")), "probability"),
    "an order of images": (f"{OCCLUSION}/window-3.h5", put("image", slice(None), [1, 0, 2, 3, 4]), "has other images"),
    "a summary": (f"{OCCLUSION}/summary.csv", edit_text("0.", "1."), "differs from what its sources give"),
    "a response": (f"{FILTERS}/activations.h5", put("conv1/1/response", 3, 0.25), "response is not the norm"),
    "a rank": (f"{FILTERS}/top-images.csv", edit_text("conv1,1,1,", "conv1,1,2,"), "differs from what its sources"),
    "a patch": (f"{FILTERS}/patches.h5", put("conv2/5", (1, 0, 0, 0), 3), "rank 2: not the pixels of its box"),
    "a prediction": (f"{ABLATION}/predictions.csv", edit_text("\n0,", "\n1,"), "has other images than the test images"),
    "a confusion": (f"{ABLATION}/confusion-after.csv", first_cell, "differs from what its sources give"),
    "a class pair": (f"{ABLATION}/class-pairs.csv", edit_text("predicted", "guessed"), "differs from what its sources"),
    "a first image": (f"{ABLATION}/first-images.csv", edit_text("\n39,", "\n38,"), "differs from what its sources"),
    "an accuracy": (f"{ABLATION}/accuracy.csv", edit_text("chosen,", "selected,"), "differs from what its"),
    "a class's accuracy": (f"{ABLATION}/class-accuracy.csv", edit_text("0.", "1."), "differs from what its sources"),
    "a flip": (f"{ABLATION}/flips.csv", edit_text("fall", "rise"), "differs from what its sources"),
    "a variant left out": (
        f"{ABLATION}/variants.h5", edit_hdf5(lambda file: file.pop("predicted")), "predicted",
    ),
    "a variant's prediction": (f"{ABLATION}/variants.h5", put("predicted", (0, 0), 99), "not of the stated form"),
    "a filter of all": (f"{FILTERS}/all-top-images.csv", edit_text("conv1,1,1,", "conv1,3,1,"), "has other images"),

    "a figure": (f"{ABLATION}/confusion.png", lambda path: path.write_bytes(b"\x89PNG"), "not a picture"),
    "half a page": ("explorer.html", edit_text("</html>", ""), "does not end as a page"),
    "the card": ("reproduction.csv", edit_text("\n", "\nx,1,5.0,0.0,1.0,holds\n"), "outside its interval"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "change", "words"), FORGERIES.values(), ids=FORGERIES)
def test_what_contradicts_another_file_is_found_though_its_digest_is_right(results, mistakes, name, change, words):
    path = results / name
    if change == "nan":
        change = spoil_weights
    if isinstance(change, str):
        shutil.copy(results / change, path)
    else:
        change(path)
    record_digest(path)
    found = mistakes()
    assert [line for line in found if words in line], found


def spoil_weights(path):
    import torch

    values = torch.load(path, weights_only=True)
    values["weights"]["conv1.weight"][0, 0, 0, 0] = float("nan")
    torch.save(values, path)
