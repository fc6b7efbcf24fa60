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
include: "rules/verification.smk"


rule all:
    default_target: True
    input:
        every_file(asked),


LOGS_BEFORE = {}


onstart:
    LOGS_BEFORE.update(failures.marks(LOGS))
    # None where jobs are submitted elsewhere: what they will run on can't be seen from here.
    if workflow.resource_settings.cores:
        print(
            f"convprobe: {cost.announcement(config, SIZES, workflow.resource_settings.cores)}",
            flush=True,
        )
    for line in cautions.at_start(config, SIZES, own_labels) + cautions.trained_again(
        trained_for_their_state()
    ):
        print(line, flush=True)


onsuccess:
    for line in cautions.at_chance(
        {run: of_run(training.SELECTION).format(run=run) for run in TRAINED}
    ):
        print(line)
    page = of_experiment(reports.EXPLORER)
    if Path(page).is_file() and any(page in job.output for job in workflow.dag.jobs):
        print(f"convprobe: done. Open {page} in a browser;")
        print(f"    tables and figures lie beside it, logs in {LOGS}", flush=True)
    else:
        print(
            f"convprobe: done. What was asked for lies in {RESULTS}, logs in {LOGS}", flush=True
        )


onerror:
    print(f"convprobe: {failures.closing_words(LOGS, LOGS_BEFORE, log)}", flush=True)
