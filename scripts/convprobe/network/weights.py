"""A checkpoint of weights that were trained elsewhere."""

import contextlib
import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convprobe.errors import InputError
from convprobe.network import chain, checkpoints, graphs, safetensors
from convprobe.network.checkpoints import Checkpoint
from convprobe.network.classifiers import Classifier, TracedNetwork
from convprobe.network.layers import Network
from convprobe.network.normalisation import RAW

PREFIX = "module."  # of every name, if the network was trained by DataParallel
BATCHES = ".num_batches_tracked"  # what batch normalisation counts, and no probe uses
# Usual names in a residual network.
RESIDUAL = re.compile(r"(^|\.)(layer\d+\.\d+\.conv\d|downsample|shortcut)\.")
EXPECTED = "expected a state dict, as {} writes it"
PEEK = 2**20  # bytes that are searched for what a file holds
OURS = {"weights", "classes", "normalisation"}  # keys of a checkpoint of this workflow
LONGEST_SHOWN = 200  # characters of a value in a message

Weights = dict[str, Tensor]


class NamedShape(NamedTuple):
    """One tensor of a state dict, as far as it tells what network it belongs to.

    Attributes:
        kind: the last part of its name, as `weight`, `bias` or `running_var`.
    """

    name: str
    kind: str
    shape: tuple[int, ...]

    def is_like(self, other: "NamedShape") -> bool:
        """Whether it can take the place of another one, whatever its name."""
        return (self.kind, self.shape) == (other.kind, other.shape)


