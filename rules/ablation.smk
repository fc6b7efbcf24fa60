"""What does it lose without the chosen filters?"""

from convprobe.ablation import outputs as ablation
from convprobe.job import shared_process

ABLATION_LOGS = f"{LOGS}/{{run}}/{{checkpoint}}/ablation"
OFF = {"chosen": config["filters"]["chosen"], "mode": config["ablation"]["mode"]}
# The variants' pass through the network gives the predictions as well, nearly for nothing. A resource
# tells of what they are made from: a param would make the variants stale where only these are.
PREDICTED_BY = shared_process.digest([*fingerprint("ablate_filters.py"), OFF])


rule ablate_filters:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        checkpoint=PROBED_CHECKPOINT,
    output:
        predictions=at_epoch(ablation.PREDICTIONS),
    log:
        f"{ABLATION_LOGS}/predictions.log",
    priority: TAKES_ALL
    threads: cores_of("ablate_filters")
    resources:
        gpu=gpus_of("ablate_filters"),
        predicted_by=PREDICTED_BY,
    params:
        *fingerprint("ablate_filters.py"),
        settings=OFF,
    script:
        "../scripts/ablate_filters.py"


rule compare_ablations:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        checkpoint=PROBED_CHECKPOINT,
    output:
        variants=at_epoch(ablation.VARIANTS),
    log:
        f"{ABLATION_LOGS}/variants.log",
    priority: TAKES_ALL + 1  # it makes the predictions ahead
    threads: cores_of("compare_ablations")
    resources:
        gpu=gpus_of("compare_ablations"),
        predicted_by=PREDICTED_BY,
    params:
        *fingerprint("compare_ablations.py"),
        settings=lambda wildcards: {
            "chosen": config["filters"]["chosen"],
            "random_controls": config["ablation"]["random_controls"],
            "seed": study.run_training(config, wildcards.run)["seed"],
            "mode": config["ablation"]["mode"],
        },
    script:
        "../scripts/compare_ablations.py"


rule tabulate_ablations:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        predictions=at_epoch(ablation.PREDICTIONS),
        variants=at_epoch(ablation.VARIANTS),
    output:
        accuracy=at_epoch(ablation.ACCURACY),
        class_accuracy=at_epoch(ablation.CLASS_ACCURACY),
    log:
        f"{ABLATION_LOGS}/accuracy.log",
    localrule: True
    params:
        *fingerprint("tabulate_ablations.py"),
        settings={"chosen": config["filters"]["chosen"]},
    script:
        "../scripts/tabulate_ablations.py"


rule tabulate_confusion:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        predictions=at_epoch(ablation.PREDICTIONS),
    output:
        clean=at_epoch(ablation.CONFUSION_CLEAN),
        ablated=at_epoch(ablation.CONFUSION_ABLATED),
        class_pairs=at_epoch(ablation.CLASS_PAIRS),
        flips=at_epoch(ablation.FLIPS),
    log:
        f"{ABLATION_LOGS}/confusion.log",
    localrule: True
    params:
        *fingerprint("tabulate_confusion.py"),
    script:
        "../scripts/tabulate_confusion.py"


rule list_first_images:
    input:
        predictions=at_epoch(ablation.PREDICTIONS),
    output:
        first_images=at_epoch(ablation.FIRST_IMAGES),
    log:
        f"{ABLATION_LOGS}/first-images.log",
    localrule: True
    params:
        *fingerprint("list_first_images.py"),
        settings={"table_images": config["ablation"]["table_images"]},
    script:
        "../scripts/list_first_images.py"


rule plot_confusion:
    input:
        clean=at_epoch(ablation.CONFUSION_CLEAN),
        ablated=at_epoch(ablation.CONFUSION_ABLATED),
    output:
        **drawn(at_epoch, ablation.CONFUSION_FIGURE),
    log:
        f"{ABLATION_LOGS}/confusion-figure.log",
    localrule: True
    params:
        *fingerprint("plot_confusion.py"),
        settings=drawing(**OFF),
    script:
        "../scripts/plot_confusion.py"


rule plot_class_accuracy:
    input:
        predictions=at_epoch(ablation.PREDICTIONS),
    output:
        **drawn(at_epoch, ablation.CLASS_ACCURACY_FIGURE),
    log:
        f"{ABLATION_LOGS}/class-accuracy-figure.log",
    localrule: True
    params:
        *fingerprint("plot_class_accuracy.py"),
        settings=drawing(**OFF),
    script:
        "../scripts/plot_class_accuracy.py"


rule plot_class_pairs:
    input:
        class_pairs=at_epoch(ablation.CLASS_PAIRS),
        predictions=at_epoch(ablation.PREDICTIONS),
    output:
        **drawn(at_epoch, ablation.CLASS_PAIRS_FIGURE),
    log:
        f"{ABLATION_LOGS}/class-pairs-figure.log",
    localrule: True
    params:
        *fingerprint("plot_class_pairs.py"),
        settings=drawing(**OFF),
    script:
        "../scripts/plot_class_pairs.py"


rule plot_ablation_accuracy:
    input:
        accuracy=at_epoch(ablation.ACCURACY),
    output:
        **drawn(at_epoch, ablation.ACCURACY_FIGURE),
    log:
        f"{ABLATION_LOGS}/accuracy-figure.log",
    localrule: True
    params:
        *fingerprint("plot_ablation_accuracy.py"),
        settings=drawing(**OFF),
    script:
        "../scripts/plot_ablation_accuracy.py"


rule plot_gallery:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        flips=at_epoch(ablation.FLIPS),
    output:
        **drawn(at_epoch, ablation.GALLERY),
    log:
        f"{ABLATION_LOGS}/gallery.log",
    localrule: True
    params:
        *fingerprint("plot_gallery.py"),
        settings=drawing(**OFF),
    script:
        "../scripts/plot_gallery.py"
