"""What a checked config says about the study: its runs and epochs, its images, its page."""

import copy
import functools
from pathlib import Path

from convprobe.dataset import kinds, listing, splits
from convprobe.dataset.kinds import ReadLabels
from convprobe.network import filter_layers, graphs
from convprobe.network.filter_layers import FilterLayer
from convprobe.network.graph import Graph
from convprobe.network.normalisation import RAW
from convprobe.plan.reading import merged

WEIGHTS_KEYS = ("weights", "normalisation")  # of a run that isn't trained here
WITHOUT_FILTERS = "without a layer whose filters have maps (height and width)"
SHARD_IMAGES = 200  # occluded images per job and file; from this many on, there are several jobs


def results(config: dict) -> str:
    """The folder of all files that an experiment writes, but its logs."""
    return f"results/{config['experiment']}"


def epoch_number(epoch: int) -> str:
    """An epoch as in the names of files."""
    return f"{epoch:02d}"


def epoch_name(epoch: int) -> str:
    """The name of a probed epoch's folder."""
    return f"epoch-{epoch_number(epoch)}"


# Runs of several seeds


def expanded(config: dict) -> dict:
    """A config with a plain run for each seed of a run that has `seeds`, and no such run.

    The runs of several seeds are kept, as they were given, under `groups`: only what compares seeds
    asks for them. All else knows plain runs, so that another seed changes nothing for the first.
    """
    groups = {name: run for name, run in config["runs"].items() if "seeds" in run}
    if not groups:
        return config
    found = {**config, "groups": groups, "runs": {}}
    for name, run in config["runs"].items():
        if name not in groups:
            found["runs"][name] = run
            continue
        common = {key: value for key, value in run.items() if key != "seeds"}
        for seed in run["seeds"]:
            found["runs"][seed_run(name, seed)] = {**common, "seed": seed}
    for key in ("studied", "compared"):
        found[key] = [entry for given in config[key] for entry in _of_seeds(given, groups)]
    return found


def _of_seeds(entry: str, groups: dict) -> list[str]:
    """An entry of `studied` or `compared`, for each seed of its run."""
    run, slash, epoch = entry.partition("/")
    if run not in groups:
        return [entry]
    return [seed_run(run, seed) + slash + epoch for seed in groups[run]["seeds"]]


def seed_run(group: str, seed: int) -> str:
    """Name of the run of one seed."""
    return f"{group}-seed-{seed}"


def group_runs(config: dict) -> dict[str, list[str]]:
    """The runs that differ in their seed alone, by the name that the config gives them all.

    Only of those that are built.
    """
    built = built_runs(config)
    by_group = {}
    for group, run in config.get("groups", {}).items():
        runs = [seed_run(group, seed) for seed in run["seeds"]]
        if runs[0] in built:
            by_group[group] = runs
    return by_group


def seeds(config: dict, group: str) -> dict[str, int]:
    """The seeds that a run is trained with, by the names of their runs."""
    return {run: config["runs"][run]["seed"] for run in group_runs(config)[group]}


def same_but_for_seed(config: dict, run: str) -> list[str]:
    """A run, and those of the other seeds that are given with its own."""
    for runs in group_runs(config).values():
        if run in runs:
            return runs
    return [run]


def given_name(config: dict, run: str) -> str:
    """The name of a run in the config files: of one of several seeds, that of all."""
    for group, runs in group_runs(config).items():
        if run in runs:
            return group
    return run


# Runs and epochs


def studied_runs(config: dict) -> list[str]:
    """Names of the runs that are probed."""
    named = [run_and_epoch(entry)[0] for entry in config["studied"]]
    return list(dict.fromkeys(named))


def built_runs(config: dict) -> list[str]:
    """Names of the runs that are trained, or have weights: the studied and the compared ones."""
    return list(dict.fromkeys([*studied_runs(config), *config["compared"]]))


def trained_runs(config: dict) -> list[str]:
    """Names of the runs that are trained here."""
    return [run for run in built_runs(config) if "weights" not in config["runs"][run]]


def studied_epochs(config: dict, run: str) -> list[int]:
    """The epochs of a run that are probed beside the selected one, in order."""
    epochs = set()
    for entry in config["studied"]:
        name, epoch = run_and_epoch(entry)
        if name == run and epoch:
            epochs.add(epoch)
    return sorted(epochs)


def run_and_epoch(entry: str) -> tuple[str, int | None]:
    """`normalised/epoch-05` as (normalised, 5), `normalised` as (normalised, None)."""
    run, _, epoch = entry.partition("/epoch-")
    return run, int(epoch) if epoch else None


def run_training(config: dict, run: str) -> dict:
    """The `training` settings of one run: the common ones with what the run overrides."""
    override = dict(config["runs"][run])
    for key in WEIGHTS_KEYS:
        override.pop(key, None)
    return merged(config["training"], override)


