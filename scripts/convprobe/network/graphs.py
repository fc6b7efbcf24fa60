"""The graph of the network that a config describes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convprobe.errors import InputError, short_reason
from convprobe.network import chain
from convprobe.network.graph import Graph

UNKNOWN = 1  # classes, where their number doesn't matter


def is_traced(network: Mapping[str, Any]) -> bool:
    """Whether a network is made by a factory, and not of the config's own layers."""
    return "factory" in network


def is_path(source: str) -> bool:
    """Whether a factory's source is the path of a file, and not the name of a module."""
    return source.endswith(".py")


def of(network: Mapping[str, Any], image_size: tuple[int, int], classes: int = UNKNOWN) -> Graph:
    """The graph of a network.

    Args:
        network: the config's `network`; with a factory, `graph` is the path of the graph's file.
        image_size: height and width in pixels.
        classes: number of outputs; that of a factory is its own.

    Raises:
        InputError: a layer shrinks the map below 1×1, or the graph's file can't be read.
    """
    if is_traced(network):
        return read(network["graph"])
    return chain.graph(network, image_size, classes)


def read(path: Path | str) -> Graph:
    """Read the file of a graph.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        return Graph.from_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: is no graph of a network ({short_reason(error)}): delete it, and run "
            "Snakemake again"
        ) from error
