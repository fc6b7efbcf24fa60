"""The files of occlusion: where does the network look?"""

from convprobe.occlusion.sheets import SHEET_IMAGES
from convprobe.plan.study import SHARD_IMAGES
from convprobe.store.outputs import Dataset, Figure, Hdf5, Table

MAPS = {
    "probability": Dataset(
        "float32", "image, y, x, class", "probabilities with the window centred at (y, x)"
    ),
    "confidence": Dataset("float32", "image, y, x", "that of the true class"),
    "clean_probability": Dataset("float32", "image, class", "probabilities without a window"),
    "label": Dataset("int64", "image", "the true class"),
}
SETTINGS = {
    "window": "its side in pixels",
    "fill": "grey level of the window, 0 to 255",
    "precision": "of the computation, as in the config",
    "checkpoint_sha256": "digest of the checkpoint that was probed",
}
SHARD = Hdf5(
    "occlusion/window-{window}/{shard}.h5",
    about=f"The maps of {SHARD_IMAGES} images, in the form of the next file; only if there are "
    f"more than {SHARD_IMAGES} images.",
    datasets=MAPS,
    attributes=SETTINGS,
)
WINDOW = Hdf5(
    "occlusion/window-{window}.h5",
    about="The maps of one window, centred at the pixels `y` and `x`. If there are shards, this is "
    "a view of them without a copy: keep them together.",
    tab="occlusion",
    shown=True,
    datasets=MAPS,
    attributes=SETTINGS
    | {"shards_sha256": "if there are shards: the output of `sha256sum *.h5 | sha256sum` on them"},
)
SUMMARY = Table(
    "occlusion/summary.csv",
    about="One row per window and image. What concerns the object is empty where its place is not "
    "known.",
    tab="occlusion",
    shown=True,
    columns={
        "window": "side in pixels",
        "image": "its index among the test images",
        "class": "the true one",
        "clean_confidence": "probability of the true class without a window",
        "mean_confidence": "mean of the confidence map",
        "min_confidence": "lowest value of the confidence map",
        "flipped_fraction": "share of positions where the prediction is not that without a window",
        "flipped_to": "the class most often predicted at those positions",
        "hit": "whether the lowest confidence lies on the object (the pointing game)",
        "hit_others": "mean of `hit` in the same map over the objects of other images",
        "roc_auc": "how often a pixel on the object has a lower confidence than one beside it",
        "roc_auc_others": "mean of `roc_auc` in the same map over the objects of other images",
        "contrast": "mean confidence beside the object, less that on it",
        "contrast_others": "mean of `contrast` in the same map over the objects of other images",
    },
)
LOCALISATION = Table(
    "occlusion/localisation.csv",
    about="Whether the maps of each window find the object: one row per window and measure, if "
    "the objects' places are known.",
    tab="occlusion",
    shown=True,
    columns={
        "window": "side in pixels",
        "measure": "`hit`, `roc_auc` or `contrast`, as in `summary.csv`",
        "images": "number of images",
        "own": "mean of the measure over the images",
        "others": "the same with the objects of the other images",
        "difference": "`own` less `others`, paired by image",
        "low": "lower bound of its 95 % interval",
        "high": "upper bound of its 95 % interval",
        "p_value": "how often objects assigned to the images at random give as large a difference",
        "verdict": "whether the difference is worth naming and beyond chance",
    },
)
SHEET = Figure(
    "occlusion/sheet-{sheet}",
    about=f"{SHEET_IMAGES} images, then one row of confidence maps per window.",
    tab="occlusion",
    caption="occlusion-sheet",
    category="1 Where does it look?",
    labels={"images": "sheet {sheet}"},
)

AGREEMENT = Table(
    "map-agreement.csv",
    about="How far the confidence maps of each two probed networks agree, if several are probed: "
    "one row per window and image.",
    shown=True,
    columns={
        "first": "run and epoch of the first network, as in `normalised/epoch-13`",
        "second": "that of the second one",
        "window": "side in pixels",
        "image": "its index among the test images",
        "spearman": "Spearman's rank correlation of the two maps of the image; empty where one of "
        "them has the same value everywhere",
        "spearman_others": "mean over the other images of that between the first network's map of "
        "this image and the second network's map of theirs",
    },
)
AGREEMENT_MEANS = Table(
    "map-agreement-means.csv",
    about="The same over all images of which both are known: one row per two networks and window.",
    shown=True,
    columns={
        "first": "as above",
        "second": "likewise",
        "window": "side in pixels",
        "images": "number of images",
        "own": "mean of `spearman`",
        "low": "lower bound of its 95 % interval, by Student's t over images",
        "high": "upper bound of that interval",
        "others": "mean of `spearman_others`",
        "difference": "`own` less `others`, paired by image",
        "difference_low": "lower bound of its 95 % interval; none of fewer than three images",
        "difference_high": "upper bound of that interval",
    },
)

OF_SEVERAL_NETWORKS = (AGREEMENT, AGREEMENT_MEANS)
OF_PROBE = (SHARD, WINDOW, SUMMARY, LOCALISATION, SHEET)
