"""A checkpoint of weights that were trained elsewhere."""

import contextlib
import math
import re
import zipfile
from pathlib import Path

import torch

from convprobe.errors import InputError
from convprobe.network import checkpoints
from convprobe.network.layers import RAW, Network

PREFIX = "module."  # of every name, where a network was trained by DataParallel
BATCHES = ".num_batches_tracked"  # what batch normalisation counts, and no probe uses
RESIDUAL = re.compile(
    r"(^|\.)(layer\d+\.\d+\.conv\d|downsample|shortcut)\."
)  # usual names in a residual network
EXPECTED = "expected a state dict, as {} writes it"
PEEK = 2**20  # bytes that are searched for what a file holds

Weights = dict[str, torch.Tensor]


def read(path, settings, classes, side, measured, given=None):
    """A checkpoint of the weights in a file, of any float type.

    Args:
        path: a state dict, or a dict that holds one, as torch.save writes it; or a checkpoint of this workflow.
            Other names are taken for the network's where kinds, shapes and order of the weights are the same.
        settings: the config's `network`.
        classes: names, in the order of the network's outputs.
        side: of the images, in pixels.
        measured: `mean` and `std` per channel of the training images' pixels in [0, 1], used where
            neither the config nor the file tells what the weights were trained with.
        given: those of the config, or None.

    Raises:
        InputError: the file can't be read without executing what is in it, or its weights don't
            fit the network, each with what was found and what was expected.
    """
    _refuse_other_forms(Path(path))
    values = checkpoints.load_tensors(path, _advice(Path(path)))
    found = _state_dict(path, values)
    ours = values if values.keys() >= {"weights", "classes", "normalisation"} else {}
    normalisation = given or ours.get("normalisation", measured)
    mistakes = list(_other_origin(normalisation, ours.get("classes", list(classes)), list(classes)))
    network = Network(settings, len(classes), side, RAW if mistakes else normalisation)
    expected = network.state_dict()
    found = _renamed(found, expected)
    other = _other_network(found, expected)
    mistakes += [other] if other else _mistakes(found, expected)
    if mistakes:
        raise InputError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    weights = {name: tensor for name, tensor in found.items() if not name.endswith(BATCHES)}
    network.load_state_dict(
        expected | {name: tensor.to(expected[name].dtype) for name, tensor in weights.items()}
    )
    return checkpoints.Checkpoint(network, settings, tuple(classes), side, normalisation, epoch=0)


def _refuse_other_forms(path: Path) -> None:
    """Raise an InputError for a file that isn't one of torch.save."""
    start = _start(path)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        saved = EXPECTED.format("torch.save(safetensors.torch.load_file(path), other_path)")
        raise InputError(f"{path}: seems to be a safetensors file: {saved}")
    if any(name.endswith("/constants.pkl") for name in _entries(path)):
        saved = EXPECTED.format("torch.save(torch.jit.load(path).state_dict(), other_path)")
        raise InputError(f"{path}: seems to be a TorchScript archive, which holds code: {saved}")


def _advice(path: Path) -> str:
    """What to do if the file can't be read. What it pickles is searched as text, and not unpickled."""
    pickled = next((entry for entry in _entries(path) if entry.endswith("/data.pkl")), None)
    expected = EXPECTED.format("torch.save(network.state_dict(), path)")
    is_module = all(word in _start(path, pickled) for word in (b"_parameters", b"_modules"))
    return f"it seems to be a whole pickled module, {expected}" if is_module else expected


def _entries(path: Path) -> list[str]:
    """Names of the files in an archive; none where it is no archive, or damaged."""
    with contextlib.suppress(Exception), zipfile.ZipFile(path) as archive:
        return archive.namelist()
    return []


def _start(path: Path, entry: str | None = None) -> bytes:
    """The first bytes of a file, or of one in an archive; none where that is damaged."""
    if entry is None:
        with path.open("rb") as file:
            return file.read(PEEK)
    # What a damaged archive makes of its reader can be any error.
    with (
        contextlib.suppress(Exception),
        zipfile.ZipFile(path) as archive,
        archive.open(entry) as file,
    ):
        return file.read(PEEK)
    return b""


def _state_dict(path, values):
    candidates = [("the file itself", values), *values.items()] if isinstance(values, dict) else []
    states = [(key, value) for key, value in candidates if _is_state_dict(value)]
    if len(states) != 1:
        places = f" ({', '.join(_shown(key) for key, _ in states)})" if states else ""
        raise InputError(
            f"{path}: holds {len(states)} state dicts{places}, expected one (names and tensors)"
        )
    ((_, state),) = states
    prefix = PREFIX if all(name.startswith(PREFIX) for name in state) else ""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def _is_state_dict(value):
    return (
        isinstance(value, dict)
        and value
        and all(isinstance(name, str) and torch.is_tensor(tensor) for name, tensor in value.items())
    )


