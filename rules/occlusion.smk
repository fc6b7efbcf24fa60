"""Where does it look? Occlusion maps, a job a window, and of many images a job a shard of them."""

SHEET_IMAGES = 4  # side by side, as published
MOST_SHEETS = 5  # of the first 20 images, as published; all maps are in the window files
OCCLUSION = f"{RESULTS}/{{run}}/{{checkpoint}}/occlusion"
OCCLUSION_LOGS = f"{LOGS}/{{run}}/{{checkpoint}}/occlusion"


def occluded_images():
    """Indices of the images, in order."""
    images = config["occlusion"]["images"]
    if images == "all":
        images = SIZES["test"]
    return list(range(images)) if isinstance(images, int) else images


def shards():
    """The images of each shard, by its name: none of them is made anew when more images are asked for."""
    images, size = occluded_images(), study.SHARD_IMAGES
    if len(images) <= size:
        return {}
    parts = [images[start : start + size] for start in range(0, len(images), size)]
    return {f"{number:04d}": part for number, part in enumerate(parts, start=1)}


SHARDS = shards()
WINDOWS = ", ".join(map(str, config["occlusion"]["windows"]))  # as a label


def occlusion_settings(wildcards):
    settings = config["occlusion"]
    images = SHARDS[wildcards.shard] if SHARDS else settings["images"]
    return {
        "window": int(wildcards.window),
        "images": images,
        "fill": settings["fill"],
        "precision": settings["precision"],
    }


def sheets():
    """The images of each sheet, by its number from 1."""
    images = occluded_images()
    fours = [images[start : start + SHEET_IMAGES] for start in range(0, len(images), SHEET_IMAGES)]
    return {str(number): four for number, four in enumerate(fours[:MOST_SHEETS], start=1)}


def occlusion_files():
    """What is made of a probed epoch, relative to its folder."""
    windows = config["occlusion"]["windows"]
    names = [f"window-{window}/{shard}.h5" for window in windows for shard in SHARDS]
    names += [f"window-{window}.h5" for window in windows]
    names += [
        "summary.csv",
        "localisation.csv",
        *figure_files(*(f"sheet-{sheet}" for sheet in sheets())),
    ]
    return [f"occlusion/{name}" for name in names]


rule map_occlusion:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        maps=(
            f"{OCCLUSION}/window-{{window}}/{{shard}}.h5"
            if SHARDS
            else f"{OCCLUSION}/window-{{window}}.h5"
        ),
    log:
        f"{OCCLUSION_LOGS}/window-{{window}}/{{shard}}.log"
        if SHARDS
        else f"{OCCLUSION_LOGS}/window-{{window}}.log",
    threads: 4
    resources:
        gpu=1,
    params:
        *fingerprint("map_occlusion.py"),
        settings=occlusion_settings,
    script:
        "../scripts/map_occlusion.py"


if SHARDS:

    rule join_occlusion:
        input:
            shards=expand(
                f"{OCCLUSION}/window-{{window}}/{{shard}}.h5", shard=SHARDS, allow_missing=True
            ),
        output:
            maps=f"{OCCLUSION}/window-{{window}}.h5",
        log:
            f"{OCCLUSION_LOGS}/window-{{window}}.log",
        localrule: True
        params:
            *fingerprint("join_occlusion.py"),
        script:
            "../scripts/join_occlusion.py"


rule summarise_occlusion:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        maps=expand(
            f"{OCCLUSION}/window-{{window}}.h5",
            window=config["occlusion"]["windows"],
            allow_missing=True,
        ),
    output:
        summary=f"{OCCLUSION}/summary.csv",
        localisation=f"{OCCLUSION}/localisation.csv",
    log:
        f"{OCCLUSION_LOGS}/summary.log",
    params:
        *fingerprint("summarise_occlusion.py"),
    script:
        "../scripts/summarise_occlusion.py"


rule plot_occlusion_sheet:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        maps=rules.summarise_occlusion.input.maps,
    output:
        **drawn(
            f"{OCCLUSION}/sheet-{{sheet}}",
            "occlusion-sheet",
            "2 Where does it look?",
            epoch="{checkpoint}",
            images="sheet {sheet}",
            windows=WINDOWS,
        ),
    log:
        f"{OCCLUSION_LOGS}/sheet-{{sheet}}.log",
    params:
        *fingerprint("plot_occlusion_sheet.py"),
        settings=lambda wildcards: {"images": sheets()[wildcards.sheet]},
    script:
        "../scripts/plot_occlusion_sheet.py"
