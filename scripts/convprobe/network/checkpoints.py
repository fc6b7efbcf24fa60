"""A network's weights on disk; a file that holds code, or unpacks too large, is refused.

Format: a dict of plain values and tensors, read with `weights_only=True`: `format_version`,
`weights` (state dict, `conv1.weight` … `fc3.bias`, float32), `network`, `classes`,
`image_size`, `normalisation`, `epoch`, and `training`, the settings of the epoch; and of a network
that a factory makes `graph`, in the form of JSON.
"""

import io
import re
import sys
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from convprobe.errors import InputError
from convprobe.network import graphs
from convprobe.network.classifiers import Classifier, TracedNetwork
from convprobe.network.graph import Graph
from convprobe.network.layers import Network
from convprobe.store import files
from convprobe.store.format import FORMAT_VERSION, check_version

RUN_AGAIN = "delete it and run again"
LONGEST_DETAIL = 200  # characters
# How PyTorch names what a file would execute.
EXECUTED = re.compile(r"Unsupported global: GLOBAL (\S+)")


@dataclass
class Checkpoint:
    """A network, what it is to be used with, and how it was trained.

    Attributes:
        settings: the config's `network`.
        classes: names, in the order of the network's outputs.
        image_size: height and width of the images, in pixels.
        normalisation: `mean` and `std` per channel of pixels in [0, 1].
        epoch: how many epochs it was trained for; 0 if it was trained elsewhere.
        training: the settings of the last of them.
    """

    network: Classifier
    settings: Mapping[str, Any]
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    normalisation: Mapping[str, Any]
    epoch: int
    training: Mapping[str, Any] | None = None


def save(path: Path | str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint."""
    weights = {}
    for name, tensor in checkpoint.network.state_dict().items():
        weights[name] = tensor.detach().cpu().contiguous()
    values = {
        "format_version": FORMAT_VERSION,
        "weights": weights,
        "network": checkpoint.settings,
        "classes": list(checkpoint.classes),
        "image_size": list(checkpoint.image_size),
        "normalisation": checkpoint.normalisation,
        "epoch": checkpoint.epoch,
        "training": checkpoint.training,
    }
    if graphs.is_traced(checkpoint.settings):
        values["graph"] = checkpoint.network.graph.to_json()
    save_tensors(path, values)


def load(path: Path | str, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a checkpoint; its network is on `device`, in evaluation mode.

    Raises:
        InputError: the file is damaged or of another format version, or its weights don't fit its
            network or are no finite numbers.
    """
    values = load_tensors(path)
    checkpoint = _checkpoint(path, values)
    for weights in checkpoint.network.state_dict().values():
        if not weights.isfinite().all():
            raise InputError(f"{path}: has weights that are not finite: {RUN_AGAIN}")
    checkpoint.network.place(device)
    checkpoint.network.eval()
    return checkpoint


def _checkpoint(path: Path | str, values: Any) -> Checkpoint:
    if isinstance(values, dict):
        check_version(path, values.get("format_version"))
    try:
        return _from_values(values)
    except Exception as error:  # a file can be wrong in any way; nothing else is read here
        raise InputError(
            f"{path}: not a checkpoint of this workflow ({_one_line(error)}): {RUN_AGAIN}"
        ) from error


def _from_values(values: Any) -> Checkpoint:
    normalisation = values["normalisation"]
    height, width = values["image_size"]
    image_size = (int(height), int(width))
    if graphs.is_traced(values["network"]):
        graph = Graph.from_json(values["graph"])
        network = TracedNetwork(values["network"], graph, normalisation)
    else:
        network = Network(values["network"], len(values["classes"]), image_size, normalisation)
    network.load_state_dict(values["weights"])
    return Checkpoint(
        network=network,
        settings=values["network"],
        classes=tuple(values["classes"]),
        image_size=image_size,
        normalisation=normalisation,
        epoch=int(values["epoch"]),
        training=values["training"],
    )


def of_run(path: Path | str, last_epoch: int) -> list[Path]:
    """Paths of the checkpoints of a run that exist, by one of them; epochs 1 to the last one."""
    names = [f"epoch-{epoch:02d}.pth" for epoch in range(1, last_epoch + 1)]
    folder = Path(path).parent
    return [folder / name for name in names if (folder / name).exists()]


def save_tensors(path: Path | str, values: Any) -> None:
    """Write nested plain values and tensors; equal values give equal bytes."""
    # In memory first: given a path, torch.save would write the temporary file's name inside; given
    # an open file, it would hide the system's reason where the disk is full.
    content = io.BytesIO()
    torch.save(_as_written(values), content)
    with files.replacing(path) as partial:
        partial.write_bytes(content.getbuffer())


def _as_written(value: Any) -> Any:
    """A copy with all tensors on the CPU, in which equal texts are one object.

    The number of a GPU would be written with its tensors. And pickle writes a text that is met
    again as a number: those of a file that was read are not shared with those of this code.
    """
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, str):
        return sys.intern(value)
    if type(value) is dict:
        return {_as_written(key): _as_written(item) for key, item in value.items()}
    if type(value) is list:
        return [_as_written(item) for item in value]
    return value


def load_tensors(path: Path | str, advice: str = RUN_AGAIN) -> Any:
    """Read what `save_tensors` wrote, executing nothing that the file may hold.

    Args:
        advice: what to do about a file that can't be read.

    Raises:
        InputError: the file is damaged or holds anything but plain values and tensors.
    """
    try:
        _refuse_bomb(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what a damaged file might be
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch's reader may raise anything for a damaged file
        detail = _one_line(error)
        raise InputError(f"{path}: damaged or not a checkpoint ({detail}): {advice}") from error


def _refuse_bomb(path: Path | str) -> None:
    """Refuse a compressed zip file: PyTorch would unpack it into the memory, however large.

    PyTorch itself writes zip files without compression.
    """
    if not zipfile.is_zipfile(path):
        return
    size = Path(path).stat().st_size
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > size:
        raise ValueError(
            f"unpacks to {unpacked} bytes, expected no more than the {size} that it has"
        )


def _one_line(error: Exception) -> str:
    """What PyTorch says of a file, without its advice to load the file all the same."""
    text = " ".join(str(error).split())
    executed = EXECUTED.search(text)
    if executed:
        return f"holds {executed[1][:100]}, expected plain values and tensors"
    _, _, text = text.rpartition("WeightsUnpickler error: ")
    for advice in (" In PyTorch 2.6,", " Check the "):
        text, _, _ = text.partition(advice)
    printable = "".join(filter(str.isprintable, text))
    return printable[:LONGEST_DETAIL]