def _other_origin(normalisation, found, expected):
    """Yield a line where a checkpoint of this workflow is of other classes, or damaged."""
    if found != expected:
        yield f"has the classes {_shown(found)}, expected {_shown(expected)}"
    numbers = [normalisation.get(key) for key in RAW] if isinstance(normalisation, dict) else [None]
    if not all(
        isinstance(three, list) and len(three) == 3 and all(map(_is_number, three))
        for three in numbers
    ):
        yield f"has the normalisation {_shown(normalisation)}, expected mean and std of three channels"


def _is_number(value):
    return isinstance(value, float) and math.isfinite(value)


def _in_order(weights: Weights) -> list[tuple[str, str, tuple[int, ...]]]:
    """Name, kind (`weight` or `bias`) and shape of each, without what batch normalisation counts."""
    counted = ((name, tensor) for name, tensor in weights.items() if not name.endswith(BATCHES))
    return [(name, name.rpartition(".")[2], tuple(tensor.shape)) for name, tensor in counted]


def _renamed(found: Weights, expected: Weights) -> Weights:
    """Weights under the network's names, if their own differ and nothing else does; tells which became which."""
    pairs = list(zip(_in_order(found), _in_order(expected), strict=False))
    alike = len(_in_order(found)) == len(pairs) == len(_in_order(expected))
    alike = alike and all(theirs[1:] == ours[1:] for theirs, ours in pairs)
    clash = any(theirs[0] != ours[0] and theirs[0] in expected for theirs, ours in pairs)
    if not alike or clash or _is_residual(found):
        return found
    for (name, *_), (own, *_) in pairs:
        if name != own:
            print(f"{_shown(name)} is taken for {own}", flush=True)
    return {own: found[name] for (name, *_), (own, *_) in pairs}


def _is_residual(weights: Weights) -> bool:
    return any(map(RESIDUAL.search, weights))


def _other_network(found: Weights, expected: Weights) -> str | None:
    """A line if the weights are not those of the network with a mistake in them, but of another one."""
    theirs, ours = _in_order(found), _in_order(expected)
    if _is_residual(found):
        return f"seems to be a residual network ({_span(theirs)}), expected a plain one ({_span(ours)})"
    if found.keys() & expected.keys():
        return None
    what = f"seems to be another network ({_span(theirs)}), expected {_span(ours)}, or their shapes in their order"
    for (name, kind, shape), (own, own_kind, own_shape) in zip(theirs, ours, strict=False):
        if (kind, shape) != (own_kind, own_shape):
            return f"{what}: {_shown(name)} of shape {shape} stands in the place of {own} of shape {own_shape}"
    return what


def _span(weights: list[tuple[str, str, tuple[int, ...]]]) -> str:
    names = [_shown(name) for name, *_ in weights]
    return f"{len(names)} tensors, {names[0]} … {names[-1]}" if names else "no tensors"


def _mistakes(found, expected):
    """Yield a line for each weight that is missing, doesn't fit, or is unknown."""
    for name, wanted in expected.items():
        if name not in found and not name.endswith(BATCHES):
            yield f"{name} is missing, expected shape {tuple(wanted.shape)}"
        elif not name.endswith(BATCHES) and (mistake := _mistake(name, found[name], wanted)):
            yield f"{name} {mistake}"
    first, *_, last = expected
    for name in found:
        if name not in expected:
            shape = tuple(found[name].shape)
            yield f"{_shown(name)} of shape {shape} is unknown, expected only {first} … {last}"


def _mistake(name, tensor, wanted):
    """What is wrong with a tensor in place of a weight, or None."""
    if tensor.shape != wanted.shape:
        return f"has shape {tuple(tensor.shape)}, expected {tuple(wanted.shape)}"
    if not tensor.is_floating_point():
        return f"holds {tensor.dtype}, expected floating-point numbers"
    if tensor.layout != torch.strided or tensor.is_meta:
        return f"is stored as {tensor.layout} on {tensor.device}, expected plain numbers"
    if not tensor.to(wanted.dtype).isfinite().all():
        return f"holds values that are not finite in {wanted.dtype}"
    if name.endswith(".running_var") and (tensor.float() < 0).any():
        return "holds negative values, expected variances"
    return None


def _shown(value):
    """A value from the file on one line, without characters that would steer a terminal."""
    text = value if isinstance(value, str) and value.isprintable() else ascii(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
