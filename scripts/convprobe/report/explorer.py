"""One self-contained page of a whole experiment, for a browser that is offline.

What the page shows is one JSON object, deflated, in the page itself. `report/explorer/` holds the
page's HTML, its style and the script that draws. The script computes no result: numbers that say
something about the network are computed here, or read from the tables.
"""

import html
import json
import re
import string
import zlib
from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import yaml

from convprobe.ablation.answers import at_chance, chance
from convprobe.dataset import image_file
from convprobe.errors import InputError
from convprobe.report import (
    ablation_tab,
    card_view,
    clean_answers,
    filters_tab,
    manifest,
    occlusion_tab,
    packing,
    page_script,
    seed_comparison,
    sprites,
)
from convprobe.store import files, tables

PAGE_FOLDER = Path(__file__).parents[3] / "report/explorer"
# What the page holds at most; the files beside it hold all.
MOST_BYTES = 5_700_000  # of all data, compressed: maps fill what the rest leaves
MOST_THUMBNAIL_PIXELS = 3000 * 32 * 32
MOST_THUMBNAIL_BYTES = 1_400_000
MOST_PATCH_BYTES = 1_700_000  # of all networks
DATA = re.compile(r'(<script type="text/plain" id="data">)([^<]*)(</script>)')


def write(path: Path | str, folder: Path | str, settings: dict) -> None:
    """Write the page.

    Args:
        path: of the page.
        folder: of the experiment. The page is in it and links to its files.
        settings: `title`; `probes`, folders of the probed checkpoints; `windows`; `chosen` filters,
            none of a network that has no filters; `table_images`; `trained` runs; `groups`, the
            runs that differ in their seed alone, by the name that the config gives them all;
            `sources`, by name the files that are shown; `config`, to be shown; `files`, all
            results; `links`, names of files by place on the page. Folders and `files` are relative
            to `folder`, `links` to the folder of a probed checkpoint, and each of the `sources` to
            the one that it lies in: `folder`, a run's or a probed checkpoint's.
    """
    data = packing.plain(collect(Path(folder), settings))
    with files.replacing(path) as partial:
        partial.write_text(page(settings["title"], data), encoding="utf-8")


def page(title: str, data: str = "") -> str:
    """The page's text, with or without its data."""
    template = (PAGE_FOLDER / "page.html").read_text(encoding="utf-8")
    return string.Template(template).substitute(
        title=html.escape(title),
        style=(PAGE_FOLDER / "page.css").read_text(encoding="utf-8"),
        script=page_script.joined(PAGE_FOLDER),
        data=data,
    )


def read(path: str | Path) -> tuple[dict, str]:
    """What a page shows, as plain values, and its text without the data.

    Raises:
        InputError: it holds no data.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        data = json.loads(packing.inflated(DATA.search(text)[2]))
    except (TypeError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: holds no data of such a page ({error})") from error
    return data, DATA.sub(r"\1\3", text)


def collect(folder: Path, settings: dict) -> dict:
    """All that the page shows, as plain values.

    Args:
        folder, settings: as of `write`.

    Raises:
        InputError: a link leads to no result.
    """
    sources = settings["sources"]
    images_path = folder / sources["images"]
    places = settings["probes"]
    height, width = image_file.image_size(images_path)
    probes = [_probe(folder / place, images_path, settings) for place in places]
    data = {
        "probes": probes,
        "height": height,
        "width": width,
        "classes": image_file.classes(images_path),
        "digits": packing.DIGITS,
        "viridis": _colours("viridis"),
        # Perceptually uniform on both sides of its dark middle. Source: Crameri 2018.
        "berlin": _colours("berlin"),
        "thumbnails": _thumbnails(images_path, probes) if settings["chosen"] else None,
        "labels": _labels(images_path, probes) if settings["chosen"] else None,
        "curves": [_curve(folder / run, sources) for run in settings["trained"]],
        "groups": [_group(folder, name, settings) for name in settings["groups"]],
        "card": card_view.view(tables.read(folder / sources["card"]), settings["card_runs"]),
        "counts": card_view.table(tables.read(folder / sources["class_counts"])),
        "config": _config_text(settings["config"]),
        "made": manifest.summary(files.read_json(folder / sources["manifest"])),
        "files": settings["files"],
        "links": links(settings),
    }
    bytes_left = MOST_BYTES - len(packing.plain(data))
    share = bytes_left // max(1, len(probes))
    for probe, place in zip(probes, places, strict=True):
        windows = settings["windows"]
        probe["occlusion"] = occlusion_tab.collect(
            folder / place, sources, images_path, windows, share
        )
    data["agreement"] = _agreement(folder, settings, probes)
    return data


def _colours(name: str) -> list[int]:
    """Red, green and blue of a colour map's 256 levels, one after the other, from 0 to 255."""
    colours = np.array(matplotlib.colormaps[name].colors)
    return (255 * colours).round().astype(int).ravel().tolist()


