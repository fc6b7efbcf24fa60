"""Whether a config makes sense: keys held against each other, and against what is on the disk."""

import re
import stat
from collections.abc import Iterator, Mapping
from os.path import realpath
from pathlib import Path

from convprobe.dataset import kinds
from convprobe.dataset.kinds import ReadLabels, ReadSizes
from convprobe.errors import InputError
from convprobe.network import chain, graphs, variant_names
from convprobe.network.filter_layers import split_name
from convprobe.plan import mistakes, study
from convprobe.plan.mistakes import Mistake

SHOWN_LAYERS = 4  # of a long list, before its last one
# Of a layer, so that files can be named after it.
LAYER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
OF_ANY_RUN = ("normalise", "seed")  # keys that a run with weights may have too


def check(config: dict, read_labels: ReadLabels, read_sizes: ReadSizes) -> Iterator[Mistake]:
    """The mistakes of a config that has the right form, and its defaults."""
    yield from _paths(config)
    yield from _names(config)
    yield from _dataset(config, read_labels, read_sizes)
    yield from _studied(config)
    yield from _compared(config)
    yield from _weights(config)
    yield from _seeds(config)
    yield from _kept_states(config)
    yield from _selection(config)
    yield from _network(config)
    yield from _windows(config)
    yield from _filters(config)


def _paths(config: dict) -> Iterator[Mistake]:
    paths = {("dataset", "path"): config["dataset"]["path"]}
    for name, run in config["runs"].items():
        if "weights" in run:
            paths["runs", name, "weights"] = run["weights"]
    for key, path in paths.items():
        if "{" in path or "}" in path:
            found = f"is {path}, but braces are Snakemake's wildcards"
            yield mistakes.at(key, f"{found}: expected a path without them")
        # Read when the run begins: what the same run writes there, it would see a run too late.
        # Unlike Path.resolve, realpath takes a circle of links as it is.
        if Path(realpath(path)).is_relative_to(realpath(study.results(config))):
            found = f"is {path}, which this experiment writes itself"
            yield mistakes.at(key, f"{found}: expected a path outside {study.results(config)}")


def _names(config: dict) -> Iterator[Mistake]:
    """Names of runs are names of folders, and some file systems don't tell A from a."""
    names = list(config["runs"])
    for name, run in config["runs"].items():
        names += [study.seed_run(name, seed) for seed in run.get("seeds", [])]
    seen = {}
    for name in sorted(names):
        other = seen.setdefault(name.lower(), name)
        if other != name:
            found = "differ in nothing but capital letters, and so would their folders"
            yield Mistake(("runs",), f"runs {other} and {name} {found}: expected another name")


def _dataset(config: dict, read_labels: ReadLabels, read_sizes: ReadSizes) -> Iterator[Mistake]:
    dataset = config["dataset"]
    kind = kinds.of(dataset)
    found = list(kind.mistakes(dataset))
    if kind.downloaded and not found and not _can_be_downloaded(study.source(config)):
        words = f"is {dataset['path']}: no folder can be made there, expected {kind.path_about}"
        found = [("path", words)]
    for key, words in found:
        yield mistakes.at(("dataset", key), words)
    if found and not kind.sizes:
        return  # the images can't be counted
    try:
        available = kind.counts(dataset, read_labels)
        of_sizes = list(kind.size_mistakes(dataset, read_sizes))
    except InputError as error:
        yield mistakes.at(("dataset", "path"), f"is {error}")
        return
    for key, words in of_sizes:
        yield mistakes.at(("dataset", key), words)
    yield from _wanted_images(config, available)
    yield from _probed_images(config, available)
    yield from _classes(config, read_labels)


def _can_be_downloaded(source: str) -> bool:
    """Whether a file is there, or its folder, or nothing that is in the way of one."""
    if kinds.is_file(source) or kinds.is_folder(source):
        return True
    for folder in Path(source).parents:
        try:
            return stat.S_ISDIR(folder.stat().st_mode)
        except FileNotFoundError:
            if folder.is_symlink():
                return False
        except OSError:  # a file above it, a circle of links, a long name, or no right to enter
            return False
    return True


