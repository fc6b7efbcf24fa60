"""The manifest and the RO-Crate, from small records that are written by hand."""

import hashlib
import json

import pytest

from convprobe.report import crate, manifest

OLD = {
    "processor": "AMD EPYC",
    "cores": 2,
    "memory": 8_000_000_000,
    "system": "Linux",
    "versions": {"Python": "3.11.7", "torch": "2.14.0"},
}
NEW = OLD | {"versions": {"Python": "3.11.7", "torch": "2.15.0"}}
TRAINING = {"trainer.py": "aaaa", "train_epoch.py": "bbbb"}
TABLES = {"tabulate.py": "cccc"}
SETTINGS = {
    "experiment": "small",
    "config": {"studied": ["a"]},
    "sources": {"images": None, "weights": {}},
    "files": ["a/curve.csv", "a/weights.pth", "a/training/record.json", "a/gone.csv"],
}


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def make(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.with_name(f".{path.name}.sha256").write_text(f"{digest(text)}  {path.name}\n")


def record(path, outputs, **values):
    usual = {"wildcards": {"run": "a"}, "device": None, "peak_memory": 1000, "inputs": []}
    written = usual | values | {"outputs": {name: digest(text) for name, text in outputs.items()}}
    path.with_name(f".{path.name}.job.json").write_text(json.dumps(written))


@pytest.fixture
def folder(tmp_path):
    """A run that was trained by an older version, and its table, made later by a newer one."""
    folder = tmp_path / "small"
    make(folder / "a/curve.csv", "epoch,loss\n")
    make(folder / "a/weights.pth", "weights")
    make(folder / "a/training/record.json", "{}")
    record(
        folder / "a/weights.pth",
        {"weights.pth": "weights", "training/record.json": "{}"},
        rule="train_epoch",
        started="2026-01-31T23:59:00+00:00",
        seconds=3600.5,
        device="cuda:0 (NVIDIA H100)",
        environment=OLD,
        code=TRAINING,
        inputs=["../dataset/test-images.h5", "../../../mine/pictures.zip"],
    )
    record(
        folder / "a/curve.csv",
        {"curve.csv": "epoch,loss\n"},
        rule="tabulate",
        started="2026-02-02T00:00:00+00:00",
        seconds=0.5,
        environment=NEW,
        code=TABLES,
        inputs=["training/record.json"],
    )
    return folder


def test_each_file_has_its_digest_and_the_job_that_made_it(folder):
    assert manifest.collect(folder, SETTINGS)["files"] == {
        "a/curve.csv": {"sha256": digest("epoch,loss\n"), "bytes": 11, "job": 1},
        "a/weights.pth": {"sha256": digest("weights"), "bytes": 7, "job": 0},
        "a/training/record.json": {"sha256": digest("{}"), "bytes": 2, "job": 0},
    }


def test_each_job_has_the_versions_it_ran_on(folder):
    found = manifest.collect(folder, SETTINGS)
    assert found["environments"] == [OLD, NEW]
    assert found["code"] == [TRAINING, TABLES]
    assert found["jobs"][0] == {
        "rule": "train_epoch",
        "wildcards": {"run": "a"},
        "started": "2026-01-31T23:59:00+00:00",
        "seconds": 3600.5,
        "device": "cuda:0 (NVIDIA H100)",
        "peak_memory": 1000,
        "environment": 0,
        "code": 0,
        "inputs": ["dataset/test-images.h5", "pictures.zip"],
        "outputs": ["a/weights.pth", "a/training/record.json"],
    }
    assert found["jobs"][1]["environment"] == found["jobs"][1]["code"] == 1


def test_a_record_of_earlier_files_is_not_that_of_the_present_ones(folder):
    make(folder / "a/curve.csv", "epoch,loss\n1,0.5\n")
    found = manifest.collect(folder, SETTINGS)
    assert found["files"]["a/curve.csv"]["job"] is None
    assert [job["rule"] for job in found["jobs"]] == ["train_epoch"]
    assert manifest.summary(found)["unrecorded"] == 1


def test_it_is_the_same_in_another_folder(folder, tmp_path):
    found = manifest.collect(folder, SETTINGS)
    moved = folder.rename(tmp_path / "elsewhere")
    assert manifest.collect(moved, SETTINGS) == found


def test_it_is_summed_up_by_rule(folder):
    assert manifest.summary(manifest.collect(folder, SETTINGS)) == {
        "environments": [OLD, NEW],
        "devices": ["cuda:0 (NVIDIA H100)"],
        "first": "2026-01-31T23:59:00+00:00",
        "last": "2026-02-02T00:00:00+00:00",
        "seconds": 3601.0,
        "unrecorded": 0,
        "rules": {
            "columns": ["rule", "jobs", "seconds"],
            "rows": [["train_epoch", 1, 3600.5], ["tabulate", 1, 0.5]],
        },
    }


def test_nothing_recorded_is_summed_up_as_that(tmp_path):
    summary = manifest.summary(manifest.collect(tmp_path, SETTINGS))
    assert (summary["first"], summary["seconds"], summary["rules"]["rows"]) == (None, 0, [])


def entities(folder):
    make(folder / "explorer.html", "<html>")
    found = crate.collect(folder, manifest.collect(folder, SETTINGS), ["explorer.html"])
    return {entity["@id"]: entity for entity in found["@graph"]}


def test_a_job_is_an_action_of_the_crate(folder):
    found = entities(folder)
    action = found["#job-0"]
    assert action["@type"] == "CreateAction"
    assert action["name"] == "train_epoch a"
    assert action["startTime"] == "2026-01-31T23:59:00+00:00"
    assert action["endTime"] == "2026-02-01T00:59:00+00:00"
    assert action["result"] == [{"@id": "a/weights.pth"}, {"@id": "a/training/record.json"}]
    assert found["#job-1"]["object"] == {"@id": "a/training/record.json"}
    libraries = found[action["instrument"]["@id"]]["softwareRequirements"]
    assert libraries == [{"@id": "#Python-3.11.7"}, {"@id": "#torch-2.14.0"}]
    assert found["./"]["mentions"] == [{"@id": "#job-0"}, {"@id": "#job-1"}]


def test_all_files_are_parts_of_the_crate(folder):
    found = entities(folder)
    names = ["a/curve.csv", "a/weights.pth", "a/training/record.json", "explorer.html"]
    assert found["./"]["hasPart"] == [{"@id": name} for name in names]
    assert found["explorer.html"]["sha256"] == digest("<html>")
    assert found["a/curve.csv"]["contentSize"] == "11"


def test_a_crate_does_not_depend_on_when_it_is_written(folder):
    assert entities(folder)["./"]["datePublished"] == "2026-02-02T00:00:00+00:00"
