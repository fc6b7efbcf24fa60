"""Are the results whole, and do they agree? Asked for by name; reads what is there and makes nothing."""


def training_files(run):
    """What is made of every epoch of a run, relative to the experiment's folder."""
    made = (
        "checkpoints/epoch-{}.pth",
        "checkpoints/epoch-{}.optimizer.pth",
        "training/epoch-{}.json",
    )
    return [
        f"{run}/{name}".format(epoch)
        for epoch in epochs(run)
        for name in (*made, "evaluation/epoch-{}.json")
    ]


# Without outputs it always runs; without inputs it never has anything made first.
rule verify_results:
    log:
        f"{LOGS}/verification.log",
    params:
        settings=lambda wildcards: {
            "folder": RESULTS,
            "config": config,
            "names": [
                *(
                    f"dataset/{name}"
                    for name in ("images.h5", "classes.csv", "normalisation.json")
                ),
                *(name for run in TRAINED for name in training_files(run)),
                *(f"{run}/checkpoints/weights.pth" for run in BUILT if run not in TRAINED),
                *relative(
                    [name for run in TRAINED for name in learning_curve(run)] + through_training()
                ),
                "reproduction.csv",
                "explorer.html",
            ],
            "probes": PROBES,
            "card": {"run": CARD_RUN, "sources": card_sources(), "settings": CARD_SETTINGS},
            "page": page_settings(),
        },
    script:
        "../scripts/verify_results.py"
