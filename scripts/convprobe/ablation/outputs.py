"""The files of the ablation: what does the network lose without the chosen filters?"""

from convprobe.store.outputs import Dataset, Figure, Hdf5, Table

TAB = "ablation"
CATEGORY = "3 What does it lose without them?"
PREDICTIONS_COLUMNS = {
    "image": "its index among the test images",
    "class": "the true one",
    "clean": "the class that the network predicts as trained",
    "ablated": "the class that it predicts with the chosen filters switched off",
    "clean_confidence": "probability of the true class as trained",
    "ablated_confidence": "probability of the true class with the chosen filters switched off",
}
PREDICTIONS = Table(
    "ablation/predictions.csv",
    about="One row per test image.",
    tab=TAB,
    shown=True,
    columns=PREDICTIONS_COLUMNS,
)
FIRST_IMAGES = Table(
    "ablation/first-images.csv",
    about="The first `ablation.table_images` rows of `predictions.csv`.",
    tab=TAB,
    columns=PREDICTIONS_COLUMNS,
)
CONFUSION_CLEAN = Table(
    "ablation/confusion-clean.csv",
    about="How many images of each true class (row) the network as trained predicts to be of "
    "each class (column).",
    tab=TAB,
)
CONFUSION_ABLATED = Table(
    "ablation/confusion-ablated.csv",
    about="The same with the chosen filters switched off.",
    tab=TAB,
)
CLASS_PAIRS = Table(
    "ablation/class-pairs.csv",
    about="One row per pair of a true and another predicted class that occurs.",
    tab=TAB,
    columns={
        "class": "the true one",
        "predicted": "the other one",
        "clean": "number of images so predicted by the network as trained",
        "ablated": "number of images so predicted with the chosen filters switched off",
        "change": "`ablated` less `clean`",
        "lost": "those of `ablated` that were right before",
    },
)
FLIPS = Table(
    "ablation/flips.csv",
    about="The rows of `predictions.csv` whose prediction changed, the largest fall first.",
    tab=TAB,
    columns=PREDICTIONS_COLUMNS | {"fall": "by how much the probability of the true class fell"},
)
ACCURACY = Table(
    "ablation/accuracy.csv",
    about="One row per variant: `clean` is the network as trained, `ablated` is without the chosen "
    "filters, and the others are those of `variants.h5`.",
    tab=TAB,
    shown=True,
    columns={
        "variant": "its name",
        "filters": "those switched off, separated by blanks",
        "images": "number of test images",
        "accuracy": "share of them that is right",
        "low": "lower bound of Wilson's 95 % interval of the accuracy",
        "high": "upper bound of that interval",
        "lost": "images that are right in `clean` and wrong in this variant",
        "gained": "images that are wrong in `clean` and right in this variant",
        "change": "the accuracy less that of `clean`",
        "change_low": "lower bound of its paired 95 % interval (Bonett & Price)",
        "change_high": "upper bound of that interval",
        "p_value": "of McNemar's exact test, to seven digits; 0 where it is below 1e-300",
    },
)
CLASS_ACCURACY = Table(
    "ablation/class-accuracy.csv",
    about="One row per variant and class of which there are test images.",
    tab=TAB,
    columns={
        "variant": "as in `accuracy.csv`",
        "class": "the true one",
        "images": "number of test images of the class",
        "accuracy": "share of them that is right",
        "low": "lower bound of Wilson's 95 % interval",
        "high": "upper bound of that interval",
    },
)
VARIANTS = Hdf5(
    "ablation/variants.h5",
    about="Predictions without each chosen filter (`conv2/400`), without those of each layer "
    "(`conv2`), and without as many random filters of the same layers (`random-01` …).",
    tab=TAB,
    datasets={
        "predicted": Dataset("int64", "variant, image", "an index into the classes"),
        "filters": Dataset("text", "variant", "those switched off, separated by blanks"),
    },
    attributes={
        "mode": "how filters are switched off, as in the config",
        "checkpoint_sha256": "digest of the checkpoint that was probed",
    },
)
CONFUSION_FIGURE = Figure(
    "ablation/confusion",
    about="The two confusion tables and their difference.",
    tab=TAB,
    caption="confusion",
    category=CATEGORY,
    labels={"figure": "3 confusion"},
)
CLASS_ACCURACY_FIGURE = Figure(
    "ablation/class-accuracy",
    about="The accuracy of each class, clean and ablated, the largest fall first.",
    tab=TAB,
    caption="class-accuracy",
    category=CATEGORY,
    labels={"figure": "2 accuracy of each class"},
)
CLASS_PAIRS_FIGURE = Figure(
    "ablation/class-pairs",
    about="`class-pairs.csv` as a figure.",
    tab=TAB,
    caption="class-pairs",
    category=CATEGORY,
    labels={"figure": "4 class pairs"},
)
GALLERY = Figure(
    "ablation/gallery",
    about="Images that were right before and are wrong with the chosen filters switched off.",
    tab=TAB,
    caption="gallery",
    category=CATEGORY,
    labels={"figure": "5 lost images"},
)
ACCURACY_FIGURE = Figure(
    "ablation/accuracy",
    about="`accuracy.csv` as a figure.",
    tab=TAB,
    caption="accuracy",
    category=CATEGORY,
    labels={"figure": "1 change of accuracy"},
)

OF_PROBE = (
    ACCURACY,
    CLASS_ACCURACY,
    PREDICTIONS,
    FIRST_IMAGES,
    CONFUSION_CLEAN,
    CONFUSION_ABLATED,
    CLASS_PAIRS,
    FLIPS,
    VARIANTS,
    ACCURACY_FIGURE,
    CLASS_ACCURACY_FIGURE,
    CONFUSION_FIGURE,
    CLASS_PAIRS_FIGURE,
    GALLERY,
)
