"""The config: defaults filled in, every mistake found and told in a line of its own."""

import copy
import difflib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import jsonschema
import yaml

from convprobe.dataset import listing
from convprobe.errors import InputError
from convprobe.network import receptive_field

WEIGHTS_KEYS = ("weights", "normalisation")  # of a run that isn't trained here
USED_BY_POLICY = {"fixed": "epoch", "best": "split"}  # keys of selection
RAW = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}  # leaves pixels in [0, 1] as they are
MOST_LEVELS = 20  # of lists and mappings in one another; the config's own keys need 4
SHARD_IMAGES = 200  # occluded images a job and file, from which on there are several
# Known before the data set is read; a folder of images may be of any size.
IMAGE_SIDE = {"cifar10": 32, "shapes": 32}
PUBLISHED_SIZES = {"cifar10": {"train": 50_000, "test": 10_000}}

Mistake = tuple[tuple, str]  # the path of a key, and what is told of it


def checked(
    config: Mapping,
    schema_path: Path | str,
    files: Iterable[Path | str] = (),
    arguments: Iterable[str] = (),
    read_labels: Callable[..., dict] = listing.labels,
) -> dict:
    """The config with its defaults.

    Args:
        config: as Snakemake merged it from the config files and the command line.
        schema_path: JSON schema of the config.
        files: the config files in the order of merging; a mistake is told with the last of them
            that holds its key.
        arguments: of --config, as `KEY=VALUE`; they are merged over the files.
        read_labels: gives the classes of a user's own images, as `listing.labels` does.

    Raises:
        InputError: all mistakes, one line each.
    """
    schema = json.loads(Path(schema_path).read_text(encoding="utf-8"))
    config = _plain(config)
    command_line = _from_arguments(arguments)
    if command_line:
        # Snakemake has merged them already, but with every number inside a value as a text.
        config = merged(config, command_line)
    mistakes = [
        mistake for error in _errors(schema, config) for mistake in _schema_mistakes(error, schema)
    ]
    if not mistakes:
        config = canonical(with_defaults(config, schema), schema)
        mistakes = list(_cross_checks(config, read_labels))
    if mistakes:
        contents = [(str(file), read(file)) for file in files]
        contents += [("--config", command_line)] if command_line else []
        lines = [f"{_origin(path, contents)}: {line}" for path, line in mistakes]
        raise InputError("\n".join(map(_printable, lines)))
    # Sets, written as lists: in whatever order they are given, the same files come out.
    config["occlusion"]["windows"].sort()
    config["filters"]["chosen"].sort(key=_place)
    # What the policy doesn't use changes nothing.
    policy = config["selection"]["policy"]
    config["selection"] = {
        key: config["selection"][key] for key in ("policy", USED_BY_POLICY[policy])
    }
    return config


def read(path: Path | str) -> dict:
    """The mapping in a config file.

    Raises:
        InputError: it can't be read, or is not UTF-8, not YAML or not a mapping.
    """
    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line} is not UTF-8: save the file in that encoding"
        ) from error
    except _NOT_YAML as error:
        raise InputError(_printable(f"{path}: not YAML: {_yaml_mistake(error)}")) from error
    if not isinstance(value, Mapping):
        found = "nothing" if value is None else _shown(_plain(value))
        raise InputError(f"{path} holds {found}, expected keys and values, as in experiment: mine")
    return _plain(value)


_NOT_YAML = (yaml.YAMLError, ValueError)  # the latter of a date like 2026-13-45


