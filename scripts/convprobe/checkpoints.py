"""A network's weights and all that is needed to use them again.

Format: a dict of plain values and tensors, read with `weights_only=True`: `weights` (state dict,
`conv1.weight` … `fc3.bias`, float32), `network`, `classes`, `side`, `normalisation`, `epoch`.
"""

import pickle
from dataclasses import dataclass

import torch

from convprobe import files
from convprobe.errors import InputError
from convprobe.network import Network


@dataclass
class Checkpoint:
    """A network with its class names and the number of epochs that it was trained for."""

    network: Network
    settings: dict
    classes: tuple[str, ...]
    side: int
    normalisation: dict
    epoch: int


def save(path, checkpoint):
    """Write a checkpoint."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.network.state_dict().items()}
    values = {
        "weights": weights,
        "network": checkpoint.settings,
        "classes": list(checkpoint.classes),
        "side": checkpoint.side,
        "normalisation": checkpoint.normalisation,
        "epoch": checkpoint.epoch,
    }
    save_tensors(path, values)


def load(path, device="cpu"):
    """Read a checkpoint; its network is on `device`, channels last, in evaluation mode.

    Raises:
        InputError: the file is damaged, or its weights don't fit its network.
    """
    values = load_tensors(path)
    try:
        network = Network(values["network"], len(values["classes"]), values["side"], values["normalisation"])
        network.load_state_dict(values["weights"])
    except (KeyError, TypeError, RuntimeError) as error:
        detail = " ".join(str(error).split())
        raise InputError(f"{path}: not a checkpoint of this workflow ({detail}): delete it and run again") from error
    return Checkpoint(
        network=network.to(device, memory_format=torch.channels_last).eval(),
        settings=values["network"],
        classes=tuple(values["classes"]),
        side=values["side"],
        normalisation=values["normalisation"],
        epoch=values["epoch"],
    )


def save_tensors(path, values):
    """Write nested plain values and tensors; equal values give equal bytes."""
    # To a file object: given a path, torch.save would write the temporary file's name inside.
    with files.replacing(path) as partial, open(partial, "wb") as file:
        torch.save(values, file)


def load_tensors(path):
    """Read what `save_tensors` wrote, executing nothing that the file may hold.

    Raises:
        InputError: the file is damaged or holds anything but plain values and tensors.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError) as error:
        detail = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: damaged or not a checkpoint ({detail}): delete it and run again") from error
