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
    found["normalisation"] = f"{RESULTS}/dataset/normalisation.json"
    names = ("occlusion/summary", "occlusion/localisation", "ablation/accuracy", "ablation/predictions")
    return found | {Path(name).name: f"{at}/{name}.csv" for name in names}


def through_training():
    """A figure for each run of which several epochs are probed."""
    drawn_runs = [run for run in STUDIED if configs.studied_epochs(config, run)]
    return figure_files(*(f"{RESULTS}/{run}/through-training" for run in drawn_runs))


def epochs_files(wildcards):
    """What the figure is drawn from, the first epoch first."""
    window = max(config["occlusion"]["windows"])
    names = {
        "maps": f"occlusion/window-{window}.h5",
        "tables": "filters/top-images.csv",
        "patches": "filters/patches.h5",
    }
    return {kind: [f"{folder}/{name}" for folder in probed(wildcards.run)] for kind, name in names.items()}


def explorer_files():
    """What the page is made of."""
    windows = [f"occlusion/window-{window}.h5" for window in config["occlusion"]["windows"]]
    tables = [
        "occlusion/summary",
        "occlusion/localisation",
        "filters/all-top-images",
        "ablation/predictions",
        "ablation/accuracy",
    ]
    names = windows + [f"{table}.csv" for table in tables]
    curves = [f"{RESULTS}/{run}/{name}" for run in TRAINED for name in ("learning-curve.csv", "selection.json")]
    dataset = [f"{RESULTS}/dataset/{name}" for name in ("images.h5", "classes.csv")]
    return [*dataset, *curves, f"{RESULTS}/reproduction.csv", *(at_probed(run, *names) for run in STUDIED)]


def relative(paths):
    return [Path(path).relative_to(RESULTS).as_posix() for path in paths]


def finished_files(places):
    """All results that are looked at: of each run that is trained, and of each probed epoch."""
    curves = [path for run in TRAINED for path in learning_curve(run)]
    probes = [f"{place}/{name}" for place in places for name in PROBES]
    dataset = [f"{RESULTS}/dataset/{name}" for name in ("images.h5", "classes.csv", "normalisation.json")]
    return [*dataset, f"{RESULTS}/reproduction.csv", *curves, *through_training(), *probes]


def explorer_settings(wildcards):
    # The selected epoch first, for it is what the page opens with.
    places = [folder for run in STUDIED for folder in dict.fromkeys([selected(run), *probed(run)])]
    return {
        "title": f"convprobe: {config['experiment']}",
        "probes": relative(places),
        "windows": config["occlusion"]["windows"],
        "chosen": config["filters"]["chosen"],
        "table_images": config["ablation"]["table_images"],
        "trained": TRAINED,
        "config": configs.shown(config),
        "files": relative(finished_files(places)),
        "page": content(f"{workflow.basedir}/report/explorer"),
    }


rule plot_through_training:
    input:
        unpack(epochs_files),
        images=f"{RESULTS}/dataset/images.h5",
    output:
        **drawn(
            f"{RESULTS}/{{run}}/through-training", "through-training", "1 Training", figure="probes at several epochs"
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
            **OFF,
        },
    script:
        "../scripts/write_reproduction_card.py"


rule write_explorer:
    input:
        *explorer_files(),
    output:
        page=f"{RESULTS}/explorer.html",
    log:
        f"{LOGS}/explorer.log",
    params:
        *fingerprint("write_explorer.py"),
        settings=explorer_settings,
    script:
        "../scripts/write_explorer.py"
