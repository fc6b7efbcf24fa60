"""The files of the report, and those of all questions put together, by the folder they lie in."""

from types import ModuleType

from convprobe.ablation import outputs as ablation
from convprobe.dataset import outputs as dataset
from convprobe.filters import outputs as filters
from convprobe.occlusion import outputs as occlusion
from convprobe.store.outputs import Figure, Json, Output, Page, Table
from convprobe.training import outputs as training

# The one list of the probes: each has the files that it declares, and beside them its checks.
PROBES = (occlusion, filters, ablation)

CARD = Table(
    "reproduction.csv",
    about="Which claims of the study hold here, one row per claim. They are about the first "
    "studied run that is trained with normalisation, else the first studied one; what is said of "
    "accuracy without normalisation, about the first run without. A claim `holds` where its "
    "interval excludes chance and the effect is worth naming: half a point of accuracy, 0.01 of a "
    "mean probability, a tenth of the images whose prediction changes; for the object, as in "
    "`localisation.csv`. Images of a class whose prediction changes are compared with those of all "
    "other classes. That the prediction stays under the smallest window counts only if it changes "
    "at more places under the largest: where a network ignores the image it always stays. An "
    "accuracy or a loss holds where it certainly lies within two points of the published one. What "
    "can't be told from chance is `undecided`. Of a run of several seeds the means are compared, "
    "by the intervals between seeds; where counting images comes to another verdict, it is "
    "`undecided`. Intervals of means over images are Student's, which know nothing of kinds of "
    "images that are not among them: a kind that one image in seven belongs to may be missing "
    "from 20.",
    caption="reproduction",
    category=training.CATEGORY,
    shown=True,
    columns={
        "claim": "in words",
        "published": "the study's value",
        "measured": "the value in this experiment: the mean over seeds; for epochs, that of the "
        "mean learning curve",
        "low": "lower bound of the 95 % interval of what was measured, by which it is decided: "
        "with several seeds Student's t between them, with one seed that of counting images; for "
        "the best epoch, the first of those that can't be told from it",
        "high": "upper bound of that interval; for the best epoch, the last of those epochs. The "
        "interval of the fall after the best epoch is widened, because the best was chosen among "
        "many",
        "seeds": "how many seeds were measured: for a class pair, those with an image whose "
        "prediction changed",
        "counting_low": "lower bound of the 95 % interval for counting a sample of images, of the "
        "mean over seeds. The images are the same for all seeds, so it says nothing about seeds",
        "counting_high": "upper bound of that interval",
        "verdict": "whether the claim holds, or why it was not tested",
    },
)
EXPLORER = Page(
    "explorer.html",
    about="Everything on one page, to explore by pointing; it opens from disk and offline.",
    listed=False,
)
MANIFEST = Json(
    "manifest.json",
    about="How the experiment was made. It lists every file but itself, the page, the RO-Crate, "
    "states of the optimizer and the list of those that aren't kept; versions and hardware are "
    "those of the job that computed a file.",
    shown=True,
    keys={
        "experiment": "its name",
        "config": "as it was run: the config files and the command line, merged",
        "sources": "digests of files of your own: `images`, `weights` by run, and where a "
        "factory makes the network, `network`, its files and the versions of packages",
        "environments": "the different ones that jobs ran in: the `processor`, how many `cores` "
        "the job might use, bytes of `memory`, the `system`, and the `versions` of Python and "
        "libraries",
        "code": "the different sets of modules that jobs ran: a digest of each module's code, by "
        "which it is decided what is stale",
        "jobs": "the earliest first: the `rule` and its `wildcards`, when it was `started`, how "
        "many `seconds` it took, the `device` of the network, if it asked for one, the "
        "`peak_memory` in bytes, its `environment` and `code`, counted from 0 in the lists above, "
        "its `inputs` and its `outputs`",
        "files": "by name: its `sha256`, its size in `bytes`, and its `job`, counted from 0 in the "
        "list above, or null if none is known",
    },
)
CRATE = Json(
    "ro-crate-metadata.json",
    about="The same as [RO-Crate](https://www.researchobject.org/ro-crate) metadata, by its "
    "profile Process Run Crate: this folder can be archived as it is, and read by other tools.",
    keys={"@context": "of JSON-LD", "@graph": "files, jobs, scripts and libraries"},
)
THROUGH_TRAINING = Figure(
    "through-training",
    about="If `studied` names several epochs of the run: their maps and top patches, one row per "
    "epoch.",
    caption="through-training",
    category=training.CATEGORY,
    labels={"figure": "3 probes at several epochs"},
)

