"""Results that are altered, lost, or contradict one another are found and named."""

import hashlib
import itertools
import json
import random
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from conftest import MADE_OF_ALL

from convprobe.network import checkpoints
from convprobe.plan import config as configs
from convprobe.plan import study
from convprobe.report import explorer, outputs, verification

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
    """Names of the experiment's files, and of its probed epoch's, in the order of the page."""
    shown, _ = explorer.read(finished.files()["explorer.html"])
    probes = [name.removeprefix(f"{PROBED}/") for name in shown["files"] if name.startswith(PROBED)]
    return sorted(finished.files().keys() - {f"{PROBED}/{name}" for name in probes}), probes


@pytest.fixture(scope="session")
def report(finished, config):
    """What the rule passes on about the card and the page."""
    experiment = {role: [f"{role}/learning-curve.csv"] for role in ("normalised", "raw")}
    experiment |= {"selection": ["normalised/selection.json"], "images": ["dataset/test-images.h5"]}
    experiment["normalisation"] = ["dataset/normalisation.json"]
    epoch = {"accuracies": "ablation/accuracy.csv", "predictions": "ablation/predictions.csv"}
    epoch |= {name: f"occlusion/{name}.csv" for name in ("summary", "localisation")}
    card_settings = {
        "roles": ["normalised", "raw"],
        "network": config["network"],
        "mode": config["ablation"]["mode"],
    }
    card_settings["chosen"] = config["filters"]["chosen"]
    shown, _ = explorer.read(finished.files()["explorer.html"])
    page = {
        "title": "convprobe: tiny",
        "windows": [3, 5],
        "chosen": config["filters"]["chosen"],
        "table_images": 40,
        "trained": ["normalised", "raw"],
        "groups": {},
        "card_runs": {"normalised": "normalised", "raw": "raw", "probed": "normalised"},
        "sources": outputs.PAGE_SOURCES,
        "config": study.shown(config),
        "files": [name for name in shown["files"] if not name.startswith(PROBED)],
        "links": shown["links"],
    }
    return {"runs": ["normalised"], "sources": (experiment, epoch), "settings": card_settings}, page


@pytest.fixture
def results(finished, tmp_path):
    return shutil.copytree(finished.folder / "results/tiny", tmp_path / "tiny")


@pytest.fixture
def mistakes(results, config, names, report):
    """What is wrong; not what only the manifest gives away, for all else must be found without."""

    def found():
        lines, _ = verification.verify(results, config, *names, *report)
        return [line for line in lines if "but manifest.json lists" not in line]

    return found


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


