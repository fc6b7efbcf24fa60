"""What a user may do to a finished study, and exactly which jobs are due afterwards.

The base is the tiny study: two runs of two epochs, the first epoch of `normalised` probed, two
windows, five images on two sheets. A job is written as its rule and its wildcards.
"""

import os
import shutil
import textwrap
import zipfile
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """One thing a user does, and what must run after it.

    Attributes:
        what: in words, for the table in docs/staleness.md.
        do: applies it to a Workflow, whose last config file is `edit.yaml`.
        due: the jobs that are then stale.
        options: for Snakemake.
        together: name of a group of edits that leave nothing due. They are made in one folder and
            planned once; none of them may hide what another one does.
    """

    what: str
    do: Callable
    due: frozenset = frozenset()
    options: tuple = ()
    together: str = ""


# Jobs, by stage. They are written out: a list derived from the rules could not contradict them.


def jobs(*lines):
    return frozenset(lines)


DATA = jobs("prepare_images", "measure_normalisation")
EXPLORER = jobs("write_explorer", "write_crate")
RECORD = jobs("write_manifest") | EXPLORER  # after each result
COMPARED = jobs("compare_maps") | RECORD  # after the maps of a second network
PAGE = jobs("write_reproduction_card") | RECORD


def epoch(run, number):
    return jobs(f"train_epoch {run} {number}", f"evaluate_epoch {run} {number}")


def curve(run):
    return jobs(
        f"tabulate_learning_curve {run}", f"select_epoch {run}", f"plot_learning_curve {run}"
    )


def windows(*sides, at="normalised epoch-01"):
    return jobs(*(f"map_occlusion {at} {side}" for side in sides))


def sheets(at="normalised epoch-01"):
    return jobs(f"summarise_occlusion {at}", f"plot_occlusion_sheets {at}")


def filters(at="normalised epoch-01"):
    return jobs(f"record_activations {at}", f"find_quantile_images {at}") | top(at)


def top(at="normalised epoch-01"):
    tables = jobs(f"find_top_images {at}", f"cut_patches {at}")
    return tables | jobs(f"plot_top_patches {at}", f"plot_filters {at}")


def atlas(at="normalised epoch-01"):
    return jobs(f"rank_filters {at}", f"plot_atlas {at}")


DRAWN_OF_IMAGES = ("confusion", "class_accuracy", "class_pairs", "gallery")


def confusion(at="normalised epoch-01"):
    drawn = jobs(*(f"plot_{figure} {at}" for figure in DRAWN_OF_IMAGES))
    return jobs(f"tabulate_confusion {at}") | drawn


def accuracy(at="normalised epoch-01"):
    return jobs(f"tabulate_ablations {at}", f"plot_ablation_accuracy {at}")


def ablation(at="normalised epoch-01"):
    probed = jobs(f"ablate_filters {at}", f"compare_ablations {at}")
    return probed | jobs(f"list_first_images {at}") | confusion(at) | accuracy(at)


def probes(at="normalised epoch-01"):
    return windows(3, 5, at=at) | sheets(at) | filters(at) | atlas(at) | ablation(at)


def train(run):
    return epoch(run, "01") | epoch(run, "02") | curve(run)


def together(group):
    return jobs(f"tabulate_seeds {group}", f"plot_seeds {group}")


def discards(*runs):
    return jobs(*(f"discard_optimizer_states {run}" for run in runs))


CURVES = curve("normalised") | curve("raw")
TRAINING = train("normalised") | train("raw")
EVALUATION = jobs(*(job for job in TRAINING if not job.startswith("train_epoch")))
OCCLUSION = windows(3, 5) | sheets() | PAGE
AFTER_DATA = TRAINING | probes() | PAGE
FIGURES = jobs(*(job for job in AFTER_DATA if job.startswith("plot_")))
EVERYTHING = DATA | AFTER_DATA
NOTHING = frozenset()

# Things to do


def configure(text):
    """Merge keys over the config."""
    return lambda workflow: workflow.configure(text, name="edit.yaml")


def replace(name, old, new):
    """Replace a text in a file; its date is now."""

    def do(workflow):
        path = workflow.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return do


def append(name, text):
    def do(workflow):
        with open(workflow.folder / name, "a", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))

    return do