# What the manifest doesn't list: what is made of all other files, and what the config may discard,
# by which nothing else is to be stale.
NOT_IN_MANIFEST = (MANIFEST, EXPLORER, CRATE, training.OPTIMIZER, training.DISCARDED)

# By the folder that they lie in: the experiment's, a run's, a probed epoch's. Those of a run of
# several seeds lie in the experiment's.
OF_EXPERIMENT = (CARD, EXPLORER, MANIFEST, CRATE, *dataset.OF_EXPERIMENT)
OF_SEVERAL_NETWORKS = occlusion.OF_SEVERAL_NETWORKS  # if several are probed
OF_GROUP = training.OF_GROUP
OF_TRAINED_RUN = training.OF_TRAINED_RUN
OF_IMPORTED_RUN = training.OF_IMPORTED_RUN
OF_THINNED_RUN = training.OF_THINNED_RUN
OF_RUN_WITH_SEVERAL_EPOCHS = (THROUGH_TRAINING,)
OF_ANY_RUN = (*OF_TRAINED_RUN, *OF_THINNED_RUN, *OF_IMPORTED_RUN, *OF_RUN_WITH_SEVERAL_EPOCHS)
OF_PROBE: tuple[Output, ...] = tuple(output for probe in PROBES for output in probe.OF_PROBE)

# What the page shows, by the name that its code calls it: paths relative to the folder of the
# experiment, of a run, or of a probed epoch. The rules hand them over, for nothing that makes a
# result imports a declaration.
PAGE_SOURCES = {
    "images": dataset.TEST_IMAGES.path,
    "class_counts": dataset.CLASSES.path,
    "card": CARD.path,
    "manifest": MANIFEST.path,
    "agreement": occlusion.AGREEMENT.path,
    "agreement_means": occlusion.AGREEMENT_MEANS.path,
    "seeds": training.SEEDS.path,
    "curve": training.CURVE.path,
    "training": training.RECORD.path,
    "selection": training.SELECTION.path,
    "maps": occlusion.WINDOW.path,
    "summary": occlusion.SUMMARY.path,
    "localisation": occlusion.LOCALISATION.path,
    "activations": filters.ACTIVATIONS.path,
    "top_images": filters.ALL_TOP_IMAGES.path,
    "quantile_images": filters.QUANTILE_IMAGES.path,
    "accuracies": ablation.ACCURACY.path,
    "predictions": ablation.PREDICTIONS.path,
}


def probes(has_filters: bool) -> tuple[ModuleType, ...]:
    """The probes of a network: without filters it is only occluded."""
    return PROBES if has_filters else (occlusion,)


def of_probe(has_filters: bool) -> tuple[Output, ...]:
    """The files of a probed epoch, by whether its network has filters."""
    return tuple(output for probe in probes(has_filters) for output in probe.OF_PROBE)


def declared(name: str) -> Output:
    """What is declared of a file, by its path relative to the experiment's folder.

    Raises:
        LookupError: nothing is.
    """
    for output in (*OF_EXPERIMENT, *OF_SEVERAL_NETWORKS, *OF_GROUP):
        if output.matches(name):
            return output
    _, _, in_run = name.partition("/")
    for output in OF_ANY_RUN:
        if output.matches(in_run):
            return output
    _, _, in_probe = in_run.partition("/")
    for output in OF_PROBE:
        if output.matches(in_probe):
            return output
    raise LookupError(f"{name}: no such file is declared")
