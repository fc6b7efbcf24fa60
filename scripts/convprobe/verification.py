"""Are all results there, whole, and in agreement with one another?

First each file is held against the digest that was recorded when it was written, then what can be
computed again from other results is. A file whose digest is wrong is not opened: it may be anything.
"""

import contextlib
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image

from convprobe import (
    ablation_tables,
    activations,
    checkpoints,
    datasets,
    files,
    hdf5,
    occlusion_summary,
    receptive_field,
    selection,
    sources,
    tables,
    top_patches,
)
from convprobe import config as configs
from convprobe.errors import InputError
from convprobe.network import RAW

TOLERANCE = 1e-5  # of probabilities: sums of float32, and numbers rounded to six decimals
ROWS = 256  # images at a time; bounds the memory


def verify(folder, config, names, probes):
    """Check the results of an experiment.

    Args:
        folder: of the experiment.
        config: the checked config.
        names: of the files that must be there, relative to the folder; of what is in the probed
            epoch's folder of a studied run only what is in `probes`.
        probes: names of the files of each studied run's probed epoch, relative to its folder.

    Returns:
        list of mistakes, one line each, that name the file; the number of files.
    """
    results = Results(Path(folder))
    probed = [(run, at) for run in configs.studied_runs(config) for at in _probed(results, config, run)]
    names = [*names, *(f"{at}/{name}" for _, at in probed for name in probes)]
    for name in names:
        with results.noting_mistakes():
            results.path(name)
    results.check(_dataset, config)
    for run in configs.trained_runs(config):
        results.check(_training, config, run)
    for run, at in probed:
        for check in (_occlusion, _filters, _ablation):
            results.check(check, config, run, at)
    for name in names:
        results.check(_page_or_figure, name)
    return results.mistakes, len(names)


def _probed(results, config, run):
    """Folders of a run's probed epochs, relative to the experiment's."""
    if run not in configs.trained_runs(config):
        results.check(_weights, config, run)
        return [f"{run}/weights"]
    epochs = set(configs.studied_epochs(config, run))
    with results.noting_mistakes():
        epochs.add(files.read_json(results.path(f"{run}/selection.json"))["epoch"])
    return [f"{run}/epoch-{epoch:02d}" for epoch in sorted(epochs)]


class Results:
    """The files of an experiment, and the mistakes found in them so far."""

    def __init__(self, folder):
        self.folder = folder
        self.mistakes = []
        self._checked = {}  # by name: whether the digest is right
        self._last = self.folder  # the path that was last asked for

    def path(self, name):
        """Path of a file whose digest is right.

        Raises:
            InputError: it is missing or altered; told once.
            _Unusable: that has been told.
        """
        self._last = self.folder / name
        if name not in self._checked:
            self._checked[name] = False
            files.check_digest(self.folder / name)
            self._checked[name] = True
        if not self._checked[name]:
            raise _Unusable
        return self.folder / name

    def expect(self, agrees, name, what):
        """Note a mistake in a file unless it agrees with `what` it should be."""
        if not agrees:
            self.mistakes.append(f"{self.folder / name}: {what}")

    def same_table(self, name, expected, index=False):
        """A table must be, letter by letter, what is computed again."""
        found = self.path(name).read_text(encoding="utf-8")
        self.expect(found == tables.text(expected, index), name, "differs from what its sources give")

    def check(self, function, *arguments):
        """Run a check that yields (agrees, file name, what it should be), as far as files can be used."""
        with self.noting_mistakes():
            for agrees, name, what in function(self, *arguments):
                self.expect(agrees, name, what)

    @contextlib.contextmanager
    def noting_mistakes(self):
        try:
            yield
        except InputError as error:
            self.mistakes.append(str(error))
        except _Unusable:
            pass
        except (LookupError, TypeError, ValueError) as error:  # of a whole file with another content
            self.mistakes.append(f"{self._last}: not of the stated form ({' '.join(str(error).split())})")


class _Unusable(Exception):
    """A file that a check needs is missing or altered, as was told before."""


