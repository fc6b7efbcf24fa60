"""How a data set falls into splits."""

import numpy as np

from convprobe.dataset import sources


def test_held_out_images_are_taken_from_the_training_images():
    settings = {"name": "shapes", "train_images": 50, "test_images": 10, "validation_images": 8}
    splits = sources.load(settings)
    assert {name: len(images.labels) for name, images in splits.items()} == {
        "train": 42,
        "test": 10,
        "validation": 8,
    }


def test_held_out_images_are_the_last_training_images():
    settings = {"name": "shapes", "train_images": 50, "test_images": 10, "validation_images": 0}
    whole, split = sources.load(settings), sources.load(settings | {"validation_images": 8})
    np.testing.assert_array_equal(split["train"].pixels, whole["train"].pixels[:42])
    np.testing.assert_array_equal(split["validation"].pixels, whole["train"].pixels[42:])


def test_more_training_images_do_not_change_the_drawn_test_images():
    settings = {"name": "shapes", "train_images": 5, "test_images": 10, "validation_images": 0}
    few, many = sources.load(settings), sources.load(settings | {"train_images": 9})
    np.testing.assert_array_equal(few["test"].pixels, many["test"].pixels)
    assert not np.array_equal(few["train"].pixels[0], few["test"].pixels[0])