def test_the_rule_names_every_mistake_and_repairs_nothing(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    workflow.files()["explorer.html"].unlink()
    with open(workflow.files()["normalised/learning-curve.png"], "ab") as file:
        file.write(b"\n")
    completed = workflow.run("verify_results")
    assert completed.returncode == 1
    assert "error: 2 mistakes in the results" in completed.stdout
    assert (
        "results/tiny/explorer.html: can't be read: No such file or directory" in completed.stdout
    )
    assert (
        "results/tiny/normalised/learning-curve.png: altered since it was written"
        in completed.stdout
    )
    assert "Traceback" not in completed.stdout
    assert "explorer.html" not in workflow.files()


@pytest.mark.parametrize("probed", [True, False], ids=["a probe's", "another"])
def test_a_flipped_bit_in_any_file_is_found_and_named(results, mistakes, finished, probed):
    """An altered selection doesn't say which epoch is probed, so the probes' files are others."""
    draw = random.Random(0)
    names = [name for name in sorted(finished.files()) if name.startswith(PROBED) == probed]
    for path in [results / name for name in names]:
        flipped = bytearray(path.read_bytes())
        flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
    altered = re.findall(r"^(.+): altered since it was written", "\n".join(mistakes()), re.M)
    assert sorted(altered) == [str(results / name) for name in names]


TOGETHER = 8  # files that are lost at a time


def some_at_a_time(finished):
    """The names of all files, each in one of the lists."""
    names = sorted(finished.files())
    return [names[start : start + TOGETHER] for start in range(0, len(names), TOGETHER)]


def test_a_lost_file_is_named_and_an_additional_one_is_no_mistake(results, mistakes, finished):
    (results / "notes.txt").write_text("mine")
    for names in some_at_a_time(finished):
        for name in names:
            (results / name).rename(f"{results / name}.lost")
        found = mistakes()
        for name in names:
            assert f"{results / name}: can't be read: No such file or directory" in found
            Path(f"{results / name}.lost").rename(results / name)
    (results / ".explorer.html.sha256").unlink()
    assert mistakes() == [
        f"{results / '.explorer.html.sha256'}: can't be read: No such file or directory"
    ]


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
    """Add one image to the first cell of a confusion table."""
    rows = path.read_text().splitlines()
    cells = rows[1].split(",")
    rows[1] = ",".join([cells[0], str(int(cells[1]) + 1), *cells[2:]])
    path.write_text("\n".join(rows) + "\n")


def edit_cell(row, column, value):
    """Change a cell in the row of a layer, channel and rank."""

    def do(path):
        head, *rows = path.read_text().splitlines()
        (place,) = [number for number, text in enumerate(rows) if text.startswith(f"{row},")]
        cells = rows[place].split(",")
        cells[head.split(",").index(column)] = str(value)
        rows[place] = ",".join(cells)
        path.write_text("\n".join([head, *rows]) + "\n")

    return do


def pass_over(filter_name):
    """Replace the first image of a filter by its second one."""

    def do(path):
        lines = path.read_text().splitlines()
        first, second = (
            next(n for n, text in enumerate(lines) if text.startswith(f"{filter_name},{rank},"))
            for rank in (1, 2)
        )
        lines[first] = lines[second].replace(f"{filter_name},2,", f"{filter_name},1,")
        path.write_text("\n".join(lines) + "\n")

    return do


OCCLUSION, FILTERS, ABLATION = f"{PROBED}/occlusion", f"{PROBED}/filters", f"{PROBED}/ablation"
ALL = f"{FILTERS}/all-top-images.csv"
FORGERIES = {
    "a label": (
        "dataset/test-images.h5",
        put("test/labels", 0, 10),
        "test/labels beyond the classes",
    ),
    "a pixel": (
        "dataset/training-images.h5",
        put("train/images", (0, 0, 0, 0), 7),
        "differs from that of the training images",
    ),
    "a weight that is not a number": (
        "raw/checkpoints/epoch-01.pth",
        "nan",
        "weights that are not finite",
    ),
    "weights of another epoch": (
        "raw/checkpoints/epoch-01.pth",
        "raw/checkpoints/epoch-02.pth",
        "is of epoch 2",
    ),
    "weights of another run": (
        "raw/checkpoints/epoch-01.pth",
        "normalised/checkpoints/epoch-01.pth",
        "has another normalisation",
    ),
    "other probed weights": (
        "normalised/checkpoints/epoch-01.pth",
        "normalised/checkpoints/epoch-02.pth",
        "was made from other weights",
    ),
    "a train loss": (
        "raw/training/epoch-02.json",
        edit_json("train_loss", 9.5),
        "differs from what its sources give",
    ),
    "the selected epoch": ("raw/selection.json", edit_json("epoch", 2), "expected {'epoch': 1"),
    "a confidence": (
        f"{OCCLUSION}/window-3.h5",
        put("confidence", (0, 1, 2), 0.5),
        "another confidence than the true",
    ),
    "a probability": (
        f"{OCCLUSION}/window-5.h5",
        put("probability", (4, 31, 31, 0), 2),
        "don't sum to 1",
    ),
    "an infinite probability": (
        f"{OCCLUSION}/window-5.h5",
        put("probability", (0, 0, 0, 0), np.inf),
        "not finite",
    ),
    "a clean probability": (
        f"{OCCLUSION}/window-3.h5",
        put("clean_probability", 0, 0.1),
        "differs from predictions",
    ),
    "another window": (
        f"{OCCLUSION}/window-3.h5",
        edit_hdf5(lambda file: file.attrs.modify("window", 5)),
        "with window 5, but",
    ),
    "maps left out": (
        f"{OCCLUSION}/window-3.h5",
        edit_hdf5(lambda file: file.pop("probability")),
        "probability",
    ),
    "an order of images": (
        f"{OCCLUSION}/window-3.h5",
        put("image", slice(None), [1, 0, 2, 3, 4]),
        "has other images",
    ),
    "a place of the window": (
        f"{OCCLUSION}/window-3.h5",
        put("y", 3, 9),
        "has other y than a stride of 1 gives",
    ),
    "a summary": (
        f"{OCCLUSION}/summary.csv",
        edit_text("0.", "1."),
        "differs from what its sources give",
    ),
    "a response": (
        f"{FILTERS}/activations.h5",
        put("conv1/1/response", 3, 0.25),
        "response is not the norm",
    ),
    "a rank": (
        f"{FILTERS}/top-images.csv",
        edit_text("conv1,1,1,", "conv1,1,2,"),
        "differs from what its sources",
    ),
    "a kernel": (
        f"{FILTERS}/activations.h5",
        put("conv1/kernels", (1, 0, 0, 2), 0.25),
        "conv1/kernels: not the weights of the checkpoint",
    ),
    "an image of a quantile": (
        f"{FILTERS}/quantile-images.csv",
        edit_text("conv1,1,0.500000,", "conv1,1,0.400000,"),
        "differs from what its sources give",
    ),
    "a patch": (
        f"{FILTERS}/patches.h5",
        put("conv2/5", (1, 0, 0, 0), 3),
        "rank 2: not the pixels of its box",
    ),
    "a prediction": (
        f"{ABLATION}/predictions.csv",
        edit_text("\n0,", "\n1,"),
        "has other images than the test images",
    ),
    "a confusion": (
        f"{ABLATION}/confusion-ablated.csv",
        first_cell,
        "differs from what its sources give",
    ),
    "a class pair": (
        f"{ABLATION}/class-pairs.csv",
        edit_text("predicted", "guessed"),
        "differs from what its sources",
    ),
    "a first image": (
        f"{ABLATION}/first-images.csv",
        edit_text("\n39,", "\n38,"),
        "differs from what its sources",
    ),
    "an accuracy": (
        f"{ABLATION}/accuracy.csv",
        edit_text("ablated,", "selected,"),
        "differs from what its",
    ),
    "a class's accuracy": (
        f"{ABLATION}/class-accuracy.csv",
        edit_text("0.", "1."),
        "differs from what its sources",
    ),
    "a flip": (f"{ABLATION}/flips.csv", edit_text("fall", "rise"), "differs from what its sources"),
    "a variant left out": (
        f"{ABLATION}/variants.h5",
        edit_hdf5(lambda file: file.pop("predicted")),
        "predicted",
    ),
    "a variant's prediction": (
        f"{ABLATION}/variants.h5",
        put("predicted", (0, 0), 99),
        "not of the stated form",
    ),
    "a filter of all": (
        ALL,
        edit_text("conv1,1,1,", "conv1,3,1,"),
        "doesn't list each filter's ranks in order",
    ),
    "the class of an image": (
        ALL,
        edit_cell("conv2,4,2", "class", "none"),
        "conv2/4, rank 2: not the class of its",
    ),
    "a chosen filter's image": (
        ALL,
        edit_cell("conv2,5,1", "image", 0),
        "conv2/5, rank 1: another image or peak",
    ),
    "a chosen filter's response": (
        ALL,
        edit_cell("conv1,1,2", "response", 0.001),
        "conv1/1, rank 2: another response",
    ),
    "another filter's response": (
        ALL,
        edit_cell("conv2,3,2", "response", 0.001),
        "another response than the net",
    ),
    "a higher response": (
        ALL,
        edit_cell("conv2,3,2", "response", 9999),
        "a higher response than the rank before",
    ),
    "a peak": (ALL, edit_cell("conv1,3,1", "peak_y", 13), "conv1/3, rank 1: not the"),
    "a box": (
        ALL,
        edit_cell("conv1,3,1", "bottom", 33),
        "conv1/3, rank 1: not the box that its peak sees",
    ),
    "an image passed over": (ALL, pass_over("conv2,2"), "conv2/2, rank 2: passes over an image"),
    "a figure": (
        f"{ABLATION}/confusion.png",
        lambda path: path.write_bytes(b"\x89PNG"),
        "not a picture",
    ),
    "a renamed column": (
        f"{ABLATION}/predictions.csv",
        edit_text("clean_confidence", "confidence"),
        "has the columns image, class, clean, ablated, confidence, ablated_confidence, expected",
    ),
    "a key too many": (
        "raw/training/epoch-01.json",
        edit_json("more", 1),
        "has an unknown key more",
    ),
    "a dataset too many": (
        f"{FILTERS}/patches.h5",
        edit_hdf5(lambda file: file.create_dataset("more", data=[1])),
        "has an unknown dataset more",
    ),
    "half a page": (
        "explorer.html",
        edit_text("</html>", ""),
        "has another title, style or script",
    ),
    "the card": (
        "reproduction.csv",
        edit_text("told from chance", "told"),
        "differs from what its sources give",
    ),
    "another chosen figure": (
        f"{FILTERS}/conv1/1.png",
        f"{FILTERS}/conv2/5.png",
        "is the figure normalised/epoch-01/filters/conv2/5",
    ),
    "a figure of another run": (
        "normalised/learning-curve.svg",
        "raw/learning-curve.svg",
        "drawn from another normalised/learning-curve.csv",
    ),
    "words of another figure": (
        f"{ABLATION}/gallery.txt",
        f"{ABLATION}/accuracy.txt",
        "another title or caption than the text beside it",
    ),
}


# Folders whose files no check compares with those of another of these groups.
APART = (("raw/",), (FILTERS,), (OCCLUSION, ABLATION))


def some_at_once(changed):
    """Lists of changes that can be found at once, none of them for another's sake.

    Args:
        changed: the name of the file that is changed, by the name of the change.
    """
    apart = [
        [what for what, name in changed.items() if name.startswith(places)] for places in APART
    ]
    together = [list(filter(None, some)) for some in itertools.zip_longest(*apart)]
    return together + [[what] for what in changed if what not in itertools.chain(*apart)]


@pytest.mark.parametrize(
    "forgeries",
    some_at_once({what: name for what, (name, _, _) in FORGERIES.items()}),
    ids=", ".join,
)
def test_a_contradiction_is_found_although_the_digest_is_right(results, mistakes, forgeries):
    for name, change, _ in map(FORGERIES.get, forgeries):
        path = results / name
        if change == "nan":
            change = spoil_weights
        if isinstance(change, str):
            shutil.copy(results / change, path)
        else:
            change(path)
        record_digest(path)
    found = mistakes()
    for what in forgeries:
        name, _, words = FORGERIES[what]
        (places,) = [places for places in APART if name.startswith(places)] or [("",)]
        about = tuple(f"{results}/{place}" for place in places)
        assert [line for line in found if line.startswith(about) and words in line], (what, found)


def spoil_weights(path):
    import torch

    values = torch.load(path, weights_only=True)
    values["weights"]["conv1.weight"][0, 0, 0, 0] = float("nan")
    torch.save(values, path)


# Of another experiment


@pytest.fixture(scope="session")
def other(make_workflow, finished):
    """The same study of the same images, with another seed."""
    workflow = make_workflow()
    workflow.configs = finished.configs
    for name in finished.configs:
        workflow.configure((finished.folder / name).read_text(), name)
    workflow.configure("training: {seed: 1}", "edit.yaml")
    shutil.copy(finished.folder / "pictures.zip", workflow.folder)
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-5000:]
    return workflow.files()


