"""Results made ahead of their jobs: only what a job itself would have made is taken."""

import fcntl
import os
import subprocess
import sys

import numpy as np
import pytest

from convprobe.dataset import image_file, shapes
from convprobe.errors import InputError
from convprobe.job import shared_process
from convprobe.job.runtime import Job
from convprobe.network import checkpoints
from convprobe.store import files
from convprobe.training import epochs_per_process, evaluation, trainer

NETWORK = {"conv": [{"channels": 4, "kernel": 5}], "fc": []}
TRAINING = {
    "epochs": 3, "batch_size": 64,
    "optimizer": {"learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0},
    "schedule": "linear", "augmentation": "flip", "normalise": True, "precision": "fp32",
    "label_smoothing": 0.0, "seed": 0,
}  # fmt: skip
PARAMS = ["training.py 1234", {"seed": 0}]


@pytest.fixture(scope="module")
def images():
    pixels, labels, masks = shapes.draw(100, seed=(2,))
    return image_file.Images(pixels, labels, shapes.CLASSES, np.arange(100), masks)


@pytest.fixture
def source(tmp_path):
    """A file that everything is made from."""
    path = tmp_path / "images.h5"
    path.write_text("the images")
    return path


@pytest.fixture(autouse=True)
def everything_is_quick(monkeypatch):
    monkeypatch.setattr(shared_process, "STARTS", 1e9)


def outputs_of(folder, epoch):
    names = {"checkpoint": "pth", "optimizer": "optimizer.pth", "record": "json"}
    return {name: folder / f"epoch-{epoch:02d}.{ending}" for name, ending in names.items()}


def begun(images):
    return trainer.begin(images, NETWORK, image_file.normalisation(images.pixels), TRAINING)


def run_first_job(folder, images, source, epochs=None):
    """The job of epoch 1; the paths of its results."""
    outputs = outputs_of(folder, 1)
    with shared_process.shelf(folder, PARAMS, [source]) as shelf:
        epochs_per_process.write(
            outputs, shelf, epochs or epochs_per_process.train(*begun(images), images, TRAINING, 3)
        )
    return outputs


def test_epochs_made_ahead_are_those_that_their_jobs_would_make(tmp_path, images, source):
    made = run_first_job(tmp_path / "run", images, source)
    checkpoint, state = begun(images)
    for epoch in (1, 2, 3):
        record, state = trainer.train_epoch(checkpoint, state, images, TRAINING)
        checkpoints.save(tmp_path / "alone.pth", checkpoint)
        checkpoints.save_tensors(tmp_path / "alone.optimizer.pth", state)
        if epoch > 1:
            previous, made = made, outputs_of(tmp_path / "run", epoch)
            with shared_process.shelf(tmp_path / "run", PARAMS, [source]) as shelf:
                assert shelf.take(made, previous["checkpoint"], previous["optimizer"])
        assert made["checkpoint"].read_bytes() == (tmp_path / "alone.pth").read_bytes()
        assert made["optimizer"].read_bytes() == (tmp_path / "alone.optimizer.pth").read_bytes()
        assert files.read_json(made["record"]) == record
        for path in made.values():
            files.check_digest(path)
    assert not [path for path in (tmp_path / "run/.ahead").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "changed", ["params", "an input of all", "an input of this one", "torch", "numpy"]
)
def test_nothing_is_taken_that_was_made_from_something_else(
    tmp_path, images, source, changed, monkeypatch
):
    made = run_first_job(tmp_path / "run", images, source)
    params = [*PARAMS, "augmentation.py 5678"] if changed == "params" else PARAMS
    if changed == "an input of all":
        source.write_text("other images")
    if changed == "an input of this one":
        made["optimizer"].write_text("another state")
    if changed in ("torch", "numpy"):
        installed = tmp_path / f"updated/{changed}-99.0.dist-info/METADATA"
        installed.parent.mkdir(parents=True)
        installed.write_text(f"Metadata-Version: 2.1\nName: {changed}\nVersion: 99.0\n")
        monkeypatch.syspath_prepend(tmp_path / "updated")
    with shared_process.shelf(tmp_path / "run", params, [source]) as shelf:
        assert not shelf.take(
            outputs_of(tmp_path / "run", 2), made["checkpoint"], made["optimizer"]
        )
    assert not outputs_of(tmp_path / "run", 2)["checkpoint"].exists()


def test_what_a_killed_job_took_in_part_is_made_anew(tmp_path, images, source):
    made = run_first_job(tmp_path / "run", images, source)
    with shared_process.shelf(tmp_path / "run", PARAMS, [source]) as shelf:
        (shelf.place(made["checkpoint"], made["optimizer"]) / "optimizer").unlink()
        assert not shelf.take(
            outputs_of(tmp_path / "run", 2), made["checkpoint"], made["optimizer"]
        )


def test_a_job_started_again_goes_on_with_what_it_had_put_there(tmp_path, images, source):
    made = run_first_job(tmp_path / "run", images, source)
    there = sorted((tmp_path / "run/.ahead").rglob("*"))
    made["checkpoint"].unlink()
    # Of the next epochs none is asked for: a fourth would be an error.
    first = iter([next(epochs_per_process.train(*begun(images), images, TRAINING, 1))])
    run_first_job(tmp_path / "run", images, source, first)
    assert sorted((tmp_path / "run/.ahead").rglob("*")) == there


@pytest.mark.parametrize("error", [InputError, OSError, RuntimeError, IndexError])
def test_what_goes_wrong_ahead_is_left_to_its_own_job(tmp_path, images, source, error, capsys):
    def epochs():
        yield from epochs_per_process.train(*begun(images), images, TRAINING, 1)
        raise error("epoch 2: training diverged\nsomewhere")

    made = run_first_job(tmp_path / "run", images, source, epochs())
    assert checkpoints.load(made["checkpoint"]).epoch == 1
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "ahead" in line]
    assert "epoch 2: training diverged" in told

    def failing():
        raise InputError("epoch 1: training diverged")
        yield

    with pytest.raises(InputError, match="diverged"):
        run_first_job(tmp_path / "other", images, source, failing())


