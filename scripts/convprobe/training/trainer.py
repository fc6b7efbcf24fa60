"""Training: what one epoch makes of the weights before it.

An epoch is a function of the weights and the optimizer's state before it, the images and the
settings: its random draws come from a generator that is seeded by the run's seed and the epoch's
number. So training that is cut and resumed gives the same bytes, on one machine and version, as
training that was not.
"""

import inspect
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from convprobe.dataset.image_file import Images
from convprobe.errors import InputError, short_reason
from convprobe.job import versions
from convprobe.job.runtime import IDLE, Job
from convprobe.network import checkpoints, factories, graphs, random_state
from convprobe.network.batches import halving
from convprobe.network.checkpoints import Checkpoint
from convprobe.network.classifiers import Classifier, FactoryNetwork
from convprobe.network.layers import Network, as_input
from convprobe.network.normalisation import RAW
from convprobe.training.augmentation import augment

CPU = torch.device("cpu")

Settings = dict[str, Any]
OptimizerState = dict[str, Any]
Record = dict[str, Any]


def begin(
    images: Images, network: Settings, normalisation: Mapping[str, Any], settings: Settings
) -> tuple[Checkpoint, None]:
    """The checkpoint before epoch 1; there is no optimizer state yet.

    Initial weights are PyTorch's default ones, or those that a factory gives, drawn from the run's
    seed.

    Args:
        images: the training images.
        network: the config's `network`.
        normalisation: `mean` and `std` of the training images; used where the settings say so.
        settings: the run's `training`.

    Raises:
        InputError: the network's factory fails.
    """
    used = RAW
    if settings["normalise"]:
        used = {key: normalisation[key] for key in RAW}
    if graphs.is_traced(network):
        module = factories.build(network, settings["seed"])
        untrained = FactoryNetwork(network, graphs.of(network, images.image_size), module, used)
    else:
        with random_state.seeded(settings["seed"]):
            untrained = Network(network, len(images.classes), images.image_size, used)
    checkpoint = Checkpoint(untrained, network, images.classes, images.image_size, used, epoch=0)
    return checkpoint, None


def resume(
    checkpoint_path: Path | str, optimizer_path: Path | str
) -> tuple[Checkpoint, OptimizerState]:
    """The checkpoint and the optimizer's state after an epoch.

    Raises:
        InputError: a file is damaged, or the network's factory fails or makes another network than
            the weights are of.
    """
    checkpoint = checkpoints.load(checkpoint_path)
    if graphs.is_traced(checkpoint.settings):
        checkpoint.network = made_anew(checkpoint)
    return checkpoint, checkpoints.load_tensors(optimizer_path)


def made_anew(checkpoint: Checkpoint) -> FactoryNetwork:
    """The network of a checkpoint as its factory makes it, with the checkpoint's weights.

    Only weights and the optimizer's state go from one epoch to the next one, whichever processes
    train them.
    """
    settings = checkpoint.settings
    module = factories.build(settings, checkpoint.training["seed"])
    network = FactoryNetwork(settings, checkpoint.network.graph, module, checkpoint.normalisation)
    try:
        network.load_state_dict(checkpoint.network.state_dict())
    except RuntimeError as error:
        raise InputError(
            f"network.factory: {settings['factory']} makes another network than the one that was "
            f"trained so far ({short_reason(error)})"
        ) from error
    return network


def train_epoch(
    checkpoint: Checkpoint,
    optimizer_state: OptimizerState | None,
    images: Images,
    settings: Settings,
    device: torch.device = CPU,
    job: Job = IDLE,
) -> tuple[Record, OptimizerState]:
    """Train one more epoch, in place.

    Args:
        checkpoint: after the epoch before; its network and epoch number advance, and it keeps the
            settings.
        optimizer_state: after the epoch before, or None before the first.
        images: the training images.
        settings: the run's `training`; the number of `epochs` matters to a schedule only.

    Returns:
        the record: `train_loss` and `train_accuracy` (means over the epoch, while the network
        learns), `images` and `versions`; and the optimizer's state.

    Raises:
        InputError: the loss is no longer a number.
    """
    network = checkpoint.network
    network.place(device, network.memory_format)
    network.train()
    optimizer = _optimizer(network, settings["optimizer"], optimizer_state)
    loss_sum, correct = _take_steps(network, optimizer, images, settings, checkpoint.epoch, job)
    checkpoint.epoch += 1
    checkpoint.training = settings
    record = _record(checkpoint.epoch, loss_sum, correct, len(images.labels))
    return record, optimizer.state_dict()


