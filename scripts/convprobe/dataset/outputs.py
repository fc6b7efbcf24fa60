"""The files of the data set."""

from convprobe.store.outputs import Dataset, Hdf5, Json, Table

IMAGES = Hdf5(
    "dataset/images.h5",
    about="All images and their labels, in the groups `train`, `test` and, if any are held out, "
    "`validation`.",
    asked=False,
    shown=True,
    datasets={
        "{split}/images": Dataset("uint8", "image, y, x, channel", "the pixels"),
        "{split}/labels": Dataset("int64", "image", "an index into the classes"),
        "test/masks": Dataset(
            "bool", "image, y, x", "where the object is, if that is known", optional=True
        ),
    },
    attributes={"classes": "names of the classes, in the order of the labels"},
)
CLASSES = Table(
    "dataset/classes.csv",
    about="How many images of each class there are.",
    asked=False,
    shown=True,
    columns={
        "class": "its name",
        "train": "number of training images",
        "test": "number of test images",
        "test_in_train": "of them, those that are training images too, pixel for pixel",
    },
    optional={
        "validation": "number of images held out, if any are",
        "validation_in_train": "of them, those that are training images too, pixel for pixel",
    },
)
NORMALISATION = Json(
    "dataset/normalisation.json",
    about="Mean and standard deviation of the training images, with pixels in [0, 1].",
    asked=False,
    keys={
        "mean": "one number per channel",
        "std": "one number per channel",
        "images": "number of images counted",
    },
)

OF_EXPERIMENT = (IMAGES, CLASSES, NORMALISATION)
