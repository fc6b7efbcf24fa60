"""How a study was made: of each file the job, and of the job what Snakemake's plan says as well."""

import hashlib
import json
import re

import pytest
from conftest import MADE_OF_ALL

from convprobe.report import explorer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def manifest(finished):
    return json.loads(finished.files()["manifest.json"].read_text())


def test_every_file_is_listed_with_its_digest_and_its_job(finished, manifest):
    found = finished.files()
    listed = {name for name in found if not name.endswith(".optimizer.pth")}
    assert set(manifest["files"]) == listed - set(MADE_OF_ALL)
    for name, file in manifest["files"].items():
        content = found[name].read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["bytes"] == len(content)
        assert name in manifest["jobs"][file["job"]]["outputs"]


def test_a_job_is_what_snakemake_says_of_the_file(finished, manifest):
    """Its rule, by Snakemake's own summary; its wildcards, by the file's name."""
    summary = finished.run("--summary").stdout.splitlines()
    rules = {line.split("\t")[0]: line.split("\t")[2] for line in summary if "\t" in line}
    for name, file in manifest["files"].items():
        job = manifest["jobs"][file["job"]]
        assert rules[f"results/tiny/{name}"] == job["rule"]
        assert all(value in name for value in job["wildcards"].values())
    (maps,) = [job for job in manifest["jobs"] if job["outputs"][0].endswith("window-3.h5")]
    assert maps["wildcards"] == {"run": "normalised", "checkpoint": "epoch-01", "window": "3"}
    assert maps["inputs"] == ["dataset/test-images.h5", "normalised/checkpoints/epoch-01.pth"]


def test_a_job_names_its_device_as_its_log_does_and_its_versions_as_training_does(
    finished, manifest
):
    (job,) = [job for job in manifest["jobs"] if "raw/checkpoints/epoch-01.pth" in job["outputs"]]
    log = (finished.folder / "logs/tiny/raw/training/epoch-01.log").read_text()
    assert f"device: {job['device']}\n" in log
    assert job["seconds"] >= 0.1
    assert log.startswith(f"started {job['started'][:19]}")
    record = json.loads(finished.files()["raw/training/epoch-01.json"].read_text())
    versions = manifest["environments"][job["environment"]]["versions"]
    assert versions.items() >= record["versions"].items()


def test_what_was_made_ahead_counts_for_the_job_it_was_made_for(finished, manifest):
    """Training of the second epoch takes what the first one's process has trained ahead."""
    log = (finished.folder / "logs/tiny/raw/training/epoch-02.log").read_text()
    if "made ahead" not in log:
        pytest.skip("this machine was too slow to train ahead")
    (job,) = [job for job in manifest["jobs"] if "raw/checkpoints/epoch-02.pth" in job["outputs"]]
    assert job["device"]
    assert not re.search("^device: ", log, re.MULTILINE)


def test_the_code_of_a_job_is_that_by_which_snakemake_finds_it_stale(finished, manifest):
    from convprobe.plan.fingerprint import fingerprint  # here, where its types are not checked

    for job in manifest["jobs"]:
        expected = fingerprint(finished.folder / f"scripts/{job['rule']}.py")
        assert manifest["code"][job["code"]] == expected


def test_the_page_sums_the_jobs_up(finished, manifest):
    made = explorer.read(finished.files()["explorer.html"])[0]["made"]
    rows = {rule: (jobs, seconds) for rule, jobs, seconds in made["rules"]["rows"]}
    trained = [job["seconds"] for job in manifest["jobs"] if job["rule"] == "train_epoch"]
    assert rows["train_epoch"] == (4, pytest.approx(sum(trained)))
    assert sum(jobs for jobs, _ in rows.values()) == len(manifest["jobs"])
    assert made["unrecorded"] == 0


def test_the_crate_lists_all_files_and_jobs(finished, manifest):
    graph = json.loads(finished.files()["ro-crate-metadata.json"].read_text())["@graph"]
    files = {entity["@id"] for entity in graph if entity["@type"] == "File"}
    states = {name for name in finished.files() if name.endswith(".optimizer.pth")}
    assert files == set(finished.files()) - states - {"ro-crate-metadata.json"}
    actions = [entity for entity in graph if entity["@type"] == "CreateAction"]
    assert len(actions) == len(manifest["jobs"])


def test_a_file_that_is_not_the_listed_one_is_found(finished, tmp_path):
    """Its own digest was recorded anew, so that only the manifest tells."""
    workflow = finished.copy(tmp_path / "convprobe")
    path = workflow.files()["normalised/epoch-01/occlusion/sheet-1.txt"]
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text("Another title.\n")
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f".{path.name}.sha256").write_text(f"{after}  {path.name}\n")
    workflow.files()["raw/checkpoints/epoch-01.optimizer.pth"].unlink()
    completed = workflow.run("verify_results")
    assert completed.returncode == 1
    name = path.relative_to(workflow.folder)
    assert f"{name}: its SHA-256 is {after}, but manifest.json lists {before}" in completed.stdout
    assert "epoch-01.optimizer.pth: can't be read: No such file or directory" in completed.stdout