def _classes(config: dict, read_labels: ReadLabels) -> Iterator[Mistake]:
    """Hold the classes that are given against the folders, and their number against the network."""
    dataset = config["dataset"]
    kind = kinds.of(dataset)
    labels = kind.labels(dataset, read_labels)
    if labels and "classes" in dataset:
        unknown = sorted(set(labels["train"]) - set(dataset["classes"]))
        if unknown:
            found = f"has no {unknown[0]}, but {kind.holder(dataset)} has such a folder"
            yield mistakes.at(("dataset", "classes"), f"{found}: expected the names of all classes")
            return
    network = config["network"]
    if "graph" in network:
        outputs = study.traced_graph(network["graph"]).classes
        count = kind.classes(dataset, read_labels)
        if outputs != count:
            found = f"give a network of {outputs} outputs, but the data set has {count} classes"
            expected = "expected as many"
            if kind.class_count is None:
                expected += ", or their names in dataset.classes"
            yield mistakes.at(("network", "arguments"), f"{found}: {expected}")


def _wanted(dataset: dict, available: Mapping[str, int], split: str) -> int:
    """How many images of a split are asked for."""
    wanted = dataset[f"{split}_images"]
    return available[split] if wanted == "all" else wanted


def _wanted_images(config: dict, available: Mapping[str, int]) -> Iterator[Mistake]:
    dataset = config["dataset"]
    for split, count in available.items():
        wanted = _wanted(dataset, available, split)
        if wanted > count:
            holder = kinds.of(dataset).holder(dataset)
            key = ("dataset", f"{split}_images")
            yield mistakes.at(key, f"is {wanted}, but {holder} has {count}")
    trained = _wanted(dataset, available, "train")
    held_out = dataset["validation_images"]
    if held_out >= trained:
        found = f"is {held_out}, held out of {trained} training images"
        key = ("dataset", "validation_images")
        yield mistakes.at(key, f"{found}: that leaves nothing to train on")


def _probed_images(config: dict, available: Mapping[str, int]) -> Iterator[Mistake]:
    tested = _wanted(config["dataset"], available, "test")
    occluded = config["occlusion"]["images"]
    listed = config["ablation"]["table_images"]
    if isinstance(occluded, int) and occluded > tested:
        key = ("occlusion", "images")
        yield mistakes.at(key, f"is {occluded}, but {tested} images are tested")
    if listed > tested and study.has_filters(config):
        key = ("ablation", "table_images")
        yield mistakes.at(key, f"is {listed}, but {tested} images are tested")
    if isinstance(occluded, list):
        for index, image in enumerate(occluded):
            if image >= tested:
                key = ("occlusion", "images", index)
                yield mistakes.at(key, f"is {image}, but the test images are 0 to {tested - 1}")


def _studied(config: dict) -> Iterator[Mistake]:
    for index, entry in enumerate(config["studied"]):
        key = ("studied", index)
        run, epoch = study.run_and_epoch(entry)
        if run not in config["runs"]:
            yield _unknown_run(config, key, entry)
        elif epoch and "weights" in config["runs"][run]:
            found = f"is {entry}, but run {run} has weights in place of training"
            yield mistakes.at(key, f"{found}: expected {run}")
        elif epoch:
            last = study.run_training(config, run)["epochs"]
            if epoch > last:
                yield mistakes.at(key, f"is {entry}, but run {run} ends at epoch {last}")


def _compared(config: dict) -> Iterator[Mistake]:
    for index, run in enumerate(config["compared"]):
        key = ("compared", index)
        if run not in config["runs"]:
            yield _unknown_run(config, key, run)
        elif "weights" in config["runs"][run]:
            found = f"is {run}, but run {run} has weights in place of training"
            expected = f"a run that is trained here, or {run} in studied"
            yield mistakes.at(key, f"{found}: expected {expected}")
    for run in sorted(set(study.studied_runs(config)) & set(config["compared"])):
        found = f"holds {run}, which is studied"
        yield mistakes.at(("compared",), f"{found}: expected each run in one list")


