"""What a network takes images for, and how often it is right."""

from pathlib import Path

import torch
from torch.nn import functional as F

from convprobe.dataset import image_file
from convprobe.job import ahead, runtime
from convprobe.network import checkpoints
from convprobe.network.batches import in_batches
from convprobe.network.layers import as_input
from convprobe.store import files

CPU = torch.device("cpu")
BATCH = 500  # images at a time; bounds the memory, doesn't change the result


@torch.inference_mode()
def predict(network, images, job=runtime.IDLE, batch=BATCH):
    """Logits of images, in float32.

    Args:
        network: in evaluation mode, on the device where it is to run.
        images: datasets.Images.
        batch: images at a time; doesn't change the result.

    Returns:
        float32 (image, class), on the CPU.
    """
    device = next(network.parameters()).device

    def logits(pixels):
        return network(as_input(pixels.to(device))).cpu()

    pixels = torch.from_numpy(images.pixels)
    return torch.cat(list(in_batches(logits, pixels, batch, "images", job)))


def evaluate(network, images, job=runtime.IDLE):
    """Mean cross-entropy and accuracy: dict of `loss`, `accuracy` and `images`, the number counted."""
    logits, labels = predict(network, images, job), torch.from_numpy(images.labels)
    return {
        "loss": F.cross_entropy(logits.double(), labels).item(),
        "accuracy": (logits.argmax(1) == labels).double().mean().item(),
        "images": len(labels),
    }


def write_evaluations(
    outputs: dict[str, Path],
    shelf: ahead.Shelf,
    checkpoint_path: Path,
    last_epoch: int,
    splits: dict[str, image_file.Images],
    device: torch.device = CPU,
    job: runtime.Job = runtime.IDLE,
) -> None:
    """Write the evaluation of an epoch, and put those of the run's others on the shelf while they are quick.

    Args:
        outputs: the path of `evaluation`.
        shelf: an ahead.Shelf.
        checkpoint_path: of the epoch.
        last_epoch: number of the run's last one; checkpoints of later ones are left over from another config.
        splits: the images, by the name of their split.
    """
    own, places = shelf.place(checkpoint_path), {}
    with ahead.left_to_its_job():
        beside = checkpoints.of_run(checkpoint_path, last_epoch)
        places = {path: shelf.place(path) for path in beside if path != Path(checkpoint_path)}
        shelf.keep([own, *places.values()])
    due = [path for path, place in places.items() if not place.exists()]
    evaluated = ahead.quick(_evaluations([checkpoint_path, *due], splits, device, job))
    files.write_json(outputs["evaluation"], next(evaluated))
    own.mkdir(parents=True, exist_ok=True)  # as if it were taken from there
    with ahead.left_to_its_job():
        for path, measured in zip(due, evaluated, strict=False):
            with shelf.adding(places[path]) as folder:
                files.write_json(folder / "evaluation", measured)


def _evaluations(paths, splits, device, job):
    """Yield the losses and accuracies of each checkpoint by split."""
    for path in paths:
        network = checkpoints.load(path, device).network
        yield {split: evaluate(network, images, job) for split, images in splits.items()}
