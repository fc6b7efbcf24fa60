"""Which variants one process computes: those that are asked for, and ahead the ablated network.

Each variant takes but a part of a pass through the network, and the clean one is needed anyway. So
predictions are nearly for nothing; their own job takes them (job/shared_process). It would have
made the same but for rounding: a batch may hold fewer images here.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from convprobe.ablation import passes, variants
from convprobe.ablation.passes import Mode
from convprobe.dataset.image_file import Images
from convprobe.job import records
from convprobe.job.runtime import IDLE, Job
from convprobe.job.shared_process import Shelf, leaving_errors_to_their_job
from convprobe.network.classifiers import Classifier
from convprobe.store import tables

PREDICTIONS = "predictions"  # their name on the shelf
SharedShelf = Callable[[], AbstractContextManager[Shelf]]


def write(
    path: Path | str,
    shared_shelf: SharedShelf,
    network: Classifier,
    chosen: list[str],
    filters: dict[str, list[str]],
    images: Images,
    mode: Mode,
    checkpoint_sha256: str,
    job: Job = IDLE,
) -> None:
    """Write what each variant predicts, and put what the ablated network does on the shelf.

    Args:
        path: of the file of variants.
        shared_shelf: gives the shelf of predictions. It is held only to look and to add: whoever
            waits for predictions may as well make them.
        chosen: names of the filters that the ablated network is without.
        filters, mode, checkpoint_sha256: as for variants.write_variants.
    """
    with shared_shelf() as shelf:
        ahead = [] if shelf.place().exists() else [[], chosen]
    begun = time.monotonic()
    logits = passes.predict(network, [*ahead, *filters.values()], images, mode, job)
    seconds = (time.monotonic() - begun) * len(ahead) / len(logits)
    predicted = logits[len(ahead) :]
    variants.write_variants(path, filters, predicted, images, mode, checkpoint_sha256)
    if not ahead:
        return
    with leaving_errors_to_their_job(), shared_shelf() as shelf:
        place = shelf.place()
        shelf.discard_all_but([place])
        if not place.exists():  # else they were made meanwhile
            records.begin_next()
            with shelf.adding(place, seconds) as folder:
                tables.write(folder / PREDICTIONS, variants.table_of(logits[: len(ahead)], images))
