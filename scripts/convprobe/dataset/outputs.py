"""The files of the data set."""

from convprobe.store.outputs import Dataset, Hdf5, Json, Table

IMAGES = Dataset("uint8", "image, y, x, channel", "the pixels")
LABELS = Dataset("int64", "image", "an index into the classes")
MASKS = Dataset("bool", "image, y, x", "where the object is, if that is known", optional=True)
ATTRIBUTES = {"classes": "names of the classes, in the order of the labels"}

# Two files, for nothing that is made after training reads the larger one.
TRAINING_IMAGES = Hdf5(
    "dataset/training-images.h5",
    about="The images to train on and their labels, in the group `train`, and those held out, if "
    "there are any, in `validation`.",
    asked=False,
    datasets={"{split}/images": IMAGES, "{split}/labels": LABELS},
    attributes=ATTRIBUTES,
)
TEST_IMAGES = Hdf5(
    "dataset/test-images.h5",
    about="The test images and their labels.",
    asked=False,
    shown=True,
    datasets={"test/images": IMAGES, "test/labels": LABELS, "test/masks": MASKS},
    attributes=ATTRIBUTES,
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

OF_EXPERIMENT = (TRAINING_IMAGES, TEST_IMAGES, CLASSES, NORMALISATION)