def _unknown_run(config: dict, key: mistakes.Key, entry: str) -> Mistake:
    known = ", ".join(config["runs"])
    return mistakes.at(key, f"is {entry}, expected a run named in runs: {known}")


def _weights(config: dict) -> Iterator[Mistake]:
    for key in (*study.WEIGHTS_KEYS, "seeds"):
        if key in config["training"]:
            expected = f"expected it in a run: runs.NAME.{key}"
            yield mistakes.at(("training", key), f"is given for all runs, {expected}")
    for name, run in config["runs"].items():
        if "weights" in run:
            yield from _run_with_weights(name, run)
        elif "normalisation" in run:
            key = ("runs", name, "normalisation")
            expected = "a run that is trained here uses that of its images"
            yield mistakes.at(key, f"is given without weights: {expected}")


def _run_with_weights(name: str, run: dict) -> Iterator[Mistake]:
    if not kinds.is_file(run["weights"]):
        found = f"is {run['weights']}: no file is there"
        expected = "expected a .pth or .safetensors with a state dict"
        yield mistakes.at(("runs", name, "weights"), f"{found}, {expected}")
    allowed = (*study.WEIGHTS_KEYS, *OF_ANY_RUN)
    for key in sorted(set(run) - set(allowed)):
        found = "is about training, but the run has weights"
        expected = f"{', '.join(allowed[:-1])} and {allowed[-1]}"
        yield mistakes.at(("runs", name, key), f"{found}: expected only {expected}")
    if "normalisation" in run and run.get("normalise") is False:
        found = f"runs.{name} has a normalisation, and normalise: false"
        yield Mistake(("runs", name, "normalise"), f"{found}: expected one of the two")


def _seeds(config: dict) -> Iterator[Mistake]:
    for name, run in config["runs"].items():
        if "seeds" not in run or "weights" in run:
            continue
        if "seed" in run:
            found = f"runs.{name} has a seed, and seeds"
            yield Mistake(("runs", name, "seeds"), f"{found}: expected one of the two")
        for index, seed in enumerate(run["seeds"]):
            of_seed = study.seed_run(name, seed)
            if of_seed in config["runs"]:
                key = ("runs", name, "seeds", index)
                found = f"is {seed}, which gives a run {of_seed}, but runs has one of that name"
                yield mistakes.at(key, f"{found}: expected another name of one of the two")


def _kept_states(config: dict) -> Iterator[Mistake]:
    lists = {}
    ends = {}  # the last epoch of all runs that a list is for
    for run, given in config["runs"].items():
        if "weights" in given:
            continue
        settings = study.run_training(config, run)
        section = ("runs", run) if "keep_optimizer" in given else ("training",)
        lists[section] = settings["keep_optimizer"]
        ends[section] = max(settings["epochs"], ends.get(section, 0))
    for section, kept in lists.items():
        for index, epoch in enumerate(kept if isinstance(kept, list) else []):
            if epoch > ends[section]:
                found = f"is {epoch}, but training ends at epoch {ends[section]}"
                yield mistakes.at((*section, "keep_optimizer", index), found)


def _selection(config: dict) -> Iterator[Mistake]:
    if config["selection"]["policy"] == "best":
        yield from _best_epoch(config)
    else:
        yield from _fixed_epoch(config)


def _best_epoch(config: dict) -> Iterator[Mistake]:
    on_validation = config["selection"]["split"] == "validation"
    if on_validation and not config["dataset"]["validation_images"]:
        found = "is validation, but dataset.validation_images is 0"
        expected = "expected some to be held out, or split: test"
        yield mistakes.at(("selection", "split"), f"{found}: {expected}")