def epoch_settings(config: dict, run: str) -> dict:
    """What changes the weights after an epoch of a run.

    The number of epochs does so only if the learning rate decays over the run.
    """
    settings = run_training(config, run)
    del settings["keep_optimizer"]
    if settings["schedule"] == "constant":
        del settings["epochs"]
    return settings


def discarded_states(config: dict, run: str) -> list[int]:
    """The epochs of a run whose optimizer state doesn't stay on the disk, in order."""
    settings = run_training(config, run)
    kept = settings["keep_optimizer"]
    if kept == "all":
        return []
    if kept == "last":
        kept = [settings["epochs"]]
    return [epoch for epoch in range(1, settings["epochs"] + 1) if epoch not in kept]


def given_normalisation(config: dict, run: str) -> dict | None:
    """The normalisation of a run with weights, as the config gives it.

    None if it gives none: then it is that in the file of weights, or that of the images.
    """
    if run_training(config, run)["normalise"]:
        return config["runs"][run].get("normalisation")
    return RAW


# Images


def source(config: dict) -> str | None:
    """The file or folder that the data set is read from; None where its date says nothing.

    Snakemake takes a path as it is written, and warns of two slashes or a dot that say nothing.
    """
    dataset = config["dataset"]
    path = kinds.of(dataset).source(dataset["path"])
    return path and Path(path).as_posix()


def image_size(config: dict) -> tuple[int, int] | None:
    """Height and width of the images in pixels, or None where they can't be known yet.

    A user's own images that are taken as they are say it themselves: the config keeps that under
    `image_size`.
    """
    dataset = config["dataset"]
    size = kinds.of(dataset).size_of_images(dataset) or config.get("image_size")
    if size is None:
        return None
    height, width = size
    return height, width


def split_sizes(config: dict, read_labels: ReadLabels = listing.labels) -> dict[str, int]:
    """How many images are trained on, tested on and, if any are, held out."""
    dataset = config["dataset"]
    available = kinds.of(dataset).counts(dataset, read_labels)
    sizes = {}
    for split, (start, stop) in splits.ranges(dataset, available).items():
        sizes[split] = stop - start
    return sizes


# The network


def filter_channels(config: dict) -> dict[str, int]:
    """How many filters each convolution has, by its name, the first one first."""
    network = config["network"]
    if graphs.is_traced(network):
        return {name: layer.channels for name, layer in _traced_layers(network["graph"]).items()}
    channels = [conv["channels"] for conv in network["conv"]]
    return {f"conv{number}": count for number, count in enumerate(channels, start=1)}


def has_filters(config: dict) -> bool:
    """Whether there are filters to probe and to switch off.

    A factory's network may have no layer whose filters have maps: then it is only occluded.
    """
    return bool(config["filters"]["chosen"])


@functools.cache
def _traced_layers(path: str) -> dict[str, FilterLayer]:
    """The layers in the file of a graph, which is named by its content."""
    return filter_layers.of_graph(traced_graph(path))


@functools.cache
def traced_graph(path: str) -> Graph:
    """The graph in a file that is named by its content."""
    return graphs.read(path)


# The page


def shown(config: dict) -> dict:
    """The config as a page shows it: only runs that are built, and nothing of the user's disk."""
    visible = copy.deepcopy(config)
    runs = visible["runs"] | visible.pop("groups", {})
    names = [given_name(config, run) for run in built_runs(config)]
    visible["runs"] = {name: runs[name] for name in names}
    for key in ("studied", "compared"):
        entries = [entry.partition("/") for entry in config[key]]
        given = [given_name(config, run) + slash + epoch for run, slash, epoch in entries]
        visible[key] = list(dict.fromkeys(given))
    visible.pop("image_size", None)  # found, not given
    del visible["dataset"]["path"]
    if not has_filters(config):
        del visible["filters"], visible["ablation"]
    if graphs.is_traced(visible.get("network", {})):
        visible["network"]["factory"] = Path(visible["network"]["factory"]).name
        del visible["network"]["graph"]
    for settings in (visible["training"], *visible["runs"].values()):
        settings.pop("keep_optimizer", None)
        if "weights" in settings:
            settings["weights"] = Path(settings["weights"]).name
    return visible


def with_probes(page: dict, places: list[str], probes: list[str]) -> dict:
    """The settings of the page of a whole experiment.

    Args:
        page: those that don't depend on which epochs are probed.
        places: folders of the probed epochs, relative to the experiment's.
        probes: names of the files in each of them.
    """
    names = [f"{place}/{name}" for place in places for name in probes]
    return {**page, "probes": places, "files": [*page["files"], *names]}
