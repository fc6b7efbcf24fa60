"""The files of training: checkpoints, their evaluation, and the choice of the probed epoch."""

from convprobe.store.outputs import Figure, Json, Table, Tensors

CATEGORY = "4 How was it made?"  # of Snakemake's report
CHECKPOINT = Tensors(
    "checkpoints/epoch-{epoch}.pth",
    about="The network after one epoch; `torch.load(path, weights_only=True)` reads it.",
    asked=False,
    listed=False,
    entries={
        "weights": "the state dict",
        "network": "the config's `network`",
        "classes": "names of the classes",
        "image_size": "height and width of the images, in pixels",
        "normalisation": "mean and standard deviation that the network subtracts and divides by",
        "epoch": "its number, from 1",
        "training": "the settings that the epoch was trained with",
    },
)
OPTIMIZER = Tensors(
    "checkpoints/epoch-{epoch}.optimizer.pth",
    about="The state of the optimizer after the epoch, needed to train the next one. "
    "`training.keep_optimizer` says after which epochs it is kept.",
    asked=False,
    listed=False,
)
DISCARDED = Json(
    "checkpoints/discarded.json",
    about="Where `training.keep_optimizer` is not `all`: which states of the optimizer are not "
    "there. If the epoch after one of these has to be trained, earlier ones are trained again "
    "first, and what follows from them is made again; a warning is printed when the run starts.",
    listed=False,
    keys={"epochs": "their numbers"},
)
RECORD = Json(
    "training/epoch-{epoch}.json",
    about="How well the network did on the training images during the epoch, while learning.",
    asked=False,
    listed=False,
    shown=True,
    keys={
        "train_loss": "mean over the epoch; with label smoothing, the loss of the smoothed labels",
        "train_accuracy": "mean over the epoch",
        "images": "number of images counted",
        "versions": "of Python and the libraries that trained",
    },
)
EVALUATION = Json(
    "evaluation/epoch-{epoch}.json",
    about="How well the network does after the epoch: `loss`, `accuracy` and the number of "
    "`images` counted.",
    asked=False,
    listed=False,
    keys={"test": "on the test images"},
    optional={"validation": "on the images held out, if any are"},
)
CURVE = Table(
    "learning-curve.csv",
    about="One row per epoch.",
    shown=True,
    columns={
        "epoch": "its number, from 1",
        "train_loss": "of the training images, mean over the epoch; with label smoothing, that of "
        "the smoothed labels, unlike all other losses",
        "train_accuracy": "of the training images, mean over the epoch",
        "test_loss": "of the test images, after the epoch",
        "test_accuracy": "likewise",
    },
    optional={
        "validation_loss": "of the images held out, if any are, after the epoch",
        "validation_accuracy": "likewise",
    },
)
SELECTION = Json(
    "selection.json",
    about="Which epoch is probed, and how good it is.",
    shown=True,
    keys={
        "epoch": "the probed one",
        "policy": "how it was chosen, as in the config",
        "split": "the images whose accuracy decided, where the best epoch was chosen; else nothing",
        "test_accuracy": "its accuracy on the test images",
        "test_images": "number of test images",
        "best_epoch": "the first with the highest test accuracy",
        "chance": "accuracy of the same answer for every image",
        "chosen_among": "the number of epochs it was chosen from by its test accuracy; 1 if it was "
        "chosen in another way",
        "better_than_chance": "whether its accuracy is certainly higher than `chance`",
    },
)
CURVE_FIGURE = Figure(
    "learning-curve",
    about="The learning curve as a figure.",
    caption="learning-curve",
    category=CATEGORY,
    labels={"figure": "1 learning curve"},
)
SEEDS = Table(
    "learning-curve-{group}.csv",
    about="Of a run of several `seeds`, `{group}` in `runs`: one row per seed and epoch.",
    shown=True,
    columns={
        "run": "name of the seed's run",
        "seed": "its seed",
        "epoch": "its number, from 1",
        "test_accuracy": "of the test images, after the epoch",
    },
)
SEEDS_FIGURE = Figure(
    "learning-curve-{group}",
    about="The same as a figure, with the mean over seeds.",
    caption="seeds",
    category=CATEGORY,
    labels={"figure": "2 learning curves of all seeds"},
)
WEIGHTS = Tensors(
    "checkpoints/weights.pth",
    about="In a run with weights from elsewhere, this stands in place of all the files above, and "
    "its probes are in `{run}/weights/`. Its entries are those of any other checkpoint, but "
    "`epoch` is 0 and `training` is empty.",
    asked=False,
    listed=False,
)
# How a probe finds either of them; `checkpoint` is also the name of the probed epoch's folder.
PROBED_CHECKPOINT = "checkpoints/{checkpoint}.pth"

# Of each run that is trained here, and of each run with weights from elsewhere.
OF_TRAINED_RUN = (CHECKPOINT, OPTIMIZER, RECORD, EVALUATION, CURVE, SELECTION, CURVE_FIGURE)
OF_IMPORTED_RUN = (WEIGHTS,)
# In the experiment's folder, of each run of several seeds.
OF_GROUP = (SEEDS, SEEDS_FIGURE)
# Beside the first, where not every state of the optimizer is kept.
OF_THINNED_RUN = (DISCARDED,)
