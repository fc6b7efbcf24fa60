"""The config: every mistake found and reported in one line, defaults filled in."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from convprobe.dataset import image_sizes, kinds, listing
from convprobe.dataset.kinds import ReadLabels, ReadSizes
from convprobe.errors import InputError
from convprobe.network import graphs
from convprobe.network.filter_layers import split_name
from convprobe.plan import form, meaning, mistakes, study, traced_networks
from convprobe.plan.mistakes import Mistake
from convprobe.plan.reading import chosen_network, from_arguments, merged, plain, read

# Makes the file of a network's graph, as `traced_networks.describe`.
Describe = Callable[[Mapping[str, Any], tuple[int, int]], str]
LAYERS = ("conv", "fc", "dropout")  # keys of network, where no factory makes it
USED_BY_POLICY = {"fixed": "epoch", "best": "split"}  # keys of selection


def checked(
    config: Any,
    schema_path: Path | str,
    files: Iterable[Path | str] = (),
    arguments: Iterable[str] = (),
    read_labels: ReadLabels = listing.labels,
    read_sizes: ReadSizes = image_sizes.read,
    describe: Describe = traced_networks.describe,
) -> dict:
    """The config with its defaults, and with what is found out for it.

    That is, of a network that a factory makes, `graph`, its file; and of a user's own images that
    are taken as they are, `image_size`, their height and width.

    Args:
        config: as Snakemake merged it from the config files and the command line.
        schema_path: JSON schema of the config.
        files: the config files in the order of merging; a mistake is reported for the last of them
            that holds its key.
        arguments: of --config, as `KEY=VALUE`; they are merged over the files.
        read_labels: gives the classes of a user's own images, as `listing.labels` does.
        read_sizes: gives their sizes, as `image_sizes.read` does.
        describe: makes the file of a graph, as `traced_networks.describe` does.

    Raises:
        InputError: all mistakes, one line each.
    """
    config = plain(config)
    command_line = from_arguments(arguments)
    if command_line:
        # Snakemake has merged them already, but with every number inside a value as text.
        config = merged(config, command_line)
    sources = _sources(files, command_line)
    return _checked(config, schema_path, sources, read_labels, read_sizes, describe)


def imported(
    config: Any,
    base: Path | str,
    source: str,
    schema_path: Path | str,
    read_labels: ReadLabels = listing.labels,
    read_sizes: ReadSizes = image_sizes.read,
    describe: Describe = traced_networks.describe,
) -> dict:
    """The config of a workflow that another one imports, with its defaults.

    Args:
        config: as the importer gives it.
        base: the config file that it is merged over.
        source: what a mistake in `config` is reported for.
        schema_path, read_labels, read_sizes, describe: as for `checked`.

    Raises:
        InputError: all mistakes, one line each.
    """
    given = plain(config)
    sources = [(str(base), read(base)), (source, given)]
    return _checked(
        merged(read(base), given), schema_path, sources, read_labels, read_sizes, describe
    )


def _checked(
    config: Any,
    schema_path: Path | str,
    sources: list[tuple[str, Mapping]],
    read_labels: ReadLabels,
    read_sizes: ReadSizes,
    describe: Describe,
) -> dict:
    schema = json.loads(Path(schema_path).read_text(encoding="utf-8"))
    found = []
    if isinstance(config, dict):
        config = config | chosen_network(content for _, content in sources)
        found = list(_two_networks(config))
    found = found or form.check(config, schema)
    if not found:
        config = form.canonical(form.with_defaults(config, schema), schema)
        read_sizes = functools.cache(read_sizes)
        _add_image_size(config, read_sizes)
        if graphs.is_traced(config["network"]):
            found = list(_add_graph(config, sources, describe))
            _leave_out_filters(config, sources)
        found += meaning.check(config, read_labels, read_sizes)
        found = found or list(_missing_size(config))
    if found:
        raise InputError(mistakes.lines(found, sources))
    return study.expanded(_without_what_changes_nothing(config))


def _two_networks(config: dict) -> Iterator[Mistake]:
    """Yield a mistake if one file gives a factory and layers."""
    network = config.get("network")
    if not isinstance(network, dict) or "factory" not in network:
        return
    for key in LAYERS:
        if key in network:
            found = f"network has a factory, and {key}"
            yield Mistake(("network", key), f"{found}: expected one of the two")


def _add_image_size(config: dict, read_sizes: ReadSizes) -> None:
    """Put the size of images that are taken as they are into the config, if it is known."""
    dataset = config["dataset"]
    kind = kinds.of(dataset)
    if any(kind.mistakes(dataset)):
        return  # as where all of the working folder would be read
    with contextlib.suppress(InputError):  # `meaning` reports it
        sizes = kind.sizes_found(dataset, read_sizes)
        if len(sizes) == 1:
            ((height, width, _),) = sizes
            config["image_size"] = [height, width]


def _missing_size(config: dict) -> Iterator[Mistake]:
    """Yield a mistake if a factory's network could not be traced for want of an image's size."""
    if graphs.is_traced(config["network"]) and study.image_size(config) is None:
        found = "dataset.image_size is missing, and none of the images can be read"
        expected = "expected the size of the images that network.factory is made for"
        yield Mistake(("dataset", "image_size"), f"{found}: {expected}")


def _add_graph(
    config: dict, sources: list[tuple[str, Mapping]], describe: Describe
) -> Iterator[Mistake]:
    """Put the path of the graph's file into the config, and yield what keeps it from being made."""
    network = config["network"]
    network["arguments"] = dict(sorted(network["arguments"].items()))
    key = ("network", "factory")
    folder = Path(mistakes.origin(key, sources)).parent
    try:
        network["factory"] = traced_networks.located(network["factory"], folder)
    except InputError as error:
        yield mistakes.at(key, str(error))
        return
    image_size = study.image_size(config)
    if image_size is None:
        return
    try:
        network["graph"] = describe(network, image_size)
    except InputError as error:
        yield Mistake(key, str(error))


