"""Which windows one process computes: its own, and others that are due where these share its work.

Each has a file of its own, and a job of its own that takes it (job/shared_process).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from convprobe.dataset.image_file import Images
from convprobe.job import records
from convprobe.job.runtime import IDLE, Job
from convprobe.job.shared_process import Shelf, leaving_errors_to_their_job
from convprobe.network.classifiers import Classifier
from convprobe.occlusion import window_file, windows
from convprobe.occlusion.window_settings import WindowSettings

SharedShelf = Callable[[], AbstractContextManager[Shelf]]


@dataclass(frozen=True)
class OcclusionInputs:
    """What the maps of all windows are made from.

    Attributes:
        images: those that are occluded.
        settings: of one window, and of all others but for its side.
        checkpoint_sha256: of the network's checkpoint.
    """

    network: Classifier
    images: Images
    settings: WindowSettings
    checkpoint_sha256: str
    job: Job = IDLE

    def together(self, others: Iterable[int]) -> list[int]:
        """The window and those others that share its work."""
        return windows.together(self.network, self.images.image_size, self.settings, others)

    def maps(self) -> windows.Probabilities:
        """The maps of the window alone."""
        asked = self.settings
        return windows.sweep(
            self.network,
            self.images.pixels,
            asked.window,
            asked.fill,
            asked.precision,
            self.job,
            stride=asked.stride,
        )

    def maps_together(self, sides: Sequence[int]) -> list[windows.Probabilities]:
        """The maps of several windows, as `together` gives them."""
        return windows.sweep_together(
            self.network, self.images.pixels, self.settings, sides, self.job
        )

    def write(self, path: Path | str, window: int, maps: windows.Probabilities) -> None:
        """Write the file of a window."""
        settings = replace(self.settings, window=window)
        window_file.write(path, *maps, self.images, settings, self.checkpoint_sha256)


def write(
    path: Path | str, shared_shelf: SharedShelf, occlusion: OcclusionInputs, others: Iterable[int]
) -> None:
    """Write a window's maps, and put those of others on the shelf where they share its work.

    Args:
        path: of the window's file.
        shared_shelf: gives the shelf as soon as no other job has it.
        others: sides of all windows that are asked for.
    """
    own = occlusion.settings.window
    together = occlusion.together(others)
    if together == [own]:
        occlusion.write(path, own, occlusion.maps())
        return
    with shared_shelf() as shelf:
        if not shelf.take({"maps": path}, of=own):  # else it was made while this job waited
            _write_together(path, shelf, occlusion, together)


def _write_together(
    path: Path | str, shelf: Shelf, occlusion: OcclusionInputs, together: Sequence[int]
) -> None:
    own, *others = together
    places = {side: shelf.place(of=side) for side in together}
    due = [own, *(side for side in others if not places[side].exists())]
    begun = time.monotonic()
    of_windows = occlusion.maps_together(due)
    seconds = (time.monotonic() - begun) / len(due)
    occlusion.write(path, own, of_windows[0])
    with leaving_errors_to_their_job():
        shelf.discard_all_but(places.values())
        places[own].mkdir(parents=True, exist_ok=True)  # empty, as if taken from there
        for side, maps in zip(due[1:], of_windows[1:], strict=True):
            records.begin_next()
            with shelf.adding(places[side], seconds) as folder:
                occlusion.write(folder / "maps", side, maps)
