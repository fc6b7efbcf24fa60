"""Where does it look? Maps in one job per window, and per shard if there are many images."""

from convprobe.occlusion import outputs as occlusion
from convprobe.occlusion.sheets import sheets

OCCLUSION_LOGS = f"{LOGS}/{{run}}/{{checkpoint}}/occlusion"


def occluded_images() -> list[int]:
    """Indices of the images, in order."""
    images = config["occlusion"]["images"]
    if images == "all":
        images = COUNTS["test"]
    return list(range(images)) if isinstance(images, int) else images


def shards() -> dict[str, list[int]]:
    """The images of each shard, by its name: when more images are asked for, none is made anew."""
    images, size = occluded_images(), study.SHARD_IMAGES
    if len(images) <= size:
        return {}
    parts = [images[start : start + size] for start in range(0, len(images), size)]
    return {f"{number:04d}": part for number, part in enumerate(parts, start=1)}


SHARDS = shards()
SHEETS = sheets(occluded_images())
WINDOWS = config["occlusion"]["windows"]
# What map_occlusion makes; join_occlusion makes the window's file of the shards.
MAPS = at_epoch(occlusion.SHARD if SHARDS else occlusion.WINDOW)

VALUES["window",] = [{"window": window} for window in WINDOWS]
VALUES["window", "shard"] = [
    {"window": window, "shard": shard} for window in WINDOWS for shard in SHARDS
]
VALUES["sheet",] = [{"sheet": sheet} for sheet in SHEETS]


def occlusion_settings(wildcards) -> dict:
    settings = config["occlusion"]
    asked = COUNTS["test"] if settings["images"] == "all" else settings["images"]
    images = SHARDS[wildcards.shard] if SHARDS else asked
    return {
        "images": images,
        "fill": settings["fill"],
        "precision": settings["precision"],
        "stride": settings["stride"],
    }


rule map_occlusion:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        checkpoint=PROBED_CHECKPOINT,
    output:
        maps=MAPS,
    log:
        log_of(MAPS),
    threads: cores_of("map_occlusion")
    resources:
        gpu=1,  # one at a time: it makes those of other windows ahead
    params:
        *fingerprint("map_occlusion.py"),
        settings=occlusion_settings,
    script:
        "../scripts/map_occlusion.py"


if SHARDS:

    rule join_occlusion:
        input:
            shards=expand(at_epoch(occlusion.SHARD), shard=SHARDS, allow_missing=True),
        output:
            maps=at_epoch(occlusion.WINDOW),
        log:
            log_of(at_epoch(occlusion.WINDOW)),
        localrule: True
        params:
            *fingerprint("join_occlusion.py"),
        script:
            "../scripts/join_occlusion.py"


rule summarise_occlusion:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        maps=expand(at_epoch(occlusion.WINDOW), window=WINDOWS, allow_missing=True),
    output:
        summary=at_epoch(occlusion.SUMMARY),
        localisation=at_epoch(occlusion.LOCALISATION),
    log:
        f"{OCCLUSION_LOGS}/summary.log",
    params:
        *fingerprint("summarise_occlusion.py"),
    script:
        "../scripts/summarise_occlusion.py"


rule plot_occlusion_sheets:
    input:
        images=of_experiment(dataset.TEST_IMAGES),
        maps=rules.summarise_occlusion.input.maps,
    output:
        **all_drawn(occlusion.SHEET, windows=", ".join(map(str, WINDOWS))),
    log:
        f"{OCCLUSION_LOGS}/sheets.log",
    priority: DRAWN_LONG
    localrule: True
    params:
        *fingerprint("plot_occlusion_sheets.py"),
        settings=drawing(sheets=list(SHEETS.values())),
    script:
        "../scripts/plot_occlusion_sheets.py"