def _yaml_mistake(error: Exception) -> str:
    """What is wrong, and in which line."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark else ""
    return place + (getattr(error, "problem", None) or str(error))


def _from_arguments(arguments: Iterable[str]) -> dict:
    """What the command line says by --config KEY=VALUE, each value read as in a config file."""
    found = {}
    for argument in arguments:
        key, _, text = argument.partition("=")
        try:
            value = yaml.safe_load(text)
        except _NOT_YAML as error:
            line = f"--config: {argument} is not YAML, expected KEY=VALUE as in occlusion={{images: 3}}"
            raise InputError(_printable(line)) from error
        found = merged(found, {key: _plain(value)})
    return found


def _printable(line):
    """A line without line breaks and characters that would steer a terminal."""
    return "".join(
        letter if letter.isprintable() else f"\\x{ord(letter):02x}"
        for letter in " ".join(line.splitlines())
    )


def _place(name):
    """`conv2/400` as (2, 400)."""
    layer, channel = name.split("/")
    return int(layer.removeprefix("conv")), int(channel)


def _plain(value, levels=MOST_LEVELS):
    """A copy of mappings, lists and plain values: Snakemake and YAML also make other types."""
    if levels < 0:
        raise InputError(
            f"config: more than {MOST_LEVELS} levels of lists and mappings, expected the documented keys"
        )
    if isinstance(value, Mapping):
        return {str(key): _plain(below, levels - 1) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below, levels - 1) for below in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def with_defaults(value, schema, root=None):
    """A copy of a value in which the keys that are missing have the schema's defaults."""
    root = root or schema
    schema = _resolved(schema, root)
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(item, schema["items"], root) for item in value]
    if not isinstance(value, dict):
        return copy.deepcopy(value)
    filled = dict(value)
    for key, below in schema.get("properties", {}).items():
        below = _resolved(below, root)
        if key not in filled and "default" in below:
            filled[key] = below["default"]
        if key in filled:
            filled[key] = with_defaults(filled[key], below, root)
    return filled


def canonical(value, schema, root=None):
    """A copy of a value written as any equal one would be, so that only a change of meaning is one.

    Mappings have their keys in the schema's order, and a whole number is a float where the schema
    allows any number: Snakemake compares the texts of the two.
    """
    root = root or schema
    schema = _resolved(schema, root)
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        keys = [key for key in known if key in value] + [key for key in value if key not in known]
        return {key: canonical(value[key], known.get(key, other), root) for key in keys}
    if isinstance(value, list) and "items" in schema:
        return [canonical(item, schema["items"], root) for item in value]
    return float(value) if schema.get("type") == "number" else value


def run_training(config, run):
    """The `training` settings of one run: the common ones with what the run overrides."""
    override = {key: value for key, value in config["runs"][run].items() if key not in WEIGHTS_KEYS}
    return merged(config["training"], override)


def epoch_settings(config: dict, run: str) -> dict:
    """What changes the weights after an epoch of a run: the number of epochs does so only through a schedule."""
    settings = run_training(config, run)
    if settings["schedule"] == "constant":
        del settings["epochs"]
    return settings


def given_normalisation(config: dict, run: str) -> dict | None:
    """What the config says of the normalisation of a run with weights; None for that of the weights or the images."""
    return (
        config["runs"][run].get("normalisation") if run_training(config, run)["normalise"] else RAW
    )


def with_probes(page: dict, places: list[str], probes: list[str]) -> dict:
    """The settings of the page of a whole experiment.

    Args:
        page: those that don't depend on which epochs are probed.
        places: folders of the probed epochs, relative to the experiment's.
        probes: names of the files in each of them.
    """
    names = [f"{place}/{name}" for place in places for name in probes]
    return {**page, "probes": places, "files": [*page["files"], *names]}


def merged(base: dict, override: dict) -> dict:
    """Two mappings merged key by key; anything else is taken whole from `override`."""
    both = dict(base)
    for key, value in override.items():
        mappings = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if mappings else value
    return both


def shown(config):
    """The config as a page shows it: without runs that are not built, and without where a user's files lie."""
    shown = copy.deepcopy(config)
    shown["runs"] = {run: shown["runs"][run] for run in built_runs(config)}
    del shown["dataset"]["path"]
    for run in shown["runs"].values():
        if "weights" in run:
            run["weights"] = Path(run["weights"]).name
    return shown


def built_runs(config):
    """Names of the runs that are trained, or have weights: the studied and the compared ones."""
    return list(dict.fromkeys([*studied_runs(config), *config["compared"]]))


def trained_runs(config):
    """Names of those that are trained here."""
    return [run for run in built_runs(config) if "weights" not in config["runs"][run]]


def studied_runs(config):
    """Names of the runs that are probed."""
    return list(dict.fromkeys(_run_and_epoch(entry)[0] for entry in config["studied"]))


def studied_epochs(config, run):
    """The epochs of a run that are probed beside the selected one, in order."""
    named = [_run_and_epoch(entry) for entry in config["studied"]]
    return sorted({epoch for name, epoch in named if name == run and epoch})


def _run_and_epoch(entry):
    """`normalised/epoch-05` as (normalised, 5), `normalised` as (normalised, None)."""
    run, _, epoch = entry.partition("/epoch-")
    return run, int(epoch) if epoch else None