def with_old_date(do):
    """Make an edit, then date all code to 2001, as a checkout of an old version may."""

    def dated(workflow):
        do(workflow)
        code = [*workflow.folder.rglob("*.py"), *workflow.folder.rglob("*.cpp")]
        for path in [*code, *workflow.folder.glob("*.zip")]:
            os.utime(path, (1e9, 1e9))

    return dated


def touch_everything(workflow):
    for path in workflow.folder.rglob("*"):
        if ".snakemake" not in path.parts:
            path.touch()


def move(workflow):
    moved = workflow.folder.with_name("a folder moved elsewhere")
    workflow.folder.rename(moved)
    workflow.folder = moved


def copy(workflow):
    """As `cp -r`: every file gets a new date."""
    copied = workflow.folder.with_name("a copy")
    shutil.copytree(workflow.folder, copied, copy_function=shutil.copyfile)
    workflow.folder = copied


def delete(*names):
    def do(workflow):
        for name in names:
            path = workflow.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return do


def copy_data_again(workflow):
    archive = workflow.folder / "pictures.zip"
    content = archive.read_bytes()
    archive.unlink()
    archive.write_bytes(content)


def move_data(workflow):
    (workflow.folder / "pictures.zip").rename(workflow.folder / "elsewhere.zip")
    configure("dataset: {path: elsewhere.zip}")(workflow)


def swap_two_pictures(workflow):
    """Names and sizes stay the same, the content does not."""
    archive = workflow.folder / "pictures.zip"
    with zipfile.ZipFile(archive) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    one, other = sorted(contents)[:2]
    contents[one], contents[other] = contents[other], contents[one]
    with zipfile.ZipFile(archive, "w") as new:
        for name, content in contents.items():
            new.writestr(name, content)


def study_weights(workflow):
    """Weights from elsewhere: planning accepts any file."""
    (workflow.folder / "own.pth").write_bytes(b"weights")
    configure("runs: {own: {weights: own.pth}}\nstudied: [normalised, own]")(workflow)


PROBED = "results/tiny/normalised/epoch-01"
LIBRARY = "scripts/convprobe"

