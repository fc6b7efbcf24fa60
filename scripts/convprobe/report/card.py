"""The reproduction card, from the files that the claims are held against."""

from pathlib import Path
from typing import Any

import pandas as pd

from convprobe.dataset import image_file
from convprobe.report import reproduction
from convprobe.store import files, tables


def of_files(paths: dict[str, Path | str], settings: dict[str, Any]) -> pd.DataFrame:
    """The reproduction card.

    Args:
        paths: by name: `images` and `normalisation` of the data set; `summary` and `localisation`
            of occlusion; `accuracy` and `predictions` of the ablation; a learning curve by role;
            `selection`, missing where the probed weights were trained elsewhere, or without
            normalisation.
        settings: `roles` that a run plays, the config's `network`, its `chosen` filters, and the
            `mode` of the ablation.

    Returns:
        the table of reproduction.card.
    """
    curves = {role: tables.read(paths[role]) for role in settings["roles"]}
    selection = files.read_json(paths["selection"]) if "selection" in paths else None
    evidence = reproduction.Evidence(
        curves=curves,
        selection=selection,
        accuracies=tables.read(paths["accuracy"]),
        predictions=tables.read(paths["predictions"]),
        summary=tables.read(paths["summary"]),
        localisation=tables.read(paths["localisation"]),
        normalisation=files.read_json(paths["normalisation"]),
        classes=image_file.classes(paths["images"]),
        network=settings["network"],
        chosen=settings["chosen"],
        mode=settings["mode"],
    )
    return reproduction.card(evidence)
