"""The table of what reruns after which edit, made from the tests' data."""

from collections import defaultdict

from edits import (
    AFTER_DATA,
    CURVES,
    EDITS,
    EVERYTHING,
    EXPLORER,
    ablation,
    accuracy,
    atlas,
    confusion,
    filters,
    probes,
    sheets,
    train,
    windows,
)  # fmt: skip


def markdown():
    """A row per edit: what a user does, and the jobs that are then due."""
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
    "occlusion": windows(3, 5) | sheets(1, 2),
    "the tables and figures of the ablation": confusion() | accuracy(),
    "the atlas of all filters": atlas(),
    "both learning curves": CURVES,
    "the page": EXPLORER,
}


def due(jobs):
    """The jobs in words: whole parts of the study, then single rules, with wildcards where needed."""
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
    every = {
        wildcard for job in EVERYTHING for name, _, wildcard in [job.partition(" ")] if name == rule
    }
    return "" if wildcards == every else f" ({', '.join(sorted(wildcards))})"
