"""How often a network is right, where no ablation tells it: that of a network without filters."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from convprobe import verdicts
from convprobe.dataset import image_file
from convprobe.store import hdf5


class Answers(NamedTuple):
    """How often a network is right.

    Attributes:
        right: how many images are predicted right.
        counts: images of each class, by its name; a class without any is missing.
    """

    right: int
    counts: dict[str, int]

    @property
    def images(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def accuracy(self) -> float:
        """From 0 to 1."""
        return self.right / self.images

    def better_than_chance(self, chosen_among: int) -> bool:
        """As verdicts.better_than_chance."""
        return verdicts.better_than_chance(self.right, list(self.counts.values()), chosen_among)


def tested(images_path: Path | str) -> dict[str, int]:
    """Test images of each class, by its name; a class without any is missing."""
    return _counts(image_file.labels(images_path), image_file.classes(images_path))


def on_test_images(accuracy: float, images_path: Path | str) -> Answers:
    """Answers on all test images.

    Args:
        accuracy: on them, as it was evaluated.
        images_path: a file of test images.
    """
    counts = tested(images_path)
    return Answers(round(accuracy * sum(counts.values())), counts)


def on_occluded_images(maps_path: Path | str) -> Answers:
    """Answers on the images of a window file, without the window: of weights from elsewhere.

    Nothing else evaluates these.
    """
    with hdf5.open_complete(maps_path) as file:
        labels = file["label"][:]
        right = int((file["clean_probability"][:].argmax(axis=1) == labels).sum())
        return Answers(right, _counts(labels, file["class"].asstr()[:].tolist()))


def _counts(labels: image_file.Labels, classes: list[str]) -> dict[str, int]:
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    return {name: count for name, count in zip(classes, counts, strict=True) if count}
