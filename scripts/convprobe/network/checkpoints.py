"""A network's weights and all that is needed to use them again.

Format: a dict of plain values and tensors, read with `weights_only=True`: `weights` (state dict,
`conv1.weight` … `fc3.bias`, float32), `network`, `classes`, `side`, `normalisation`, `epoch`, and `training`, the
settings of the epoch.
"""

import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch

from convprobe.errors import InputError
from convprobe.network.layers import Network
from convprobe.store import files


@dataclass
class Checkpoint:
    """A network with its class names, how many epochs it was trained for (0 if elsewhere), and with what settings."""

    network: Network
    settings: dict
    classes: tuple[str, ...]
    side: int
    normalisation: dict
    epoch: int
    training: dict | None = None


def save(path, checkpoint):
    """Write a checkpoint."""
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in checkpoint.network.state_dict().items()
    }
    values = {
        "weights": weights,
        "network": checkpoint.settings,
        "classes": list(checkpoint.classes),
        "side": checkpoint.side,
        "normalisation": checkpoint.normalisation,
        "epoch": checkpoint.epoch,
        "training": checkpoint.training,
    }
    save_tensors(path, values)


def load(path, device="cpu"):
    """Read a checkpoint; its network is on `device`, channels last, in evaluation mode.

    Raises:
        InputError: the file is damaged, or its weights don't fit its network or are no finite numbers.
    """
    values = load_tensors(path)
    try:
        checkpoint = _checkpoint(values)
    except Exception as error:  # a file can be wrong in any way; nothing else is read here
        detail = _one_line(error)
        raise InputError(
            f"{path}: not a checkpoint of this workflow ({detail}): delete it and run again"
        ) from error
    if not all(weights.isfinite().all() for weights in checkpoint.network.state_dict().values()):
        raise InputError(f"{path}: has weights that are not finite: delete it and run again")
    checkpoint.network.to(device, memory_format=torch.channels_last).eval()
    return checkpoint


def of_run(path: Path, last_epoch: int) -> list[Path]:
    """Paths of the checkpoints of epochs 1 to the last one that lie beside one, in order."""
    named = [Path(path).with_name(f"epoch-{epoch:02d}.pth") for epoch in range(1, last_epoch + 1)]
    return [path for path in named if path.exists()]


def _checkpoint(values):
    network = Network(
        values["network"], len(values["classes"]), values["side"], values["normalisation"]
    )
    network.load_state_dict(values["weights"])
    return Checkpoint(
        network=network,
        settings=values["network"],
        classes=tuple(values["classes"]),
        side=values["side"],
        normalisation=values["normalisation"],
        epoch=int(values["epoch"]),
        training=values.get("training"),  # older versions wrote none
    )


def save_tensors(path, values):
    """Write nested plain values and tensors; equal values give equal bytes."""
    # In memory first: given a path, torch.save would write the temporary file's name inside; given
    # an open file, it would hide the system's reason where the disk is full.
    content = io.BytesIO()
    torch.save(values, content)
    with files.replacing(path) as partial:
        partial.write_bytes(content.getbuffer())


def load_tensors(path, advice="delete it and run again"):
    """Read what `save_tensors` wrote, executing nothing that the file may hold.

    Args:
        advice: what to do about a file that can't be read.

    Raises:
        InputError: the file is damaged or holds anything but plain values and tensors.
    """
    try:
        _refuse_bomb(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a damaged file might be
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged file makes of PyTorch's reader can be any of them
        detail = _one_line(error)
        raise InputError(f"{path}: damaged or not a checkpoint ({detail}): {advice}") from error


def _refuse_bomb(path):
    """PyTorch writes zip files without compression; it would unpack a compressed one into the memory, however large."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked, size = (
                sum(entry.file_size for entry in archive.infolist()),
                Path(path).stat().st_size,
            )
        if unpacked > size:
            raise ValueError(
                f"unpacks to {unpacked} bytes, expected no more than the {size} that it has"
            )


def _one_line(error):
    """What PyTorch says of a file, without its advice to load the file anyhow."""
    text = " ".join(str(error).split())
    if executed := re.search(r"Unsupported global: GLOBAL (\S+)", text):
        return f"holds {executed[1][:100]}, expected plain values and tensors"
    text = (
        text.rpartition("WeightsUnpickler error: ")[2]
        .partition(" In PyTorch 2.6,")[0]
        .partition(" Check the ")[0]
    )
    return "".join(filter(str.isprintable, text))[:200]