def read(
    path: Path | str,
    settings: Mapping[str, Any],
    classes: Sequence[str],
    image_size: tuple[int, int],
    measured: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> Checkpoint:
    """A checkpoint of the weights in a file, of any float type.

    Args:
        path: a state dict, or a dict that holds one, as torch.save writes it; or a checkpoint of
            this workflow, of any version; or a safetensors file. The weights of a plain network may
            have other names than its own if their kinds, shapes and order are the same.
        settings: the config's `network`.
        classes: names, in the order of the network's outputs.
        image_size: height and width of the images, in pixels.
        measured: `mean` and `std` per channel of the training images' pixels in [0, 1], used if
            neither the config nor the file says what the weights were trained with.
        given: those of the config, or None.

    Raises:
        InputError: the file can't be read without executing what is in it, or its weights don't fit
            the network.
    """
    path = Path(path)
    _refuse_other_forms(path)
    values = _content(path)
    weights = _state_dict(path, values)
    ours = values if values.keys() >= OURS else {}
    normalisation = given or ours.get("normalisation", measured)
    mistakes = list(_other_origin(ours, normalisation, list(classes)))
    network = _network(settings, len(classes), image_size, RAW if mistakes else normalisation)
    expected = network.state_dict()
    weights = _without_prefix(weights, expected)
    if not graphs.is_traced(settings):
        weights = _renamed(weights, expected)
    mistakes += _mistakes(weights, expected, not graphs.is_traced(settings))
    mistakes = mistakes or list(_other_geometry(ours, settings))
    if mistakes:
        raise InputError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    network.load_state_dict(expected | _converted(weights, expected))
    return Checkpoint(network, settings, tuple(classes), image_size, normalisation, epoch=0)


def _network(
    settings: Mapping[str, Any],
    classes: int,
    image_size: tuple[int, int],
    normalisation: Mapping[str, Any],
) -> Classifier:
    if graphs.is_traced(settings):
        return TracedNetwork(settings, graphs.of(settings, image_size), normalisation)
    return Network(settings, classes, image_size, normalisation)


# What kind of file it is


def _refuse_other_forms(path: Path) -> None:
    """Raise an InputError for a file that holds code."""
    if any(name.endswith("/constants.pkl") for name in _entries(path)):
        saved = EXPECTED.format("torch.save(torch.jit.load(path).state_dict(), other_path)")
        raise InputError(f"{path}: seems to be a TorchScript archive, which holds code: {saved}")


def _content(path: Path) -> Any:
    """What a file holds, in one of the two forms."""
    if safetensors.is_one(_start(path), path.stat().st_size):
        return safetensors.read(path)
    return checkpoints.load_tensors(path, _advice(path))


def _advice(path: Path) -> str:
    """What to do if the file can't be read.

    What it pickles is searched as text, and not unpickled.
    """
    expected = EXPECTED.format("torch.save(network.state_dict(), path)")
    pickled = [entry for entry in _entries(path) if entry.endswith("/data.pkl")]
    start = _start(path, pickled[0] if pickled else None)
    if b"_parameters" in start and b"_modules" in start:
        return f"it seems to be a whole pickled module, {expected}"
    return expected


def _entries(path: Path) -> list[str]:
    """Names of the files in an archive; none if it is no archive, or damaged."""
    with contextlib.suppress(Exception), zipfile.ZipFile(path) as archive:
        return archive.namelist()
    return []


def _start(path: Path, entry: str | None = None) -> bytes:
    """The first bytes of a file, or of one in an archive; none if that is damaged."""
    if entry is None:
        with path.open("rb") as file:
            return file.read(PEEK)
    # The reader of archives may raise anything for a damaged one.
    with (
        contextlib.suppress(Exception),
        zipfile.ZipFile(path) as archive,
    ):
        if archive.getinfo(entry).compress_type == zipfile.ZIP_STORED:  # as PyTorch writes it
            with archive.open(entry) as file:
                return file.read(PEEK)
    return b""


def _state_dict(path: Path, values: Any) -> Weights:
    """The one state dict that a file is or holds."""
    candidates = {}
    if isinstance(values, dict):
        candidates = {"the file itself": values, **values}
    states = {key: value for key, value in candidates.items() if _is_state_dict(value)}
    if len(states) != 1:
        places = ", ".join(map(_shown, states))
        where = f" ({places})" if states else ""
        raise InputError(
            f"{path}: holds {len(states)} state dicts{where}, expected one (names and tensors)"
        )
    (state,) = states.values()
    return dict(state)


def _without_prefix(weights: Weights, expected: Weights) -> Weights:
    """The weights without DataParallel's prefix; a network's own names may begin so too."""
    has_prefix = all(name.startswith(PREFIX) for name in weights)
    if not has_prefix or weights.keys() & expected.keys():
        return weights
    return {name.removeprefix(PREFIX): tensor for name, tensor in weights.items()}


def _is_state_dict(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return all(isinstance(name, str) and torch.is_tensor(tensor) for name, tensor in value.items())


# What it was trained with


def _other_origin(ours: Mapping[str, Any], normalisation: Any, classes: list[str]) -> Iterator[str]:
    """Yield a line each if a checkpoint of this workflow is of other classes, or damaged."""
    found = ours.get("classes", classes)
    if found != classes:
        yield f"has the classes {_shown(found)}, expected {_shown(classes)}"
    if not _is_normalisation(normalisation):
        shown = _shown(normalisation)
        yield f"has the normalisation {shown}, expected mean and std of three channels"
    elif normalisation is ours.get("normalisation") and min(normalisation["std"]) <= 0:
        yield f"has the normalisation {_shown(normalisation)}, expected std above 0"


def _other_geometry(ours: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line each for what no shape tells of a checkpoint of this workflow, as strides."""
    network = ours.get("network")
    if graphs.is_traced(settings) or not isinstance(network, Mapping) or "conv" not in network:
        return
    try:
        theirs = chain.stages(network)
    except TypeError:  # not a form of this workflow's
        return
    for number, (their, own) in enumerate(zip(theirs, chain.stages(settings), strict=False), 1):
        for key, found, expected in zip(own._fields, their, own, strict=True):
            if type(found) is not type(expected) or found != expected:
                yield f"has conv{number} with {key} {_shown(found)}, expected {expected}"


def _is_normalisation(value: Any) -> bool:
    """Whether there are finite numbers for each channel."""
    if not isinstance(value, Mapping):
        return False
    return all(_is_per_channel(value.get(key)) for key in RAW)


def _is_per_channel(values: Any) -> bool:
    if not isinstance(values, list) or len(values) != 3:
        return False
    return all(isinstance(value, float) and math.isfinite(value) for value in values)


# Names


def _renamed(weights: Weights, expected: Weights) -> Weights:
    """Weights under the network's names, if nothing else differs; prints which became which."""
    theirs = _in_order(weights)
    ours = _in_order(expected)
    if not _differ_in_names_only(theirs, ours) or _is_residual(weights):
        return weights
    renamed = {}
    for their, own in zip(theirs, ours, strict=True):
        renamed[own.name] = weights[their.name]
        if their.name != own.name:
            print(f"{_shown(their.name)} is read as {own.name}", flush=True)
    return renamed


def _in_order(weights: Weights) -> list[NamedShape]:
    """The weights in their order, without what batch normalisation counts."""
    listed = []
    for name, tensor in weights.items():
        if not name.endswith(BATCHES):
            _, _, kind = name.rpartition(".")
            listed.append(NamedShape(name, kind, tuple(tensor.shape)))
    return listed


def _differ_in_names_only(theirs: list[NamedShape], ours: list[NamedShape]) -> bool:
    """Whether all are alike in order, and none has the name of another one."""
    if len(theirs) != len(ours):
        return False
    names = {own.name for own in ours}
    for their, own in zip(theirs, ours, strict=True):
        is_clash = their.name != own.name and their.name in names
        if is_clash or not their.is_like(own):
            return False
    return True


def _is_residual(weights: Weights) -> bool:
    return any(map(RESIDUAL.search, weights))


# Shapes and values


def _mistakes(weights: Weights, expected: Weights, is_plain: bool) -> list[str]:
    """Lines on what doesn't fit: one if it is another network, else one for each weight."""
    other = _other_network(weights, expected, is_plain)
    if other:
        return [other]
    return [*_missing_or_unfit(weights, expected), *_unknown(weights, expected)]


def _other_network(weights: Weights, expected: Weights, is_plain: bool) -> str | None:
    """A line if the weights are of another network, not of this one with a mistake in them."""
    theirs = _in_order(weights)
    ours = _in_order(expected)
    if is_plain and _is_residual(weights):
        return (
            f"seems to be a residual network ({_span(theirs)}), "
            f"expected a plain one ({_span(ours)})"
        )
    if weights.keys() & expected.keys():
        return None
    what = f"seems to be another network ({_span(theirs)}), expected {_span(ours)}"
    if not is_plain:
        return what
    what += ", or their shapes in their order"
    for their, own in zip(theirs, ours, strict=False):
        if not their.is_like(own):
            return (
                f"{what}: {_shown(their.name)} of shape {their.shape} stands in the place of "
                f"{own.name} of shape {own.shape}"
            )
    return what


def _span(weights: list[NamedShape]) -> str:
    if not weights:
        return "no tensors"
    first = _shown(weights[0].name)
    last = _shown(weights[-1].name)
    return f"{len(weights)} tensors, {first} … {last}"


def _missing_or_unfit(weights: Weights, expected: Weights) -> Iterator[str]:
    for own in _in_order(expected):
        if own.name not in weights:
            yield f"{own.name} is missing, expected shape {own.shape}"
            continue
        mistake = _mistake(own, weights[own.name], expected[own.name].dtype)
        if mistake:
            yield f"{own.name} {mistake}"


def _unknown(weights: Weights, expected: Weights) -> Iterator[str]:
    names = list(expected)
    known = f"{names[0]} … {names[-1]}"
    for name, tensor in weights.items():
        if name not in expected:
            shape = tuple(tensor.shape)
            yield f"{_shown(name)} of shape {shape} is unknown, expected only {known}"


def _mistake(own: NamedShape, tensor: Tensor, precision: torch.dtype) -> str | None:
    """What is wrong with a tensor in place of a weight, or None."""
    if tensor.shape != own.shape:
        return f"has shape {tuple(tensor.shape)}, expected {own.shape}"
    kind = _kind_of_numbers(precision)
    if _kind_of_numbers(tensor.dtype) != kind:
        return f"holds {tensor.dtype}, expected {kind} numbers"
    if tensor.layout != torch.strided or tensor.is_meta:
        return f"is stored as {tensor.layout} on {tensor.device}, expected plain numbers"
    if not tensor.to(precision).isfinite().all():
        return f"holds values that are not finite in {precision}"
    if own.kind == "running_var" and (tensor.float() < 0).any():
        return "holds negative values, expected variances"
    return None


def _kind_of_numbers(precision: torch.dtype) -> str:
    if precision.is_complex:
        return "complex"
    return "floating-point" if precision.is_floating_point else "whole"


def _converted(weights: Weights, expected: Weights) -> Weights:
    """The weights that the network uses, in its precision."""
    converted = {}
    for name, tensor in weights.items():
        if not name.endswith(BATCHES):
            converted[name] = tensor.to(expected[name].dtype)
    return converted


def _shown(value: Any) -> str:
    """A value from the file on one line, without characters that would steer a terminal."""
    text = value if isinstance(value, str) and value.isprintable() else ascii(value)
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{text[:LONGEST_SHOWN]}…"