# Files that are the same for any seed, or don't say which study they belong to.
SAME = (
    "dataset/",
    "normalised/training",
    "raw/training",
    "normalised/evaluation",
    "raw/evaluation",
)


def test_a_file_of_another_experiment_is_found(results, mistakes, other):
    judged = [
        name
        for name in other
        if not name.startswith(SAME)
        and not name.endswith(("optimizer.pth", ".txt"))
        and (results / name).read_bytes() != other[name].read_bytes()
    ]
    # All pictures at a time: no other file is made from one.
    pictures = [name for name in judged if name.endswith((".png", ".svg"))]
    assert len(pictures) > 20
    missed = []
    others = some_at_once({name: name for name in judged if name not in pictures})
    for names in [pictures, *others]:
        own = {results / name: (results / name).read_bytes() for name in names}
        for path, name in zip(own, names, strict=True):
            shutil.copy(other[name], path)
            record_digest(path)
        found = mistakes()
        missed += [path for path in own if not any(line.startswith(f"{path}: ") for line in found)]
        for path, content in own.items():
            path.write_bytes(content)
            record_digest(path)
    assert not missed
    assert not mistakes()


OTHER_SETTINGS = """
training:
  {seed: 1, optimizer: {learning_rate: 0.5}, batch_size: 64, augmentation: flip, schedule: linear}
occlusion: {precision: bf16}
ablation: {mode: mean}
"""
MADE_OTHERWISE = [
    "was made with seed 0, but the config says 1",
    "was made with learning_rate 0.01, but the config says 0.5",
    "was made with batch_size 128, but the config says 64",
    "was made with augmentation none, but the config says flip",
    "was made with epochs None, but the config says 2",
    "was made with precision fp32, but the config says bf16",
    "was made with mode zero, but the config says mean",
]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (OTHER_SETTINGS, MADE_OTHERWISE),
        ("runs: {normalised: {seed: 5}}", ["random-01 is without conv"]),
    ],
    ids=["settings", "draws"],
)
def test_results_of_another_config_are_reported(
    results, finished, config, names, report, edit, expected
):
    given = {key: value for key, value in config.items() if key != "image_size"}  # it is found
    changed = configs.merged(given, yaml.safe_load(edit))
    changed = configs.checked(changed, finished.folder / "schemas/config.schema.json")
    found, _ = verification.verify(results, changed, *names, *report)
    assert [words for words in expected if not any(words in line for line in found)] == [], found


