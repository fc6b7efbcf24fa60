"""Training, one epoch at a time.

An epoch is a function of the weights and optimizer state before it, the images and the settings:
its random draws come from a generator seeded by the run's seed and the epoch's number. So a run
that was cut anywhere and taken up again gives the same bytes, on one machine and version.
Where epochs are quick, one process trains several, each with files of its own (see ahead).
"""

import math
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F

from convprobe.errors import InputError
from convprobe.job import ahead, runtime, versions
from convprobe.network import batches, checkpoints
from convprobe.network.layers import RAW, Network, as_input
from convprobe.store import files

CPU = torch.device("cpu")
CROP_MARGIN = 4  # pixels of border that a random crop may shift over


def generator(seed, epoch):
    """A CPU torch.Generator that is independent for every (seed, epoch)."""
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def begin(images, network, normalisation, settings):
    """The checkpoint at epoch 0, and no optimizer state.

    Initial weights are PyTorch's default ones, drawn from the run's seed.

    Args:
        images: the training images (image_file.Images).
        network: the config's `network`.
        normalisation: `mean` and `std` of the training images; used where the settings say so.
        settings: the run's `training`.
    """
    used = {key: normalisation[key] for key in ("mean", "std")} if settings["normalise"] else RAW
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings["seed"])
        built = Network(network, len(images.classes), images.side, used)
    return checkpoints.Checkpoint(built, network, images.classes, images.side, used, epoch=0), None


def resume(checkpoint_path, optimizer_path):
    """The checkpoint and the optimizer state after an epoch."""
    return checkpoints.load(checkpoint_path), checkpoints.load_tensors(optimizer_path)


def write_epochs(outputs, shelf, epochs):
    """Write an epoch's results, and put those of the next ones on the shelf while they are quick.

    Args:
        outputs: paths by name: `checkpoint`, `optimizer` and `record`.
        shelf: an ahead.Shelf.
        epochs: of `train`.
    """
    epochs = ahead.quick(epochs)
    _write(outputs, *next(epochs))
    with ahead.left_to_its_job():
        place = shelf.place(outputs["checkpoint"], outputs["optimizer"])
        if place.exists():
            return  # a job that was killed had gone ahead
        shelf.keep([])
        for epoch in epochs:
            with shelf.adding(place) as folder:
                _write({name: folder / name for name in outputs}, *epoch)
            place = shelf.place(place / "checkpoint", place / "optimizer")


def _write(paths, checkpoint, optimizer_state, record):
    checkpoints.save(paths["checkpoint"], checkpoint)
    checkpoints.save_tensors(paths["optimizer"], optimizer_state)
    files.write_json(paths["record"], record)


def train(checkpoint, optimizer_state, images, settings, last_epoch, device=CPU, job=runtime.IDLE):
    """Train epoch after epoch, in place.

    Args:
        last_epoch: number of the last one.
        others: as for `train_epoch`.

    Yields:
        the checkpoint, the optimizer state and the record after each epoch.
    """
    while checkpoint.epoch < last_epoch:
        record, optimizer_state = train_epoch(
            checkpoint, optimizer_state, images, settings, device, job
        )
        yield checkpoint, optimizer_state, record