def _fixed_epoch(config: dict) -> Iterator[Mistake]:
    epoch = config["selection"]["epoch"]
    for run in study.built_runs(config):
        if run not in config["runs"] or "weights" in config["runs"][run]:
            continue
        last = study.run_training(config, run)["epochs"]
        if epoch > last:
            found = f"is {epoch}, but run {run} ends at epoch {last}"
            yield mistakes.at(("selection", "epoch"), found)


def _network(config: dict) -> Iterator[Mistake]:
    network = config["network"]
    if graphs.is_traced(network):
        return
    for index, stage in enumerate(chain.stages(network)):
        if stage.padding >= stage.kernel:
            key = ("network", "conv", index, "padding")
            expected = f"expected less than the kernel, which is {stage.kernel}"
            yield mistakes.at(key, f"is {stage.padding}, {expected}")
    image_size = study.image_size(config)
    if image_size is None:
        return
    try:
        graphs.of(network, image_size)
    except InputError as error:
        yield Mistake(("network", "conv"), str(error))


def _windows(config: dict) -> Iterator[Mistake]:
    size = study.image_size(config)
    images = f"the images are {size[1]}×{size[0]} pixels" if size else ""
    for index, window in enumerate(config["occlusion"]["windows"]):
        key = ("occlusion", "windows", index)
        if window % 2 == 0:
            expected = "a window is centred on a pixel: give an odd side (3, 5, 7 …)"
            yield mistakes.at(key, f"is {window}, but {expected}")
        elif size and window > min(size):
            yield mistakes.at(key, f"is {window}, but {images}")
    stride = config["occlusion"]["stride"]
    if size and stride > min(size):
        found = f"is {stride}, but {images}"
        yield mistakes.at(("occlusion", "stride"), f"{found}: expected 1 to {min(size)}")


def _filters(config: dict) -> Iterator[Mistake]:
    network = config["network"]
    if graphs.is_traced(network) and "graph" not in network:
        return  # it could not be made
    key = ("filters", "chosen")
    chosen = config["filters"]["chosen"]
    channels = study.filter_channels(config)
    if not channels:
        if chosen:
            without = f"{network['factory']} makes a network {study.WITHOUT_FILTERS}"
            found = f"is {mistakes.shown(chosen)}, but {without}"
            yield mistakes.at(key, f"{found}: expected []")
        return
    if not chosen:
        yield mistakes.at(key, "is [], expected a list of filters as in conv2/400, each once")
    for layer in channels:
        if not LAYER.fullmatch(layer):
            found = f"network.factory: {network['factory']} has a layer {mistakes.shown(layer)}"
            expected = "expected names of letters, digits, ., - and _, for files are named so"
            yield Mistake(("network", "factory"), f"{found}: {expected}")
        elif variant_names.is_taken(layer):
            found = f"network.factory: {network['factory']} has a layer {layer}"
            expected = "expected another name, for a variant of the ablation is called so"
            yield Mistake(("network", "factory"), f"{found}: {expected}")
    for index, name in enumerate(chosen):
        layer, channel = split_name(name)
        if layer not in channels:
            found = f"is {name}, but {_no_such_layer(network, layer, channels)}"
            yield mistakes.at((*key, index), found)
        elif channel >= channels[layer]:
            last = channels[layer] - 1
            found = f"is {name}, but {layer} has channels 0 to {last}"
            yield mistakes.at((*key, index), found)


def _no_such_layer(network: Mapping, layer: str, channels: Mapping[str, int]) -> str:
    """What the network has in place of a layer with filters."""
    listed = _listed(list(channels))
    if graphs.is_traced(network):
        graph = study.traced_graph(network["graph"])
        paths = [node.layer for node in graph.nodes.values()] + list(graph.weights)
        if any(f"{path}.".startswith(f"{layer}.") for path in paths):
            return f"{layer} is no convolution: the layers with filters are {listed}"
        return f"the layers with filters are {listed}"
    return f"the network's layers are {listed}"


def _listed(names: list[str]) -> str:
    """Names in a row; of many the first ones and the last one."""
    if len(names) <= SHOWN_LAYERS + 2:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN_LAYERS])} … {names[-1]} ({len(names)})"
