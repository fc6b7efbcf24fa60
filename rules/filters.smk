"""What do its filters answer to? Responses, top images, the patches that the peaks see."""

FILTERS = f"{RESULTS}/{{run}}/{{checkpoint}}/filters"
FILTER_LOGS = f"{LOGS}/{{run}}/{{checkpoint}}/filters"
ANSWERS = "3 What do its filters answer to?"  # in Snakemake's report
PAGE_FILTERS = 100  # of one layer, on a page of the atlas


def atlas_pages():
    """The first and the last channel on each page, by layer and number of the page."""
    widths = [conv["channels"] for conv in config["network"]["conv"]]
    return {
        (f"conv{layer}", f"{page:02d}"): [first, min(first + PAGE_FILTERS, width) - 1]
        for layer, width in enumerate(widths, start=1)
        for page, first in enumerate(range(0, width, PAGE_FILTERS), start=1)
    }


ATLAS = atlas_pages()


def filter_files():
    """What is made of a probed epoch, relative to its folder."""
    tables = ["activations.h5", "top-images.csv", "patches.h5", "all-top-images.csv"]
    figures = [
        "top-patches",
        *config["filters"]["chosen"],
        *(f"atlas/{layer}-{page}" for layer, page in ATLAS),
    ]
    return [f"filters/{name}" for name in [*tables, *figure_files(*figures)]]


rule record_activations:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        activations=f"{FILTERS}/activations.h5",
    log:
        f"{FILTER_LOGS}/activations.log",
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
        activations=f"{FILTERS}/activations.h5",
    output:
        table=f"{FILTERS}/top-images.csv",
    log:
        f"{FILTER_LOGS}/top-images.log",
    params:
        *fingerprint("find_top_images.py"),
        settings={**config["filters"], "network": config["network"]},
    script:
        "../scripts/find_top_images.py"


rule cut_patches:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        table=f"{FILTERS}/top-images.csv",
    output:
        patches=f"{FILTERS}/patches.h5",
    log:
        f"{FILTER_LOGS}/patches.log",
    params:
        *fingerprint("cut_patches.py"),
        settings={"network": config["network"]},
    script:
        "../scripts/cut_patches.py"


rule plot_top_patches:
    input:
        table=f"{FILTERS}/top-images.csv",
        patches=f"{FILTERS}/patches.h5",
    output:
        **drawn(f"{FILTERS}/top-patches", "top-patches", ANSWERS, epoch="{checkpoint}"),
    log:
        f"{FILTER_LOGS}/top-patches.log",
    params:
        *fingerprint("plot_top_patches.py"),
    script:
        "../scripts/plot_top_patches.py"


rule plot_filter:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        activations=f"{FILTERS}/activations.h5",
        table=f"{FILTERS}/top-images.csv",
    output:
        **drawn(
            f"{FILTERS}/{{layer}}/{{channel}}",
            "filter",
            ANSWERS,
            epoch="{checkpoint}",
            filter="{layer}/{channel}",
        ),
    log:
        f"{FILTER_LOGS}/{{layer}}/{{channel}}.log",
    params:
        *fingerprint("plot_filter.py"),
        settings={"network": config["network"]},
    script:
        "../scripts/plot_filter.py"


rule rank_filters:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        table=f"{FILTERS}/all-top-images.csv",
    log:
        f"{FILTER_LOGS}/all-top-images.log",
    threads: 4
    resources:
        gpu=1,
    params:
        *fingerprint("rank_filters.py"),
        settings={"top": config["filters"]["top"]},
    script:
        "../scripts/rank_filters.py"


rule plot_atlas:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        table=f"{FILTERS}/all-top-images.csv",
    output:
        **drawn(
            f"{FILTERS}/atlas/{{layer}}-{{page}}",
            "atlas",
            ANSWERS,
            epoch="{checkpoint}",
            filter="all of {layer}, page {page}",
        ),
    log:
        f"{FILTER_LOGS}/atlas/{{layer}}-{{page}}.log",
    params:
        *fingerprint("plot_atlas.py"),
        settings=lambda wildcards: {
            "channels": ATLAS[wildcards.layer, wildcards.page],
            "network": config["network"],
        },
    script:
        "../scripts/plot_atlas.py"