SETTINGS = [
    Edit("nothing", lambda workflow: None, together="settings"),
    Edit("touch every file", touch_everything),
    Edit("copy the folder, `results/` and `.snakemake/` included, all dates new", copy),
    Edit("move the folder", move),
    Edit("lose `.snakemake/` (without it Snakemake goes by dates alone)", delete(".snakemake")),
    Edit("delete the logs", delete("logs"), together="settings"),
    Edit(
        "edit the README or a caption of Snakemake's report",
        append("report/confusion.rst", "\nMore.\n"),
        together="settings",
    ),
    Edit(
        "comment in a module",
        append(f"{LIBRARY}/store/hdf5.py", "\n# Nothing new.\n"),
        together="settings",
    ),
    Edit(
        "comment in a module's C++",
        append(f"{LIBRARY}/occlusion/sparse.cpp", "\n// Nothing new.\n"),
        together="settings",
    ),
    Edit(
        "docstring of a function",
        replace(
            f"{LIBRARY}/network/layers.py",
            "The network of a config's `conv` and `fc`, as it is trained and probed.",
            "What is probed.",
        ),
        together="settings",
    ),
    Edit(
        "layout of a line",
        replace(f"{LIBRARY}/store/tables.py", "OTHER_NAMES), str)", "OTHER_NAMES),str )"),
        together="settings",
    ),
    Edit(
        "comment in a rule",
        replace("rules/training.smk", "        *FACTORY_CODE,", "        *FACTORY_CODE,  # if any"),
        together="settings",
    ),
    Edit(
        "threads of a rule",
        replace("rules/occlusion.smk", '    threads: cores_of("map_occlusion")', "    threads: 1"),
        together="settings",
    ),
    Edit("`--cores 1`", lambda workflow: None, options=("--cores", "1")),
    Edit(
        "another profile, with other resources",
        lambda workflow: None,
        options=("--workflow-profile", "none"),
    ),
    Edit("order of windows", configure("occlusion: {windows: [5, 3]}"), together="settings"),
    Edit(
        "order of filters",
        configure("filters: {chosen: [conv2/5, conv1/1]}"),
        together="settings",
    ),
    Edit(
        "order of keys",
        configure("network: {fc: [], conv: [{kernel: 5, channels: 4}, {kernel: 3, channels: 6}]}"),
        together="settings",
    ),
    Edit(
        "0.01 as 1.0e-2",
        configure("training: {optimizer: {learning_rate: 1.0e-2}}"),
        together="settings",
    ),
    Edit(
        "a default written out",
        configure("training: {seed: 0}\nocclusion: {fill: 128}"),
        together="settings",
    ),
    Edit(
        "a run that is in neither list",
        configure("runs: {unused: {seed: 5}}"),
        together="settings",
    ),
    Edit(
        "a window added",
        configure("occlusion: {windows: [3, 5, 7]}"),
        windows(7) | sheets() | PAGE,
    ),
    Edit("a window removed", configure("occlusion: {windows: [3]}"), sheets() | PAGE),
    Edit("images occluded: 5 to 6", configure("occlusion: {images: 6}"), OCCLUSION),
    Edit("fill", configure("occlusion: {fill: 0}"), OCCLUSION),
    Edit("stride of the window", configure("occlusion: {stride: 2}"), OCCLUSION),
    Edit("precision of the maps", configure("occlusion: {precision: bf16}"), OCCLUSION),
    Edit(
        "a filter added",
        configure("filters: {chosen: [conv1/1, conv1/2, conv2/5]}"),
        filters() | ablation() | PAGE,
    ),
    Edit("top images: 2 to 3", configure("filters: {top: 3}"), top() | atlas() | RECORD),
    Edit(
        "table images: 40 to 30",
        configure("ablation: {table_images: 30}"),
        jobs("list_first_images normalised epoch-01") | RECORD,
    ),
    Edit(
        "random controls: 2 to 3",
        configure("ablation: {random_controls: 3}"),
        jobs("compare_ablations normalised epoch-01") | accuracy() | PAGE,
    ),
    Edit("figures without captions", configure("figures: {captions: false}"), FIGURES | RECORD),
    Edit(
        "top patches in the published order",
        configure("figures: {as_published: true}"),
        jobs("plot_top_patches normalised epoch-01") | RECORD,
    ),
    Edit("how filters are switched off", configure("ablation: {mode: mean}"), ablation() | PAGE),
    Edit(
        "selected epoch",
        configure("selection: {epoch: 2}"),
        jobs(*(job for job in CURVES if not job.startswith("tabulate")))
        | probes(at="normalised epoch-02")
        | PAGE,
    ),
    Edit(
        "the split of `policy: best`, where the epoch is fixed",
        configure("selection: {split: test}"),
        together="settings",
    ),
    Edit(
        "epochs: 2 to 3, at a constant rate",
        configure("training: {epochs: 3}"),
        epoch("normalised", "03") | epoch("raw", "03") | CURVES | PAGE,
    ),
    Edit("epochs: 2 to 1, at a constant rate", configure("training: {epochs: 1}"), CURVES | PAGE),
    Edit(
        "only the last optimizer state kept",
        configure("training: {keep_optimizer: last}"),
        discards("normalised", "raw"),
    ),
    Edit(
        "no optimizer state of one run kept",
        configure("runs: {raw: {normalise: false, keep_optimizer: []}}"),
        discards("raw"),
    ),
    Edit(
        "a learning rate that falls over the epochs",
        configure("training: {schedule: linear}"),
        AFTER_DATA,
    ),
    Edit(
        "values of two hyper-parameters swapped",
        configure("training: {optimizer: {momentum: 0.0005, weight_decay: 0.9}}"),
        AFTER_DATA,
    ),
    Edit("a layer added", configure("network: {fc: [8]}"), AFTER_DATA),
    Edit(
        "seed of one run",
        configure("runs: {raw: {normalise: false, seed: 1}}"),
        train("raw") | PAGE,
    ),
    Edit(
        "two seeds in place of one run's",
        configure("runs: {raw: {normalise: false, seeds: [0, 1]}}"),
        train("raw-seed-0") | train("raw-seed-1") | together("raw") | PAGE,
    ),
    Edit(
        "a compared run added",
        configure("runs: {second: {seed: 1}}\ncompared: [raw, second]"),
        train("second") | RECORD,
    ),
    Edit("a compared run removed", configure("compared: []"), PAGE),
    Edit(
        "a compared run studied as well",
        configure("studied: [normalised, raw]\ncompared: []"),
        probes(at="raw epoch-01") | COMPARED,
    ),
    Edit(
        "another epoch studied as well",
        configure("studied: [normalised, normalised/epoch-2]"),
        probes(at="normalised epoch-02") | jobs("plot_through_training normalised") | COMPARED,
    ),
    Edit(
        "a run with weights added",
        study_weights,
        jobs("import_weights own") | probes(at="own weights") | COMPARED,
    ),
    Edit(
        "test images: 40 to 39",
        configure("dataset: {test_images: 39}\nablation: {table_images: 39}"),
        EVERYTHING,
    ),
    Edit("images held out", configure("dataset: {validation_images: 20}"), EVERYTHING),
    Edit("experiment renamed", configure("experiment: other"), EVERYTHING),
    Edit("the archive of images copied again", copy_data_again, together="settings"),
    Edit("the archive of images moved elsewhere", move_data, together="settings"),
    Edit("two images in the archive swapped", swap_two_pictures, EVERYTHING),
    Edit("the same, with an old date", with_old_date(swap_two_pictures), EVERYTHING),
    Edit(
        "a window's maps deleted",
        delete(f"{PROBED}/occlusion/window-3.h5"),
        windows(3) | sheets() | PAGE,
    ),
    Edit(
        "checkpoints deleted that no due job reads",
        delete("results/tiny/raw/checkpoints", "results/tiny/normalised/checkpoints"),
    ),
    Edit(
        "a table altered by hand",
        append(f"{PROBED}/filters/top-images.csv", "\n"),
        (top() - jobs("find_top_images normalised epoch-01")) | RECORD,
    ),
    Edit("a figure altered by hand", append(f"{PROBED}/occlusion/sheet-1.png", "\n"), RECORD),
    Edit(
        "a figure's script",
        append("scripts/plot_top_patches.py", "\nADDED = 1\n"),
        jobs("plot_top_patches normalised epoch-01") | RECORD,
    ),
    Edit("the style of the page", append("report/explorer/page.css", "\n"), EXPLORER),
]

