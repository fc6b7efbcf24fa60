"""What came out: the reproduction card and one page of everything.

Included last: it knows the files of all questions.
"""

from convprobe.report import outputs as reports

HAS_FILTERS = study.has_filters(config)
# Without filters nothing asks for the files of the other probes.
OF_PROBE = reports.of_probe(HAS_FILTERS)


def runs_by_role() -> dict[str, list[str]]:
    """Which run plays the study's normalised and its raw one, and with it its other seeds.

    A role may stay empty.
    """
    normalised = [
        run for run in STUDIED if run in TRAINED and study.run_training(config, run)["normalise"]
    ]
    raw = [run for run in TRAINED if not study.run_training(config, run)["normalise"]]
    return {
        role: study.same_but_for_seed(config, runs[0])
        for role, runs in (("normalised", normalised), ("raw", raw))
        if runs
    }


# Whose selected epochs the claims are about.
CARD_RUNS = runs_by_role().get("normalised", study.same_but_for_seed(config, STUDIED[0]))
# Where the selected epoch is named as well, there is one network only, and nothing to compare.
HAS_SEVERAL = len(STUDIED) > 1 or any(study.studied_epochs(config, run) for run in STUDIED)
CARD_SETTINGS = {"roles": list(runs_by_role()), "network": config["network"], **OFF}


def card_runs() -> dict[str, str]:
    """Whose networks the card is about, as the config names the runs: by role, or `probed`."""
    roles = {role: study.given_name(config, runs[0]) for role, runs in runs_by_role().items()}
    return {**roles, "probed": study.given_name(config, CARD_RUNS[0])}


def card_sources() -> tuple[dict[str, list[str]], dict[str, str]]:
    """The files that the claims are compared to, by name.

    The first are relative to the experiment's folder, the others to each probed epoch's.
    """
    roles = runs_by_role()
    whole = {role: [f"{run}/{training.CURVE.path}" for run in roles[role]] for role in roles}
    if CARD_RUNS[0] in TRAINED:
        whole["selection"] = [f"{run}/{training.SELECTION.path}" for run in CARD_RUNS]
    whole["images"] = [dataset.TEST_IMAGES.path]
    whole["normalisation"] = [dataset.NORMALISATION.path]
    of_epoch = {
        "summary": occlusion.SUMMARY.path,
        "localisation": occlusion.LOCALISATION.path,
    }
    if HAS_FILTERS:
        of_epoch["accuracies"] = ablation.ACCURACY.path
        of_epoch["predictions"] = ablation.PREDICTIONS.path
    else:
        of_epoch["maps"] = occlusion.WINDOW.path.format(window=min(WINDOWS))
    return whole, of_epoch


def card_files(wildcards) -> dict[str, list[str]]:
    whole, probed = card_sources()
    found = {name: [f"{RESULTS}/{path}" for path in paths] for name, paths in whole.items()}
    for name, path in probed.items():
        found[name] = [f"{selected(run)}/{path}" for run in CARD_RUNS]
    return found


def epochs_files(wildcards) -> dict[str, list[str]]:
    """What the figure is drawn from, the first epoch first."""
    names = {"maps": occlusion.WINDOW.path.format(window=max(WINDOWS))}
    if HAS_FILTERS:
        names |= {"tables": filters.TOP_IMAGES.path, "patches": filters.PATCHES.path}
    return {
        kind: [f"{folder}/{name}" for folder in probed(wildcards.run)]
        for kind, name in names.items()
    }


def any_file(output: outputs.Output) -> bool:
    return True


def asked(output: outputs.Output) -> bool:
    return output.asked


def listed(output: outputs.Output) -> bool:
    return output.listed


def shown(output: outputs.Output) -> bool:
    return output.shown


def in_manifest(output: outputs.Output) -> bool:
    return output not in reports.NOT_IN_MANIFEST


def whole_files(chosen: Callable = any_file) -> list[str]:
    """The files outside of the probed epochs' folders, relative to the experiment's folder."""
    found = outputs.names(filter(chosen, reports.OF_EXPERIMENT), {})
    if HAS_SEVERAL:
        found += outputs.names(filter(chosen, reports.OF_SEVERAL_NETWORKS), {})
    groups = {("group",): [{"group": group} for group in GROUPS]}
    found += outputs.names(filter(chosen, reports.OF_GROUP), groups)
    for run in BUILT:
        if run in TRAINED:
            made = reports.OF_TRAINED_RUN
            if study.discarded_states(config, run):
                made += reports.OF_THINNED_RUN
            values = {("epoch",): [{"epoch": epoch} for epoch in epochs(run)]}
        else:
            made, values = reports.OF_IMPORTED_RUN, {}
        if run in STUDIED and study.studied_epochs(config, run):
            made += reports.OF_RUN_WITH_SEVERAL_EPOCHS
        found += [f"{run}/{name}" for name in outputs.names(filter(chosen, made), values)]
    return found