def test_an_epoch_more_makes_no_checkpoint_wrong_at_a_constant_rate(results, config, names, report):
    longer = configs.merged(config, {"training": {"epochs": 3}})
    found, _ = verification.verify(results, longer, *names, *report)
    assert all("epoch-03" in line or any(name in line for name in MADE_OF_ALL) for line in found), (
        found
    )


def test_weights_of_this_workflow_may_come_from_other_images(finished, tmp_path):
    """They keep the normalisation of the images that they were trained on."""
    workflow = finished.copy(tmp_path / "convprobe")
    shutil.rmtree(workflow.folder / "results")
    shutil.copy(
        finished.files()["normalised/checkpoints/epoch-02.pth"], workflow.folder / "trained.pth"
    )
    workflow.configure(
        "runs: {own: {weights: trained.pth}}\nstudied: [own]\ncompared: []\n"
        "dataset: {name: shapes, train_images: 150}",
        name="edit.yaml",
    )
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-3000:]
    verified = workflow.run("verify_results")
    assert verified.returncode == 0, verified.stdout
    made, measured = map(
        workflow.files().get, ("own/checkpoints/weights.pth", "dataset/normalisation.json")
    )
    spoiled = checkpoints.load(made)
    assert spoiled.normalisation["mean"] != json.loads(measured.read_text())["mean"]
    # Other weights of the same form and normalisation.
    spoiled.network.conv1.weight.data.neg_()
    checkpoints.save(made, spoiled)
    verified = workflow.run("verify_results")
    assert "weights.pth: has other weights than trained.pth" in verified.stdout


def test_figures_of_an_older_version_are_reported_in_one_line(results, mistakes):
    """They didn't name the file that they were drawn from."""
    for path in results.rglob("*.svg"):
        path.write_text(re.sub("<dc:source>.*?</dc:source>", "", path.read_text(), flags=re.DOTALL))
        record_digest(path)
    found = mistakes()
    lines = [line for line in found if "older version" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{results}: ")
    assert not [line for line in found if "svg" in line and line not in lines]
