"""A user's mistake ends in one clear line, a non-zero exit and no partial file."""

import os
import shutil
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bad_configs import BAD_EDITS
from PIL import Image


def write_images(folder, classes=("dark", "light"), size=20, count=3):
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in classes:
            for index in range(count):
                path = folder / split / name / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(random.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(path)


def use_folder(workflow, path):
    text = f"dataset: {{name: image-folder, path: {path}, train_images: all, test_images: all}}\n"
    text += "ablation: {table_images: 6}\n"
    workflow.configure(text, name="own.yaml")
    return workflow.run(configs=["tiny.yaml", "own.yaml"])


def expect_line(completed, *words):
    """One line contains all the words, and there is no traceback."""
    assert completed.returncode != 0
    assert "Traceback" not in completed.stdout
    lines = [line for line in completed.stdout.splitlines() if all(word in line for word in words)]
    assert lines, completed.stdout[-3000:]


def results(workflow):
    return [path for path in workflow.folder.rglob("results/*/**/*") if path.is_file()]


def test_all_mistakes_of_a_config_are_reported_at_once(workflow):
    workflow.configure(
        "occlusion: {windows: [3, 4], images: 41}\ntraining: {epochs: 1}\n", name="bad.yaml"
    )
    completed = workflow.run(configs=["tiny.yaml", "bad.yaml"])
    expect_line(
        completed, "bad.yaml: occlusion.windows[1] is 4, but a window is centred on a pixel"
    )
    expect_line(completed, "bad.yaml: occlusion.images is 41, but 40 images are tested")
    expect_line(completed, "tiny.yaml: selection.epoch is 2, but run normalised ends at epoch 1")


def test_a_mistake_on_the_command_line_is_named_there_and_a_valid_setting_counts(workflow):
    bad = workflow.run("--dry-run", "--config", "occlusion={images: 41}")
    expect_line(bad, "--config: occlusion.images is 41, but 40 images are tested")
    good = workflow.run("--dry-run", "--config", "occlusion={windows: [7]}")
    assert good.returncode == 0
    assert "window=7" in good.stdout
    assert "window=3" not in good.stdout


def test_running_outside_the_checkout_is_refused(workflow):
    elsewhere = workflow.folder / "elsewhere"
    elsewhere.mkdir()
    expected = (
        f"config.yaml: not in {elsewhere}: "
        f"run snakemake in a checkout of the workflow, as in {workflow.folder}"
    )
    for configs in (["../tiny.yaml"], ["../presets/demo.yaml", "../tiny.yaml"]):
        command = workflow.command("--dry-run", "--snakefile", "../Snakefile", configs=configs)
        inside = subprocess.run(
            command,
            cwd=elsewhere,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert inside.returncode == 1
        assert expected in inside.stdout.splitlines()
    expect_line(workflow.run("--dry-run", "--directory", "elsewhere"), expected)
    assert list(elsewhere.glob("results")) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"experiment: gr\xf6\xdfer\n",
            "config.yaml: line 1 is not UTF-8: save the file in that encoding",
        ),
        (
            b"experiment: [a\n",
            "config.yaml: not YAML: line 2: expected ',' or ']', but got '<stream end>'",
        ),
        (b"- a\n", 'config.yaml holds ["a"], expected keys and values, as in experiment: mine'),
    ],
    ids=["another encoding", "not YAML", "a list"],
)
def test_an_unreadable_config_yaml_is_reported_in_one_line(workflow, content, message):
    (workflow.folder / "config.yaml").write_bytes(content)
    completed = workflow.run("--dry-run")
    assert completed.returncode == 1
    assert message in completed.stdout.splitlines()
    assert "Error" not in completed.stdout


