"""The reproduction card, from the files that the claims are held against."""

from typing import Any

import pandas as pd

from convprobe.dataset import image_file
from convprobe.report import reproduction
from convprobe.store import files, tables


def of_files(paths: dict[str, str], settings: dict[str, Any]) -> pd.DataFrame:
    """The reproduction card.

    Args:
        paths: by name: `images` and `normalisation` of the data set, `summary` and `localisation` of the occlusion,
            `accuracy` and `predictions` of the ablation; a learning curve by role; `selection`, missing where the
            probed weights were trained elsewhere, or without normalisation.
        settings: `roles` that a run plays, the config's `network`, its `chosen` filters, and the ablation's `mode`.

    Returns:
        the table of reproduction.card.
    """
    probed = ("accuracy", "predictions", "summary", "localisation")
    found = {name: tables.read(paths[name]) for name in probed}
    curves = {role: tables.read(paths[role]) for role in settings["roles"]}
    selection = files.read_json(paths["selection"]) if "selection" in paths else None
    normalisation = files.read_json(paths["normalisation"])
    return reproduction.card(
        curves, selection, found, normalisation, settings, image_file.classes(paths["images"])
    )