def _resolved(schema, root):
    reference = schema.get("$ref")
    return root["$defs"][reference.rsplit("/", 1)[1]] | schema if reference else schema


# Mistakes of form, found by the schema


# JSON takes 3.0 for a whole number, YAML knows .nan and .inf: none of them is meant here.
_TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda types, value: (
            types.is_type(value, "integer") or (isinstance(value, float) and math.isfinite(value))
        ),
    }
)
_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=_TYPES)


def _errors(schema, config):
    validator = _Validator(schema)
    return sorted(
        validator.iter_errors(config), key=lambda error: [str(part) for part in error.absolute_path]
    )


def _schema_mistakes(error, root):
    """Yield path and line of what the schema found."""
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        for unknown in sorted(set(error.instance) - set(error.schema["properties"])):
            key = (*path, unknown)
            yield key, f"{_key(key)}: unknown key, {_expected_keys(unknown, error.schema)}"
    elif error.validator == "required":
        # One error a key: jsonschema tells which one in its message only.
        missing = next(key for key in error.validator_value if error.message.startswith(repr(key)))
        description = _resolved(error.schema, root)["properties"][missing]["description"]
        yield path, f"{_key((*path, missing))} is missing, expected: {description}"
    elif "propertyNames" in error.absolute_schema_path:
        yield (
            path,
            f"{_key(path)} has the key {_shown(error.instance)}, expected {_expected(error.schema)}",
        )
    else:
        yield (
            path,
            f"{_key(path)} is {_shown(error.instance)}, expected {_expected(error.schema)}{_hint(error)}",
        )


