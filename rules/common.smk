"""What all rules share: the checked config, where files lie, and which run and epoch is probed.

A rule that takes seconds and needs no network says `localrule: True`: on a cluster it runs where
Snakemake does.
"""

import functools
from collections.abc import Callable

from convprobe.plan import contents, cost
from convprobe.store import files, outputs
from convprobe.plan import fingerprint as fingerprints


def shown_path(path: str) -> str:
    """A config file as its user knows it: Snakemake makes every path absolute."""
    path, here = Path(path), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


MEMORY = ".snakemake/convprobe/contents.json"  # what was found in a user's own files
CODE = ".snakemake/convprobe/code.json"  # the digests of the scripts and of what they import
RATES = ".snakemake/convprobe/rates.json"  # what jobs took on this machine


@functools.cache
def own_images(path, **split):
    """Digest and classes of a user's own images, which are tracked by their content."""
    return contents.images(path, MEMORY, **split)


def own_labels(path, **split):
    return own_images(path, **split).labels


def own_sizes(path, **split):
    return contents.sizes(path, MEMORY, **split)


SCHEMA = f"{HOME}/schemas/config.schema.json"

try:
    if IMPORTED:
        config = configs.imported(
            config,
            f"{HOME}/config.yaml",
            f"config of module {__name__ or 'convprobe'}",
            SCHEMA,
            own_labels,
            own_sizes,
        )
    else:
        config = configs.checked(
            config,
            SCHEMA,
            dict.fromkeys(["config.yaml", *map(shown_path, workflow.configfiles)]),
            workflow.config_settings.config_args or [],
            own_labels,
            own_sizes,
        )
except InputError as error:
    sys.exit(str(error))

RESULTS = study.results(config)
LOGS = f"logs/{config['experiment']}"
STUDIED = study.studied_runs(config)
BUILT = study.built_runs(config)
TRAINED = study.trained_runs(config)
GROUPS = study.group_runs(config)
COUNTS = study.split_sizes(config, own_labels)

# None where jobs are submitted elsewhere: what they will run on can't be seen from here.
CORES = workflow.resource_settings.cores
# How many cores this run may use.
USED = min(CORES or 1, machine.usable_cores())
# How many jobs may have a GPU at a time, as `--resources gpu=N` says.
GPU_JOBS = workflow.global_resources["gpu"].value if "gpu" in workflow.global_resources else 1
# Priorities. Jobs that take all cores go first: once others have begun, all are free at no time. Then
# what one process draws for long, and what it draws: begun last, that alone would be left over.
# Snakemake adds up the priorities of the jobs that fit beside each other.
TAKES_ALL = 100
DRAWN_LONG = 1

# Each combination of the wildcards in the paths of a probed epoch's files, by their names.
VALUES = {}


wildcard_constraints:
    run="|".join(BUILT),
    group="|".join(GROUPS) or "(?!)",  # without any, nothing is one
    checkpoint=r"epoch-\d\d+|weights",
    epoch=r"\d\d+",
    window=r"\d+",
    sheet=r"\d+",
    shard=r"\d\d\d\d",
    layer=r"[A-Za-z0-9_.-]+",
    channel=r"\d+",
    page=r"\d\d+",


FINGERPRINTS = fingerprints.of_scripts(f"{HOME}/scripts", CODE)


def fingerprint(script: str) -> list[str]:
    """Digests of a script and of the modules it imports: a job is stale when one of them changes.

    Each is a param of its own, `FILE DIGEST`, so that Snakemake's reason names just what changed.
    """
    return [f"{file} {digest}" for file, digest in FINGERPRINTS[script].items()]


@functools.cache
def is_quick(rule: str, run: str, window: str) -> bool:
    """Whether a job that computes leaves the other cores to other jobs, which run beside it."""
    if not is_local():
        return False
    setting = cost.Setting(config, COUNTS, cost.device()[0], CORES)
    return cost.work(setting, rule, {"run": run, "window": window}).is_quick


def is_local() -> bool:
    """Whether jobs run on this machine."""
    return bool(CORES) and workflow.is_main_process


def shares_gpu() -> bool:
    """Whether several jobs compute at a time on GPUs, beside which each needs one core."""
    return is_local() and cost.device()[0] == "gpu" and GPU_JOBS > 1


