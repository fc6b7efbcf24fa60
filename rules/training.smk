"""Training, one job per epoch; evaluation; the choice of the epoch that is probed."""

from convprobe.plan import traced_networks
from convprobe.training import outputs as training

# What changes with the code of a network's factory, as `fingerprint` gives that of ours. Nothing
# else imports it: a checkpoint holds its graph.
FACTORY = config["network"].get("factory")
FACTORY_CODE = (
    [f"{file} {found}" for file, found in traced_networks.code(FACTORY).items()] if FACTORY else []
)

# Of a probed epoch, one of its own or weights from elsewhere.
PROBED_CHECKPOINT = f"{RESULTS}/{{run}}/{training.PROBED_CHECKPOINT}"


def last_epoch(wildcards) -> int:
    """How far a job may go ahead; a resource and no param, for it changes no result."""
    return int(epochs(wildcards.run)[-1])


def previous_epoch(wildcards) -> list[str]:
    """Weights and optimizer state after the epoch before; nothing before the first."""
    run = wildcards.run
    if wildcards.epoch not in epochs(run):
        found = f"epoch {wildcards.epoch} of {run} was asked for"
        raise WorkflowError(f"{found}, but by the config it ends at {epochs(run)[-1]}")
    before = int(wildcards.epoch) - 1
    if before == 0:
        return []
    made = (training.CHECKPOINT, training.OPTIMIZER)
    return expand(map(of_run, made), run=run, epoch=study.epoch_number(before))


def evaluations(wildcards) -> list[str]:
    run = wildcards.run
    return expand(of_run(training.EVALUATION), run=run, epoch=epochs(run))


def training_records(wildcards) -> list[str]:
    run = wildcards.run
    return expand(of_run(training.RECORD), run=run, epoch=epochs(run))


rule train_epoch:
    input:
        images=of_experiment(dataset.TRAINING_IMAGES),
        normalisation=of_experiment(dataset.NORMALISATION),
        previous=previous_epoch,
    output:
        checkpoint=of_run(training.CHECKPOINT),
        optimizer=of_run(training.OPTIMIZER),
        record=of_run(training.RECORD),
    log:
        f"{LOGS}/{{run}}/training/epoch-{{epoch}}.log",
    # Before evaluations, so that one process can do several of these as well.
    priority: TAKES_ALL
    threads: cores_of("train_epoch")
    resources:
        gpu=gpus_of("train_epoch"),
        last_epoch=last_epoch,
    params:
        *fingerprint("train_epoch.py"),
        *FACTORY_CODE,
        settings=lambda wildcards: {
            "network": config["network"],
            "training": study.epoch_settings(config, wildcards.run),
        },
    script:
        "../scripts/train_epoch.py"


def trained_for_their_state() -> dict[str, list[int]]:
    """Epochs that are planned only because their optimizer state is not there, by run."""
    planned = {}
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "train_epoch":
            planned.setdefault(job.wildcards.run, {})[int(job.wildcards.epoch)] = job
    found = {}
    for run, jobs in planned.items():
        reason = workflow.dag.reason(jobs[min(jobs)])
        stale = not reason.derived or reason.updated_input_run
        if stale or set(reason.missing_output) != {jobs[min(jobs)].output.optimizer}:
            continue
        there = [epoch for epoch in sorted(jobs) if Path(jobs[epoch].output.checkpoint).is_file()]
        missing = min(set(jobs) - set(there), default=max(jobs) + 1)
        found[run] = [epoch for epoch in there if epoch < missing]
    return found


rule discard_optimizer_states:
    input:
        # All epochs are trained, so none needs the state before it any more.
        records=training_records,
    output:
        discarded=of_run(training.DISCARDED),
    log:
        f"{LOGS}/{{run}}/discarded.log",
    localrule: True
    params:
        *fingerprint("discard_optimizer_states.py"),
        settings=lambda wildcards: {
            "states": [
                placed(path)
                for path in expand(
                    of_run(training.OPTIMIZER), run=wildcards.run, epoch=epochs(wildcards.run)
                )
            ],
            "discarded": study.discarded_states(config, wildcards.run),
        },
    script:
        "../scripts/discard_optimizer_states.py"


