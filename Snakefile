"""convprobe: where does a network look, what do its filters answer to, what does it lose?"""


include: "rules/home.smk"


from convprobe.plan import config as configs, study
from convprobe.errors import InputError

# Whether another workflow does so, as in `module convprobe:`. Then `config` is what that one gives.
IMPORTED = workflow.snakefile != workflow.main_snakefile

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


LOGS_BEFORE = {}


def warn() -> None:
    for line in cautions.at_start(config, SIZES, own_labels):
        print(line, file=sys.stderr, flush=True)


# An importer may leave out what follows, but nobody should miss this.
if IMPORTED and workflow.is_main_process:
    warn()


onstart:
    LOGS_BEFORE.update(failures.marks(placed(LOGS)))
    # None where jobs are submitted elsewhere: what they will run on can't be seen from here.
    if workflow.resource_settings.cores:
        print(
            f"convprobe: {cost.announcement(config, SIZES, workflow.resource_settings.cores)}",
            flush=True,
        )
    if not IMPORTED:
        warn()
    for line in cautions.trained_again(trained_for_their_state()):
        print(line, file=sys.stderr, flush=True)


onsuccess:
    for line in cautions.at_chance(
        {run: placed(of_run(training.SELECTION)).format(run=run) for run in TRAINED}
    ):
        print(line)
    page = placed(of_experiment(reports.EXPLORER))
    if Path(page).is_file() and any(page in job.output for job in workflow.dag.jobs):
        print(f"convprobe: done. Open {page} in a browser;")
        print(f"    tables and figures lie beside it, logs in {placed(LOGS)}", flush=True)
    else:
        places = f"lies in {placed(RESULTS)}, logs in {placed(LOGS)}"
        print(f"convprobe: done. What was asked for {places}", flush=True)


onerror:
    print(f"convprobe: {failures.closing_words(placed(LOGS), LOGS_BEFORE, log)}", flush=True)