def _take_steps(
    network: Classifier,
    optimizer: torch.optim.Optimizer,
    images: Images,
    settings: Settings,
    epochs_done: int,
    job: Job,
) -> tuple[float, int]:
    """One step per batch; the sum of the images' losses, and how many predictions were right."""
    device = network.device
    pixels = torch.from_numpy(images.pixels).to(device)
    labels = torch.from_numpy(images.labels).to(device)
    random = generator(settings["seed"], epochs_done + 1)
    batches = _draw_batches(len(labels), settings["batch_size"], random)
    random_state.seed(random.initial_seed())  # for dropout, and whatever else a network draws
    # Summed on the device: asking for a number at every step would make a GPU wait.
    loss_sum = torch.zeros((), device=device, dtype=torch.float64)
    correct = torch.zeros((), device=device, dtype=torch.int64)
    part_size = settings["batch_size"] + 1  # halved if a batch doesn't fit into the memory
    for step, batch in enumerate(job.progress(batches, len(labels), "images")):
        _set_rate(optimizer, settings, epochs_done + step / len(batches))
        batch = batch.to(device)
        inputs = augment(pixels[batch], settings["augmentation"], random)
        descend = partial(_descend, network, optimizer, inputs, labels[batch], settings)
        (loss, right), part_size = halving(descend, part_size)
        loss_sum += loss * len(batch)
        correct += right
    return loss_sum.item(), correct.item()


def generator(seed: int, epoch: int) -> torch.Generator:
    """A generator on the CPU, independent for every (seed, epoch)."""
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def _draw_batches(count: int, size: int, random: torch.Generator) -> Sequence[Int[Tensor, " _"]]:
    """Indices of the images of each batch, in random order."""
    batches = list(torch.randperm(count, generator=random).split(size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        # Batch normalisation can't work on a single image.
        last = batches.pop()
        batches[-1] = torch.cat([batches[-1], last])
    return batches


class _Descent(torch.optim.SGD):
    """The same steps without PyTorch's compiler.

    PyTorch wraps these methods for networks that are compiled. Ours are not, and to import the
    compiler takes longer than an epoch of a small network.
    """

    add_param_group = inspect.unwrap(torch.optim.SGD.add_param_group)
    load_state_dict = inspect.unwrap(torch.optim.SGD.load_state_dict)
    state_dict = inspect.unwrap(torch.optim.SGD.state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.SGD.step))
    zero_grad = inspect.unwrap(torch.optim.SGD.zero_grad)


def _optimizer(
    network: Classifier, settings: Settings, state: OptimizerState | None
) -> torch.optim.Optimizer:
    optimizer = _Descent(
        network.parameters(),
        lr=settings["learning_rate"],
        momentum=settings["momentum"],
        weight_decay=settings["weight_decay"],
    )
    if state is not None:
        optimizer.load_state_dict(state)
    return optimizer


def _set_rate(optimizer: torch.optim.Optimizer, settings: Settings, epochs_done: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = _rate(settings, epochs_done)


def _rate(settings: Settings, epochs_done: float) -> float:
    """The learning rate: constant, or from the given one at the start to 0 at the run's end."""
    rate = settings["optimizer"]["learning_rate"]
    if settings["schedule"] == "constant":
        return rate
    done = epochs_done / settings["epochs"]
    if settings["schedule"] == "linear":
        return rate * (1 - done)
    return rate * ((1 + math.cos(math.pi * done)) / 2)


def _descend(
    network: Classifier,
    optimizer: torch.optim.Optimizer,
    pixels: UInt8[Tensor, "image y x channel"],
    labels: Int[Tensor, " image"],
    settings: Settings,
    part_size: int,
) -> tuple[Float[Tensor, ""], Int[Tensor, ""]]:
    """One step down the gradient of the batch's mean cross-entropy.

    The gradient is summed over parts of at most `part_size` images. That doesn't change it, except
    for batch normalisation, to which each part is a batch.

    Returns:
        that loss, and how many predictions were right.
    """
    optimizer.zero_grad()
    loss_sum = 0
    correct = 0
    parts = zip(pixels.split(part_size), labels.split(part_size), strict=True)
    for part, true in parts:
        try:
            logits = _logits(network, part, settings["precision"])
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise InputError(
                f"batch normalisation can't work on {len(part)} image with maps of one pixel: "
                "expected a larger training.batch_size, or more training images"
            ) from error
        mean_loss = F.cross_entropy(logits, true, label_smoothing=settings["label_smoothing"])
        loss = mean_loss * (len(part) / len(pixels))
        loss.backward()
        loss_sum = loss_sum + loss.detach()
        correct = correct + (logits.argmax(1) == true).sum()
    optimizer.step()
    return loss_sum, correct


def _logits(
    network: Classifier, pixels: UInt8[Tensor, "image y x channel"], precision: str
) -> Float[Tensor, "image class"]:
    is_bf16 = precision == "bf16"
    with torch.autocast(pixels.device.type, torch.bfloat16, enabled=is_bf16):
        return network(as_input(pixels)).float()


def _record(epoch: int, loss_sum: float, correct: int, count: int) -> Record:
    if not math.isfinite(loss_sum):
        raise InputError(
            f"epoch {epoch}: the training loss is {loss_sum / count}: training diverged. "
            "Expected a smaller training.optimizer.learning_rate"
        )
    return {
        "train_loss": loss_sum / count,
        "train_accuracy": correct / count,
        "images": count,
        "versions": versions.computing(),
    }