def _expected_keys(unknown, schema):
    known = list(schema["properties"])
    close = difflib.get_close_matches(unknown, known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"


def _shown(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _expected(schema):
    """What a schema asks for, in words; its own `x-expected` where the words are hard to find."""
    if "x-expected" in schema:
        return schema["x-expected"]
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    names = {
        "integer": "a whole number", "number": "a number", "string": "a text", "boolean": "true or false",
        "array": "a list", "object": "a mapping of keys to values",
    }  # fmt: skip
    bounds = {
        "minimum": "of at least", "maximum": "of at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below",
    }  # fmt: skip
    limits = [f"{words} {schema[key]}" for key, words in bounds.items() if key in schema]
    return f"{names[schema['type']]} {' and '.join(limits)}".rstrip()


def _hint(error):
    """YAML 1.1 takes `1e-3` for a text: a number needs a dot, `1.0e-3`."""
    if error.validator != "type" or not isinstance(error.instance, str):
        return ""
    try:
        number = float(error.instance)
        number = int(number) if number.is_integer() else number
    except (ValueError, OverflowError):
        return ""
    if not _TYPES.is_type(number, error.validator_value):
        return ""
    # As YAML writes it: Python's 1e-05 would be a text again.
    return f" (YAML reads {error.instance} as text: write {yaml.safe_dump(number).split()[0]})"


def _key(path):
    """`("occlusion", "windows", 1)` as `occlusion.windows[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the config"


def _origin(path: tuple, contents: list[tuple[str, dict]]) -> str:
    """The last of the config files and --config that holds the longest part of a key's path.

    Of the whole config, where a key is missing, the first one: the others say only what differs.
    """
    if contents and not path:
        return contents[0][0]
    best, depth = "config", 0
    for file, value in contents:
        found = 0
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                break
            found += 1
        if found >= max(depth, 1):
            best, depth = file, found
    return best


# Mistakes of meaning, found by comparing keys


def _cross_checks(config: dict, read_labels: Callable[..., dict]) -> Iterator[Mistake]:
    yield from _check_paths(config)
    mistakes = list(_check_dataset(config))
    yield from mistakes
    if not mistakes or config["dataset"]["name"] in PUBLISHED_SIZES:
        try:
            yield from _check_counts(config, available_images(config["dataset"], read_labels))
        except InputError as error:
            yield ("dataset", "path"), f"dataset.path is {error}"
    for check in (_check_runs, _check_selection, _check_network, _check_occlusion, _check_filters):
        yield from check(config)


def _check_dataset(config):
    dataset = config["dataset"]
    name = dataset["name"]
    for key in ("train_images", "test_images"):
        if name == "shapes" and dataset[key] == "all":
            yield ("dataset", key), f"dataset.{key} is all, but shapes are drawn: expected how many"
    for key in ("image_size", "split"):
        if key in dataset and name != "image-folder":
            yield (
                ("dataset", key),
                f"dataset.{key} is given, but {name} is as it is: expected it for an image-folder",
            )
    if name != "shapes" and not dataset_is_there(dataset):
        found = f"dataset.path is {dataset['path']}: nothing is there"
        yield ("dataset", "path"), f"{found}, expected a folder, .tar.gz or .zip of images"
    elif name == "image-folder" and Path.cwd().is_relative_to(Path(dataset["path"]).resolve()):
        found = f"dataset.path is {dataset['path']}, where results are written too"
        yield ("dataset", "path"), f"{found}: expected a folder of images alone"


def _check_counts(config: dict, available: dict[str, int]) -> Iterator[Mistake]:
    """Hold the numbers of images that are asked for against those that there are."""
    dataset, wanted = config["dataset"], {}  # of each split
    for split, count in available.items():
        key = f"{split}_images"
        wanted[split] = count if dataset[key] == "all" else dataset[key]
        if wanted[split] > count:
            holder = dataset["path"] if dataset["name"] == "image-folder" else dataset["name"]
            yield ("dataset", key), f"dataset.{key} is {wanted[split]}, but {holder} has {count}"
    held_out, tested = dataset["validation_images"], wanted["test"]
    if held_out >= wanted["train"]:
        found = f"dataset.validation_images is {held_out}, held out of {wanted['train']} training images"
        yield ("dataset", "validation_images"), f"{found}: that leaves nothing to train on"
    for section, key in (("occlusion", "images"), ("ablation", "table_images")):
        images = config[section][key]
        if isinstance(images, int) and images > tested:
            yield (section, key), f"{section}.{key} is {images}, but {tested} images are tested"
    images = config["occlusion"]["images"]
    for index, image in enumerate(images if isinstance(images, list) else []):
        if image >= tested:
            key = ("occlusion", "images", index)
            yield key, f"{_key(key)} is {image}, but the test images are 0 to {tested - 1}"


def available_images(
    dataset: dict, read_labels: Callable[..., dict] = listing.labels
) -> dict[str, int]:
    """How many images a data set has for `train` and `test`; of shapes, as many as are drawn."""
    if dataset["name"] == "image-folder":
        return {
            split: len(found)
            for split, found in read_labels(dataset["path"], **dataset.get("split", {})).items()
        }
    return PUBLISHED_SIZES.get(dataset["name"]) or {
        split: dataset[f"{split}_images"] for split in listing.SPLITS
    }


def split_sizes(config: dict, read_labels: Callable[..., dict] = listing.labels) -> dict[str, int]:
    """How many images are trained on, tested and, if any are, held out."""
    ranges = listing.ranges(config["dataset"], available_images(config["dataset"], read_labels))
    return {split: stop - start for split, (start, stop) in ranges.items()}


def image_side(config):
    """Side of the images in pixels, or None where only the data set itself can tell."""
    return config["dataset"].get("image_size", IMAGE_SIDE.get(config["dataset"]["name"]))


def dataset_is_there(dataset):
    """Whether a data set lies at its path, or can be downloaded to it."""
    path = Path(dataset["path"])
    try:
        # Not a device or a pipe, which may have no end.
        return (
            path.is_dir()
            or path.is_file()
            or (dataset["name"] == "cifar10" and path.suffix != ".gz")
        )
    except (OSError, ValueError):  # a name that is too long, a folder that may not be entered
        return False


def _check_paths(config):
    places = {("dataset", "path"): config["dataset"]["path"]}
    places |= {
        ("runs", name, "weights"): run["weights"]
        for name, run in config["runs"].items()
        if "weights" in run
    }
    for key, path in places.items():
        if "{" in path or "}" in path:
            yield (
                key,
                f"{_key(key)} is {path}, but braces are Snakemake's wildcards: expected a path without them",
            )


def _check_runs(config):
    known = ", ".join(config["runs"])
    for role in ("studied", "compared"):
        for index, entry in enumerate(config[role]):
            run, epoch = _run_and_epoch(entry) if role == "studied" else (entry, None)
            what = f"{role}[{index}] is {entry}"
            if run not in config["runs"]:
                yield (role, index), f"{what}, expected a run named in runs: {known}"
            elif "weights" in config["runs"][run] and (epoch or role == "compared"):
                expected = (
                    f"a run that is trained here, or {run} in studied"
                    if role == "compared"
                    else run
                )
                yield (
                    (role, index),
                    f"{what}, but run {run} has weights in place of training: expected {expected}",
                )
            elif epoch and epoch > run_training(config, run)["epochs"]:
                epochs = run_training(config, run)["epochs"]
                yield (role, index), f"{what}, but run {run} ends at epoch {epochs}"
    studied = {_run_and_epoch(entry)[0] for entry in config["studied"]}
    for run in sorted(studied & set(config["compared"])):
        yield (
            ("compared",),
            f"compared holds {run}, which is studied: expected each run in one list",
        )
    yield from _check_weights(config)


def _check_weights(config):
    for key in WEIGHTS_KEYS:
        if key in config["training"]:
            yield (
                ("training", key),
                f"training.{key} is given for all runs, expected it in a run: runs.NAME.{key}",
            )
    for name, run in config["runs"].items():
        if "weights" not in run:
            if "normalisation" in run:
                found = f"runs.{name}.normalisation is given without weights"
                yield (
                    ("runs", name, "normalisation"),
                    f"{found}: a run that is trained here uses that of its images",
                )
            continue
        if not _is_file(run["weights"]):
            found = f"runs.{name}.weights is {run['weights']}: no file is there"
            yield ("runs", name, "weights"), f"{found}, expected a .pth with a state dict"
        for key in sorted(set(run) - {*WEIGHTS_KEYS, "normalise", "seed"}):
            found = f"runs.{name}.{key} is about training, but the run has weights"
            yield (
                ("runs", name, key),
                f"{found}: expected only {', '.join(WEIGHTS_KEYS)}, normalise and seed",
            )
        if "normalisation" in run and run.get("normalise") is False:
            found = f"runs.{name} has a normalisation, and normalise: false"
            yield ("runs", name, "normalise"), f"{found}: expected one of the two"


def _is_file(path):
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name that is too long, a folder that may not be entered
        return False


def _check_selection(config):
    selection = config["selection"]
    if selection["policy"] == "best":
        if selection["split"] == "validation" and not config["dataset"]["validation_images"]:
            found = "selection.split is validation, but dataset.validation_images is 0"
            yield ("selection", "split"), f"{found}: expected some to be held out, or split: test"
        return
    for run in filter(config["runs"].__contains__, built_runs(config)):
        if "weights" in config["runs"][run]:
            continue
        epochs = run_training(config, run)["epochs"]
        if selection["epoch"] > epochs:
            yield (
                ("selection", "epoch"),
                f"selection.epoch is {selection['epoch']}, but run {run} ends at epoch {epochs}",
            )


def _check_network(config):
    for index, stage in enumerate(receptive_field.stages(config["network"])):
        if stage.padding >= stage.kernel:
            key = ("network", "conv", index, "padding")
            yield (
                key,
                f"{_key(key)} is {stage.padding}, expected less than the kernel, which is {stage.kernel}",
            )
    side = image_side(config)
    if side is not None:
        try:
            receptive_field.pooled_sides(config["network"], side)
        except InputError as error:
            yield ("network", "conv"), str(error)


def _check_occlusion(config):
    side = image_side(config)
    for index, window in enumerate(config["occlusion"]["windows"]):
        key = ("occlusion", "windows", index)
        if window % 2 == 0:
            yield (
                key,
                f"{_key(key)} is {window}, but a window is centred on a pixel: give an odd side (3, 5, 7 …)",
            )
        elif side is not None and window > side:
            yield key, f"{_key(key)} is {window}, but the images are {side}×{side} pixels"


def _check_filters(config):
    layers = {
        f"conv{n}": conv["channels"] for n, conv in enumerate(config["network"]["conv"], start=1)
    }
    for index, name in enumerate(config["filters"]["chosen"]):
        key = ("filters", "chosen", index)
        layer, channel = name.split("/")
        if layer not in layers:
            yield key, f"{_key(key)} is {name}, but the network's layers are {', '.join(layers)}"
        elif int(channel) >= layers[layer]:
            yield key, f"{_key(key)} is {name}, but {layer} has channels 0 to {layers[layer] - 1}"