def cores_of(rule: str) -> Callable:
    """For `threads` of a rule that computes."""
    return lambda wildcards: 1 if shares_gpu() or shares_cores(rule, wildcards) else cost.THREADS


def gpus_of(rule: str) -> Callable:
    """For the resource `gpu`. On a CPU it makes jobs that compute for long wait for one another."""
    return lambda wildcards: 0 if shares_cores(rule, wildcards) else 1


def shares_cores(rule: str, wildcards) -> bool:
    return is_quick(rule, wildcards.run, wildcards.get("window", ""))


def as_given(path: str) -> str:
    """A path of the config, which is a user's own: no prefix of an importer goes before it."""
    return local(path) if IMPORTED else path


def of_experiment(output: outputs.Output) -> str:
    """Path of a declared file in the experiment's folder."""
    return f"{RESULTS}/{output.path}"


def of_run(output: outputs.Output) -> str:
    """Path of a declared file in a run's folder."""
    return f"{RESULTS}/{{run}}/{output.path}"


def at_epoch(output: outputs.Output) -> str:
    """Path of a declared file in a probed epoch's folder."""
    return f"{RESULTS}/{{run}}/{{checkpoint}}/{output.path}"


def log_of(path: str) -> str:
    """The log of the job that makes a result, in the same place below the logs."""
    return LOGS + str(Path(path).with_suffix(".log")).removeprefix(RESULTS)


def drawn(place: Callable, figure: outputs.Figure, **labels: str) -> dict[str, str]:
    """A figure's files: the picture, also for Snakemake's report, its vector copy, and its words.

    `place` says in which folder: `of_run` or `at_epoch`, or `of_experiment` for one of all seeds of
    a run.
    """
    path = place(figure)
    # Results are sorted by their first label first: those of a probed epoch stand together.
    run = {"run": "{group}" if place is of_experiment else "{run}"}
    own = {**figure.labels, **labels}
    picture = report(
        f"{path}.png",
        caption=f"../report/{figure.caption}.rst",
        category=figure.category,
        labels={**run, "epoch": "{checkpoint}", **own} if place is at_epoch else {**own, **run},
    )
    return {"figure": picture, "vector": f"{path}.svg", "words": f"{path}.txt"}


def drawing(**settings) -> dict:
    """The settings of a rule that draws: its own, and what the config says of all figures."""
    return {**settings, "captions": config["figures"]["captions"]}


def all_drawn(figure: outputs.Figure, **labels: str) -> dict[str, list[str]]:
    """The files of all of a probed epoch's figures of a kind, in the order of their VALUES.

    One job draws them all: to start Python and Matplotlib takes longer than to draw one.
    """
    found = {"figure": [], "vector": [], "words": []}
    for values in VALUES[figure.wildcards]:
        for name, file in drawn(at_epoch, figure.filled(values), **labels).items():
            found[name].append(file)
    return found


def epochs(run: str) -> list[str]:
    """The epochs of a run, as in file names."""
    last = study.run_training(config, run)["epochs"]
    return [study.epoch_number(epoch) for epoch in range(1, last + 1)]


def content(path: str) -> str:
    """A digest of a file or folder that is tracked by what is in it."""
    try:
        return contents.digest(path, MEMORY)
    except InputError as error:
        sys.exit(str(error))


def selected(run: str) -> str:
    """Folder of a run's selected epoch; policy best knows it only once the run is evaluated."""
    selection = config["selection"]
    if run not in TRAINED:
        return f"{RESULTS}/{run}/weights"
    if selection["policy"] == "fixed":
        return f"{RESULTS}/{run}/{study.epoch_name(selection['epoch'])}"
    chosen = files.read_json(checkpoints.select_epoch.get(run=run).output.selection)
    return f"{RESULTS}/{run}/{study.epoch_name(chosen['epoch'])}"


def probed(run: str) -> list[str]:
    """Folders of all probed epochs of a run, the first one first."""
    names = map(study.epoch_name, study.studied_epochs(config, run))
    named = [f"{RESULTS}/{run}/{name}" for name in names]
    return sorted({*named, selected(run)}, key=lambda folder: (len(folder), folder))


def at_probed(run: str, *names: str) -> Callable:
    """An input function: files of a run's probed epochs."""
    return lambda wildcards: [f"{folder}/{name}" for folder in probed(run) for name in names]