def weights_settings(run: str) -> dict:
    """What changes the checkpoint of a run with weights.

    Without a normalisation, that of the images is used.
    """
    return {
        "network": config["network"],
        "normalisation": study.given_normalisation(config, run),
        "content": content(config["runs"][run]["weights"]),
    }


rule import_weights:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        normalisation=of_experiment(dataset.NORMALISATION),
        # Its date says nothing: its content is in weights_settings.
        weights=ancient(lambda wildcards: as_given(config["runs"][wildcards.run]["weights"])),
    output:
        checkpoint=update(of_run(training.WEIGHTS)),  # kept until there is a new one
    log:
        f"{LOGS}/{{run}}/weights.log",
    params:
        *fingerprint("import_weights.py"),
        settings=lambda wildcards: weights_settings(wildcards.run),
    script:
        "../scripts/import_weights.py"


# With the images that epochs are compared on instead of test images, if any are held out.
HELD_OUT = [dataset.TRAINING_IMAGES] if config["dataset"]["validation_images"] else []


rule evaluate_epoch:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        held_out=[of_experiment(images) for images in HELD_OUT],
        checkpoint=of_run(training.CHECKPOINT),
    output:
        evaluation=of_run(training.EVALUATION),
    log:
        f"{LOGS}/{{run}}/evaluation/epoch-{{epoch}}.log",
    threads: cores_of("evaluate_epoch")
    resources:
        gpu=1,  # one at a time: it makes those of other epochs ahead
        last_epoch=last_epoch,
    params:
        *fingerprint("evaluate_epoch.py"),
    script:
        "../scripts/evaluate_epoch.py"


rule tabulate_learning_curve:
    input:
        evaluations=evaluations,
        records=training_records,
    output:
        table=of_run(training.CURVE),
    log:
        f"{LOGS}/{{run}}/learning-curve.log",
    localrule: True
    params:
        *fingerprint("tabulate_learning_curve.py"),
    script:
        "../scripts/tabulate_learning_curve.py"


rule tabulate_seeds:
    input:
        curves=lambda wildcards: expand(of_run(training.CURVE), run=GROUPS[wildcards.group]),
    output:
        table=of_experiment(training.SEEDS),
    log:
        f"{LOGS}/learning-curve-{{group}}.log",
    localrule: True
    params:
        *fingerprint("tabulate_seeds.py"),
        settings=lambda wildcards: {"seeds": study.seeds(config, wildcards.group)},
    script:
        "../scripts/tabulate_seeds.py"


checkpoint select_epoch:
    input:
        evaluations=evaluations,
        classes=of_experiment(dataset.CLASSES),
    output:
        selection=of_run(training.SELECTION),
    log:
        f"{LOGS}/{{run}}/selection.log",
    localrule: True
    params:
        *fingerprint("select_epoch.py"),
        settings=config["selection"],
    script:
        "../scripts/select_epoch.py"


rule plot_learning_curve:
    input:
        table=of_run(training.CURVE),
        selection=of_run(training.SELECTION),
    output:
        **drawn(of_run, training.CURVE_FIGURE),
    log:
        f"{LOGS}/{{run}}/learning-curve-figure.log",
    localrule: True
    params:
        *fingerprint("plot_learning_curve.py"),
        settings=drawing(),
    script:
        "../scripts/plot_learning_curve.py"


rule plot_seeds:
    input:
        table=of_experiment(training.SEEDS),
    output:
        **drawn(of_experiment, training.SEEDS_FIGURE),
    log:
        f"{LOGS}/learning-curve-{{group}}.figure.log",
    localrule: True
    params:
        *fingerprint("plot_seeds.py"),
        settings=drawing(),
    script:
        "../scripts/plot_seeds.py"
