"""Are the results whole, and do they agree? Asked for by name; makes nothing first."""


# Without outputs it always runs; without inputs it never has anything made first.
rule verify_results:
    log:
        f"{LOGS}/verification.log",
    params:
        settings=lambda wildcards: {
            "folder": placed(RESULTS),
            "config": config,
            "names": whole_files(),
            "probes": probe_files(),
            "card": {"runs": CARD_RUNS, "sources": card_sources(), "settings": CARD_SETTINGS},
            "page": page_settings(),
        },
    script:
        "../scripts/verify_results.py"