def _leave_out_filters(config: dict, sources: list[tuple[str, Mapping]]) -> None:
    """Choose no filters where a network has none, and only earlier files chose some.

    Those are filters of the network that the factory takes the place of.
    """
    if "graph" not in config["network"] or study.filter_channels(config):
        return
    chosen_in = mistakes.last_holder(("filters", "chosen"), sources)
    if chosen_in < mistakes.last_holder(("network", "factory"), sources):
        config["filters"]["chosen"] = []


def _sources(files: Iterable[Path | str], command_line: dict) -> list[tuple[str, Mapping]]:
    """Name and content of everything that the config was merged from."""
    sources = [(str(file), read(file)) for file in files]
    if command_line:
        sources.append(("--config", command_line))
    return sources


def _without_what_changes_nothing(config: dict) -> dict:
    """Lists that are meant as sets in one order, and of the selection what its policy uses.

    Of the size of square images one number, and of the first images how many.
    """
    size = config["dataset"].get("image_size")
    if isinstance(size, list) and len(set(size)) == 1:
        config["dataset"]["image_size"] = size[0]
    config["occlusion"]["windows"].sort()
    images = config["occlusion"]["images"]
    if isinstance(images, list) and images == list(range(len(images))):
        config["occlusion"]["images"] = len(images)
    layers = list(study.filter_channels(config))
    config["filters"]["chosen"].sort(key=lambda name: _place(name, layers))
    for run in config["runs"].values():
        if "seeds" in run:
            run["seeds"].sort()
    policy = config["selection"]["policy"]
    used = USED_BY_POLICY[policy]
    config["selection"] = {"policy": policy, used: config["selection"][used]}
    return config


def _place(filter_name: str, layers: list[str]) -> tuple[int, int]:
    """`conv2/400` as (1, 400), where conv2 is the second layer."""
    layer, channel = split_name(filter_name)
    return layers.index(layer), channel
