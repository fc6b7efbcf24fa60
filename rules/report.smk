"""What came out: the reproduction card and one page of everything."""


def runs_by_role():
    """Which run plays the study's normalised and its raw one; a role may stay empty."""
    normalised = [
        run for run in STUDIED if run in TRAINED and study.run_training(config, run)["normalise"]
    ]
    raw = [run for run in TRAINED if not study.run_training(config, run)["normalise"]]
    return {role: runs[0] for role, runs in (("normalised", normalised), ("raw", raw)) if runs}


CARD_RUN = runs_by_role().get("normalised", STUDIED[0])  # whose selected epoch the claims are about
CARD_SETTINGS = {"roles": list(runs_by_role()), "network": config["network"], **OFF}


def card_sources():
    """The files that the claims are held against, by name: relative to the experiment's folder, and to the epoch's."""
    roles = runs_by_role()
    whole = {role: f"{run}/learning-curve.csv" for role, run in roles.items()}
    if "normalised" in roles:
        whole["selection"] = f"{roles['normalised']}/selection.json"
    whole["images"] = "dataset/images.h5"
    whole["normalisation"] = "dataset/normalisation.json"
    names = (
        "occlusion/summary",
        "occlusion/localisation",
        "ablation/accuracy",
        "ablation/predictions",
    )
    return whole, {Path(name).name: f"{name}.csv" for name in names}


def card_files(wildcards):
    whole, probed = card_sources()
    found = {name: f"{RESULTS}/{path}" for name, path in whole.items()}
    return found | {name: f"{selected(CARD_RUN)}/{path}" for name, path in probed.items()}


def through_training():
    """A figure for each run of which several epochs are probed."""
    drawn_runs = [run for run in STUDIED if study.studied_epochs(config, run)]
    return figure_files(*(f"{RESULTS}/{run}/through-training" for run in drawn_runs))


def epochs_files(wildcards):
    """What the figure is drawn from, the first epoch first."""
    window = max(config["occlusion"]["windows"])
    names = {
        "maps": f"occlusion/window-{window}.h5",
        "tables": "filters/top-images.csv",
        "patches": "filters/patches.h5",
    }
    return {
        kind: [f"{folder}/{name}" for folder in probed(wildcards.run)]
        for kind, name in names.items()
    }


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
    curves = [
        f"{RESULTS}/{run}/{name}"
        for run in TRAINED
        for name in ("learning-curve.csv", "selection.json")
    ]
    curves += [record for run in TRAINED for record in records_of(run)]
    dataset = [f"{RESULTS}/dataset/{name}" for name in ("images.h5", "classes.csv")]
    return [
        *dataset,
        *curves,
        f"{RESULTS}/reproduction.csv",
        *(at_probed(run, *names) for run in STUDIED),
    ]


def relative(paths):
    return [Path(path).relative_to(RESULTS).as_posix() for path in paths]


def finished_files():
    """What is looked at beside the files of the probed epochs."""
    curves = [path for run in TRAINED for path in learning_curve(run)]
    dataset = [
        f"{RESULTS}/dataset/{name}" for name in ("images.h5", "classes.csv", "normalisation.json")
    ]
    return relative([*dataset, f"{RESULTS}/reproduction.csv", *curves, *through_training()])


def pictures_of(beginning):
    """The pictures of a probed epoch whose names begin so."""
    return [name for name in PROBES if name.startswith(beginning) and name.endswith(".png")]


def page_links():
    """The files that each place of the page links to, relative to a probed epoch's folder."""
    windows = [f"occlusion/window-{window}.h5" for window in config["occlusion"]["windows"]]
    chosen = [f"filters/{name}.png" for name in config["filters"]["chosen"]]
    return {
        "occlusion": [
            *windows,
            "occlusion/summary.csv",
            "occlusion/localisation.csv",
            *pictures_of("occlusion/sheet-"),
        ],
        "filters": [
            "filters/top-images.csv",
            "filters/all-top-images.csv",
            "filters/activations.h5",
            "filters/top-patches.png",
            *chosen,
        ],
        "atlas": pictures_of("filters/atlas/"),
        "ablation": [
            "ablation/accuracy.csv",
            "ablation/class-accuracy.csv",
            "ablation/predictions.csv",
            "ablation/first-images.csv",
            "ablation/confusion-clean.csv",
            "ablation/confusion-ablated.csv",
            "ablation/class-pairs.csv",
            "ablation/flips.csv",
            "ablation/variants.h5",
            "ablation/confusion.png",
            "ablation/class-pairs.png",
            "ablation/gallery.png",
            "ablation/accuracy.png",
        ],
    }


def page_settings():
    """What the page shows, but for the probed epochs."""
    return {
        "title": f"convprobe: {config['experiment']}",
        "windows": config["occlusion"]["windows"],
        "chosen": config["filters"]["chosen"],
        "table_images": config["ablation"]["table_images"],
        "trained": TRAINED,
        "config": study.shown(config),
        "files": finished_files(),
        "links": page_links(),
        "page": content(f"{workflow.basedir}/report/explorer"),
    }


def explorer_settings(wildcards):
    # The selected epoch first, for it is what the page opens with.
    places = [folder for run in STUDIED for folder in dict.fromkeys([selected(run), *probed(run)])]
    return study.with_probes(page_settings(), relative(places), PROBES)


rule plot_through_training:
    input:
        unpack(epochs_files),
        images=f"{RESULTS}/dataset/images.h5",
    output:
        **drawn(
            f"{RESULTS}/{{run}}/through-training",
            "through-training",
            "1 Training",
            figure="probes at several epochs",
        ),
    log:
        f"{LOGS}/{{run}}/through-training.log",
    params:
        *fingerprint("plot_through_training.py"),
        settings=lambda wildcards: {
            "epochs": [Path(folder).name for folder in probed(wildcards.run)]
        },
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
        settings=CARD_SETTINGS,
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
