"""convprobe: where does a network look, what do its filters answer to, what does it lose?"""

import functools
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/scripts")

from convprobe.plan import config as configs, study
from convprobe.errors import InputError
from convprobe.job import terminal

screen = terminal.attach(workflow.output_settings, workflow.is_main_process)

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


STAGES = {rule.name: Path(rule.snakefile).stem for rule in workflow.rules if rule.name != "all"}
# None where jobs are submitted elsewhere: what they will run on can't be seen from here.
CORES = workflow.resource_settings.cores


@functools.cache
def costs():
    kind, _ = cost.device()
    return cost.by_rule(config, SIZES, kind, CORES or 1), cost.job_counts(config, SIZES)


def waiting():
    """The rule of each job that is to be done, by its number."""
    return {job.jobid: job.rule.name for job in workflow.dag.needrun_jobs()}


def planned():
    """How many jobs of each rule are due, and how many there are."""
    # At the end of a dry run all of them count as finished.
    due = Counter(job.rule.name for job in workflow.dag.needrun_jobs(exclude_finished=False))
    counts = Counter(job.rule.name for job in workflow.dag.jobs)
    return {rule: (due[rule], counts[rule]) for rule in STAGES if counts[rule]}


def seconds_of_one_job():
    return cost.of_one_job(*costs(), STAGES, planned())


def announce():
    """Print what the run is, costs, and what of it is due; and what will disappoint."""
    if CORES:
        print(f"convprobe: {cost.announcement(config, SIZES, CORES)}")
    jobs = planned()
    chosen_later = config["selection"]["policy"] != "fixed"
    more = chosen_later and jobs.get("select_epoch", (0, 0))[0] > 0
    print(f"convprobe: {cost.due(jobs, STAGES, seconds_of_one_job(), bool(CORES), more)}")
    for line in cautions.at_start(config, SIZES, own_labels):
        print(line)
    sys.stdout.flush()


screen.begin(STAGES, lambda: (waiting(), seconds_of_one_job()), announce)
LOGS_BEFORE = {}


onstart:
    LOGS_BEFORE.update(failures.marks(LOGS))
    announce()


onsuccess:
    screen.close()
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
    screen.close()
    print(f"convprobe: {failures.closing_words(LOGS, LOGS_BEFORE, log)}", flush=True)
