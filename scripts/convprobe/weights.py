"""A checkpoint of weights that were trained elsewhere."""

import math

import torch

from convprobe import checkpoints
from convprobe.errors import InputError
from convprobe.network import RAW, Network

PREFIX = "module."  # of every name, where a network was trained by DataParallel
BATCHES = ".num_batches_tracked"  # what batch normalisation counts, and no probe uses


def read(path, settings, classes, side, measured, given=None):
    """A checkpoint of the weights in a file, of any float type.

    Args:
        path: a state dict, or a dict that holds one, as torch.save writes it; or a checkpoint of this workflow.
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
    values = checkpoints.load_tensors(
        path, "expected a state dict, as torch.save(network.state_dict(), path) writes it"
    )
    found = _state_dict(path, values)
    ours = values if values.keys() >= {"weights", "classes", "normalisation"} else {}
    normalisation = given or ours.get("normalisation", measured)
    mistakes = list(_other_origin(normalisation, ours.get("classes", list(classes)), list(classes)))
    network = Network(settings, len(classes), side, RAW if mistakes else normalisation)
    expected = network.state_dict()
    mistakes += _mistakes(found, expected)
    if mistakes:
        raise InputError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    weights = {name: tensor for name, tensor in found.items() if not name.endswith(BATCHES)}
    network.load_state_dict(expected | {name: tensor.to(expected[name].dtype) for name, tensor in weights.items()})
    return checkpoints.Checkpoint(network, settings, tuple(classes), side, normalisation, epoch=0)


def _state_dict(path, values):
    candidates = [("the file itself", values), *values.items()] if isinstance(values, dict) else []
    states = [(key, value) for key, value in candidates if _is_state_dict(value)]
    if len(states) != 1:
        places = f" ({', '.join(_shown(key) for key, _ in states)})" if states else ""
        raise InputError(f"{path}: holds {len(states)} state dicts{places}, expected one (names and tensors)")
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
    if not all(isinstance(three, list) and len(three) == 3 and all(map(_is_number, three)) for three in numbers):
        yield f"has the normalisation {_shown(normalisation)}, expected mean and std of three channels"


def _is_number(value):
    return isinstance(value, float) and math.isfinite(value)


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
