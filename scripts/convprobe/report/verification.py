"""Are all results there, whole, and in agreement with one another?

Each question checks its own results, as far as they can be computed again from others. Here the
checks are put together, with those of several questions, of figures, the card and the page.
"""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from convprobe import style
from convprobe.ablation.outputs import PREDICTIONS
from convprobe.dataset import checks as dataset
from convprobe.occlusion import agreement
from convprobe.occlusion.outputs import AGREEMENT, AGREEMENT_MEANS, WINDOW
from convprobe.plan import study
from convprobe.report import card, explorer, outputs
from convprobe.store import files, hdf5, tables
from convprobe.store.checks import TOLERANCE, Check, Probed, Results, form
from convprobe.training import checks as training
from convprobe.training.outputs import EVALUATION, PROBED_CHECKPOINT, SELECTION

CHECKS = {probe: importlib.import_module(f"{probe.__package__}.checks") for probe in outputs.PROBES}
SHOWN = (".csv", ".h5", ".json")  # what the page takes its numbers from


def verify(
    folder: str | Path,
    config: dict[str, Any],
    names: list[str],
    probes: list[str],
    card: dict[str, Any],
    page: dict[str, Any],
) -> tuple[list[str], int]:
    """Check the results of an experiment.

    Args:
        folder: of the experiment.
        config: the checked config.
        names: the files outside of the probed epochs' folders, relative to `folder`.
        probes: the files of each probed epoch, relative to its folder.
        card: `runs`, whose selected epochs it is about; `sources` by name, of the experiment and of
            each of those epochs; `settings` of card.of_files.
        page: as for study.with_probes.

    Returns:
        the mistakes, one line each, that name the file; the number of files.
    """
    results = Results(Path(folder))
    probed = _probed(results, config)
    folders = [probe.folder for probe in probed]
    names = names + [f"{probe}/{name}" for probe in folders for name in probes]
    with results.noting_mistakes():
        not_kept = training.not_kept(results, config)
        names = [name for name in names if name not in not_kept]
    for name in names:
        with results.noting_mistakes():
            results.path(name)
    _check_questions(results, config, probed)
    if AGREEMENT.path in names:
        results.check(_agreement, config, probed)
    for name in names:
        results.check(_file, name)
    results.check(_card, config, card)
    results.check(_page, config, study.with_probes(page, folders, probes))
    results.check(_manifest, config, names)
    results.check(_crate)
    return [*results.older(), *results.mistakes], len(names)


def _check_questions(results: Results, config: dict[str, Any], probed: list[Probed]) -> None:
    """What each question checks, and what several of them must agree on."""
    results.check(dataset.check, config["dataset"])
    trained = study.trained_runs(config)
    for run in trained:
        results.check(training.check, config, run)
    for group in study.group_runs(config):
        results.check(training.check_seeds, config, group)
    for run in study.studied_runs(config):
        if run not in trained:
            results.check(training.check_imported, config, run)
    has_filters = study.has_filters(config)
    for probe in probed:
        for question in outputs.probes(has_filters):
            results.check(CHECKS[question].check, config, probe)
        if has_filters:
            results.check(_clean_network, config, probe)


def _probed(results: Results, config: dict[str, Any]) -> list[Probed]:
    """The probed checkpoints of all runs, the selected one of each run first."""
    probed = []
    for run in study.studied_runs(config):
        epochs = study.studied_epochs(config, run)
        folders = [f"{run}/{study.epoch_name(epoch)}" for epoch in epochs]
        with results.noting_mistakes():
            folders.insert(0, _selected(results, config, run))
        for folder in dict.fromkeys(folders):
            weights = PROBED_CHECKPOINT.format(checkpoint=Path(folder).name)
            probed.append(Probed(run, folder, f"{run}/{weights}"))
    return probed


def _selected(results: Results, config: dict[str, Any], run: str) -> str:
    """Folder of a run's selected epoch, relative to the experiment's."""
    if run not in study.trained_runs(config):
        return f"{run}/weights"
    selection = files.read_json(results.path(f"{run}/{SELECTION.path}"))
    return f"{run}/{study.epoch_name(selection['epoch'])}"


def _clean_network(results: Results, config: dict[str, Any], probed: Probed) -> Check:
    """Compare what several questions computed of the network without a window, all filters on."""
    name = probed.name(PREDICTIONS)
    predictions = tables.read(results.path(name))
    if probed.run in study.trained_runs(config):
        epoch = probed.folder.rpartition("epoch-")[2]
        path = results.path(f"{probed.run}/{EVALUATION.path.format(epoch=epoch)}")
        evaluated = files.read_json(path)["test"]["accuracy"]
        accuracy = (predictions["class"] == predictions["clean"]).mean()
        wrong = f"the clean accuracy is {accuracy}, but that epoch was evaluated as {evaluated}"
        yield bool(np.isclose(accuracy, evaluated)), name, wrong
    if config["occlusion"]["precision"] != "fp32":
        return
    name = probed.name(WINDOW, window=config["occlusion"]["windows"][0])
    with hdf5.open_complete(results.path(name)) as file:
        images = file["image"][:]
        labels = file["label"][:]
        clean = file["clean_probability"][:]
    found = clean[np.arange(len(labels)), labels]
    expected = predictions["clean_confidence"].to_numpy()[images]
    same = np.allclose(found, expected, atol=10 * TOLERANCE)
    yield same, name, "clean_probability differs from predictions.csv"


