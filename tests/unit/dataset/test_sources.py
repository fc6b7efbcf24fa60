"""A data set of any kind, split as the config asks."""

import numpy as np

from convprobe.dataset import sources


def test_counts_of_each_class_in_each_split(pictures):
    settings = {
        "name": "image-folder",
        "train_images": "all",
        "test_images": "all",
        "validation_images": 1,
    }
    counts = sources.class_counts(sources.load(settings, pictures))
    assert counts.to_csv(index=False) == "class,train,test,validation\na,2,1,1\nb,2,1,0\n"


def test_a_split_that_lacks_a_class_is_reported(pictures):
    settings = {
        "name": "image-folder",
        "train_images": "all",
        "test_images": 1,
        "validation_images": 1,
    }
    splits = sources.load(settings, pictures)
    assert sources.lacking_classes(splits) == [
        "no test image of class b",
        "no validation image of class b",
    ]


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
