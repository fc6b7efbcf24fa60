"""Where does it look? Occlusion maps, a job a window."""

SHEET_IMAGES = 4  # side by side, as published
MOST_SHEETS = 5  # of the first 20 images, as published; all maps are in the window files


def occlusion_settings(window):
    settings = config["occlusion"]
    return {"window": window, **{key: settings[key] for key in ("images", "fill", "precision")}}


def sheets():
    """The images of each sheet, by its number from 1."""
    images = config["occlusion"]["images"]
    if images == "all":
        images = configs.test_images(config) or SHEET_IMAGES
    images = list(range(images)) if isinstance(images, int) else images
    fours = [images[start : start + SHEET_IMAGES] for start in range(0, len(images), SHEET_IMAGES)]
    return {str(number): four for number, four in enumerate(fours[:MOST_SHEETS], start=1)}


def occlusion_files():
    """What is made of a probed epoch, relative to its folder."""
    names = [f"window-{window}.h5" for window in config["occlusion"]["windows"]]
    names += ["summary.csv", *(f"sheet-{sheet}.png" for sheet in sheets())]
    return [f"occlusion/{name}" for name in names]


rule map_occlusion:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        checkpoint=f"{RESULTS}/{{run}}/checkpoints/{{checkpoint}}.pth",
    output:
        maps=f"{RESULTS}/{{run}}/{{checkpoint}}/occlusion/window-{{window}}.h5",
    log:
        f"{LOGS}/{{run}}/{{checkpoint}}/occlusion/window-{{window}}.log",
    threads: 4
    resources:
        gpu=1,
    params:
        *fingerprint("map_occlusion.py"),
        settings=lambda wildcards: occlusion_settings(int(wildcards.window)),
    script:
        "../scripts/map_occlusion.py"


rule summarise_occlusion:
    input:
        maps=expand(
            f"{RESULTS}/{{{{run}}}}/{{{{checkpoint}}}}/occlusion/window-{{window}}.h5",
            window=sorted(config["occlusion"]["windows"]),
        ),
    output:
        summary=f"{RESULTS}/{{run}}/{{checkpoint}}/occlusion/summary.csv",
    log:
        f"{LOGS}/{{run}}/{{checkpoint}}/occlusion/summary.log",
    params:
        *fingerprint("summarise_occlusion.py"),
    script:
        "../scripts/summarise_occlusion.py"


rule plot_occlusion_sheet:
    input:
        images=f"{RESULTS}/dataset/images.h5",
        maps=rules.summarise_occlusion.input.maps,
    output:
        figure=report(
            f"{RESULTS}/{{run}}/{{checkpoint}}/occlusion/sheet-{{sheet}}.png",
            caption="../report/occlusion-sheet.rst",
            category="2 Where does it look?",
            labels={"run": "{run}", "epoch": "{checkpoint}", "sheet": "{sheet}"},
        ),
    log:
        f"{LOGS}/{{run}}/{{checkpoint}}/occlusion/sheet-{{sheet}}.log",
    params:
        *fingerprint("plot_occlusion_sheet.py"),
        settings=lambda wildcards: {"images": sheets()[wildcards.sheet]},
    script:
        "../scripts/plot_occlusion_sheet.py"
