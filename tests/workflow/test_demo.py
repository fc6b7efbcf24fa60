"""The demo's results: every file of the contract, and properties that they must have."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import h5py
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import torch

from convprobe.network import checkpoints
from convprobe.occlusion.outputs import SHARD
from convprobe.report import outputs as reports

pytestmark = pytest.mark.slow
WINDOWS = (3, 5, 7, 9)
PROBED = "normalised/epoch-08"
NOT_IN_THE_DEMO = SHARD.path  # only of more images

# Of presets/demo.yaml.
CHOSEN = [
    "conv1/2", "conv1/7", "conv1/12",
    "conv2/5", "conv2/15", "conv2/25",
    "conv3/20", "conv3/40",
    "conv4/20", "conv4/40",
]  # fmt: skip


def drawn(*names):
    """The files of figures: picture, vector copy and text."""
    return [f"{name}.{kind}" for name in names for kind in ("png", "svg", "txt")]


def contract():
    yield from (
        "dataset/training-images.h5",
        "dataset/test-images.h5",
        "dataset/classes.csv",
        "dataset/normalisation.json",
        "reproduction.csv",
        "explorer.html",
        "manifest.json",
        "ro-crate-metadata.json",
    )
    for run in ("normalised", "raw"):
        for epoch in range(1, 9):
            yield from (
                f"{run}/checkpoints/epoch-{epoch:02d}.pth",
                f"{run}/checkpoints/epoch-{epoch:02d}.optimizer.pth",
            )
            yield from (
                f"{run}/evaluation/epoch-{epoch:02d}.json",
                f"{run}/training/epoch-{epoch:02d}.json",
            )
        yield from (
            f"{run}/learning-curve.csv",
            f"{run}/selection.json",
            *drawn(f"{run}/learning-curve"),
        )
    yield from (f"{PROBED}/occlusion/window-{window}.h5" for window in WINDOWS)
    yield from drawn(*(f"{PROBED}/occlusion/sheet-{sheet}" for sheet in range(1, 6)))
    yield f"{PROBED}/occlusion/summary.csv"
    yield f"{PROBED}/occlusion/localisation.csv"
    filters = ["activations.h5", "top-images.csv", "all-top-images.csv", "patches.h5"]
    filters += ["quantile-images.csv"]
    filters += drawn("top-patches", *(f"atlas/conv{layer}-01" for layer in (1, 2, 3, 4)), *CHOSEN)
    yield from (f"{PROBED}/filters/{name}" for name in filters)
    tables = (
        "predictions",
        "confusion-clean",
        "confusion-ablated",
        "class-pairs",
        "first-images",
        "flips",
    )
    yield from (f"{PROBED}/ablation/{name}.csv" for name in (*tables, "accuracy", "class-accuracy"))
    yield from drawn(
        *(
            f"{PROBED}/ablation/{name}"
            for name in ("confusion", "class-accuracy", "class-pairs", "gallery", "accuracy")
        )
    )
    yield f"{PROBED}/ablation/variants.h5"


def table(demo, name, **options):
    return pd.read_csv(demo.files()[name], keep_default_na=False, na_values=[""], **options)


def test_the_contract_has_every_kind_of_file_that_is_declared():
    """Known before the demo has run."""
    written = set(contract())
    of_run = {name.partition("/")[2] for name in written}
    of_probe = {name.removeprefix(f"{PROBED}/") for name in written}
    folders = {
        reports.OF_EXPERIMENT: written,
        reports.OF_TRAINED_RUN: of_run,
        reports.OF_PROBE: of_probe,
    }
    for outputs, names in folders.items():
        missing = [output.path for output in outputs if not any(map(output.matches, names))]
        assert set(missing) <= {NOT_IN_THE_DEMO}


def test_the_demo_makes_exactly_the_files_of_the_contract(demo):
    assert sorted(demo.files()) == sorted(contract())


def test_make_verify_finds_the_demo_whole(demo):
    installed = ["--assume-old", ".venv/installed", f"BIN={Path(sys.executable).parent}"]
    verified = subprocess.run(
        ["make", "verify", *installed], cwd=demo.folder, capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert f"all {len(demo.files())} files are there, whole and in agreement" in verified.stdout


def test_running_it_again_does_nothing(demo):
    again = demo.run(configs=["presets/demo.yaml"])
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout


def test_the_device_and_cost_are_printed_first_and_where_to_look_last(demo):
    said = [
        line
        for line in demo.output.splitlines()
        if line.startswith(("convprobe:", "    ")) and "demo" in line
    ]
    start = demo.output[demo.output.index("convprobe: experiment demo on the ") :]
    assert re.match(r".*about, from nothing:\n    in all .* on the disk\n    training ", start)
    assert any(line.startswith("convprobe: done. Open results/demo/explorer.html") for line in said)


def test_a_log_has_a_progress_line(demo):
    log = (demo.folder / "logs/demo/normalised/training/epoch-01.log").read_text()
    assert "10000/10000 images" in log
    assert "a second, 0 s left" in log


def test_the_small_network_learns_the_shapes_but_not_perfectly(demo):
    accuracy = table(demo, "normalised/learning-curve.csv")["test_accuracy"]
    assert 0.9 <= accuracy.iloc[-1] <= 0.99


@pytest.mark.parametrize("window", WINDOWS)
def test_confidence_dips_where_the_object_is(demo, window):
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-{window}.h5"]) as file:
        confidence = file["confidence"][:]
    with h5py.File(demo.files()["dataset/test-images.h5"]) as file:
        inside = file["test/masks"][: len(confidence)]
    # Averaged per image first, so that every image counts equally, however small its object.
    on_object = np.mean(
        [values[mask].mean() for values, mask in zip(confidence, inside, strict=True)]
    )
    beside = np.mean(
        [values[~mask].mean() for values, mask in zip(confidence, inside, strict=True)]
    )
    assert on_object < beside


@pytest.mark.parametrize("window", WINDOWS)
def test_window_files_are_complete_and_agree_with_their_checkpoint(demo, window):
    checkpoint_path = demo.files()["normalised/checkpoints/epoch-08.pth"]
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-{window}.h5"]) as file:
        assert file.attrs["complete"]
        probability, confidence, labels = (
            file["probability"][:],
            file["confidence"][:],
            file["label"][:],
        )
        clean = file["clean_probability"][:]
        digest = file.attrs["checkpoint_sha256"]
    assert digest == hashlib.sha256(checkpoint_path.read_bytes()).hexdigest()
    assert probability.shape == (100, 32, 32, 10)
    np.testing.assert_allclose(probability.sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_array_equal(
        confidence,
        np.stack([maps[..., label] for maps, label in zip(probability, labels, strict=True)]),
    )
    predictions = table(demo, f"{PROBED}/ablation/predictions.csv").head(100)
    np.testing.assert_allclose(
        clean[np.arange(100), labels], predictions["clean_confidence"], atol=1e-5
    )


def test_checkpoints_load_without_pickled_code_and_hold_the_stated_keys(demo):
    values = torch.load(demo.files()["raw/checkpoints/epoch-08.pth"], weights_only=True)
    assert {"weights", "network", "classes", "normalisation", "epoch"} <= set(values)
    assert list(values["weights"])[:2] == ["conv1.weight", "conv1.bias"]
    assert values["epoch"] == 8
    assert values["normalisation"] == {"mean": [0, 0, 0], "std": [1, 1, 1]}
    normalised = checkpoints.load(demo.files()["normalised/checkpoints/epoch-08.pth"]).normalisation
    measured = json.loads(demo.files()["dataset/normalisation.json"].read_text())
    assert normalised == {"mean": measured["mean"], "std": measured["std"]}
    assert measured["images"] == 10_000


def test_the_selected_epoch_has_the_accuracy_that_all_tables_show(demo):
    selection = json.loads(demo.files()["normalised/selection.json"].read_text())
    curve = table(demo, "normalised/learning-curve.csv")
    predictions = table(demo, f"{PROBED}/ablation/predictions.csv")
    accuracy = table(demo, f"{PROBED}/ablation/accuracy.csv").set_index("variant")["accuracy"]
    assert selection["epoch"] == 8
    assert selection["best_epoch"] == curve["test_accuracy"].idxmax() + 1
    clean, ablated = (
        (predictions[state] == predictions["class"]).mean() for state in ("clean", "ablated")
    )
    assert clean == pytest.approx(selection["test_accuracy"]) == pytest.approx(accuracy["clean"])
    assert ablated == pytest.approx(accuracy["ablated"])
    layers = [f"conv{number}" for number in range(1, 5)]
    controls = [f"random-{draw:02d}" for draw in range(1, 11)]
    assert list(accuracy.index) == ["clean", "ablated", *CHOSEN, *layers, *controls]


def test_confusion_tables_hold_every_test_image(demo):
    predictions = table(demo, f"{PROBED}/ablation/predictions.csv")
    for state in ("clean", "ablated"):
        counts = table(demo, f"{PROBED}/ablation/confusion-{state}.csv", index_col=0)
        assert counts.to_numpy().sum() == len(predictions) == 1000
        assert np.trace(counts.to_numpy()) == (predictions[state] == predictions["class"]).sum()


def test_top_images_have_the_highest_responses_and_their_patches_are_cut_out(demo):
    top = table(demo, f"{PROBED}/filters/top-images.csv")
    every = table(demo, f"{PROBED}/filters/all-top-images.csv")
    of_both = top.drop(columns="response").merge(every.drop(columns="response"))  # on all columns
    assert len(of_both) == len(top), "the pass for the chosen filters disagrees with that for all"
    with (
        h5py.File(demo.files()[f"{PROBED}/filters/activations.h5"]) as recorded,
        h5py.File(demo.files()[f"{PROBED}/filters/patches.h5"]) as patches,
        h5py.File(demo.files()["dataset/test-images.h5"]) as dataset,
    ):
        assert len(top) == 50
        for (layer, channel), rows in top.groupby(["layer", "channel"]):
            response = recorded[f"{layer}/{channel}/response"][:]
            np.testing.assert_allclose(rows["response"], np.sort(response)[::-1][:5], atol=1e-5)
            for row in rows.itertuples():
                pixels = dataset["test/images"][row.image][
                    row.top : row.bottom, row.left : row.right
                ]
                np.testing.assert_array_equal(patches[f"{layer}/{channel}"][row.rank - 1], pixels)


def test_the_card_says_what_the_shapes_cannot_test(demo):
    card = table(demo, "reproduction.csv").set_index("claim")
    assert list(card.columns) == [
        "published", "measured", "low", "high", "seeds", "counting_low", "counting_high", "verdict",
    ]  # fmt: skip
    row = card.loc["test accuracy with normalisation, selected epoch"]
    assert (float(row["published"]), row["verdict"]) == (0.81, "not tested: not CIFAR-10")
    assert row["low"] < row["measured"] < row["high"]
    falling = card[card.index.str.startswith("fall of mean confidence from window")]
    assert len(falling) == 4
    (looks,) = card[card.index.str.contains("costs more on the object")]["verdict"]
    assert looks == "holds"
    assert (falling["verdict"] == "holds").all()
    assert card["verdict"].notna().all()


def test_every_figure_has_a_vector_copy_and_a_text(demo):
    found = demo.files()
    for name in (name for name in found if name.endswith(".png")):
        pixels = matplotlib.image.imread(found[name])
        assert min(pixels.shape[:2]) > 300
        assert pixels.std() > 0.02, f"{name} is empty"
        words = found[name.replace(".png", ".txt")].read_text()
        # What it shows, of which run, and how to read it.
        assert re.fullmatch(r"[A-Z].*(normalised|raw).* .{80,}\.\n", words), name
        drawing = ElementTree.parse(found[name.replace(".png", ".svg")]).getroot()
        assert drawing.tag.endswith("svg")
        assert words.strip().endswith(
            drawing.find(".//{http://purl.org/dc/elements/1.1/}description").text
        )


def test_the_page_is_one_file_that_loads_nothing_else(demo):
    page = demo.files()["explorer.html"].read_text()
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert "default-src 'none'" in page
    assert len(page) < 6e6


def test_snakemakes_report_has_a_caption_for_every_figure(demo):
    made = demo.run("--report", "report.html", configs=["presets/demo.yaml"])
    assert made.returncode == 0, made.stdout[-3000:]
    report = (demo.folder / "report.html").read_text()
    assert "System Message" not in report
    figures = [name for name in demo.files() if name.endswith(".png")]
    for category in (
        "1 Where does it look?",
        "2 What do its filters answer to?",
        "3 What does it lose without them?",
        "4 How was it made?",
    ):
        assert category in report
    labels = [json.loads(found) for found in re.findall(r'"labels": (\{.*?\})', report)]
    assert len(labels) == len(figures) + 1  # and the reproduction card
    assert all(found["run"] in ("normalised", "raw", "all") for found in labels)
    assert sorted(found["images"] for found in labels if found.get("windows") == "3, 5, 7, 9") == [
        f"sheet {sheet}" for sheet in range(1, 6)
    ]
    assert report.count('"caption": "<p>') == len(figures) + 1