def _config_text(config: dict) -> str:
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=100)


def links(settings: dict) -> dict[str, list[str]]:
    """The files that each place of the page links to, relative to a probed checkpoint's folder."""
    results = set(settings["files"])
    for names in settings["links"].values():
        for place in settings["probes"]:
            for name in names:
                if f"{place}/{name}" not in results:
                    raise InputError(f"links: {place}/{name} is no result of this experiment")
    return settings["links"]


def _probe(folder: Path, images_path: Path, settings: dict) -> dict:
    """What is shown of one network, except its occlusion maps."""
    sources = settings["sources"]
    run, checkpoint = folder.parts[-2:]
    chosen_among = _chosen_among(folder, settings)
    if not settings["chosen"]:
        answers = _answers(folder, images_path, settings)
        warning = at_chance(answers.right, list(answers.counts.values()), chosen_among)
        without = {"filters": None, "ablation": None}
        return {"run": run, "checkpoint": checkpoint, "warning": warning, **without}
    classes = image_file.classes(images_path)
    predictions = tables.read(folder / sources["predictions"])
    class_images = predictions["class"].value_counts()
    first = settings["table_images"]
    ablation = ablation_tab.collect(folder, sources, predictions, classes, first)
    return {
        "run": run,
        "checkpoint": checkpoint,
        "warning": chance(predictions, chosen_among),
        "filters": filters_tab.collect(
            folder,
            sources,
            images_path,
            settings["chosen"],
            class_images,
            filters_tab.MOST_TOP_IMAGES // len(settings["probes"]),
            MOST_PATCH_BYTES // len(settings["probes"]),
        ),
        "ablation": ablation | {"table_images": first},
    }


def _agreement(folder: Path, settings: dict, probes: list[dict]) -> list[dict]:
    """How far maps of two networks agree; nothing of one network alone."""
    if len(probes) == 1:
        return []
    sources = settings["sources"]
    held = set()
    classes = {}
    for probe in probes:
        held.update(probe["occlusion"]["indices"])
        summary = tables.read(folder / probe["run"] / probe["checkpoint"] / sources["summary"])
        classes |= dict(zip(summary["image"], summary["class"], strict=True))
    return occlusion_tab.agreement(
        tables.read(folder / sources["agreement"]),
        tables.read(folder / sources["agreement_means"]),
        pd.Series(classes),
        held,
    )


def _answers(folder: Path, images_path: Path, settings: dict) -> clean_answers.Answers:
    """How often a network without filters is right."""
    sources = settings["sources"]
    if folder.parent.name not in settings["trained"]:
        window = settings["windows"][0]
        return clean_answers.on_occluded_images(folder / sources["maps"].format(window=window))
    curve = tables.read(folder.parent / sources["curve"]).set_index("epoch")
    return clean_answers.on_test_images(curve.loc[_epoch(folder), "test_accuracy"], images_path)


def _chosen_among(folder: Path, settings: dict) -> int:
    """The number of epochs from which the probed one was selected; 1 if it wasn't.

    Args:
        folder: of the probed checkpoint.
        settings: as of `write`.
    """
    if folder.parent.name not in settings["trained"]:
        return 1
    selection = files.read_json(folder.parent / settings["sources"]["selection"])
    return selection["chosen_among"] if _epoch(folder) == selection["epoch"] else 1


def _epoch(folder: Path) -> int:
    """Which epoch is probed in a folder."""
    return int(folder.name.removeprefix("epoch-"))


