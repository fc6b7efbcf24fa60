"""What came out: the reproduction card and one page of everything."""


def runs_by_role():
    """Which run plays the study's normalised and its raw one; a role may stay empty."""
    normalised = [run for run in STUDIED if run in TRAINED and configs.run_training(config, run)["normalise"]]
    raw = [run for run in TRAINED if not configs.run_training(config, run)["normalise"]]
    return {role: runs[0] for role, runs in (("normalised", normalised), ("raw", raw)) if runs}


def card_files(wildcards):
    """The files that the claims are held against, by name."""
    roles = runs_by_role()
    at = selected(roles.get("normalised", STUDIED[0]))
    found = {role: f"{RESULTS}/{run}/learning-curve.csv" for role, run in roles.items()}
    found["selection"] = f"{RESULTS}/{roles['normalised']}/selection.json" if "normalised" in roles else []
    found["images"] = f"{RESULTS}/dataset/images.h5"
    found["maps"] = f"{at}/occlusion/window-{max(config['occlusion']['windows'])}.h5"
    names = {"summary": "occlusion/summary", "accuracy": "ablation/accuracy", "predictions": "ablation/predictions"}
    return found | {name: f"{at}/{table}.csv" for name, table in names.items()}


def through_training():
    """A figure for each run of which several epochs are probed."""
    return [f"{RESULTS}/{run}/through-training.png" for run in STUDIED if configs.studied_epochs(config, run)]


def epochs_files(wildcards):
    """What the figure is drawn from, the first epoch first."""
    window = max(config["occlusion"]["windows"])
    names = {
        "maps": f"occlusion/window-{window}.h5",
        "tables": "filters/top-images.csv",
        "patches": "filters/patches.h5",
    }
    return {kind: [f"{folder}/{name}" for folder in probed(wildcards.run)] for kind, name in names.items()}


def explorer_sections(wildcards):
    """What the page shows, by heading."""
    curves = [f"{RESULTS}/{run}/learning-curve.png" for run in TRAINED]
    sections = {"Does the study hold?": [f"{RESULTS}/reproduction.csv"]}
    sections |= {"How it was trained": [*curves, *through_training()]} if curves else {}
    for run in STUDIED:
        for folder in probed(run):
            at = f"{run}, {Path(folder).name}"
            sheet_files = [f"{folder}/occlusion/sheet-{sheet}.png" for sheet in sheets()]
            answers = [f"{folder}/filters/{name}.png" for name in ("top-patches", *config["filters"]["chosen"])]
            lost = (
                "accuracy.png",
                "confusion.png",
                "class-pairs.png",
                "gallery.png",
                "accuracy.csv",
                "first-images.csv",
            )
            sections[f"{at}: where does it look?"] = [*sheet_files, f"{folder}/occlusion/summary.csv"]
            sections[f"{at}: what do its filters answer to?"] = [*answers, f"{folder}/filters/top-images.csv"]
            sections[f"{at}: what does it lose?"] = [f"{folder}/ablation/{name}" for name in lost]
    return sections


rule plot_through_training:
    input:
        unpack(epochs_files),
        images=f"{RESULTS}/dataset/images.h5",
    output:
        figure=report(
            f"{RESULTS}/{{run}}/through-training.png",
            caption="../report/through-training.rst",
            category="1 Training",
            labels={"run": "{run}", "figure": "probes at several epochs"},
        ),
    log:
        f"{LOGS}/{{run}}/through-training.log",
    params:
        *fingerprint("plot_through_training.py"),
        settings=lambda wildcards: {"epochs": [Path(folder).name for folder in probed(wildcards.run)]},
    script:
        "../scripts/plot_through_training.py"


rule write_reproduction_card:
    input:
        unpack(card_files),
    output:
        card=report(
            f"{RESULTS}/reproduction.csv",
            caption="../report/reproduction.rst",
            category="5 Does the study hold?",
        ),
    log:
        f"{LOGS}/reproduction.log",
    params:
        *fingerprint("write_reproduction_card.py"),
        settings={
            "roles": list(runs_by_role()),
            "network": config["network"],
        },
    script:
        "../scripts/write_reproduction_card.py"


rule write_explorer:
    input:
        lambda wildcards: [path for paths in explorer_sections(wildcards).values() for path in paths],
    output:
        page=f"{RESULTS}/explorer.html",
    log:
        f"{LOGS}/explorer.log",
    params:
        *fingerprint("write_explorer.py"),
        settings=lambda wildcards: {
            "title": f"convprobe: {config['experiment']}",
            "sections": explorer_sections(wildcards),
        },
    script:
        "../scripts/write_explorer.py"
