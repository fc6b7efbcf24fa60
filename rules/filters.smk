"""What do its filters answer to? Responses, top images, the patches that the peaks see."""

from convprobe.filters import outputs as filters
from convprobe.filters import pages
from convprobe.network.filter_layers import split_name

FILTER_LOGS = f"{LOGS}/{{run}}/{{checkpoint}}/filters"
ATLAS = pages.atlas_pages(study.filter_channels(config))

CHOSEN = list(map(split_name, config["filters"]["chosen"]))
VALUES["layer", "channel"] = [{"layer": layer, "channel": channel} for layer, channel in CHOSEN]
VALUES["layer", "page"] = [{"layer": layer, "page": page} for layer, page in ATLAS]


rule record_activations:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        checkpoint=PROBED_CHECKPOINT,
    output:
        activations=at_epoch(filters.ACTIVATIONS),
    log:
        f"{FILTER_LOGS}/activations.log",
    priority: DRAWN_LONG
    threads: cores_of("record_activations")
    resources:
        gpu=gpus_of("record_activations"),
    params:
        *fingerprint("record_activations.py"),
        settings={"chosen": config["filters"]["chosen"]},
    script:
        "../scripts/record_activations.py"


rule find_top_images:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        activations=at_epoch(filters.ACTIVATIONS),
    output:
        table=at_epoch(filters.TOP_IMAGES),
    log:
        f"{FILTER_LOGS}/top-images.log",
    priority: DRAWN_LONG
    localrule: True
    params:
        *fingerprint("find_top_images.py"),
        settings={**config["filters"], "network": config["network"]},
    script:
        "../scripts/find_top_images.py"


rule find_quantile_images:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        activations=at_epoch(filters.ACTIVATIONS),
    output:
        table=at_epoch(filters.QUANTILE_IMAGES),
    log:
        f"{FILTER_LOGS}/quantile-images.log",
    localrule: True
    params:
        *fingerprint("find_quantile_images.py"),
        settings={"chosen": config["filters"]["chosen"]},
    script:
        "../scripts/find_quantile_images.py"


rule cut_patches:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        table=at_epoch(filters.TOP_IMAGES),
    output:
        patches=at_epoch(filters.PATCHES),
    log:
        f"{FILTER_LOGS}/patches.log",
    localrule: True
    params:
        *fingerprint("cut_patches.py"),
        settings={"network": config["network"]},
    script:
        "../scripts/cut_patches.py"


rule plot_top_patches:
    input:
        table=at_epoch(filters.TOP_IMAGES),
        patches=at_epoch(filters.PATCHES),
    output:
        **drawn(at_epoch, filters.PATCHES_FIGURE),
    log:
        f"{FILTER_LOGS}/top-patches.log",
    localrule: True
    params:
        *fingerprint("plot_top_patches.py"),
        settings=drawing(as_published=config["figures"]["as_published"]),
    script:
        "../scripts/plot_top_patches.py"


rule rank_filters:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        checkpoint=PROBED_CHECKPOINT,
    output:
        table=at_epoch(filters.ALL_TOP_IMAGES),
    log:
        f"{FILTER_LOGS}/all-top-images.log",
    priority: DRAWN_LONG
    threads: cores_of("rank_filters")
    resources:
        gpu=gpus_of("rank_filters"),
    params:
        *fingerprint("rank_filters.py"),
        settings={"top": config["filters"]["top"]},
    script:
        "../scripts/rank_filters.py"


if study.has_filters(config):  # else there is nothing to draw

    rule plot_filters:
        input:
            images=of_experiment(dataset.TEST_IMAGES),
            activations=at_epoch(filters.ACTIVATIONS),
            table=at_epoch(filters.TOP_IMAGES),
        output:
            **all_drawn(filters.FILTER_FIGURE),
        log:
            f"{FILTER_LOGS}/chosen.log",
        priority: DRAWN_LONG
        localrule: True
        params:
            *fingerprint("plot_filters.py"),
            settings=drawing(chosen=config["filters"]["chosen"], network=config["network"]),
        script:
            "../scripts/plot_filters.py"

    rule plot_atlas:
        input:
            images=of_experiment(dataset.TEST_IMAGES),
            table=at_epoch(filters.ALL_TOP_IMAGES),
        output:
            **all_drawn(filters.ATLAS),
        log:
            f"{FILTER_LOGS}/atlas.log",
        priority: DRAWN_LONG
        localrule: True
        params:
            *fingerprint("plot_atlas.py"),
            settings=drawing(
                pages=[[layer, *channels] for (layer, _), channels in ATLAS.items()],
                network=config["network"],
            ),
        script:
            "../scripts/plot_atlas.py"
