"""The reproduction card, from the files that the claims are held against."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from convprobe.dataset import image_file
from convprobe.report import clean_answers, reproduction
from convprobe.report.evidence import Evidence, SeedEvidence
from convprobe.store import files, tables

TABLES = ("summary", "localisation")  # of each probed network
OF_ABLATION = ("accuracies", "predictions")  # of each that has filters


def of_files(
    paths: Mapping[str, Sequence[Path | str]], settings: Mapping[str, Any]
) -> pd.DataFrame:
    """The reproduction card.

    Args:
        paths: by name: `images` and `normalisation` of the data set, one each; and for each seed
            `summary` and `localisation` of occlusion; `accuracies` and `predictions` of the
            ablation, or of a network without filters `maps` of a window; a learning curve by role;
            `selection`, missing where the probed weights were trained elsewhere.
        settings: `roles` that a run plays, the config's `network`, its `chosen` filters, and the
            `mode` of the ablation.

    Returns:
        the table of reproduction.card.
    """
    curves = {role: [tables.read(path) for path in paths[role]] for role in settings["roles"]}
    (images,) = paths["images"]
    (normalisation,) = paths["normalisation"]
    evidence = Evidence(
        curves=curves,
        probed=_probed(paths),
        normalisation=files.read_json(normalisation),
        classes=image_file.classes(images),
        network=settings["network"],
        chosen=settings["chosen"],
        mode=settings["mode"],
        tested=None if settings["chosen"] else clean_answers.tested(images),
    )
    return reproduction.card(evidence)


def _probed(paths: Mapping[str, Sequence[Path | str]]) -> list[SeedEvidence]:
    """The probed network of each seed."""
    probed = []
    for seed in range(len(paths[TABLES[0]])):
        selection = files.read_json(paths["selection"][seed]) if "selection" in paths else None
        names = [name for name in (*TABLES, *OF_ABLATION) if name in paths]
        of_seed = {name: tables.read(paths[name][seed]) for name in names}
        answers = None if "predictions" in paths else _answers(paths, seed, selection)
        probed.append(SeedEvidence(selection, **of_seed, clean=answers))
    return probed


def _answers(
    paths: Mapping[str, Sequence[Path | str]], seed: int, selection: Mapping[str, Any] | None
) -> clean_answers.Answers:
    """How often a network without filters is right."""
    if selection is None:
        return clean_answers.on_occluded_images(paths["maps"][seed])
    return clean_answers.on_test_images(selection["test_accuracy"], paths["images"][0])
