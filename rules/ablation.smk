"""What does it lose without the chosen filters?"""

ABLATION = f"{RESULTS}/{{run}}/{{checkpoint}}/ablation"
ABLATION_LOGS = f"{LOGS}/{{run}}/{{checkpoint}}/ablation"


def ablation_files():
    """What is made of a probed epoch, relative to its folder."""
    tables = ("predictions", "accuracy", "confusion-before", "confusion-after", "class-pairs", "first-images")
    return [f"ablation/{name}" for name in [*(f"{table}.csv" for table in tables), "confusion.png", "class-pairs.png"]]


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
        settings={"chosen": config["filters"]["chosen"]},
    script:
        "../scripts/ablate_filters.py"


rule compare_ablations:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        accuracy=f"{ABLATION}/accuracy.csv",
    log:
        f"{ABLATION_LOGS}/accuracy.log",
    threads: 4
    resources:
        gpu=1,
    params:
        *fingerprint("compare_ablations.py"),
        settings=lambda wildcards: {
            "chosen": config["filters"]["chosen"],
            "random_controls": config["ablation"]["random_controls"],
            "seed": configs.run_training(config, wildcards.run)["seed"],
        },
    script:
        "../scripts/compare_ablations.py"


rule tabulate_confusion:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        predictions=f"{ABLATION}/predictions.csv",
    output:
        before=f"{ABLATION}/confusion-before.csv",
        after=f"{ABLATION}/confusion-after.csv",
        class_pairs=f"{ABLATION}/class-pairs.csv",
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
        before=f"{ABLATION}/confusion-before.csv",
        after=f"{ABLATION}/confusion-after.csv",
        class_pairs=f"{ABLATION}/class-pairs.csv",
        predictions=f"{ABLATION}/predictions.csv",
    output:
        confusion=report(
            f"{ABLATION}/confusion.png",
            caption="../report/confusion.rst",
            category="4 What does it lose?",
            labels={"run": "{run}", "epoch": "{checkpoint}", "figure": "confusion"},
        ),
        class_pairs=report(
            f"{ABLATION}/class-pairs.png",
            caption="../report/class-pairs.rst",
            category="4 What does it lose?",
            labels={"run": "{run}", "epoch": "{checkpoint}", "figure": "class pairs"},
        ),
    log:
        f"{ABLATION_LOGS}/confusion-figure.log",
    params:
        *fingerprint("plot_confusion.py"),
    script:
        "../scripts/plot_confusion.py"
