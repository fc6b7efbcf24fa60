"""What do its filters answer to? Responses, top images, the patches that the peaks see."""


def filter_files():
    """What is made of a probed epoch, relative to its folder."""
    return [f"filters/{name}" for name in ("activations.h5", "top-images.csv", "patches.h5", "top-patches.png")]


rule record_activations:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        activations=f"{RESULTS}/{{run}}/{{checkpoint}}/filters/activations.h5",
    log:
        f"{LOGS}/{{run}}/{{checkpoint}}/filters/activations.log",
    threads: 4
    resources:
        gpu=1,
    params:
        *fingerprint("record_activations.py"),
        settings={"chosen": config["filters"]["chosen"]},
    script:
        "../scripts/record_activations.py"


rule find_top_images:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        activations=f"{RESULTS}/{{run}}/{{checkpoint}}/filters/activations.h5",
    output:
        table=f"{RESULTS}/{{run}}/{{checkpoint}}/filters/top-images.csv",
    log:
        f"{LOGS}/{{run}}/{{checkpoint}}/filters/top-images.log",
    params:
        *fingerprint("find_top_images.py"),
        settings={**config["filters"], "network": config["network"]},
    script:
        "../scripts/find_top_images.py"


rule cut_patches:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        table=f"{RESULTS}/{{run}}/{{checkpoint}}/filters/top-images.csv",
    output:
        patches=f"{RESULTS}/{{run}}/{{checkpoint}}/filters/patches.h5",
    log:
        f"{LOGS}/{{run}}/{{checkpoint}}/filters/patches.log",
    params:
        *fingerprint("cut_patches.py"),
    script:
        "../scripts/cut_patches.py"


rule plot_top_patches:
    input:
        table=f"{RESULTS}/{{run}}/{{checkpoint}}/filters/top-images.csv",
        patches=f"{RESULTS}/{{run}}/{{checkpoint}}/filters/patches.h5",
    output:
        figure=report(
            f"{RESULTS}/{{run}}/{{checkpoint}}/filters/top-patches.png",
            caption="../report/top-patches.rst",
            category="3 What do its filters answer to?",
            labels={"run": "{run}", "epoch": "{checkpoint}"},
        ),
    log:
        f"{LOGS}/{{run}}/{{checkpoint}}/filters/top-patches.log",
    params:
        *fingerprint("plot_top_patches.py"),
    script:
        "../scripts/plot_top_patches.py"