def _thumbnails(images_path: Path, probes: list[dict]) -> dict:
    """Small pictures of the images that the page names most, and which images they are."""
    side = min(max(image_file.image_size(images_path)), sprites.THUMBNAIL_SIDE)
    most = MOST_THUMBNAIL_PIXELS // side**2
    images = image_file.read(images_path, "test", _named_images(probes)[:most])
    pictures = [sprites.thumbnail(image) for image in images.pixels]
    sprite = first_pictures(pictures, MOST_THUMBNAIL_BYTES)
    held = sprite.pop("pictures")
    return {"indices": images.indices[:held].tolist(), **sprite}


def _labels(images_path: Path, probes: list[dict]) -> dict:
    """The classes of all images that the page names, of which it may hold no picture."""
    indices = sorted(_named_images(probes))
    return {"image": indices, "label": image_file.labels(images_path)[indices].tolist()}


def first_pictures(pictures: list[sprites.Picture], most_bytes: int) -> dict:
    """A sprite of so many pictures, the first ones, that it has few enough bytes as text.

    Args:
        pictures: of one size.

    Returns:
        as of sprites.sprite, and how many `pictures` it has: at least one.
    """
    count = len(pictures)
    while True:
        sprite = sprites.sprite(pictures[:count], pictures[0].shape[:2])
        taken = len(sprite["source"])
        if taken <= most_bytes or count == 1:
            return {**sprite, "pictures": count}
        count = max(1, int(0.95 * count * most_bytes / taken))


def _named_images(probes: list[dict]) -> list[int]:
    """The images that the page names, each once, those first that are looked at first."""
    named = []
    for probe in probes:
        named += _top_images_of_chosen(probe["filters"])
        for held in probe["filters"]["quantiles"].values():
            named += held["image"]
        named += _lost_images(probe["ablation"])
    for probe in probes:
        ablation = probe["ablation"]
        named += ablation["image"][: ablation["table_images"]]
    for probe in probes:
        for layer in probe["filters"]["layers"]:
            named += layer["image"]
    return list(dict.fromkeys(named))


def _top_images_of_chosen(filters: dict) -> list[int]:
    """The top images of the chosen filters."""
    chosen = set(filters["chosen"])
    top = []
    for layer in filters["layers"]:
        for place, image in enumerate(layer["image"]):
            channel = place // layer["ranks"]
            if f"{layer['name']}/{channel}" in chosen:
                top.append(image)
    return top


def _lost_images(ablation: dict) -> list[int]:
    """The images whose clean prediction is right and whose ablated one is wrong."""
    columns = (ablation[name] for name in ("image", "class", "clean", "ablated"))
    lost = []
    for image, true, clean, ablated in zip(*columns, strict=True):
        if clean == true and ablated != true:
            lost.append(image)
    return lost


def _curve(folder: Path, sources: Mapping[str, str]) -> dict:
    """A run's learning curve, its selected epoch, and the versions that trained it."""
    table = tables.read(folder / sources["curve"])
    trained_by = []
    for epoch in table["epoch"]:
        record = files.read_json(folder / sources["training"].format(epoch=f"{epoch:02d}"))
        names = (f"{name} {version}" for name, version in record["versions"].items())
        trained_by.append(", ".join(names))
    return {
        "run": folder.name,
        "selection": files.read_json(folder / sources["selection"]),
        # More than one if the run was continued after an update.
        "trained_by": list(dict.fromkeys(trained_by)),
        **card_view.table(table),
    }


def _group(folder: Path, group: str, settings: dict) -> dict:
    """The learning curves of all seeds of a run, and what is probed of them; or null if nothing."""
    sources = settings["sources"]
    chosen = []
    for run in settings["groups"][group]:
        places = [place for place in settings["probes"] if place.startswith(f"{run}/")]
        chosen += places[:1]  # its selected epoch comes first
    probed = None
    if chosen:
        folders = [folder / place for place in chosen]
        table = seed_comparison.probed(folders, sources, bool(settings["chosen"]))
        probed = card_view.table(table)
    return {**seed_comparison.curves(folder, sources, group), "probed": probed}
