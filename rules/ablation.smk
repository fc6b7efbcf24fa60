"""What does it lose without the chosen filters?"""

ABLATION = f"{RESULTS}/{{run}}/{{checkpoint}}/ablation"
ABLATION_LOGS = f"{LOGS}/{{run}}/{{checkpoint}}/ablation"


OFF = {"chosen": config["filters"]["chosen"], "mode": config["ablation"]["mode"]}
TABLES = (
    "predictions",
    "first-images",
    "confusion-clean",
    "confusion-ablated",
    "class-pairs",
    "flips",
)
FIGURES = ("confusion", "class-pairs", "gallery", "accuracy")


def ablation_files():
    """What is made of a probed epoch, relative to its folder."""
    names = [f"{name}.csv" for name in (*TABLES, "accuracy", "class-accuracy")]
    return [f"ablation/{name}" for name in [*names, "variants.h5", *figure_files(*FIGURES)]]


def figure_of_ablation(name):
    figure = name.replace("-", " ")
    return drawn(
        f"{ABLATION}/{name}", name, "4 What does it lose?", epoch="{checkpoint}", figure=figure
    )


rule ablate_filters:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        predictions=f"{ABLATION}/predictions.csv",
    log:
        f"{ABLATION_LOGS}/predictions.log",
    threads: 4
    resources:
        gpu=1,
    params:
        *fingerprint("ablate_filters.py"),
        settings=OFF,
    script:
        "../scripts/ablate_filters.py"


rule compare_ablations:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        variants=f"{ABLATION}/variants.h5",
    log:
        f"{ABLATION_LOGS}/variants.log",
    threads: 4
    resources:
        gpu=1,
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
        images=f"{RESULTS}/dataset/images.h5",
        predictions=f"{ABLATION}/predictions.csv",
        variants=f"{ABLATION}/variants.h5",
    output:
        accuracy=f"{ABLATION}/accuracy.csv",
        class_accuracy=f"{ABLATION}/class-accuracy.csv",
    log:
        f"{ABLATION_LOGS}/accuracy.log",
    params:
        *fingerprint("tabulate_ablations.py"),
        settings={"chosen": config["filters"]["chosen"]},
    script:
        "../scripts/tabulate_ablations.py"


rule tabulate_confusion:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        predictions=f"{ABLATION}/predictions.csv",
    output:
        clean=f"{ABLATION}/confusion-clean.csv",
        ablated=f"{ABLATION}/confusion-ablated.csv",
        class_pairs=f"{ABLATION}/class-pairs.csv",
        flips=f"{ABLATION}/flips.csv",
    log:
        f"{ABLATION_LOGS}/confusion.log",
    params:
        *fingerprint("tabulate_confusion.py"),
    script:
        "../scripts/tabulate_confusion.py"


rule list_first_images:
    input:
        predictions=f"{ABLATION}/predictions.csv",
    output:
        first_images=f"{ABLATION}/first-images.csv",
    log:
        f"{ABLATION_LOGS}/first-images.log",
    params:
        *fingerprint("list_first_images.py"),
        settings={"table_images": config["ablation"]["table_images"]},
    script:
        "../scripts/list_first_images.py"


rule plot_confusion:
    input:
        clean=f"{ABLATION}/confusion-clean.csv",
        ablated=f"{ABLATION}/confusion-ablated.csv",
    output:
        **figure_of_ablation("confusion"),
    log:
        f"{ABLATION_LOGS}/confusion-figure.log",
    params:
        *fingerprint("plot_confusion.py"),
        settings=OFF,
    script:
        "../scripts/plot_confusion.py"


rule plot_class_pairs:
    input:
        class_pairs=f"{ABLATION}/class-pairs.csv",
        predictions=f"{ABLATION}/predictions.csv",
    output:
        **figure_of_ablation("class-pairs"),
    log:
        f"{ABLATION_LOGS}/class-pairs-figure.log",
    params:
        *fingerprint("plot_class_pairs.py"),
        settings=OFF,
    script:
        "../scripts/plot_class_pairs.py"


rule plot_ablation_accuracy:
    input:
        accuracy=f"{ABLATION}/accuracy.csv",
    output:
        **figure_of_ablation("accuracy"),
    log:
        f"{ABLATION_LOGS}/accuracy-figure.log",
    params:
        *fingerprint("plot_ablation_accuracy.py"),
        settings=OFF,
    script:
        "../scripts/plot_ablation_accuracy.py"


rule plot_gallery:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        flips=f"{ABLATION}/flips.csv",
    output:
        **figure_of_ablation("gallery"),
    log:
        f"{ABLATION_LOGS}/gallery.log",
    params:
        *fingerprint("plot_gallery.py"),
        settings=OFF,
    script:
        "../scripts/plot_gallery.py"
