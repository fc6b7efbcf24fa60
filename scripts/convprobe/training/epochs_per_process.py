"""Which epochs one process trains: its own, and the next ones while they are quick.

Each has files of its own, and a job of its own that takes them (job/shared_process).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import torch

from convprobe.dataset.image_file import Images
from convprobe.job import shared_process
from convprobe.job.runtime import IDLE, Job
from convprobe.network import checkpoints, graphs
from convprobe.network.checkpoints import Checkpoint
from convprobe.store import files
from convprobe.training import trainer


class Epoch(NamedTuple):
    """What an epoch of training leaves: the weights, the optimizer's state, and its record."""

    checkpoint: Checkpoint
    optimizer_state: trainer.OptimizerState
    record: trainer.Record


def train(
    checkpoint: Checkpoint,
    optimizer_state: trainer.OptimizerState | None,
    images: Images,
    settings: trainer.Settings,
    last_epoch: int,
    device: torch.device = trainer.CPU,
    job: Job = IDLE,
) -> Iterator[Epoch]:
    """Train epoch after epoch up to the last one, in place, and yield what each leaves.

    Args: as those of `trainer.train_epoch`.
    """
    while checkpoint.epoch < last_epoch:
        record, optimizer_state = trainer.train_epoch(
            checkpoint, optimizer_state, images, settings, device, job
        )
        yield Epoch(checkpoint, optimizer_state, record)
        if checkpoint.epoch < last_epoch and graphs.is_traced(checkpoint.settings):
            checkpoint.network = trainer.made_anew(checkpoint)


def write(
    outputs: Mapping[str, Path | str], shelf: shared_process.Shelf, epochs: Iterator[Epoch]
) -> None:
    """Write an epoch's results, and put those of the next ones on the shelf while they are quick.

    Args:
        outputs: paths by name: `checkpoint`, `optimizer` and `record`.
        epochs: from this job's epoch on, as `train` yields them.
    """
    epochs = shared_process.while_quick(epochs)
    _write(outputs, next(epochs))
    with shared_process.leaving_errors_to_their_job():
        place = shelf.place(outputs["checkpoint"], outputs["optimizer"])
        if place.exists():
            return  # a job that was killed had trained ahead
        shelf.discard_all_but([])
        for epoch in epochs:
            with shelf.adding(place) as folder:
                _write({name: folder / name for name in outputs}, epoch)
            place = shelf.place(place / "checkpoint", place / "optimizer")


def _write(paths: Mapping[str, Path | str], epoch: Epoch) -> None:
    checkpoints.save(paths["checkpoint"], epoch.checkpoint)
    checkpoints.save_tensors(paths["optimizer"], epoch.optimizer_state)
    files.write_json(paths["record"], epoch.record)
