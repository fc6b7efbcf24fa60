"""What came out: the reproduction card and one page of everything."""


def runs_by_role():
    """Which run plays the study's normalised and its raw one; a role may stay empty."""
    normalised = [run for run in STUDIED if configs.run_training(config, run)["normalise"]]
    raw = [run for run in BUILT if not configs.run_training(config, run)["normalise"]]
    return {role: runs[0] for role, runs in (("normalised", normalised), ("raw", raw)) if runs}


def card_files(wildcards):
    """The files that the claims are held against, by name."""
    roles = runs_by_role()
    probed = roles.get("normalised", STUDIED[0])
    found = {role: f"{RESULTS}/{run}/learning-curve.csv" for role, run in roles.items()}
    found["selection"] = f"{RESULTS}/{probed}/selection.json"
    found["images"] = f"{RESULTS}/dataset/images.h5"
    found["maps"] = f"{selected(probed)}/occlusion/window-{max(config['occlusion']['windows'])}.h5"
    names = {"summary": "occlusion/summary", "accuracy": "ablation/accuracy", "predictions": "ablation/predictions"}
    return found | {name: f"{selected(probed)}/{table}.csv" for name, table in names.items()}


def explorer_sections(wildcards):
    """What the page shows, by heading."""
    curves = [f"{RESULTS}/{run}/learning-curve.png" for run in BUILT]
    sections = {"Does the study hold?": [f"{RESULTS}/reproduction.csv"], "How it was trained": curves}
    for run in STUDIED:
        folder = selected(run)
        sheet_files = [f"{folder}/occlusion/sheet-{sheet}.png" for sheet in sheets()]
        names = ("filters/top-patches.png", "filters/top-images.csv")
        lost = ("confusion.png", "class-pairs.png", "accuracy.csv", "first-images.csv")
        sections[f"{run}: where does it look?"] = [*sheet_files, f"{folder}/occlusion/summary.csv"]
        sections[f"{run}: what do its filters answer to?"] = [f"{folder}/{name}" for name in names]
        sections[f"{run}: what does it lose?"] = [f"{folder}/ablation/{name}" for name in lost]
    return sections


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
            "table_images": config["ablation"]["table_images"],
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