# After the study was run with two seeds of the probed run.
TWO_SEEDS = "runs: {normalised: {seeds: [0, 1]}}"
WITH_TWO_SEEDS = [
    Edit("nothing", configure(TWO_SEEDS)),
    Edit("order of seeds", configure("runs: {normalised: {seeds: [1, 0]}}")),
    Edit(
        "a seed added",
        configure("runs: {normalised: {seeds: [0, 1, 2]}}"),
        train("normalised-seed-2")
        | probes(at="normalised-seed-2 epoch-01")
        | together("normalised")
        | COMPARED
        | PAGE,
    ),
    Edit(
        "a seed removed",
        configure("runs: {normalised: {seeds: [1]}}"),
        together("normalised") | PAGE,
    ),
    Edit(
        "seeds given one by one, under the same names",
        configure(
            "runs: {normalised-seed-0: {seed: 0}, normalised-seed-1: {seed: 1}}\n"
            "studied: [normalised-seed-0, normalised-seed-1]"
        ),
        PAGE,
    ),
]

LAST = "training: {keep_optimizer: last}"
LONGER = epoch("normalised", "03") | epoch("raw", "03") | CURVES | PAGE
# After the study was run with LAST, which deleted the states after epoch 1.
WITH_LAST_STATE_ONLY = [
    Edit("nothing", configure(LAST)),
    Edit("taken back", configure("{}")),
    Edit("touch every file", touch_everything),
    Edit("copy the folder", copy),
    Edit("lose `.snakemake/`", delete(".snakemake")),
    Edit(
        "no state kept", configure("training: {keep_optimizer: []}"), discards("normalised", "raw")
    ),
    Edit(
        "a window added",
        configure(f"{LAST}\nocclusion: {{windows: [3, 5, 7]}}"),
        windows(7) | sheets() | PAGE,
    ),
    Edit(
        "an epoch added",
        configure("training: {keep_optimizer: last, epochs: 3}"),
        LONGER | discards("normalised", "raw"),
    ),
    Edit("taken back, and an epoch added", configure("training: {epochs: 3}"), LONGER),
    Edit(
        "an epoch fewer",
        configure("training: {keep_optimizer: last, epochs: 1}"),
        CURVES | PAGE,
    ),
    Edit(
        "weights deleted that a due job reads",
        lambda workflow: (
            delete(f"{PROBED.replace('epoch-01', 'checkpoints')}/epoch-02.pth")(workflow),
            configure(f"{LAST}\nstudied: [normalised, normalised/epoch-2]")(workflow),
        ),
        (train("normalised") - EVALUATION)
        | jobs("evaluate_epoch normalised 01", "evaluate_epoch normalised 02")
        | curve("normalised")
        | probes()
        | probes(at="normalised epoch-02")
        | jobs("plot_through_training normalised", "compare_maps")
        | discards("normalised")
        | PAGE,
    ),
]

