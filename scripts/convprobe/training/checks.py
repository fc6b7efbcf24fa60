"""Do checkpoints, evaluations and learning curves agree with one another and with the config?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from convprobe.dataset import image_file
from convprobe.dataset.outputs import CLASSES, NORMALISATION, TEST_IMAGES
from convprobe.network import checkpoints, weights
from convprobe.network.normalisation import RAW
from convprobe.plan import study
from convprobe.store import files, tables
from convprobe.store.checks import Check, Results
from convprobe.store.outputs import Output
from convprobe.training import seeds, selection
from convprobe.training.outputs import (
    CHECKPOINT,
    CURVE,
    DISCARDED,
    EVALUATION,
    OPTIMIZER,
    RECORD,
    SEEDS,
    SELECTION,
    WEIGHTS,
)


def not_kept(results: Results, config: dict[str, Any]) -> list[str]:
    """The states of the optimizer that were deleted because the config asked for that.

    Whether it still does doesn't matter.

    Returns:
        their paths relative to the experiment's folder.

    Raises:
        as `Results.path`.
    """
    missing = []
    for run in study.trained_runs(config):
        record = f"{run}/{DISCARDED.path}"
        if not (results.folder / record).is_file():
            continue
        for epoch in files.read_json(results.path(record))["epochs"]:
            name = _name(run, OPTIMIZER, epoch)
            if not (results.folder / name).exists():
                missing.append(name)
    return missing


def check(results: Results, config: dict[str, Any], run: str) -> Check:
    """Check a run that was trained here."""
    numbers = _epochs(config, run)
    for number in numbers:
        results.check(_epoch, config, run, number)
    evaluations = _paths(results, config, run, EVALUATION)
    curve = selection.learning_curve(evaluations, records(results, config, run))
    yield from results.same_table(f"{run}/{CURVE.path}", curve)
    counts = tables.read(results.path(CLASSES.path))["test"].tolist()
    chosen = selection.choose(evaluations, config["selection"], counts)
    name = f"{run}/{SELECTION.path}"
    yield files.read_json(results.path(name)) == chosen, name, f"expected {chosen}"
    tested = len(image_file.read(results.path(TEST_IMAGES.path), "test").labels)
    counted = {files.read_json(path)["test"]["images"] for path in evaluations}
    wrong = f"counts {counted} test images, expected {tested}"
    yield counted == {tested}, f"{run}/{Path(EVALUATION.path).parent}", wrong


def check_seeds(results: Results, config: dict[str, Any], group: str) -> Check:
    """Check the learning curves of a run of several seeds."""
    runs = study.group_runs(config)[group]
    curves = [tables.read(results.path(f"{run}/{CURVE.path}")) for run in runs]
    expected = seeds.curves(curves, study.seeds(config, group))
    yield from results.same_table(SEEDS.path.format(group=group), expected)


def records(results: Results, config: dict[str, Any], run: str) -> list[Path]:
    """Paths of the training records of all epochs; raises the same errors as `Results.path`."""
    return _paths(results, config, run, RECORD)


def _paths(results: Results, config: dict[str, Any], run: str, output: Output) -> list[Path]:
    return [results.path(_name(run, output, number)) for number in _epochs(config, run)]


def _epochs(config: dict[str, Any], run: str) -> range:
    return range(1, study.run_training(config, run)["epochs"] + 1)


def _name(run: str, output: Output, epoch: int) -> str:
    return f"{run}/" + output.path.format(epoch=study.epoch_number(epoch))


def _epoch(results: Results, config: dict[str, Any], run: str, epoch: int) -> Check:
    """Compare a checkpoint and its optimizer to the config and to the training images."""
    name = _name(run, CHECKPOINT, epoch)
    checkpoint = checkpoints.load(results.path(name))
    used = RAW
    if study.run_training(config, run)["normalise"]:
        used = _measured(results)
    yield checkpoint.epoch == epoch, name, f"is of epoch {checkpoint.epoch}"
    yield checkpoint.settings == config["network"], name, "is of another network"
    yield checkpoint.normalisation == used, name, "has another normalisation"
    yield from results.made_with(name, checkpoint.training, study.epoch_settings(config, run))
    name = _name(run, OPTIMIZER, epoch)
    if name in not_kept(results, config):
        return
    state = checkpoints.load_tensors(results.path(name))
    finite = all(torch.isfinite(tensor).all() for tensor in _tensors(state))
    yield finite, name, "has values that are not finite"


def _tensors(state: dict[str, Any]) -> Iterator[torch.Tensor]:
    """The tensors in the state of an optimizer."""
    for of_parameter in state["state"].values():
        for value in of_parameter.values():
            if torch.is_tensor(value):
                yield value


def _measured(results: Results) -> dict[str, list[float]]:
    """The normalisation measured on the training images, without how many there were."""
    measured = files.read_json(results.path(NORMALISATION.path))
    return {key: measured[key] for key in RAW}


def check_imported(results: Results, config: dict[str, Any], run: str) -> Check:
    """Compare a checkpoint of weights from elsewhere to the file that the config names."""
    name = f"{run}/{WEIGHTS.path}"
    source = config["runs"][run]["weights"]
    checkpoint = checkpoints.load(results.path(name))
    images = results.path(TEST_IMAGES.path)
    expected = weights.read(
        source,
        config["network"],
        image_file.classes(images),
        image_file.image_size(images),
        _measured(results),
        study.given_normalisation(config, run),
    )
    yield checkpoint.epoch == 0, name, f"is of epoch {checkpoint.epoch}"
    yield checkpoint.settings == config["network"], name, "is of another network"
    yield checkpoint.normalisation == expected.normalisation, name, "has another normalisation"
    here = checkpoint.network.state_dict()
    there = expected.network.state_dict()
    same = all(torch.equal(here[key], there[key]) for key in here.keys() & there.keys())
    yield same, name, f"has other weights than {source}"
