"""The table of what reruns after which edit, made from the data of the tests."""

from collections import defaultdict

from edits import (
    AFTER_DATA,
    CURVES,
    EDITS,
    EVERYTHING,
    EXPLORER,
    FIGURES,
    RECORD,
    ablation,
    accuracy,
    atlas,
    confusion,
    filters,
    probes,
    sheets,
    train,
    windows,
)


def markdown():
    """One row per edit: what a user does, and the jobs that are due afterwards."""
    rows = [f"| {edit.what} | {due(edit.due)} |" for edit in EDITS]
    return "\n".join(["| after this edit | this runs |", "| --- | --- |", *rows, ""])


PARTS = {
    "everything": EVERYTHING,
    "everything but the data set": AFTER_DATA,
    "training of `raw`": train("raw"),
    "training of a run `second`": train("second"),
    "all probes": probes(),
    "all probes at epoch 2": probes(at="normalised epoch-02"),
    "all probes of `raw`": probes(at="raw epoch-01"),
    "all probes of `own`": probes(at="own weights"),
    "filters": filters(),
    "ablation": ablation(),
    "occlusion": windows(3, 5) | sheets(),
    "the tables and figures of the ablation": confusion() | accuracy(),
    "the atlas of all filters": atlas(),
    "all figures": FIGURES,
    "both learning curves": CURVES,
    "the manifest and the page": RECORD,
    "the page": EXPLORER,
}


def due(jobs):
    """The jobs in words: whole parts of the study, then single rules, if need be with wildcards."""
    words = []
    for name, part in PARTS.items():
        if part <= jobs:
            words.append(name)
            jobs -= part
    by_rule = defaultdict(set)
    for job in sorted(jobs):
        rule, _, wildcards = job.partition(" ")
        by_rule[rule].add(wildcards)
    words[-1:-1] = [f"`{rule}`{which(rule, wildcards)}" for rule, wildcards in by_rule.items()]
    return ", ".join(words) or "nothing"


def which(rule, wildcards):
    """The wildcards of a rule's jobs in brackets, or nothing if these are all of its jobs."""
    every = set()
    for job in EVERYTHING:
        name, _, wildcard = job.partition(" ")
        if name == rule:
            every.add(wildcard)
    return "" if wildcards in (every, {""}) else f" ({', '.join(sorted(wildcards))})"
