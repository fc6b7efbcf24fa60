"""Config files and --config, read as plain mappings, and merged."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from convprobe.errors import InputError
from convprobe.plan import mistakes

MOST_LEVELS = 20  # of nested lists and mappings; the config's own keys need 4
TOO_DEEP = f"more than {MOST_LEVELS} levels of lists and mappings, expected the documented keys"
NOT_YAML = (yaml.YAMLError, ValueError)  # the latter of a date like 2026-13-45
TAG = "tag:yaml.org,2002:"
OCTAL_OR_BASE_60 = re.compile("[-+]?0[0-9_]+|.*:.*")  # whole numbers that YAML 1.1 reads otherwise


class Loader(yaml.SafeLoader):
    """As `yaml.safe_load`, but what would be lost or read as something else is a mistake."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if key.tag in (f"{TAG}bool", f"{TAG}null", f"{TAG}timestamp"):
                raise _mistake(key, "is no text for YAML: write it in quotes")
            if isinstance(key, yaml.ScalarNode) and key.tag != f"{TAG}merge":
                if key.value in seen:
                    raise _mistake(key, "is given twice")
                seen.add(key.value)
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        number = super().construct_yaml_int(node)
        if OCTAL_OR_BASE_60.fullmatch(node.value):
            raise _mistake(node, f"is {number} for YAML: write {number}, or a text in quotes")
        return number


Loader.add_constructor(f"{TAG}int", Loader.construct_yaml_int)


def _mistake(node: yaml.Node, words: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=f"{node.value} {words}", problem_mark=node.start_mark)


def read(path: Path | str) -> dict:
    """The mapping in a config file.

    Raises:
        InputError: it can't be read, or is not UTF-8, not YAML or not a mapping.
    """
    value = _parsed(path)
    if isinstance(value, Mapping):
        return plain(value)
    found = "nothing" if value is None else mistakes.shown(plain(value))
    raise InputError(f"{path} holds {found}, expected keys and values, as in experiment: mine")


def _parsed(path: Path | str) -> object:
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"{path}: line {line} is not UTF-8: save the file in that encoding"
        raise InputError(message) from error
    except RecursionError as error:
        raise InputError(f"{path}: {TOO_DEEP}") from error
    except NOT_YAML as error:
        message = f"{path}: not YAML: {_yaml_mistake(error)}"
        raise InputError(mistakes.printable(message)) from error


def _yaml_mistake(error: Exception) -> str:
    """What is wrong, and in which line."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark else ""
    return place + (getattr(error, "problem", None) or str(error))


def from_arguments(arguments: Iterable[str]) -> dict:
    """What --config KEY=VALUE says on the command line, each value read as in a config file.

    Raises:
        InputError: a value is not YAML.
    """
    config = {}
    for argument in arguments:
        key, _, text = argument.partition("=")
        try:
            value = yaml.load(text, Loader)
        except RecursionError as error:
            raise InputError(f"--config {key}: {TOO_DEEP}") from error
        except NOT_YAML as error:
            expected = "expected KEY=VALUE as in occlusion={images: 3}"
            line = f"--config: {argument} is not YAML, {expected}"
            raise InputError(mistakes.printable(line)) from error
        config = merged(config, {key: plain(value)})
    return config


def plain(value: object, levels: int = MOST_LEVELS) -> object:
    """A copy made of dicts, lists and scalars only: Snakemake and YAML also make other types.

    Raises:
        InputError: more levels of lists and mappings than any config has.
    """
    if levels < 0:
        raise InputError(f"config: {TOO_DEEP}")
    if isinstance(value, Mapping):
        return {str(key): plain(below, levels - 1) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [plain(below, levels - 1) for below in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def chosen_network(contents: Iterable[Mapping]) -> dict:
    """The `network` of configs merged in their order, if any has a factory; else nothing.

    A config that gives a factory takes the place of all before it, and one that gives convolutions
    that of a factory.
    """
    network = {}
    has_factory = False
    for content in contents:
        given = content.get("network")
        if isinstance(given, dict):
            is_another = "factory" in given or ("conv" in given and "factory" in network)
            network = given if is_another else merged(network, given)
            has_factory = has_factory or "factory" in given
    return {"network": network} if has_factory else {}


def merged(base: dict, override: dict) -> dict:
    """Two mappings merged key by key; anything else is taken whole from `override`."""
    both = dict(base)
    for key, value in override.items():
        below = both.get(key)
        mappings = isinstance(value, dict) and isinstance(below, dict)
        both[key] = merged(below, value) if mappings else value
    return both
