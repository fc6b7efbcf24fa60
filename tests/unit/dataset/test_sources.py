"""A data set of any kind, split as the config asks."""

import numpy as np
from PIL import Image

from convprobe.dataset import sources


def counts(pictures, held_out):
    """The table of all images, of which so many training images are held out."""
    whole = {"name": "image-folder", "train_images": "all", "test_images": "all"}
    loaded = sources.load({**whole, "validation_images": held_out}, pictures)
    return sources.class_counts(loaded).to_csv(index=False)


def test_counts_of_each_class_in_each_split(pictures):
    assert counts(pictures, held_out=1) == (
        "class,train,test,test_in_train,validation,validation_in_train\na,2,1,0,1,0\nb,2,1,0,0,0\n"
    )


def test_images_that_are_training_images_too_are_counted_by_their_pixels(pictures):
    """Under another name, in another class, and in another file format."""
    copy = Image.open(pictures / "train" / "b" / "1.png")
    copy.save(pictures / "test" / "a" / "copy.bmp")
    assert counts(pictures, held_out=0) == "class,train,test,test_in_train\na,3,2,1\nb,2,1,0\n"


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


def test_images_whose_names_are_in_the_order_of_their_classes_are_held_out_of_each(tmp_path):
    """The last of all would be of one class, of which none would be left to train on."""
    for split, count in (("train", 6), ("test", 1)):
        for label, name in enumerate(("cat", "dog")):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                colour = (10 * number, 100 * label, 0)
                Image.new("RGB", (4, 4), colour).save(folder / f"{name}_{number}.png")
    settings = {"name": "image-folder", "train_images": "all", "test_images": "all"}
    found = sources.load(settings | {"validation_images": 4}, tmp_path)
    colours = found["validation"].pixels[:, 0, 0].tolist()
    assert colours == [[40, 0, 0], [50, 0, 0], [40, 100, 0], [50, 100, 0]]
    assert found["validation"].labels.tolist() == [0, 0, 1, 1]
    assert found["train"].labels.tolist() == [0] * 4 + [1] * 4


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
