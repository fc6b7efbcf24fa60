"""The reproduction card, from the files that the claims are held against."""

import pandas as pd

from convprobe import datasets, files, localisation, reproduction, tables


def of_files(paths: dict[str, str], settings: dict) -> pd.DataFrame:
    """The reproduction card.

    Args:
        paths: by name: `images`, `maps` of the largest window, `summary`, `accuracy` and `predictions`;
            a learning curve by role; `selection`, missing where the probed weights were trained elsewhere,
            or without normalisation.
        settings: `roles` that a run plays, and the config's `network`.

    Returns:
        the table of reproduction.card.
    """
    probes = {name: tables.read(paths[name]) for name in ("summary", "accuracy", "predictions")}
    probes["places"] = localisation.confidence_by_place(paths["maps"], paths["images"])
    curves = {role: tables.read(paths[role]) for role in settings["roles"]}
    selection = files.read_json(paths["selection"]) if "selection" in paths else None
    return reproduction.card(curves, selection, probes, settings["network"], datasets.classes(paths["images"]))