ABLATION_FIGURES = jobs(
    "plot_confusion normalised epoch-01",
    "plot_class_accuracy normalised epoch-01",
    "plot_class_pairs normalised epoch-01",
    "plot_gallery normalised epoch-01",
    "plot_ablation_accuracy normalised epoch-01",
)
ATLAS = jobs(*(job for job in FIGURES if job.startswith("plot_atlas")))
CHOSEN_FIGURES = jobs(*(job for job in FIGURES if job.startswith(("plot_top", "plot_filter"))))
CURVE_FIGURES = jobs("plot_learning_curve normalised", "plot_learning_curve raw")
SHEETS = jobs("plot_occlusion_sheets normalised epoch-01")
VERDICTS = (
    confusion() | accuracy() | jobs("summarise_occlusion normalised epoch-01") | CURVES | PAGE
)

# What a line of code added to each module of the library makes due. A name without an ending is
# that of a Python file.
MODULES = {
    "ablation/answers": ABLATION_FIGURES | RECORD,
    "ablation/checks": NOTHING,
    "ablation/figures": ABLATION_FIGURES | RECORD,
    "ablation/outputs": NOTHING,
    "ablation/passes": ablation() | PAGE,
    "ablation/tabulation": confusion() | accuracy() | PAGE,
    "ablation/variants": ablation() | PAGE,
    "ablation/variants_per_process": jobs("compare_ablations normalised epoch-01")
    | accuracy()
    | PAGE,
    "dataset/archives": EVERYTHING,
    "dataset/checks": NOTHING,
    "dataset/cifar10": EVERYTHING,
    "dataset/download": EVERYTHING,
    "dataset/image_file": EVERYTHING,
    "dataset/image_folder": EVERYTHING,
    "dataset/kinds": EVERYTHING,
    "dataset/listing": EVERYTHING,
    "dataset/image_sizes": EVERYTHING,
    "dataset/outputs": NOTHING,
    "dataset/shapes": EVERYTHING,
    "dataset/sources": EVERYTHING,
    "dataset/splits": EVERYTHING,
    "errors": EVERYTHING,
    "filters/activations": filters() | atlas() | RECORD,
    "filters/answers": EXPLORER,
    "filters/atlas": ATLAS | RECORD,
    "filters/checks": NOTHING,
    "filters/kernels": filters() | atlas() | RECORD,
    "filters/quantiles": jobs("find_quantile_images normalised epoch-01") | RECORD,
    "filters/figures": CHOSEN_FIGURES | RECORD,
    "filters/outputs": NOTHING,
    "filters/pages": ATLAS | RECORD,
    "filters/ranking": atlas() | RECORD,
    "filters/shown": ATLAS | CHOSEN_FIGURES | RECORD,
    "filters/top_patches": top() | atlas() | RECORD,
    "intervals": VERDICTS,
    "job/compiler": NOTHING,
    "job/shared_process": NOTHING,
    "job/failures": NOTHING,
    "job/gpus": NOTHING,
    "job/machine": NOTHING,
    "job/progress": NOTHING,
    "job/progress_line": NOTHING,
    "job/records": NOTHING,
    "job/runtime": NOTHING,
    "job/terminal": NOTHING,
    "job/versions": NOTHING,
    "network/arithmetic": OCCLUSION,
    "network/batches": AFTER_DATA,
    "network/chain": AFTER_DATA,
    "network/checkpoints": AFTER_DATA,
    "network/classifiers": AFTER_DATA,
    "network/convolution": AFTER_DATA,
    "network/description": NOTHING,
    "network/devices": AFTER_DATA,
    "network/execution": AFTER_DATA,
    "network/factories": AFTER_DATA,
    "network/filter_layers": probes() | PAGE,
    "network/graph": AFTER_DATA,
    "network/graphs": AFTER_DATA,
    "network/layers": AFTER_DATA,
    "network/matrix": AFTER_DATA,
    "network/normalisation": AFTER_DATA,
    "network/operators": probes() | PAGE,
    "network/pooling": AFTER_DATA,
    "network/random_state": AFTER_DATA,
    "network/reach": OCCLUSION,
    "network/receptive_field": probes() | PAGE,
    "network/safetensors": NOTHING,
    "network/threads": OCCLUSION | ablation() | PAGE,
    "network/tile_cost": AFTER_DATA,
    "network/tracing": NOTHING,
    "network/variant_names": ablation() | PAGE,
    "network/weights": NOTHING,
    "network/winograd": AFTER_DATA,
    "occlusion/agreement": NOTHING,
    "occlusion/answers": EXPLORER,
    "occlusion/blocks": OCCLUSION,
    "occlusion/boxes": OCCLUSION,
    "occlusion/checks": NOTHING,
    "occlusion/figures": SHEETS | RECORD,
    "occlusion/incremental": OCCLUSION,
    "occlusion/later_layers": OCCLUSION,
    "occlusion/localisation": jobs("summarise_occlusion normalised epoch-01") | PAGE,
    "occlusion/sparse": OCCLUSION,
    "occlusion/sparse.cpp": OCCLUSION,
    "occlusion/states": OCCLUSION,
    "occlusion/outputs": NOTHING,
    "occlusion/sheets": SHEETS | RECORD,
    "occlusion/summary": jobs("summarise_occlusion normalised epoch-01") | PAGE,
    "occlusion/tiles": OCCLUSION,
    "occlusion/window_file": OCCLUSION,
    "occlusion/window_settings": OCCLUSION,
    "occlusion/windows": OCCLUSION,
    "occlusion/windows_per_process": OCCLUSION,
    "phrases": ABLATION_FIGURES | CURVE_FIGURES | RECORD,
    "plan/announcement": NOTHING,
    "plan/cautions": NOTHING,
    "plan/config": NOTHING,
    "plan/contents": NOTHING,
    "plan/cost": NOTHING,
    "plan/disk": NOTHING,
    "plan/extent": NOTHING,
    "plan/traced_networks": NOTHING,
    "plan/fingerprint": NOTHING,
    "plan/form": NOTHING,
    "plan/meaning": NOTHING,
    "plan/mistakes": NOTHING,
    "plan/rates": NOTHING,
    "plan/reading": NOTHING,
    "plan/schema": NOTHING,
    "plan/sections": NOTHING,
    "plan/study": NOTHING,
    "report/ablation_tab": EXPLORER,
    "report/card": PAGE,
    "report/card_view": EXPLORER,
    "report/claims": PAGE,
    "report/claims_of_accuracy": PAGE,
    "report/claims_of_class_pairs": PAGE,
    "report/claims_of_epochs": PAGE,
    "report/claims_of_occlusion": PAGE,
    "report/clean_answers": PAGE,
    "report/crate": jobs("write_crate"),
    "report/evidence": PAGE,
    "report/explorer": EXPLORER,
    "report/filters_tab": EXPLORER,
    "report/manifest": RECORD,
    "report/occlusion_tab": EXPLORER,
    "report/packing": EXPLORER,
    "report/page_script": EXPLORER,
    "report/published": PAGE,
    "report/outputs": NOTHING,
    "report/reasons": PAGE,
    "report/reproduction": PAGE,
    "report/seed_comparison": EXPLORER,
    "report/seeds": PAGE,
    "report/sprites": EXPLORER,
    "report/through_training": NOTHING,
    "report/verification": NOTHING,
    "store/checks": NOTHING,
    "store/files": EVERYTHING,
    "store/format": EVERYTHING,
    "store/hdf5": EVERYTHING,
    "store/outputs": NOTHING,
    "store/tables": EVERYTHING,
    "style": FIGURES | RECORD,
    "fonts": FIGURES | RECORD,
    "training/augmentation": AFTER_DATA,
    "training/checks": NOTHING,
    "training/epochs_per_process": AFTER_DATA,
    "training/evaluation": EVALUATION | PAGE,
    "training/figures": CURVE_FIGURES | RECORD,
    "training/outputs": NOTHING,
    "training/seeds": CURVE_FIGURES | RECORD,
    "training/selection": CURVES | PAGE,
    "training/states": NOTHING,
    "training/trainer": AFTER_DATA,
    "verdicts": VERDICTS,
}


def add_a_line(module):
    if module.endswith(".cpp"):
        return with_old_date(append(f"{LIBRARY}/{module}", "\nint added;\n"))
    return with_old_date(append(f"{LIBRARY}/{module}.py", "\nADDED = 1\n"))


EDITS = SETTINGS + [
    Edit(f"code of `{name}`", add_a_line(name), due, together="" if due else "modules")
    for name, due in MODULES.items()
]