def train_epoch(checkpoint, optimizer_state, images, settings, device=CPU, job=runtime.IDLE):
    """Train one more epoch, in place.

    Args:
        checkpoint: after the epoch before; its network and epoch are advanced, and it keeps the settings.
        optimizer_state: after the epoch before, or None at the start.
        images: the training images (image_file.Images).
        settings: the run's `training`; `epochs` matters to a schedule only.

    Returns:
        dict of `train_loss` and `train_accuracy` (means over the epoch, while it trains) and
        `images`; the optimizer state.

    Raises:
        InputError: the loss is no longer a number.
    """
    network = checkpoint.network.to(device, memory_format=torch.channels_last).train()
    optimizer = _optimizer(network, settings["optimizer"], optimizer_state)
    random = generator(settings["seed"], checkpoint.epoch + 1)
    pixels, labels = (
        torch.from_numpy(images.pixels).to(device),
        torch.from_numpy(images.labels).to(device),
    )
    drawn = list(torch.randperm(len(labels), generator=random).split(settings["batch_size"]))
    if len(drawn) > 1 and len(drawn[-1]) == 1:
        drawn[-2:] = [torch.cat(drawn[-2:])]  # batch normalisation can't do with a single image
    # Summed on the device: asking for a number at every step would make a GPU wait.
    loss_sum = torch.zeros((), device=device, dtype=torch.float64)
    correct = torch.zeros((), device=device, dtype=torch.int64)
    torch.manual_seed(random.initial_seed())  # for dropout
    size = settings["batch_size"] + 1  # images at a time, as far as they fit into the memory
    for step, batch in enumerate(job.progress(drawn, len(labels), "images")):
        for group in optimizer.param_groups:
            group["lr"] = _rate(settings, epochs_done=checkpoint.epoch + step / len(drawn))
        batch = batch.to(device)
        augmented = augment(pixels[batch], settings["augmentation"], random)
        step_in = partial(_step, network, optimizer, augmented, labels[batch], settings)
        (loss, right), size = batches.halving(step_in, size)
        loss_sum += loss * len(batch)
        correct += right
    checkpoint.epoch += 1
    checkpoint.training = settings
    return _record(
        checkpoint.epoch, loss_sum.item(), correct.item(), len(labels)
    ), optimizer.state_dict()


def _optimizer(network, settings, state):
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings["learning_rate"],
        momentum=settings["momentum"],
        weight_decay=settings["weight_decay"],
    )
    if state is not None:
        optimizer.load_state_dict(state)
    return optimizer


def _rate(settings, epochs_done):
    """The learning rate, from the given one at the start to 0 at the end of the run."""
    rate = settings["optimizer"]["learning_rate"]
    if settings["schedule"] == "constant":
        return rate
    done = epochs_done / settings["epochs"]
    return rate * (
        1 - done if settings["schedule"] == "linear" else (1 + math.cos(math.pi * done)) / 2
    )


def _step(network, optimizer, pixels, labels, settings, size):
    """One step down the gradient of the mean cross-entropy: that loss, and how many were right.

    The gradient is summed over parts of at most `size` images, which doesn't change it, but for what
    batch normalisation takes for a batch.
    """
    optimizer.zero_grad()
    loss_sum, correct = 0, 0
    for part, true in zip(pixels.split(size), labels.split(size), strict=True):
        with torch.autocast(
            pixels.device.type, torch.bfloat16, enabled=settings["precision"] == "bf16"
        ):
            logits = network(as_input(part)).float()
        loss = F.cross_entropy(logits, true, label_smoothing=settings["label_smoothing"]) * (
            len(part) / len(pixels)
        )
        loss.backward()
        loss_sum = loss_sum + loss.detach()
        correct = correct + (logits.argmax(1) == true).sum()
    optimizer.step()
    return loss_sum, correct


def _record(epoch, loss_sum, correct, count):
    if not math.isfinite(loss_sum):
        raise InputError(
            f"epoch {epoch}: the training loss is {loss_sum / count}: training diverged. "
            "Expected a smaller training.optimizer.learning_rate"
        )
    means = {"train_loss": loss_sum / count, "train_accuracy": correct / count, "images": count}
    return means | {"versions": versions.computing()}


def augment(pixels, augmentation, random):
    """Randomly flip, or flip and shift, each image.

    Args:
        pixels: uint8 (image, y, x, channel).
        augmentation: `none`, `flip` (left to right, every second image) or `flip-crop` (also
            shifted by up to 4 pixels, black where the image ends).
        random: a CPU torch.Generator.

    Returns:
        uint8 (image, y, x, channel).
    """
    if augmentation == "none":
        return pixels
    count, side = pixels.shape[:2]
    flipped = torch.rand(count, generator=random) < 0.5
    pixels = torch.where(flipped.to(pixels.device).view(-1, 1, 1, 1), pixels.flip(2), pixels)
    if augmentation == "flip":
        return pixels
    shift_y, shift_x = torch.randint(2 * CROP_MARGIN + 1, (2, count, 1), generator=random).to(
        pixels.device
    )
    padded = F.pad(pixels, (0, 0, CROP_MARGIN, CROP_MARGIN, CROP_MARGIN, CROP_MARGIN))
    place = torch.arange(side, device=pixels.device)
    image = torch.arange(count, device=pixels.device)
    return padded[
        image[:, None, None], (shift_y + place)[:, :, None], (shift_x + place)[:, None, :]
    ]
