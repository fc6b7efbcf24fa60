"""Does the data set agree with the config, and with what was measured of it?"""

from typing import Any

from convprobe.dataset import image_file, sources
from convprobe.dataset.outputs import CLASSES, NORMALISATION, TEST_IMAGES, TRAINING_IMAGES
from convprobe.store import files
from convprobe.store.checks import Check, Results


def check(results: Results, settings: dict[str, Any]) -> Check:
    """Compare the images to the config's `dataset`, and their tables to the images."""
    held_out = settings["validation_images"]
    path = results.path(TRAINING_IMAGES.path)
    splits = {"train": image_file.read(path, "train")}
    splits["test"] = image_file.read(results.path(TEST_IMAGES.path), "test")
    if held_out:
        splits["validation"] = image_file.read(path, "validation")
    wanted = settings["train_images"]
    if wanted != "all":
        wanted -= held_out
    yield from _images("train", splits["train"], wanted)
    measured = files.read_json(results.path(NORMALISATION.path))
    same = measured == image_file.normalisation(splits["train"].pixels)
    yield same, NORMALISATION.path, "differs from that of the training images"
    yield from _images("test", splits["test"], settings["test_images"])
    yield from results.same_table(CLASSES.path, sources.class_counts(splits))


def _images(split: str, images: image_file.Images, wanted: int | str) -> Check:
    name = TEST_IMAGES.path if split == "test" else TRAINING_IMAGES.path
    count = len(images.labels)
    shape = (count, *images.image_size, 3)
    yield images.pixels.shape == shape, name, f"{split}/images has another shape"
    found = f"has {count} {split} images, expected {wanted}"
    yield wanted in ("all", count), name, found
    known = set(range(len(images.classes)))
    yield set(images.labels) <= known, name, f"{split}/labels beyond the classes"