def probe_files(chosen: Callable = any_file) -> list[str]:
    """The files of a probed epoch, relative to its folder."""
    return outputs.names(filter(chosen, OF_PROBE), VALUES)


def every_file(chosen: Callable) -> list:
    """The chosen files of the experiment, as the input of a rule."""
    whole = [f"{RESULTS}/{name}" for name in whole_files(chosen)]
    return whole + [at_probed(run, *probe_files(chosen)) for run in STUDIED]


def page_settings() -> dict:
    """What the page shows, but for the probed epochs."""
    return {
        "title": f"convprobe: {config['experiment']}",
        "windows": WINDOWS,
        "chosen": config["filters"]["chosen"],
        "table_images": config["ablation"]["table_images"],
        "trained": TRAINED,
        "groups": GROUPS,
        "card_runs": card_runs(),
        "sources": reports.PAGE_SOURCES,
        "config": study.shown(config),
        "files": whole_files(listed),
        # By part of the page, relative to a probed epoch's folder.
        "links": outputs.links(OF_PROBE, VALUES),
        "page": content(f"{HOME}/report/explorer"),
    }


def probed_places() -> list[str]:
    """Folders of all probed epochs, relative to the experiment's; of a run the selected first."""
    # The page opens with the first one.
    places = [folder for run in STUDIED for folder in dict.fromkeys([selected(run), *probed(run)])]
    return [Path(place).relative_to(RESULTS).as_posix() for place in places]


def explorer_settings(wildcards) -> dict:
    return study.with_probes(page_settings(), probed_places(), probe_files(listed))


def manifest_settings(wildcards) -> dict:
    weights = {run: weights_settings(run)["content"] for run in BUILT if run not in TRAINED}
    network = {"network": FACTORY_CODE} if FACTORY_CODE else {}
    whole = {
        "experiment": config["experiment"],
        "config": study.shown(config),
        "sources": {"images": dataset_settings().get("content"), "weights": weights, **network},
        "files": whole_files(in_manifest),
    }
    return study.with_probes(whole, probed_places(), probe_files())


rule plot_through_training:
    input:
        unpack(epochs_files),
        images=of_experiment(dataset.TEST_IMAGES),
    output:
        **drawn(of_run, reports.THROUGH_TRAINING),
    log:
        f"{LOGS}/{{run}}/through-training.log",
    localrule: True
    params:
        *fingerprint("plot_through_training.py"),
        settings=lambda wildcards: drawing(
            epochs=[Path(folder).name for folder in probed(wildcards.run)]
        ),
    script:
        "../scripts/plot_through_training.py"


rule compare_maps:
    input:
        maps=lambda wildcards: [
            f"{RESULTS}/{place}/{occlusion.WINDOW.path.format(window=window)}"
            for place in probed_places()
            for window in WINDOWS
        ],
    output:
        table=of_experiment(occlusion.AGREEMENT),
        means=of_experiment(occlusion.AGREEMENT_MEANS),
    log:
        f"{LOGS}/map-agreement.log",
    params:
        *fingerprint("compare_maps.py"),
        settings=lambda wildcards: {"networks": probed_places(), "windows": WINDOWS},
    script:
        "../scripts/compare_maps.py"


rule write_reproduction_card:
    input:
        unpack(card_files),
    output:
        card=report(
            of_experiment(reports.CARD),
            caption=f"../report/{reports.CARD.caption}.rst",
            category=reports.CARD.category,
            labels={"figure": "4 which claims of the study hold", "run": "all"},
        ),
    log:
        f"{LOGS}/reproduction.log",
    localrule: True
    params:
        *fingerprint("write_reproduction_card.py"),
        settings=CARD_SETTINGS,
    script:
        "../scripts/write_reproduction_card.py"


rule write_manifest:
    input:
        *every_file(lambda output: asked(output) and in_manifest(output)),
    output:
        manifest=of_experiment(reports.MANIFEST),
    log:
        f"{LOGS}/manifest.log",
    localrule: True
    params:
        *fingerprint("write_manifest.py"),
        settings=manifest_settings,
    script:
        "../scripts/write_manifest.py"


rule write_explorer:
    input:
        *every_file(shown),
    output:
        page=of_experiment(reports.EXPLORER),
    log:
        f"{LOGS}/explorer.log",
    localrule: True
    params:
        *fingerprint("write_explorer.py"),
        settings=explorer_settings,
    script:
        "../scripts/write_explorer.py"


rule write_crate:
    input:
        manifest=of_experiment(reports.MANIFEST),
        page=of_experiment(reports.EXPLORER),
    output:
        crate=of_experiment(reports.CRATE),
    log:
        f"{LOGS}/crate.log",
    localrule: True
    params:
        *fingerprint("write_crate.py"),
    script:
        "../scripts/write_crate.py"
