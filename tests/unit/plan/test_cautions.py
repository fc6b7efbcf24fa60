"""What a run is warned of as it starts."""

import shutil
from pathlib import Path

import pytest
import yaml

from convprobe.dataset import listing
from convprobe.job import machine
from convprobe.plan import cautions, config, study

SCHEMA = "schemas/config.schema.json"


@pytest.fixture
def own_images(tmp_path):
    """A function: the config of one's own images, empty files at the places given."""

    def make(places, **changes):
        for place in places:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).touch()
        base = yaml.safe_load(Path("config.yaml").read_text())
        small = {"occlusion": {"images": 1}, "ablation": {"table_images": 1}}
        images = {"dataset": {"name": "image-folder", "path": str(tmp_path)}}
        return config.checked(
            config.merged(config.merged(config.merged(base, small), images), changes), SCHEMA
        )

    return make


def told(checked):
    lines = cautions.at_start(checked, study.split_sizes(checked), listing.labels)
    assert all(len(line) < 80 for text in lines for line in text.splitlines())
    return [" ".join(text.split()).removeprefix("convprobe: warning: ") for text in lines]


def places(split, **counts):
    return [
        f"{split}/{name}/{number}.png" for name, count in counts.items() for number in range(count)
    ]


def test_runs_of_few_steps_are_named_with_them(own_images):
    checked = own_images(
        [*places("train", a=65, b=64), *places("test", a=1, b=1)],
        runs={"normalised": {}, "raw": {}, "long": {"epochs": 250}},
        compared=["raw", "long"],
    )
    (line,) = told(checked)  # 129 images are two batches of 128
    assert line.startswith(
        "few training steps for normalised, raw: 30, which is epochs × batches, 15 × 2;"
    )


def test_a_run_of_many_steps_and_all_classes_is_not_warned_of(own_images):
    checked = own_images(
        [*places("train", a=2, b=2), *places("test", a=1, b=1)],
        training={"epochs": 125, "batch_size": 1},
    )
    assert told(checked) == []
    published = config.checked(yaml.safe_load(Path("config.yaml").read_text()), SCHEMA)
    assert told(published) == []


@pytest.mark.parametrize(
    ("dataset", "lines"),
    [
        ({}, ["no test image of class b, c"]),
        ({"train_images": 2}, ["no training image of class c", "no test image of class b, c"]),
        (
            {"validation_images": 2},
            ["no test image of class b, c", "no validation image of class b, c"],
        ),
    ],
    ids=["all images", "the first ones", "some held out"],
)
def test_splits_that_lack_a_class_are_reported(own_images, dataset, lines):
    """In order a/0, b/0, c/0, a/1, a/2, a/3 of the training images."""
    checked = own_images(
        [*places("train", a=4, b=1, c=1), *places("test", a=1)],
        dataset=dataset,
        training={"epochs": 500, "batch_size": 1},
    )
    assert told(checked) == lines


def test_images_that_a_split_draws_are_counted_likewise(own_images):
    checked = own_images(
        [f"{place}.png" for place in ("a/0", "a/1", "b/0")],
        dataset={"split": {"test_share": 0.5, "seed": 0}},
        training={"epochs": 500, "batch_size": 1},
    )
    assert told(checked) == ["no test image of class b"]


def test_a_network_without_filters_is_told_what_is_left_out(own_images):
    checked = own_images(
        [*places("train", a=2), *places("test", a=1)], training={"epochs": 500, "batch_size": 1}
    )
    checked["network"] = {"factory": "mynet.py:build"}
    assert told(checked) == []
    checked["filters"]["chosen"] = []
    assert told(checked) == [
        "filters and ablation are left out: mynet.py:build makes a network without a layer whose "
        "filters have maps (height and width)"
    ]


def test_images_that_are_trained_on_are_warned_of(tmp_path):
    table = tmp_path / "classes.csv"
    assert cautions.trained_on(str(table)) == []
    header = "class,train,test,validation,test_in_train,validation_in_train\n"
    table.write_text(header + '"a, b",9,4,3,1,0\nc,9,5,3,2,0\n')
    assert [" ".join(line.split()) for line in cautions.trained_on(str(table))] == [
        "convprobe: warning: 3 of 9 test images are training images too, pixel for pixel: the "
        "accuracy on them says little of new images"
    ]
    table.write_text("class,train,test,test_in_train\na,9,4,0\n")
    assert cautions.trained_on(str(table)) == []


def test_epochs_that_are_trained_again_are_named():
    lines = cautions.trained_again({"normalised": [3, 4, 5], "raw": [2]})
    assert all(len(line) < 80 for text in lines for line in text.splitlines())
    assert [" ".join(text.split()) for text in lines] == [
        "convprobe: warning: epochs 3 to 5 are trained again for normalised: epoch 6 goes on from "
        "the optimizer's state after epoch 5, which was not kept (training.keep_optimizer)",
        "convprobe: warning: epoch 2 is trained again for raw: epoch 3 goes on from the "
        "optimizer's state after epoch 2, which was not kept (training.keep_optimizer)",
    ]


def test_each_key_that_asks_for_bf16_is_named_once(own_images, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)  # there is no compiler
    changes = {
        "training": {"precision": "bf16"},
        "runs": {"own": {"precision": "bf16"}, "quick": {"precision": "fp32"}},
        "compared": ["raw", "own", "quick"],
        "occlusion": {"precision": "bf16"},
    }
    checked = own_images([*places("train", a=2, b=2), *places("test", a=2, b=2)], **changes)
    keys = [line.split()[2] for line in cautions.slow_here(checked)]
    assert keys == ["training.precision", "runs.own.precision", "occlusion.precision"]


def test_maps_by_compiled_code_are_as_quick_in_bf16(own_images, monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text("flags\t\t: avx2 fma\n")
    monkeypatch.setattr(machine, "CPU_INFO", str(tmp_path / "cpuinfo"))
    places_of_images = [*places("train", a=2, b=2), *places("test", a=2, b=2)]
    wide = {"conv": [{"channels": 200, "kernel": 5}, {"channels": 400, "kernel": 3}], "fc": []}
    changes = {
        "network": wide,
        "training": {"precision": "fp32"},
        "filters": {"chosen": ["conv1/1"]},
    }
    checked = own_images(places_of_images, **changes, occlusion={"precision": "bf16"})
    for there_is, warned in ((True, 0), (False, 1)):
        monkeypatch.setattr(shutil, "which", lambda _, found=there_is: found)
        assert len(cautions.slow_here(checked)) == warned