def test_slow_results_are_left_to_their_own_jobs(tmp_path, images, source, monkeypatch):
    monkeypatch.setattr(shared_process, "STARTS", 0)
    run_first_job(tmp_path / "run", images, source)
    assert not (tmp_path / "run/.ahead").exists()


def test_evaluations_in_any_order_are_made_once(tmp_path, images):
    folder, splits = tmp_path / "checkpoints", {"test": images}
    for epoch, (checkpoint, _, _) in enumerate(
        epochs_per_process.train(*begun(images), images, TRAINING, 3), start=1
    ):
        checkpoints.save(folder / f"epoch-{epoch:02d}.pth", checkpoint)
    outputs = {
        epoch: {"evaluation": tmp_path / f"evaluation/epoch-{epoch:02d}.json"}
        for epoch in (1, 2, 3)
    }
    with shared_process.shelf(tmp_path / "evaluation", PARAMS, []) as shelf:
        evaluation.write_evaluations(outputs[2], shelf, folder / "epoch-02.pth", 3, splits)
        for epoch in (3, 1):
            assert shelf.take(outputs[epoch], folder / f"epoch-{epoch:02d}.pth")
    for epoch, paths in outputs.items():
        network = checkpoints.load(folder / f"epoch-{epoch:02d}.pth").network
        assert files.read_json(paths["evaluation"]) == {
            "test": evaluation.evaluate(network, images)
        }
    # One that is asked for again alone is made alone.
    with shared_process.shelf(tmp_path / "evaluation", PARAMS, []) as shelf:
        assert not shelf.take(outputs[1], folder / "epoch-01.pth")
        evaluation.write_evaluations(outputs[1], shelf, folder / "epoch-01.pth", 3, splits)
    assert not [path for path in (tmp_path / "evaluation/.ahead").rglob("*") if path.is_file()]


class Meanwhile(Job):
    """A job in whose middle something else happens, once."""

    def __init__(self, happening):
        self.happening = happening

    def progress(self, *arguments):
        self.happening()
        self.happening = lambda: None
        return super().progress(*arguments)