def test_mistakes_in_a_config_are_reported_in_one_line_and_touch_no_result(finished, tmp_path):
    """Snakemake plans some rows of tests/bad_configs.py in a folder with finished results.

    All rows are held against the check of a config in tests/unit/plan/test_config.py.
    """
    workflow = finished.copy(tmp_path / "convprobe")
    before = {name: path.stat().st_mtime_ns for name, path in workflow.files().items()}

    def plan(row):
        number, change = row
        workflow.configure(change.replace("FILE", "config.yaml"), name=f"bad-{number}.yaml")
        return workflow.run("--dry-run", "--nolock", configs=[f"bad-{number}.yaml"])

    some = dict(list(BAD_EDITS.items())[::12])
    some |= {change: line for change, line in BAD_EDITS.items() if line.startswith("base: ")}
    with ThreadPoolExecutor(2) as pool:
        completed = list(pool.map(plan, enumerate(some)))
    for number, (done, line) in enumerate(zip(completed, some.values(), strict=True)):
        message = line
        for place, file in (("own: ", f"bad-{number}.yaml: "), ("base: ", "config.yaml: ")):
            if line.startswith(place):
                message = line.replace(place, file, 1)
        assert done.returncode == 1, line
        assert message in done.stdout.splitlines(), done.stdout
        assert "Traceback" not in done.stdout
    assert {name: path.stat().st_mtime_ns for name, path in workflow.files().items()} == before


def test_folders_of_any_name_work(finished, tmp_path):
    folder = tmp_path / "ein Ordner, größer als nötig (日本)" / ("lang" * 60) / "convprobe"
    assert "Nothing to be done" in finished.copy(folder).run().stdout


def test_an_epoch_after_the_last_one_is_refused_before_anything_runs(finished):
    planned = finished.run("--dry-run", "results/tiny/raw/checkpoints/epoch-03.pth")
    assert planned.returncode == 1
    assert "epoch 03 of raw was asked for, but by the config it ends at 02" in planned.stdout


def test_a_second_run_in_the_same_folder_is_refused_and_disturbs_nothing(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe").configure(
        "occlusion: {windows: [3, 7]}", name="edit.yaml"
    )
    first = subprocess.Popen(
        workflow.command(),
        cwd=workflow.folder,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.STDOUT,
    )
    for line in first.stdout:
        if line.startswith("convprobe: due: "):  # printed while the folder is locked
            break
    second = workflow.run()
    assert second.returncode == 1
    assert "Directory cannot be locked" in second.stdout
    assert "Traceback" not in second.stdout
    output, _ = first.communicate()
    assert first.returncode == 0, output[-3000:]
    assert workflow.run("verify_results").returncode == 0


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_a_results_folder_without_write_permission_is_named_and_stays_as_it_is(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe").configure(
        "occlusion: {windows: [3, 5, 7]}", name="edit.yaml"
    )
    before = {name: path.read_bytes() for name, path in workflow.files().items()}
    places = [path for path in (workflow.folder / "results").rglob("*") if path.is_dir()]
    for place in places:
        place.chmod(0o555)
    # Root may write everywhere unless it gives up that right.
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    completed = subprocess.run(
        [*bound, *workflow.command()],
        cwd=workflow.folder,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    for place in places:
        place.chmod(0o755)
    expect_line(completed, "Permission denied", "occlusion/")
    assert {name: path.read_bytes() for name, path in workflow.files().items()} == before


def test_missing_data_set(workflow):
    expect_line(
        use_folder(workflow, "nowhere"), "own.yaml: dataset.path is nowhere: nothing is there"
    )


def test_wrong_digest_of_an_archive(workflow):
    (workflow.folder / "cifar-10-python.tar.gz").write_bytes(b"something else")
    workflow.configure(
        "dataset:\n"
        "  {name: cifar10, path: cifar-10-python.tar.gz, train_images: all, test_images: all}\n",
        name="own.yaml",
    )
    earlier = workflow.folder / "logs/tiny/raw/weights.log"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("error: of an earlier run\n", encoding="utf-8")
    completed = workflow.run("--quiet", "all", configs=["tiny.yaml", "own.yaml"])
    assert completed.returncode == 1
    _, end = completed.stdout.split("convprobe: stopped\n")
    assert end.splitlines()[:3] == [
        "    logs/tiny/dataset/images.log:",
        "        error: cifar-10-python.tar.gz: not the published archive: "
        "its MD5 digest should be c58f30108f718f92721af3b95e74349a",
        "    The same command continues from here once that is fixed.",
    ]
    assert "Traceback" not in completed.stdout
    assert not results(workflow)


def test_the_page_is_mentioned_only_where_it_was_asked_for(workflow):
    completed = workflow.run("results/tiny/dataset/test-images.h5")
    assert (
        "convprobe: done. What was asked for lies in results/tiny, logs in logs/tiny"
        in completed.stdout
    )
    assert "explorer.html" not in completed.stdout.partition("convprobe: done")[2]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda folder: (folder / "train/dark/1.png").write_bytes(b"no image"),
            ["error: pictures: train/dark/1.png: not a readable image"],
        ),
        (
            lambda folder: write_images(folder, ("odd",), size=24),
            ["own.yaml: dataset.path is pictures, with images of 20×20", "and 24×24 pixels"],
        ),
        (
            lambda folder: shutil.rmtree(folder / "train/light"),
            ["own.yaml: dataset.path is pictures: only in test, never in train: class light"],
        ),
        (
            lambda folder: shutil.rmtree(folder / "test"),
            ["own.yaml: dataset.path is pictures: no image at test/CLASS/NAME"],
        ),
    ],
    ids=["unreadable image", "another size", "class only in test", "no test images"],
)
def test_a_folder_with_a_mistake(workflow, spoil, words):
    write_images(workflow.folder / "pictures")
    spoil(workflow.folder / "pictures")
    expect_line(use_folder(workflow, "pictures"), *words)
    assert not results(workflow)


