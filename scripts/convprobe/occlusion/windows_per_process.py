"""Which windows one process computes: its own, and others that are due where these share its work.

Each has a file of its own, and a job of its own that takes it (job/shared_process).
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from convprobe.dataset.image_file import Images
from convprobe.job import records
from convprobe.job.runtime import IDLE, Job
from convprobe.job.shared_process import Shelf, leaving_errors_to_their_job
from convprobe.network.classifiers import Classifier
from convprobe.occlusion import windows
from convprobe.occlusion.windows import Settings

SharedShelf = Callable[[], AbstractContextManager[Shelf]]


def write(
    path: Path | str,
    shared_shelf: SharedShelf,
    network: Classifier,
    images: Images,
    settings: Settings,
    others: Iterable[int],
    checkpoint_sha256: str,
    stride: int = 1,
    job: Job = IDLE,
) -> None:
    """Write a window's maps, and put those of others on the shelf where they share its work.

    Args:
        path: of the window's file.
        shared_shelf: gives the shelf as soon as no other job has it.
        images: those that are occluded.
        settings: of the window.
        others: sides of all windows that are asked for.
        checkpoint_sha256: of the network's checkpoint.
        stride: of the maps.
    """
    own, fill, precision = (settings[name] for name in windows.SETTINGS)

    def keep(kept: Path | str, side: int, maps: windows.Maps) -> None:
        of_side = settings | {"window": side}
        windows.write(kept, *maps, images, of_side, checkpoint_sha256, stride)

    together = windows.together(network, images.image_size, own, others, stride, precision)
    if together == [own]:
        maps = windows.sweep(network, images.pixels, own, fill, precision, job, stride=stride)
        keep(path, own, maps)
        return
    with shared_shelf() as shelf:
        if shelf.take({"maps": path}, of=own):
            return  # made while this job waited for the shelf
        places = {side: shelf.place(of=side) for side in together}
        due = [side for side in together if side == own or not places[side].exists()]
        begun = time.monotonic()
        found = windows.sweep_together(network, images.pixels, due, fill, precision, job, stride)
        seconds = (time.monotonic() - begun) / len(due)
        keep(path, own, found[0])
        with leaving_errors_to_their_job():
            shelf.discard_all_but(places.values())
            places[own].mkdir(parents=True, exist_ok=True)  # empty, as if taken from there
            for side, maps in zip(due[1:], found[1:], strict=True):
                records.begin_next()
                with shelf.adding(places[side], seconds) as folder:
                    keep(folder / "maps", side, maps)
