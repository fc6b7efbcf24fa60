"""Training, an epoch a job; evaluation; the choice of the epoch that is probed."""


def last_epoch(wildcards):
    """How far a job may go ahead; a resource and no param, for it changes no result."""
    return int(epochs(wildcards.run)[-1])


def previous_epoch(wildcards):
    """Weights and optimizer state after the epoch before; nothing before the first."""
    before = int(wildcards.epoch) - 1
    path = f"{RESULTS}/{wildcards.run}/checkpoints/epoch-{before:02d}"
    return [f"{path}.pth", f"{path}.optimizer.pth"] if before else []


def evaluations(wildcards):
    return expand(
        f"{RESULTS}/{wildcards.run}/evaluation/epoch-{{epoch}}.json", epoch=epochs(wildcards.run)
    )


def training_records(wildcards):
    return records_of(wildcards.run)


def records_of(run):
    return [f"{RESULTS}/{run}/training/epoch-{epoch}.json" for epoch in epochs(run)]


def learning_curve(run):
    names = ["learning-curve.csv", "selection.json", *figure_files("learning-curve")]
    return [f"{RESULTS}/{run}/{name}" for name in names]


rule train_epoch:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        normalisation=f"{RESULTS}/dataset/normalisation.json",
        previous=previous_epoch,
    output:
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/epoch-{{epoch}}.pth",
        optimizer=f"{RESULTS}/{{run}}/checkpoints/epoch-{{epoch}}.optimizer.pth",
        record=f"{RESULTS}/{{run}}/training/epoch-{{epoch}}.json",
    log:
        f"{LOGS}/{{run}}/training/epoch-{{epoch}}.log",
    # Before evaluations, so that one process can do several of these as well.
    priority: 1
    threads: 4
    resources:
        gpu=1,
        last_epoch=last_epoch,
    params:
        *fingerprint("train_epoch.py"),
        settings=lambda wildcards: {
            "network": config["network"],
            "training": study.epoch_settings(config, wildcards.run),
        },
    script:
        "../scripts/train_epoch.py"


def weights_settings(run):
    """What changes the checkpoint of a run with weights; without a normalisation, that of the images is used."""
    return {
        "network": config["network"],
        "normalisation": study.given_normalisation(config, run),
        "content": content(config["runs"][run]["weights"]),
    }


rule import_weights:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        normalisation=f"{RESULTS}/dataset/normalisation.json",
        weights=ancient(lambda wildcards: config["runs"][wildcards.run]["weights"]),  # as of the data set
    output:
        checkpoint=update(f"{RESULTS}/{{run}}/checkpoints/weights.pth"),  # kept until there is a new one
    log:
        f"{LOGS}/{{run}}/weights.log",
    params:
        *fingerprint("import_weights.py"),
        settings=lambda wildcards: weights_settings(wildcards.run),
    script:
        "../scripts/import_weights.py"


rule evaluate_epoch:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/epoch-{{epoch}}.pth",
    output:
        evaluation=f"{RESULTS}/{{run}}/evaluation/epoch-{{epoch}}.json",
    log:
        f"{LOGS}/{{run}}/evaluation/epoch-{{epoch}}.log",
    threads: 4
    resources:
        gpu=1,
        last_epoch=last_epoch,
    params:
        *fingerprint("evaluate_epoch.py"),
        settings={
            "splits": ["test"] + ["validation"] * bool(config["dataset"]["validation_images"])
        },
    script:
        "../scripts/evaluate_epoch.py"


rule tabulate_learning_curve:
    input:
        evaluations=evaluations,
        records=training_records,
    output:
        table=f"{RESULTS}/{{run}}/learning-curve.csv",
    log:
        f"{LOGS}/{{run}}/learning-curve.log",
    params:
        *fingerprint("tabulate_learning_curve.py"),
    script:
        "../scripts/tabulate_learning_curve.py"


checkpoint select_epoch:
    input:
        evaluations=evaluations,
        classes=f"{RESULTS}/dataset/classes.csv",
    output:
        selection=f"{RESULTS}/{{run}}/selection.json",
    log:
        f"{LOGS}/{{run}}/selection.log",
    params:
        *fingerprint("select_epoch.py"),
        settings=config["selection"],
    script:
        "../scripts/select_epoch.py"


rule plot_learning_curve:
    input:
        table=f"{RESULTS}/{{run}}/learning-curve.csv",
        selection=f"{RESULTS}/{{run}}/selection.json",
    output:
        **drawn(f"{RESULTS}/{{run}}/learning-curve", "learning-curve", "1 Training"),
    log:
        f"{LOGS}/{{run}}/learning-curve-figure.log",
    params:
        *fingerprint("plot_learning_curve.py"),
    script:
        "../scripts/plot_learning_curve.py"
