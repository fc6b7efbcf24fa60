"""convprobe: where does a network look, what do its filters answer to, what does it lose?"""

import functools
import os
import time
from collections import Counter


include: "rules/home.smk"


from convprobe.plan import announcement, cautions, config as configs, extent, rates, study
from convprobe.errors import InputError
from convprobe.job import failures, gpus, machine, terminal

# Whether another workflow imports this one, by `module convprobe:`. Then it gives `config`.
IMPORTED = workflow.snakefile != workflow.main_snakefile

# How a run is shown is an importer's own matter.
screen = terminal.attach(workflow.output_settings, workflow.is_main_process and not IMPORTED)

if not IMPORTED:
    # Snakemake would report either in a traceback, or go on without the file if the command line
    # names another one.
    if not Path("config.yaml").is_file():
        advice = f"run snakemake in a checkout of the workflow, as in {HOME.resolve()}"
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
    default_target: EARLIER_TARGET is None  # an importer's own comes first
    input:
        every_file(asked),


STAGES = {rule.name: Path(rule.snakefile).stem for rule in workflow.rules if rule.name != "all"}
BEGUN = time.time()
if is_local():
    os.environ[gpus.JOBS] = str(GPU_JOBS)  # jobs inherit it


@functools.cache
def setting() -> cost.Setting:
    """What is run, on what, and what jobs took there before."""
    known = {}
    if CORES:
        known = rates.read(RATES, cost.computer(USED), extent.network_size(config))
    return cost.Setting(config, COUNTS, cost.device()[0], USED, known)


def waiting() -> dict[int, str]:
    """The rule of each job that is to be done, by its number."""
    return {job.jobid: job.rule.name for job in workflow.dag.needrun_jobs()}


def planned() -> dict[str, tuple[int, int]]:
    """How many jobs of each rule are due, and how many there are."""
    # At the end of a dry run all of them count as finished.
    due = Counter(job.rule.name for job in workflow.dag.needrun_jobs(exclude_finished=False))
    counts = Counter(job.rule.name for job in workflow.dag.jobs)
    return {rule: (due[rule], counts[rule]) for rule in STAGES if counts[rule]}


@functools.cache
def seconds_of_one_job() -> dict[str, float]:
    """How long a job of each rule is likely to take."""
    figures = {
        "plot_occlusion_sheets": len(SHEETS),
        "plot_filters": len(CHOSEN),
        "plot_atlas": len(ATLAS),
    }
    return cost.of_one_job(setting(), STAGES, figures)


def announce() -> None:
    """Print what the run is, costs, and what of it is due; and what will disappoint."""
    jobs = planned()
    if CORES:
        words = announcement.of_run(setting(), jobs, STAGES, seconds_of_one_job())
        print(f"convprobe: {words}", flush=True)
    if IMPORTED:
        return
    chosen_later = config["selection"]["policy"] != "fixed"
    more = chosen_later and jobs.get("select_epoch", (0, 0))[0] > 0
    words = announcement.due(jobs, STAGES, seconds_of_one_job(), bool(CORES), more)
    print(f"convprobe: {words}", flush=True)
    if CORES and cost.device()[0] == "cpu" and not machine.computes_bf16():
        warn(cautions.slow_here(config))
    warn(cautions.trained_again(trained_for_their_state()))
    warn(cautions.at_start(config, COUNTS, own_labels))


def warn(lines: list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def remember() -> None:
    """Let later runs know what jobs took on this machine."""
    if CORES and not IMPORTED:  # whose rules have other names
        jobs = [job for job in workflow.dag.jobs if job.rule.name in STAGES]
        # The check of all results makes none.
        told = [
            (job.rule.name, job.wildcards_dict, job.output[0], job.log[0])
            for job in jobs
            if job.output
        ]
        cost.remember(RATES, setting(), told, BEGUN)


# An importer may leave out what follows, but nobody should miss this.
if IMPORTED and workflow.is_main_process:
    warn(cautions.at_start(config, COUNTS, own_labels))

screen.begin(STAGES, lambda: (waiting(), seconds_of_one_job()), announce)
LOGS_BEFORE = {}


onstart:
    LOGS_BEFORE.update(failures.marks(placed(LOGS)))
    announce()


onsuccess:
    screen.close()
    remember()
    selections = {run: placed(of_run(training.SELECTION)).format(run=run) for run in TRAINED}
    warn(cautions.at_chance(selections))
    warn(cautions.trained_on(placed(of_experiment(dataset.CLASSES))))
    page = placed(of_experiment(reports.EXPLORER))
    if Path(page).is_file() and any(page in job.output for job in workflow.dag.jobs):
        print(f"convprobe: done. Open {page} in a browser;")
        print(f"    tables and figures lie beside it, logs in {placed(LOGS)}", flush=True)
    else:
        places = f"lies in {placed(RESULTS)}, logs in {placed(LOGS)}"
        print(f"convprobe: done. What was asked for {places}", flush=True)


onerror:
    # Where a failed job would have updated a file, Snakemake puts the old one back, and takes the
    # job for done: it is marked as begun again.
    for job in workflow.scheduler.failed:
        workflow.persistence.started(job)
    screen.close()
    remember()
    print(f"convprobe: {failures.closing_words(placed(LOGS), LOGS_BEFORE, log)}", flush=True)
