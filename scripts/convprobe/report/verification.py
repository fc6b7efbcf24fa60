"""Are all results there, whole, and in agreement with one another?

First each file is held against the digest that was recorded when it was written, then what can be
computed again from other results is. A file whose digest is wrong is not opened: it may be anything.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch

from convprobe import style
from convprobe.ablation import tabulation, variants
from convprobe.dataset import image_file, sources
from convprobe.errors import InputError
from convprobe.filters import activations, ranking, top_patches
from convprobe.network import checkpoints, receptive_field, weights
from convprobe.network.layers import RAW, Network, as_input
from convprobe.occlusion import summary
from convprobe.plan import study as configs
from convprobe.report import card, explorer
from convprobe.store import files, hdf5, tables
from convprobe.training import selection

TOLERANCE = 1e-5  # of probabilities: sums of float32, and numbers rounded to six decimals
ROWS = 256  # images at a time; bounds the memory
SAMPLE = 250  # images that the network is shown again
OF_RESPONSES = 1e-3  # relative, on whatever device they were computed

Check = Iterator[
    tuple[bool, str, str]
]  # whether something agrees, the file's name, what is wrong with it if not


def verify(
    folder: str, config: dict, names: list[str], probes: list[str], card: dict, page: dict
) -> tuple[list[str], int]:
    """Check the results of an experiment.

    Args:
        folder: of the experiment.
        config: the checked config.
        names: of the files that must be there, relative to the folder; of what is in the probed
            epoch's folder of a studied run only what is in `probes`.
        probes: names of the files of each studied run's probed epoch, relative to its folder.
        card: `run` whose selected epoch it is about; `sources` by name, of the experiment and of that
            epoch; `settings` of card.of_files.
        page: as for config.with_probes.

    Returns:
        list of mistakes, one line each, that name the file; the number of files.
    """
    results = Results(Path(folder))
    probed = {run: _probed(results, config, run) for run in configs.studied_runs(config)}
    places = [at for of_run in probed.values() for at in of_run]
    names = [*names, *(f"{at}/{name}" for at in places for name in probes)]
    for name in names:
        with results.noting_mistakes():
            results.path(name)
    results.check(_dataset, config)
    for run in configs.trained_runs(config):
        results.check(_training, config, run)
    for run, of_run in probed.items():
        for at in of_run:
            for check in (_occlusion, _filters, _ablation):
                results.check(check, config, run, at)
    for name in names:
        results.check(_figure_or_table, name)
    with results.noting_mistakes():
        _hold_card(results, config, card)
    results.check(_page, configs.with_probes(page, places, probes))
    return [*results.older(), *results.mistakes], len(names)


def _probed(results, config, run):
    """Folders of a run's probed epochs, relative to the experiment's, the selected one first."""
    if run not in configs.trained_runs(config):
        results.check(_imported, config, run)
    places = [f"{run}/epoch-{epoch:02d}" for epoch in configs.studied_epochs(config, run)]
    with results.noting_mistakes():
        places.insert(0, _selected(results, config, run))
    return list(dict.fromkeys(places))


def _selected(results: "Results", config: dict, run: str) -> str:
    """Folder of a run's selected epoch, relative to the experiment's."""
    if run not in configs.trained_runs(config):
        return f"{run}/weights"
    return f"{run}/epoch-{files.read_json(results.path(f'{run}/selection.json'))['epoch']:02d}"


class Results:
    """The files of an experiment, and the mistakes found in them so far."""

    def __init__(self, folder):
        self.folder = folder
        self.mistakes = []
        self._digests = {}  # by name; None of a file that is missing or altered
        self._unstamped = []  # names of files that don't say what they were made with
        self._last = self.folder  # the path that was last asked for

    def path(self, name):
        """Path of a file whose digest is right.

        Raises:
            InputError: it is missing or altered; told once.
            _Unusable: that has been told.
        """
        self._last = self.folder / name
        if name not in self._digests:
            self._digests[name] = None
            self._digests[name] = files.check_digest(self.folder / name)
        if self._digests[name] is None:
            raise _Unusable
        return self.folder / name

    def digest(self, name: str) -> str:
        """SHA-256 of a file whose digest is right; raises as `path` does."""
        self.path(name)
        return self._digests[name]

    def made_with(self, name: str, found: dict | None, expected: dict) -> Check:
        """Hold the settings that a file says it was made with against those of the config."""
        if found is None:
            self._unstamped.append(name)
            return
        for key in [*expected, *(found.keys() - expected.keys())]:
            here, there = found.get(key), expected.get(key)
            if isinstance(here, dict) and isinstance(there, dict):
                yield from self.made_with(name, here, there)
            else:
                yield (
                    here == there,
                    name,
                    f"was made with {key} {here}, but the config says {there}",
                )

    def drawn_from(self, name: str, source: str | None) -> Check:
        """Hold what a figure says it was drawn from against the present files."""
        if source is None:
            self._unstamped.append(name)
            return
        place = Path(name).with_suffix("").as_posix()
        own, *drawn = source.splitlines()
        yield f"/{place}".endswith(f"/{own}"), name, f"is the figure {own}"
        for digest, other in (line.split("  ", 1) for line in drawn):
            other = place.removesuffix(own) + other
            there = (self.folder / other).is_file()
            same = there and self.digest(other) == digest
            yield same, name, f"was drawn from {'another' if there else 'a missing'} {other}"

    def older(self) -> list[str]:
        """One line for all files that don't say what they were made with."""
        if not self._unstamped:
            return []
        found = f"{self.folder}: {len(self._unstamped)} files, {self._unstamped[0]} the first, don't say what they were"
        return [
            f"{found} made with, as an older version wrote them: the command that made them makes them anew"
        ]

    def expect(self, agrees, name, what):
        """Note a mistake in a file unless it agrees with `what` it should be."""
        if not agrees:
            self.mistakes.append(f"{self.folder / name}: {what}")

    def same_table(self, name, expected, index=False):
        """A table must be, letter by letter, what is computed again."""
        found = self.path(name).read_text(encoding="utf-8")
        self.expect(
            found == tables.text(expected, index), name, "differs from what its sources give"
        )

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
        except (
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # of a whole file with another content
            self.mistakes.append(
                f"{self._last}: not of the stated form ({' '.join(str(error).split())})"
            )


class _Unusable(Exception):
    """A file that a check needs is missing or altered, as was told before."""


def _finite(path):
    """Whether all numbers in an HDF5 file are."""
    with hdf5.open_complete(path) as file:
        return all(_rows_are_finite(file[name]) for name in _datasets(file))


def _datasets(file: h5py.File) -> list[str]:
    """The names of all datasets."""
    found = []
    file.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return found


def _rows_are_finite(stored):
    if stored.dtype.kind != "f":
        return True
    return all(np.isfinite(stored[row : row + ROWS]).all() for row in range(0, len(stored), ROWS))


def _dataset(results, config):
    name = "dataset/images.h5"
    splits = ["train", "test"] + ["validation"] * bool(config["dataset"]["validation_images"])
    read = {split: image_file.read(results.path(name), split) for split in splits}
    for split in ("train", "test"):
        images = read[split]
        count, wanted = len(images.labels), config["dataset"][f"{split}_images"]
        if split == "train" and wanted != "all":
            wanted -= config["dataset"]["validation_images"]
        yield (
            images.pixels.shape == (count, images.side, images.side, 3),
            name,
            f"{split}/images has another shape",
        )
        yield wanted in ("all", count), name, f"has {count} {split} images, expected {wanted}"
        yield (
            set(images.labels) <= set(range(len(images.classes))),
            name,
            f"{split}/labels beyond the classes",
        )
        if split == "train":
            measured = files.read_json(results.path("dataset/normalisation.json"))
            expected = image_file.normalisation(images.pixels)
            yield (
                measured == expected,
                "dataset/normalisation.json",
                "differs from that of the training images",
            )
    results.same_table("dataset/classes.csv", sources.class_counts(read))


def _training(results, config, run):
    epochs = range(1, configs.run_training(config, run)["epochs"] + 1)
    for epoch in epochs:
        results.check(_checkpoint, config, run, epoch)
    evaluations = [results.path(f"{run}/evaluation/epoch-{epoch:02d}.json") for epoch in epochs]
    records = _records(results, config, run)
    results.same_table(f"{run}/learning-curve.csv", selection.learning_curve(evaluations, records))
    counts = tables.read(results.path("dataset/classes.csv"))["test"].tolist()
    name, chosen = (
        f"{run}/selection.json",
        selection.choose(evaluations, config["selection"], counts),
    )
    yield files.read_json(results.path(name)) == chosen, name, f"expected {chosen}"
    tested = len(image_file.read(results.path("dataset/images.h5"), "test").labels)
    counted = {files.read_json(path)["test"]["images"] for path in evaluations}
    yield (
        counted == {tested},
        f"{run}/evaluation",
        f"counts {counted} test images, expected {tested}",
    )


def _records(results: "Results", config: dict, run: str) -> list[Path]:
    epochs = range(1, configs.run_training(config, run)["epochs"] + 1)
    return [results.path(f"{run}/training/epoch-{epoch:02d}.json") for epoch in epochs]


def _checkpoint(results, config, run, epoch):
    name = f"{run}/checkpoints/epoch-{epoch:02d}.pth"
    found = checkpoints.load(results.path(name))
    measured = files.read_json(results.path("dataset/normalisation.json"))
    used = (
        {key: measured[key] for key in RAW}
        if configs.run_training(config, run)["normalise"]
        else RAW
    )
    yield found.epoch == epoch, name, f"is of epoch {found.epoch}"
    yield found.settings == config["network"], name, "is of another network"
    yield found.normalisation == used, name, "has another normalisation"
    yield from results.made_with(name, found.training, configs.epoch_settings(config, run))
    state = checkpoints.load_tensors(
        results.path(f"{run}/checkpoints/epoch-{epoch:02d}.optimizer.pth")
    )
    buffers = [
        value
        for values in state["state"].values()
        for value in values.values()
        if torch.is_tensor(value)
    ]
    finite = all(torch.isfinite(buffer).all() for buffer in buffers)
    yield (
        finite,
        f"{run}/checkpoints/epoch-{epoch:02d}.optimizer.pth",
        "has values that are not finite",
    )


def _imported(results: "Results", config: dict, run: str) -> Check:
    """Hold a checkpoint of weights from elsewhere against the file that the config names."""
    name = f"{run}/checkpoints/weights.pth"
    found = checkpoints.load(results.path(name))
    images_path = results.path("dataset/images.h5")
    classes, side = image_file.classes(images_path), image_file.side(images_path)
    measured = files.read_json(results.path("dataset/normalisation.json"))
    measured, given = {key: measured[key] for key in RAW}, configs.given_normalisation(config, run)
    expected = weights.read(
        config["runs"][run]["weights"], config["network"], classes, side, measured, given
    )
    yield found.epoch == 0, name, f"is of epoch {found.epoch}"
    yield found.settings == config["network"], name, "is of another network"
    yield found.normalisation == expected.normalisation, name, "has another normalisation"
    states = [checkpoint.network.state_dict() for checkpoint in (found, expected)]
    same = all(
        torch.equal(states[0][key], tensor) for key, tensor in states[1].items() if key in states[0]
    )
    yield same, name, f"has other weights than {config['runs'][run]['weights']}"


def _made_from_the_selected_weights(results, file, name, run, at):
    digest = results.digest(_checkpoint_name(run, at))
    return file.attrs["checkpoint_sha256"] == digest, name, f"was made from other weights than {at}"


def _checkpoint_name(run: str, at: str) -> str:
    """The checkpoint of a probed epoch."""
    return f"{run}/checkpoints/{Path(at).name}.pth"


def _attributes(file: h5py.File, names: tuple[str, ...]) -> dict | None:
    """Settings that an HDF5 file was made with; None of an older version, which stored fewer."""
    return {name: file.attrs[name] for name in names} if set(names) <= set(file.attrs) else None


def _occlusion(results, config, run, at):
    settings = config["occlusion"]
    paths = [results.path(f"{at}/occlusion/window-{window}.h5") for window in settings["windows"]]
    images = image_file.read(results.path("dataset/images.h5"), "test", settings["images"])
    for window, path in zip(settings["windows"], paths, strict=True):
        name = f"{at}/occlusion/window-{window}.h5"
        yield _finite(path), name, "has values that are not finite"
        with hdf5.open_complete(path) as file:
            yield _made_from_the_selected_weights(results, file, name, run, at)
            expected = {
                name: value for name, value in settings.items() if name in ("fill", "precision")
            }
            made_with = _attributes(file, ("window", *expected))
            yield from results.made_with(name, made_with, {"window": window, **expected})
            yield from _maps(file, name, images)
    by_image, localisation = summary.summarise(paths, results.path("dataset/images.h5"))
    results.same_table(f"{at}/occlusion/summary.csv", by_image)
    results.same_table(f"{at}/occlusion/localisation.csv", localisation)


def _maps(file, name, images):
    shape = (len(images.labels), images.side, images.side, len(images.classes))
    found = file["probability"].shape
    yield found == shape, name, f"probability has shape {found}, expected {shape}"
    same = np.array_equal(file["label"][:], images.labels) and np.array_equal(
        file["image"][:], images.indices
    )
    yield same, name, "has other images than the config names"
    for start in range(0, len(images.labels), ROWS):
        rows = slice(start, start + ROWS)
        probability, labels = file["probability"][rows], images.labels[rows]
        yield (
            np.allclose(probability.sum(axis=-1), 1, atol=TOLERANCE),
            name,
            "has probabilities that don't sum to 1",
        )
        own = np.stack([maps[..., label] for maps, label in zip(probability, labels, strict=True)])
        yield (
            np.array_equal(own, file["confidence"][rows]),
            name,
            "has another confidence than the true class's",
        )


def _filters(results, config, run, at):
    chosen, top = config["filters"]["chosen"], config["filters"]["top"]
    images_path = results.path("dataset/images.h5")
    path, name = results.path(f"{at}/filters/activations.h5"), f"{at}/filters/activations.h5"
    yield _finite(path), name, "has values that are not finite"
    images = image_file.read(images_path, "test")
    sides = receptive_field.pooled_sides(config["network"], images.side)
    with hdf5.open_complete(path) as file:
        yield _made_from_the_selected_weights(results, file, name, run, at)
        recorded = [
            path.removesuffix("/maps") for path in _datasets(file) if path.endswith("/maps")
        ]
        yield set(recorded) == set(chosen), name, f"has the filters {', '.join(recorded)}"
        for filter_name in chosen:
            maps, side = file[f"{filter_name}/maps"], sides[filter_name.split("/")[0]]
            shape = (len(images.labels), side, side)
            yield (
                maps.shape == shape,
                name,
                f"{filter_name} has shape {maps.shape}, expected {shape}",
            )
            response = activations.response(maps[:])
            same = np.array_equal(response, file[f"{filter_name}/response"][:])
            yield same, name, f"{filter_name}: response is not the norm of the map"
    table = top_patches.top_images(path, images_path, chosen, top, config["network"])
    results.same_table(f"{at}/filters/top-images.csv", table)
    fields = receptive_field.of_pooled_maps(config["network"], images.side)
    yield from _patches(results, f"{at}/filters/patches.h5", table, images, fields)
    network = checkpoints.load(results.path(_checkpoint_name(run, at))).network
    name = f"{at}/filters/all-top-images.csv"
    found = tables.read(results.path(name))
    expected = _ranks(network, min(top, len(images.labels)))
    listed = (
        list(found[["layer", "channel", "rank"]].itertuples(index=False, name=None)) == expected
    )
    yield listed, name, "doesn't list each filter's ranks in order"
    if listed:
        for check in (
            _of_images(found, images, fields),
            _of_chosen(found, table),
            _of_network(found, images, network),
        ):
            yield from ((not wrong, name, f"{wrong}: {what}") for wrong, what in check)


def _ranks(network: Network, top: int) -> list[tuple[str, int, int]]:
    """Layer, channel and rank of each row of all-top-images.csv."""
    widths = [(layer, network.get_submodule(layer).out_channels) for layer in network.convolutions]
    filters = [(layer, channel) for layer, width in widths for channel in range(width)]
    return [(*found, rank) for found in filters for rank in range(1, top + 1)]


Rows = Iterator[
    tuple[str, str]
]  # the first row of a table that is wrong, empty if none, and what is wrong with it


def _first(table: pd.DataFrame, wrong: np.ndarray) -> str:
    """The filter and rank of the first row that is wrong."""
    rows = table[np.asarray(wrong)]
    return "" if rows.empty else "{layer}/{channel}, rank {rank}".format(**rows.iloc[0])


def _of_images(table: pd.DataFrame, images: image_file.Images, fields: dict) -> Rows:
    """What follows from the images and the peaks."""
    classes = np.array(images.classes)[images.labels[table["image"]]]
    yield _first(table, table["class"] != classes), "not the class of its image"
    rises = table.groupby(["layer", "channel"])["response"].diff() > 0
    yield _first(table, rises), "a higher response than the rank before"
    for layer, rows in table.groupby("layer"):
        peaks = (rows[axis].to_numpy() for axis in ("peak_y", "peak_x"))
        box = np.stack(top_patches.clipped_box(fields[layer], *peaks), axis=1)
        seen = rows[["top", "left", "bottom", "right", "clipped"]].to_numpy(int)
        yield _first(rows, (seen != box).any(axis=1)), "not the box that its peak sees"


def _of_chosen(table: pd.DataFrame, chosen: pd.DataFrame) -> Rows:
    """What the activations of the chosen filters say."""
    key = ["layer", "channel", "rank"]
    expected = chosen.set_index(key)
    found = table.set_index(key).loc[expected.index].reset_index()
    places = ["image", "peak_y", "peak_x"]
    yield (
        _first(found, (found[places].to_numpy() != expected[places].to_numpy()).any(axis=1)),
        "another image or peak",
    )
    yield (
        _first(found, ~_alike(found["response"], expected["response"])),
        "another response than in activations.h5",
    )


def _of_network(table: pd.DataFrame, images: image_file.Images, network: Network) -> Rows:
    """What the network says of the images that are named most.

    That no other image answers more is seen of these images alone: all would take as long as ranking them did.
    """
    sample = np.sort(table["image"].value_counts(sort=True).index[:SAMPLE])
    with torch.inference_mode():
        for layer, maps in network.pooled_maps(as_input(torch.from_numpy(images.pixels[sample]))):
            responses = ranking.responses(maps).numpy()
            rows = table[table["layer"] == layer]
            shown = rows[rows["image"].isin(sample)]
            at = np.searchsorted(sample, shown["image"]), shown["channel"]
            computed = responses[at]
            yield (
                _first(shown, ~_alike(shown["response"], computed)),
                "another response than the network's",
            )
            highest = maps.amax(dim=(2, 3)).numpy()[at]
            peak = maps.numpy()[*at, shown["peak_y"], shown["peak_x"]]
            yield _first(shown, ~_alike(peak, highest)), "not the peak of the network's map"
            responses[at] = 0
            lowest = rows.groupby("channel")["response"].min().to_numpy()
            last = rows.groupby("channel").tail(1)
            passed_over = responses.max(axis=0)
            yield (
                _first(last, (passed_over > lowest) & ~_alike(passed_over, lowest)),
                "passes over an image that the filter answers to more",
            )


def _alike(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Whether responses differ by no more than the device and the rounding in a table explain."""
    return np.isclose(found, expected, rtol=OF_RESPONSES, atol=TOLERANCE)


def _patches(results, name, table, images, fields):
    with hdf5.open_complete(results.path(name)) as file:
        for (layer, channel), rows in table.groupby(["layer", "channel"]):
            for patch, row in zip(
                file[f"{layer}/{channel}"][:], rows.sort_values("rank").itertuples(), strict=True
            ):
                seen = top_patches.cut(
                    images.pixels[row.image], fields[layer], row.peak_y, row.peak_x
                )
                what = f"{layer}/{channel}, rank {row.rank}: not the pixels of its box"
                yield np.array_equal(patch, seen), name, what


def _ablation(results, config, run, at):
    images = image_file.read(results.path("dataset/images.h5"), "test")
    name = f"{at}/ablation/predictions.csv"
    table = tables.read(results.path(name))
    same = list(table["class"]) == [images.classes[label] for label in images.labels]
    yield (
        same and list(table["image"]) == list(images.indices),
        name,
        "has other images than the test images",
    )
    accuracies = {state: (table["class"] == table[state]).mean() for state in ("clean", "ablated")}
    if run in configs.trained_runs(config):
        evaluated = files.read_json(results.path(f"{run}/evaluation/{Path(at).name}.json"))["test"][
            "accuracy"
        ]
        what = f"accuracy before is {accuracies['clean']}, after that epoch it was {evaluated}"
        yield np.isclose(accuracies["clean"], evaluated), name, what
    for state in accuracies:
        counts = tabulation.confusion(table, state, images.classes)
        results.same_table(f"{at}/ablation/confusion-{state}.csv", counts, index=True)
    results.same_table(f"{at}/ablation/class-pairs.csv", tabulation.class_pairs(table))
    results.same_table(f"{at}/ablation/flips.csv", tabulation.flips(table))
    results.same_table(
        f"{at}/ablation/first-images.csv", table.head(config["ablation"]["table_images"])
    )
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
        mode = {"mode": config["ablation"]["mode"]}
        yield from results.made_with(name, _attributes(file, tuple(mode)), mode)
        off = dict(zip(file["variant"].asstr()[:], file["filters"].asstr()[:], strict=True))
    network = checkpoints.load(results.path(_checkpoint_name(run, at))).network
    seed = configs.run_training(config, run)["seed"]
    controls = variants.draw_controls(network, chosen, config["ablation"]["random_controls"], seed)
    for variant, names in variants.parts_and_controls(chosen, controls).items():
        expected = " ".join(names)
        yield (
            off.get(variant) == expected,
            name,
            f"{variant} is without {off.get(variant)}, expected {expected}",
        )
    predicted = tabulation.read_variants(path, table, chosen, classes)
    results.same_table(
        f"{at}/ablation/accuracy.csv", tabulation.accuracies(predicted, table["class"])
    )
    by_class = tabulation.class_accuracies(predicted, table["class"], classes)
    results.same_table(f"{at}/ablation/class-accuracy.csv", by_class)


def _clean_confidence(results, config, at, predictions):
    """Two stages computed the probability of the true class without a window: one number."""
    window = config["occlusion"]["windows"][0]
    name = f"{at}/occlusion/window-{window}.h5"
    with hdf5.open_complete(results.path(name)) as file:
        images, labels, clean = file["image"][:], file["label"][:], file["clean_probability"][:]
    found, expected = (
        clean[np.arange(len(labels)), labels],
        predictions["clean_confidence"].to_numpy()[images],
    )
    if config["occlusion"]["precision"] == "fp32":
        yield (
            np.allclose(found, expected, atol=10 * TOLERANCE),
            name,
            "clean_probability differs from predictions.csv",
        )


def _figure_or_table(results, name):
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


def _hold_card(results: "Results", config: dict, wanted: dict) -> None:
    at = _selected(results, config, wanted["run"])
    whole, of_epoch = wanted["sources"]
    names = whole | {name: f"{at}/{path}" for name, path in of_epoch.items()}
    paths = {name: results.path(path) for name, path in names.items()}
    results.same_table("reproduction.csv", card.of_files(paths, wanted["settings"]))


def _page(results: "Results", settings: dict) -> Check:
    """The page must show what would be written now; only the versions may be those of its writing."""
    for name in settings["files"]:
        if Path(name).suffix in (".csv", ".h5", ".json"):
            results.path(name)
    for run in settings["trained"]:
        _records(results, settings["config"], run)
    name = "explorer.html"
    found, around = explorer.read(results.path(name))
    with np.errstate(invalid="ignore"):  # what is no number has been told
        expected = json.loads(json.dumps(explorer.collect(results.folder, settings)))
    for part in sorted((expected.keys() | found.keys()) - {"versions"}):
        yield (
            found.get(part) == expected.get(part),
            name,
            f"its {part} are not what its sources give",
        )
    yield around == explorer.page(settings["title"]), name, "has another title, style or script"
