"""The config: every mistake found and reported in one line, defaults filled in."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from convprobe.dataset import listing
from convprobe.dataset.kinds import ReadLabels
from convprobe.errors import InputError
from convprobe.network.receptive_field import split_name
from convprobe.plan import form, meaning, mistakes, study
from convprobe.plan.reading import from_arguments, merged, plain, read

USED_BY_POLICY = {"fixed": "epoch", "best": "split"}  # keys of selection


def checked(
    config: Any,
    schema_path: Path | str,
    files: Iterable[Path | str] = (),
    arguments: Iterable[str] = (),
    read_labels: ReadLabels = listing.labels,
) -> dict:
    """The config with its defaults.

    Args:
        config: as Snakemake merged it from the config files and the command line.
        schema_path: JSON schema of the config.
        files: the config files in the order of merging; a mistake is reported for the last of them
            that holds its key.
        arguments: of --config, as `KEY=VALUE`; they are merged over the files.
        read_labels: gives the classes of a user's own images, as `listing.labels` does.

    Raises:
        InputError: all mistakes, one line each.
    """
    config = plain(config)
    command_line = from_arguments(arguments)
    if command_line:
        # Snakemake has merged them already, but with every number inside a value as text.
        config = merged(config, command_line)
    return _checked(config, schema_path, _sources(files, command_line), read_labels)


def imported(
    config: Any,
    base: Path | str,
    source: str,
    schema_path: Path | str,
    read_labels: ReadLabels = listing.labels,
) -> dict:
    """The config of a workflow that another one imports, with its defaults.

    Args:
        config: as the importer gives it.
        base: the config file that it is merged over.
        source: what a mistake in `config` is reported for.
        schema_path, read_labels: as for `checked`.

    Raises:
        InputError: all mistakes, one line each.
    """
    given = plain(config)
    sources = [(str(base), read(base)), (source, given)]
    return _checked(merged(read(base), given), schema_path, sources, read_labels)


def _checked(
    config: Any,
    schema_path: Path | str,
    sources: list[tuple[str, Mapping]],
    read_labels: ReadLabels,
) -> dict:
    schema = json.loads(Path(schema_path).read_text(encoding="utf-8"))
    found = form.check(config, schema)
    if not found:
        config = form.canonical(form.with_defaults(config, schema), schema)
        found = list(meaning.check(config, read_labels))
    if found:
        raise InputError(mistakes.lines(found, sources))
    return study.expanded(_without_what_changes_nothing(config))


def _sources(files: Iterable[Path | str], command_line: dict) -> list[tuple[str, Mapping]]:
    """Name and content of everything that the config was merged from."""
    sources = [(str(file), read(file)) for file in files]
    if command_line:
        sources.append(("--config", command_line))
    return sources


def _without_what_changes_nothing(config: dict) -> dict:
    """Lists that are meant as sets in one order, and of the selection what its policy uses."""
    config["occlusion"]["windows"].sort()
    config["filters"]["chosen"].sort(key=_place)
    for run in config["runs"].values():
        if "seeds" in run:
            run["seeds"].sort()
    policy = config["selection"]["policy"]
    used = USED_BY_POLICY[policy]
    config["selection"] = {"policy": policy, used: config["selection"][used]}
    return config


def _place(filter_name: str) -> tuple[int, int]:
    """`conv2/400` as (2, 400)."""
    layer, channel = split_name(filter_name)
    return int(layer.removeprefix("conv")), channel
