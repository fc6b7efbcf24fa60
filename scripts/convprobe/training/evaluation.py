"""Predictions, loss and accuracy of a network."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional as F

from convprobe.dataset.image_file import Images
from convprobe.job import shared_process
from convprobe.job.runtime import IDLE, Job
from convprobe.network import checkpoints
from convprobe.network.batches import fitting, in_batches
from convprobe.network.classifiers import Classifier
from convprobe.network.layers import as_input
from convprobe.store import files

CPU = torch.device("cpu")
BATCH = 500  # images at a time; bounds the memory, doesn't change the result

Measures = dict[str, float | int]


def write_evaluations(
    outputs: Mapping[str, Path | str],
    shelf: shared_process.Shelf,
    checkpoint_path: Path | str,
    last_epoch: int,
    splits: Mapping[str, Images],
    device: torch.device = CPU,
    job: Job = IDLE,
) -> None:
    """Write an epoch's evaluation, and put those of the run's others on the shelf while quick.

    Args:
        outputs: the path of `evaluation`.
        checkpoint_path: of the epoch.
        last_epoch: of the run; checkpoints of later ones are left over from another config.
        splits: images by the name of their split.
    """
    own = shelf.place(checkpoint_path)
    others = {}
    with shared_process.leaving_errors_to_their_job():
        others = _places_of_others(shelf, checkpoint_path, last_epoch)
        shelf.discard_all_but([own, *others.values()])
    due = [path for path, place in others.items() if not place.exists()]
    evaluations = shared_process.while_quick(
        _evaluations([checkpoint_path, *due], splits, device, job)
    )
    files.write_json(outputs["evaluation"], next(evaluations))
    own.mkdir(parents=True, exist_ok=True)  # empty, as if the evaluation were taken from there
    with shared_process.leaving_errors_to_their_job():
        for path, evaluation in zip(due, evaluations, strict=False):
            if shelf.place(path) != others[path]:
                continue  # it was trained anew meanwhile
            with shelf.adding(others[path]) as folder:
                files.write_json(folder / "evaluation", evaluation)


def _places_of_others(
    shelf: shared_process.Shelf, checkpoint_path: Path | str, last_epoch: int
) -> dict[Path, Path]:
    """Places on the shelf of the evaluations of a run's other checkpoints, by their paths."""
    places = {}
    for path in checkpoints.of_run(checkpoint_path, last_epoch):
        if path != Path(checkpoint_path):
            places[path] = shelf.place(path)
    return places


def _evaluations(
    paths: Iterable[Path | str], splits: Mapping[str, Images], device: torch.device, job: Job
) -> Iterator[dict[str, Measures]]:
    """Yield what is measured of each checkpoint, by split."""
    for path in paths:
        network = checkpoints.load(path, device).network
        yield {split: evaluate(network, images, job) for split, images in splits.items()}


def evaluate(network: Classifier, images: Images, job: Job = IDLE) -> Measures:
    """Mean cross-entropy as `loss`, `accuracy`, and the number of `images`."""
    logits = predict(network, images, job)
    labels = torch.from_numpy(images.labels)
    is_right = logits.argmax(1) == labels
    return {
        "loss": F.cross_entropy(logits.double(), labels).item(),
        "accuracy": is_right.double().mean().item(),
        "images": len(labels),
    }


@torch.inference_mode()
def predict(
    network: Classifier, images: Images, job: Job = IDLE, batch: int = BATCH
) -> Float32[Tensor, "image class"]:
    """Logits of images, on the CPU.

    Args:
        network: in evaluation mode, on the device where it is to run.
        batch: images at a time, fewer where a network has large maps; doesn't change the result.
    """

    def logits(pixels: UInt8[Tensor, "part y x channel"]) -> Float32[Tensor, "part class"]:
        return network(as_input(pixels.to(network.device))).cpu()

    pixels = torch.from_numpy(images.pixels)
    size = fitting(network.graph, batch)
    return torch.cat(list(in_batches(logits, pixels, size, "images", job)))
