"""convprobe: where does a network look, what do its filters answer to, what does it lose?"""

import sys
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/scripts")

from convprobe.plan import config as configs, study
from convprobe.errors import InputError

# Snakemake would report either in a traceback, or go on without the file if the command line names
# another one.
if not Path("config.yaml").is_file():
    checkout = Path(workflow.basedir).resolve()
    advice = f"run snakemake in a checkout of the workflow, as in {checkout}"
    sys.exit(f"config.yaml: not in {Path.cwd()}: {advice}")
try:
    configs.read("config.yaml")
except InputError as error:
    sys.exit(str(error))


configfile: "config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/dataset.smk"
include: "rules/training.smk"
include: "rules/occlusion.smk"
include: "rules/filters.smk"
include: "rules/ablation.smk"
include: "rules/report.smk"


PROBES = occlusion_files() + filter_files() + ablation_files()


include: "rules/verification.smk"


# Seconds each and without the network: on a cluster they run where Snakemake does.
localrules:
    tabulate_learning_curve,
    select_epoch,
    plot_learning_curve,
    plot_through_training,
    plot_occlusion_sheet,
    find_top_images,
    cut_patches,
    plot_top_patches,
    plot_filter,
    plot_atlas,
    tabulate_ablations,
    tabulate_confusion,
    list_first_images,
    plot_confusion,
    plot_class_pairs,
    plot_ablation_accuracy,
    plot_gallery,
    write_reproduction_card,
    write_explorer,


rule all:
    default_target: True
    input:
        f"{RESULTS}/reproduction.csv",
        f"{RESULTS}/explorer.html",
        [figures for run in TRAINED for figures in learning_curve(run)],
        [at_probed(run, *PROBES) for run in STUDIED],
        through_training(),


LOGS_BEFORE = {}


onstart:
    LOGS_BEFORE.update(failures.marks(LOGS))
    # None where jobs are submitted elsewhere: what they will run on can't be seen from here.
    if workflow.resource_settings.cores:
        print(
            f"convprobe: {cost.announcement(config, SIZES, workflow.resource_settings.cores)}",
            flush=True,
        )
    for line in cautions.at_start(config, SIZES, own_labels):
        print(line, flush=True)


onsuccess:
    for line in cautions.at_chance({run: f"{RESULTS}/{run}/selection.json" for run in TRAINED}):
        print(line)
    page = f"{RESULTS}/explorer.html"
    if Path(page).is_file() and any(page in job.output for job in workflow.dag.jobs):
        print(f"convprobe: done. Open {page} in a browser;")
        print(f"    tables and figures lie beside it, logs in {LOGS}", flush=True)
    else:
        print(
            f"convprobe: done. What was asked for lies in {RESULTS}, logs in {LOGS}", flush=True
        )


onerror:
    print(f"convprobe: {failures.closing_words(LOGS, LOGS_BEFORE, log)}", flush=True)