def test_what_is_trained_anew_meanwhile_is_not_taken_for_what_was_there(tmp_path, images):
    """An evaluation made ahead is of the weights that the file had when it was read."""
    folder, splits = tmp_path / "checkpoints", {"test": images}
    for name, (checkpoint, _, _) in zip(
        ("epoch-01.pth", "epoch-02.pth", "new.pth"),
        epochs_per_process.train(*begun(images), images, TRAINING, 3),
        strict=True,
    ):
        checkpoints.save(folder / name, checkpoint)
    earlier = (folder / "epoch-02.pth").read_bytes()
    job = Meanwhile(lambda: (folder / "new.pth").replace(folder / "epoch-02.pth"))
    outputs = {"evaluation": tmp_path / "evaluation/epoch-01.json"}
    with shared_process.shelf(tmp_path / "evaluation", PARAMS, []) as shelf:
        evaluation.write_evaluations(
            outputs, shelf, folder / "epoch-01.pth", 2, splits, trainer.CPU, job
        )
        (folder / "epoch-02.pth").write_bytes(earlier)
        outputs = {"evaluation": tmp_path / "evaluation/epoch-02.json"}
        assert not shelf.take(outputs, folder / "epoch-02.pth")


def of_an_earlier_config(path, images, kind):
    """A checkpoint that doesn't fit the images, or no file at all."""
    if kind == "no file":
        return path.mkdir(parents=True)
    pixels = (
        images.pixels.repeat(2, axis=1).repeat(2, axis=2)
        if kind == "another image size"
        else images.pixels
    )
    classes = images.classes[:1] if kind == "fewer classes" else images.classes
    others = image_file.Images(pixels, images.labels, classes, images.indices)
    checkpoint, _ = trainer.begin(others, NETWORK, image_file.normalisation(pixels), TRAINING)
    checkpoints.save(path, checkpoint)


@pytest.mark.parametrize("kind", ["another image size", "fewer classes", "no file"])
@pytest.mark.parametrize("last_epoch", [1, 2])
def test_a_checkpoint_that_an_earlier_config_left_ends_no_evaluation(
    tmp_path, images, kind, last_epoch, capsys
):
    folder, output = tmp_path / "checkpoints", tmp_path / "evaluation/epoch-01.json"
    checkpoint, _, _ = next(epochs_per_process.train(*begun(images), images, TRAINING, 1))
    checkpoints.save(folder / "epoch-01.pth", checkpoint)
    of_an_earlier_config(folder / "epoch-02.pth", images, kind)
    with shared_process.shelf(output.parent, PARAMS, []) as shelf:
        outputs = {"evaluation": output}
        evaluation.write_evaluations(
            outputs, shelf, folder / "epoch-01.pth", last_epoch, {"test": images}
        )
    assert files.read_json(output) == {
        "test": evaluation.evaluate(checkpoint.network.eval(), images)
    }
    told = [line for line in capsys.readouterr().out.splitlines() if "ahead" in line]
    assert len(told) == (1 if last_epoch == 2 else 0), (
        "what is no epoch of the config is not even tried"
    )


def test_where_there_are_no_locks_two_jobs_never_mix_their_results(tmp_path):
    shelves = {name: shared_process.Shelf(tmp_path, [name], []) for name in ("one", "other")}
    places = {name: shelf.place() for name, shelf in shelves.items()}
    with shelves["one"].adding(places["one"]) as folder:
        (folder / "maps").write_text("one")
        with shelves["other"].adding(places["other"]) as folder:
            (folder / "maps").write_text("other")
    assert {name: (place / "maps").read_text() for name, place in places.items()} == {
        name: name for name in places
    }


def test_one_job_at_a_time_has_a_shelf_and_a_killed_one_gives_it_back(tmp_path):
    holder = (
        "import sys, time\nfrom convprobe.job import shared_process\n"
        "with shared_process.shelf(sys.argv[1], [], []):\n"
        "    print('held', flush=True)\n    time.sleep(60)"
    )
    command = [sys.executable, "-c", holder, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="scripts") as first:
        assert first.stdout.readline() == "held\n"
        folder = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(folder)
        first.kill()
    with shared_process.shelf(tmp_path, [], []):
        pass