def _finite(path):
    """Whether all numbers in an HDF5 file are."""
    found = []
    with hdf5.open_complete(path) as file:
        file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
        return all(_rows_are_finite(stored) for stored in found)


def _rows_are_finite(stored):
    if stored.dtype.kind != "f":
        return True
    return all(np.isfinite(stored[row : row + ROWS]).all() for row in range(0, len(stored), ROWS))


def _dataset(results, config):
    name = "dataset/images.h5"
    splits = ["train", "test"] + ["validation"] * bool(config["dataset"]["validation_images"])
    read = {split: datasets.read(results.path(name), split) for split in splits}
    for split in ("train", "test"):
        images = read[split]
        count, wanted = len(images.labels), config["dataset"][f"{split}_images"]
        if split == "train" and wanted != "all":
            wanted -= config["dataset"]["validation_images"]
        yield images.pixels.shape == (count, images.side, images.side, 3), name, f"{split}/images has another shape"
        yield wanted in ("all", count), name, f"has {count} {split} images, expected {wanted}"
        yield set(images.labels) <= set(range(len(images.classes))), name, f"{split}/labels beyond the classes"
        if split == "train":
            measured = files.read_json(results.path("dataset/normalisation.json"))
            expected = datasets.normalisation(images.pixels)
            yield measured == expected, "dataset/normalisation.json", "differs from that of the training images"
    results.same_table("dataset/classes.csv", sources.class_counts(read))


def _training(results, config, run):
    epochs = range(1, configs.run_training(config, run)["epochs"] + 1)
    for epoch in epochs:
        results.check(_checkpoint, config, run, epoch)
    evaluations = [results.path(f"{run}/evaluation/epoch-{epoch:02d}.json") for epoch in epochs]
    records = [results.path(f"{run}/training/epoch-{epoch:02d}.json") for epoch in epochs]
    results.same_table(f"{run}/learning-curve.csv", selection.learning_curve(evaluations, records))
    counts = tables.read(results.path("dataset/classes.csv"))["test"].tolist()
    name, chosen = f"{run}/selection.json", selection.choose(evaluations, config["selection"], counts)
    yield files.read_json(results.path(name)) == chosen, name, f"expected {chosen}"
    tested = len(datasets.read(results.path("dataset/images.h5"), "test").labels)
    counted = {files.read_json(path)["test"]["images"] for path in evaluations}
    yield counted == {tested}, f"{run}/evaluation", f"counts {counted} test images, expected {tested}"


def _checkpoint(results, config, run, epoch):
    yield from _weights(results, config, run, f"epoch-{epoch:02d}", epoch)
    state = checkpoints.load_tensors(results.path(f"{run}/checkpoints/epoch-{epoch:02d}.optimizer.pth"))
    buffers = [value for values in state["state"].values() for value in values.values() if torch.is_tensor(value)]
    finite = all(torch.isfinite(buffer).all() for buffer in buffers)
    yield finite, f"{run}/checkpoints/epoch-{epoch:02d}.optimizer.pth", "has values that are not finite"


def _weights(results, config, run, checkpoint="weights", epoch=0):
    name = f"{run}/checkpoints/{checkpoint}.pth"
    found = checkpoints.load(results.path(name))
    measured = files.read_json(results.path("dataset/normalisation.json"))
    used = {key: measured[key] for key in RAW} if configs.run_training(config, run)["normalise"] else RAW
    yield found.epoch == epoch, name, f"is of epoch {found.epoch}"
    yield found.settings == config["network"], name, "is of another network"
    used = config["runs"][run].get("normalisation", used)
    yield found.normalisation == used, name, "has another normalisation"


def _made_from_the_selected_weights(results, file, name, run, at):
    digest = files.sha256(results.path(f"{run}/checkpoints/{Path(at).name}.pth"))
    return file.attrs["checkpoint_sha256"] == digest, name, f"was made from other weights than {at}"


