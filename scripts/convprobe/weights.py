"""A checkpoint of weights that were trained elsewhere."""

import torch

from convprobe import checkpoints
from convprobe.errors import InputError
from convprobe.network import Network

PREFIX = "module."  # of every name, where a network was trained by DataParallel


def read(path, settings, classes, side, normalisation):
    """A checkpoint of the weights in a file, of any float type.

    Args:
        path: a state dict, or a dict that holds one, as torch.save writes it.
        settings: the config's `network`.
        classes: names, in the order of the network's outputs.
        side: of the images, in pixels.
        normalisation: `mean` and `std` per channel of pixels in [0, 1].

    Raises:
        InputError: the file can't be read without executing what is in it, or its weights don't
            fit the network, each with what was found and what was expected.
    """
    network = Network(settings, len(classes), side, normalisation)
    found, expected = _state_dict(path), network.state_dict()
    mistakes = list(_mistakes(found, expected))
    if mistakes:
        raise InputError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    # Batch normalisation counts its batches, which no probe uses.
    network.load_state_dict(expected | {name: tensor.to(expected[name].dtype) for name, tensor in found.items()})
    return checkpoints.Checkpoint(network, settings, tuple(classes), side, normalisation, epoch=0)


def _state_dict(path):
    values = checkpoints.load_tensors(
        path, "expected a state dict, as torch.save(network.state_dict(), path) writes it"
    )
    candidates = [values, *values.values()] if isinstance(values, dict) else []
    states = [value for value in candidates if _is_state_dict(value)]
    if len(states) != 1:
        raise InputError(f"{path}: holds {len(states)} state dicts, expected one (names and tensors)")
    names = states[0]
    return {name.removeprefix(PREFIX) if all(key.startswith(PREFIX) for key in names) else name: tensor
            for name, tensor in names.items()}  # fmt: skip


def _is_state_dict(value):
    return (
        isinstance(value, dict)
        and value
        and all(isinstance(name, str) and torch.is_tensor(tensor) for name, tensor in value.items())
    )


def _mistakes(found, expected):
    """Yield a line for each weight that is missing, unknown, of another shape, or no finite number."""
    for name, wanted in expected.items():
        shape = tuple(wanted.shape)
        if name.endswith(".num_batches_tracked"):
            continue
        if name not in found:
            yield f"{name} is missing, expected shape {shape}"
        elif found[name].shape != wanted.shape:
            yield f"{name} has shape {tuple(found[name].shape)}, expected {shape}"
        elif not found[name].is_floating_point():
            yield f"{name} holds {found[name].dtype}, expected floating-point numbers"
        elif not found[name].isfinite().all():
            yield f"{name} holds values that are not finite"
    for name in found.keys() - expected.keys():
        yield f"{name} is unknown, expected only {', '.join(expected)}"