def truncate(archive):
    archive.write_bytes(archive.read_bytes()[:5000])


def add_no_image(archive):
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("train/dark/0.png", b"no image")
        file.writestr("test/dark/0.png", b"no image")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            truncate,
            "pictures.yaml: dataset.path is pictures.zip: damaged archive, "
            "expected .tar.gz or .zip (file could not be opened successfully:)",
        ),
        (
            add_no_image,
            "error: pictures.zip: train/dark/0.png: "
            "not a readable image, expected one as its name says",
        ),
    ],
    ids=["truncated", "not an image"],
)
def test_a_damaged_archive_is_named_and_touches_no_result(finished, tmp_path, spoil, message):
    """Not even the images, although Snakemake removes the outputs of a job that it starts."""
    workflow = finished.copy(tmp_path / "convprobe")
    before = {name: path.read_bytes() for name, path in workflow.files().items()}
    spoil(workflow.folder / "pictures.zip")
    completed = workflow.run()
    assert completed.returncode == 1
    assert "Traceback" not in completed.stdout
    assert message in completed.stdout.splitlines()
    assert {name: path.read_bytes() for name, path in workflow.files().items()} == before


def test_a_damaged_checkpoint_is_named_and_the_next_stages_are_not_made(workflow):
    checkpoint = "results/tiny/normalised/checkpoints/epoch-01.pth"
    assert workflow.run(checkpoint).returncode == 0
    whole = (workflow.folder / checkpoint).read_bytes()
    (workflow.folder / checkpoint).write_bytes(whole[: len(whole) // 2])
    evaluation = "results/tiny/normalised/evaluation/epoch-01.json"
    expect_line(
        workflow.run(evaluation),
        f"error: {checkpoint}: damaged or not a checkpoint",
        "delete it and run again",
    )
    assert not (workflow.folder / evaluation).exists()
    (workflow.folder / checkpoint).unlink()
    assert workflow.run(evaluation).returncode == 0


def test_no_space_leaves_no_file_that_counts_as_done(workflow):
    """A limit on file sizes stands in for a full disk: both interrupt a write."""
    target = "results/tiny/dataset/training-images.h5"
    limited = workflow.run(target, limit=300)
    expect_line(limited, f"error: {target}: can't be written: File too large")
    assert not results(workflow)
    assert workflow.run(target).returncode == 0