def _occlusion(results, config, run, at):
    settings = config["occlusion"]
    paths = [results.path(f"{at}/occlusion/window-{window}.h5") for window in settings["windows"]]
    images = datasets.read(results.path("dataset/images.h5"), "test", settings["images"])
    for window, path in zip(settings["windows"], paths, strict=True):
        name = f"{at}/occlusion/window-{window}.h5"
        yield _finite(path), name, "has values that are not finite"
        with hdf5.open_complete(path) as file:
            yield _made_from_the_selected_weights(results, file, name, run, at)
            made = (file.attrs["window"], file.attrs["fill"])
            yield made == (window, settings["fill"]), name, f"has window and fill {made}"
            yield from _maps(file, name, images)
    summary, localisation = occlusion_summary.summarise(paths, results.path("dataset/images.h5"))
    results.same_table(f"{at}/occlusion/summary.csv", summary)
    results.same_table(f"{at}/occlusion/localisation.csv", localisation)


def _maps(file, name, images):
    shape = (len(images.labels), images.side, images.side, len(images.classes))
    found = file["probability"].shape
    yield found == shape, name, f"probability has shape {found}, expected {shape}"
    same = np.array_equal(file["label"][:], images.labels) and np.array_equal(file["image"][:], images.indices)
    yield same, name, "has other images than the config names"
    for start in range(0, len(images.labels), ROWS):
        rows = slice(start, start + ROWS)
        probability, labels = file["probability"][rows], images.labels[rows]
        yield np.allclose(probability.sum(axis=-1), 1, atol=TOLERANCE), name, "has probabilities that don't sum to 1"
        own = np.stack([maps[..., label] for maps, label in zip(probability, labels, strict=True)])
        yield np.array_equal(own, file["confidence"][rows]), name, "has another confidence than the true class's"


def _filters(results, config, run, at):
    chosen, top = config["filters"]["chosen"], config["filters"]["top"]
    images_path = results.path("dataset/images.h5")
    path, name = results.path(f"{at}/filters/activations.h5"), f"{at}/filters/activations.h5"
    yield _finite(path), name, "has values that are not finite"
    images = datasets.read(images_path, "test")
    sides = receptive_field.pooled_sides(config["network"], images.side)
    with hdf5.open_complete(path) as file:
        yield _made_from_the_selected_weights(results, file, name, run, at)
        for filter_name in chosen:
            maps, side = file[f"{filter_name}/maps"], sides[filter_name.split("/")[0]]
            shape = (len(images.labels), side, side)
            yield maps.shape == shape, name, f"{filter_name} has shape {maps.shape}, expected {shape}"
            response = activations.response(maps[:])
            same = np.array_equal(response, file[f"{filter_name}/response"][:])
            yield same, name, f"{filter_name}: response is not the norm of the map"
    table = top_patches.top_images(path, images_path, chosen, top, config["network"])
    results.same_table(f"{at}/filters/top-images.csv", table)
    fields = receptive_field.of_pooled_maps(config["network"], images.side)
    yield from _patches(results, f"{at}/filters/patches.h5", table, images, fields)
    yield from _all_filters(results, config, f"{at}/filters/all-top-images.csv", len(images.labels), table)


def _all_filters(results, config, name, tested, chosen):
    table = tables.read(results.path(name))
    count = sum(conv["channels"] for conv in config["network"]["conv"]) * min(config["filters"]["top"], tested)
    yield len(table) == count, name, f"has {len(table)} rows, expected {count}"
    both = ["layer", "channel", "rank", "image"]
    same = len(chosen[both].merge(table[both])) == len(chosen)
    yield same, name, "has other images for the chosen filters than top-images.csv"


def _patches(results, name, table, images, fields):
    with hdf5.open_complete(results.path(name)) as file:
        for (layer, channel), rows in table.groupby(["layer", "channel"]):
            for patch, row in zip(file[f"{layer}/{channel}"][:], rows.sort_values("rank").itertuples(), strict=True):
                seen = top_patches.cut(images.pixels[row.image], fields[layer], row.peak_y, row.peak_x)
                what = f"{layer}/{channel}, rank {row.rank}: not the pixels of its box"
                yield np.array_equal(patch, seen), name, what