def _agreement(results: Results, config: dict[str, Any], probed: list[Probed]) -> Check:
    """Compare how far maps agree to what the maps give."""
    paths = {}
    for probe in probed:
        windows = config["occlusion"]["windows"]
        names = {window: probe.name(WINDOW, window=window) for window in windows}
        paths[probe.folder] = {window: results.path(name) for window, name in names.items()}
    table = agreement.of_networks(paths)
    yield from results.same_table(AGREEMENT.path, table)
    yield from results.same_table(AGREEMENT_MEANS.path, agreement.means(table))


def _file(results: Results, name: str) -> Check:
    """Compare a file to its declaration, a figure to its sources; a table has finite numbers."""
    yield from form(results, name, outputs.declared(name))
    path = results.path(name)
    if path.suffix in (".png", ".svg"):
        words = style.words(path)
        yield from results.drawn_from(name, words.get("Source"))
        beside = results.path(str(Path(name).with_suffix(".txt"))).read_text(encoding="utf-8")
        # An older version wrote no words into a PNG.
        same = "Title" not in words or style.alternative_text(words) == beside
        yield same, name, "has another title or caption than the text beside it"
    if path.suffix == ".csv":
        numbers = tables.read(path).select_dtypes("number")
        yield not np.isinf(numbers.to_numpy()).any(), name, "has infinite numbers"


def _card(results: Results, config: dict[str, Any], wanted: dict[str, Any]) -> Check:
    """Compare the reproduction card to what its sources give."""
    folders = [_selected(results, config, run) for run in wanted["runs"]]
    whole, of_epoch = wanted["sources"]
    paths = {name: [results.path(path) for path in listed] for name, listed in whole.items()}
    for name, path in of_epoch.items():
        paths[name] = [results.path(f"{folder}/{path}") for folder in folders]
    yield from results.same_table(outputs.CARD.path, card.of_files(paths, wanted["settings"]))


def _page(results: Results, config: dict[str, Any], settings: dict[str, Any]) -> Check:
    """The page shows what would be written now."""
    for name in settings["files"]:
        if Path(name).suffix in SHOWN:
            results.path(name)
    for run in settings["trained"]:
        training.records(results, config, run)
    name = outputs.EXPLORER.path
    found, around = explorer.read(results.path(name))
    with np.errstate(invalid="ignore"):  # a missing number was noted above
        collected = explorer.collect(results.folder, settings)
    expected = json.loads(json.dumps(collected))
    for part in sorted(expected.keys() | found.keys()):
        same = found.get(part) == expected.get(part)
        yield same, name, f"its {part} are not what its sources give"
    yield around == explorer.page(settings["title"]), name, "has another title, style or script"


def _manifest(results: Results, config: dict[str, Any], names: list[str]) -> Check:
    """Compare the manifest to the config and to the files: all are listed, as they are."""
    name = outputs.MANIFEST.path
    manifest = files.read_json(results.path(name))
    shown = study.shown(config)
    yield manifest["config"] == shown, name, "was written for another config"
    for other in names:
        if outputs.declared(other) not in outputs.NOT_IN_MANIFEST:
            yield other in manifest["files"], name, f"does not list {other}"
    for listed, file in manifest["files"].items():
        results.check(_as_listed, listed, file["sha256"])


def _as_listed(results: Results, name: str, listed: str) -> Check:
    """A file that is listed but missing is noted when its digest is asked for."""
    digest = results.digest(name)
    wrong = f"its SHA-256 is {digest}, but {outputs.MANIFEST.path} lists {listed}"
    yield digest == listed, name, wrong


def _crate(results: Results) -> Check:
    """Compare the files of the RO-Crate to those of the manifest, with the page and itself."""
    name = outputs.CRATE.path
    graph = files.read_json(results.path(name))["@graph"]
    found = {item["@id"]: item["sha256"] for item in graph if item["@type"] == "File"}
    manifest = outputs.MANIFEST.path
    listed = files.read_json(results.path(manifest))["files"]
    expected = {name: file["sha256"] for name, file in listed.items()}
    for other in (manifest, outputs.EXPLORER.path):
        expected[other] = results.digest(other)
    yield found == expected, name, f"has other files, or other digests, than {manifest}"