def _ablation(results, config, run, at):
    images = datasets.read(results.path("dataset/images.h5"), "test")
    name = f"{at}/ablation/predictions.csv"
    table = tables.read(results.path(name))
    same = list(table["class"]) == [images.classes[label] for label in images.labels]
    yield same and list(table["image"]) == list(images.indices), name, "has other images than the test images"
    accuracies = {state: (table["class"] == table[state]).mean() for state in ("before", "after")}
    if run in configs.trained_runs(config):
        evaluated = files.read_json(results.path(f"{run}/evaluation/{Path(at).name}.json"))["test"]["accuracy"]
        what = f"accuracy before is {accuracies['before']}, after that epoch it was {evaluated}"
        yield np.isclose(accuracies["before"], evaluated), name, what
    for state in accuracies:
        counts = ablation_tables.confusion(table, state, images.classes)
        results.same_table(f"{at}/ablation/confusion-{state}.csv", counts, index=True)
    results.same_table(f"{at}/ablation/class-pairs.csv", ablation_tables.class_pairs(table))
    results.same_table(f"{at}/ablation/flips.csv", ablation_tables.flips(table))
    results.same_table(f"{at}/ablation/first-images.csv", table.head(config["ablation"]["table_images"]))
    yield from _variants(results, config, run, at, table, images.classes)
    yield from _clean_confidence(results, config, at, table)


def _variants(results, config, run, at, table, classes):
    name, chosen = f"{at}/ablation/variants.h5", config["filters"]["chosen"]
    path = results.path(name)
    with hdf5.open_complete(path) as file:
        yield _made_from_the_selected_weights(results, file, name, run, at)
        layers = {filter_name.split("/")[0] for filter_name in chosen}
        shape = (len(chosen) + len(layers) + config["ablation"]["random_controls"], len(table))
        found = file["predicted"].shape
        yield found == shape, name, f"predicted has shape {found}, expected {shape}"
    predicted = ablation_tables.read_variants(path, table, chosen, classes)
    results.same_table(f"{at}/ablation/accuracy.csv", ablation_tables.accuracies(predicted, table["class"]))
    by_class = ablation_tables.class_accuracies(predicted, table["class"], classes)
    results.same_table(f"{at}/ablation/class-accuracy.csv", by_class)


def _clean_confidence(results, config, at, predictions):
    """Two stages computed the probability of the true class without a window: one number."""
    window = config["occlusion"]["windows"][0]
    name = f"{at}/occlusion/window-{window}.h5"
    with hdf5.open_complete(results.path(name)) as file:
        images, labels, clean = file["image"][:], file["label"][:], file["clean_probability"][:]
    found, expected = clean[np.arange(len(labels)), labels], predictions["confidence_before"].to_numpy()[images]
    if config["occlusion"]["precision"] == "fp32":
        yield np.allclose(found, expected, atol=10 * TOLERANCE), name, "clean_probability differs from predictions.csv"


def _page_or_figure(results, name):
    path = results.path(name)
    if path.suffix == ".png":
        try:
            with Image.open(path) as picture:
                picture.load()
        except (OSError, SyntaxError) as error:
            yield False, name, f"not a picture ({error})"
    if path.suffix == ".html":
        yield path.read_text(encoding="utf-8").rstrip().endswith("</html>"), name, "does not end as a page"
    if path.suffix == ".csv":
        numbers = tables.read(path).select_dtypes("number")
        yield not np.isinf(numbers.to_numpy()).any(), name, "has infinite numbers"
    if path.name == "reproduction.csv":
        card = tables.read(path).dropna(subset=["low", "high", "measured"])
        inside = (card["low"] <= card["measured"] + TOLERANCE) & (card["measured"] <= card["high"] + TOLERANCE)
        yield inside.all(), name, "has a measured value outside its interval"
