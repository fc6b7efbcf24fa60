"""One self-contained page of a whole experiment, for a browser without a network.

What the page shows is one JSON object, deflated, in the page itself. `report/explorer/` holds the
page's HTML, its style and the script that draws. The script computes no result: numbers that say
something about the network are computed here, or read from the tables.
"""

import html
import json
import re
import string
import zlib
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import yaml
from jaxtyping import Float32

from convprobe.ablation import tabulation
from convprobe.ablation.answers import chance, what_it_loses
from convprobe.dataset import image_file
from convprobe.errors import InputError
from convprobe.filters.answers import what_filters_answer_to
from convprobe.job import versions
from convprobe.occlusion.answers import where_it_looks
from convprobe.report import packing, page_script, sprites
from convprobe.store import files, hdf5, tables

SOURCES = Path(__file__).parents[3] / "report/explorer"
# What the page holds at most; the files beside it hold all.
MOST_BYTES = 5_700_000  # of all data, compressed: maps fill what the rest leaves
MOST_THUMBNAIL_PIXELS = 3000 * 32 * 32
MOST_PREDICTIONS = 20_000
THUMBNAIL_SIDE = 64  # at most
LIBRARIES = ("torchvision", "h5py", "snakemake")
BOX = ("top", "left", "bottom", "right")
DATA = re.compile(r'(<script type="text/plain" id="data">)([^<]*)(</script>)')


def write(path: Path | str, folder: Path | str, settings: dict) -> None:
    """Write the page.

    Args:
        path: of the page.
        folder: of the experiment. The page is in it and links to its files.
        settings: `title`; `probes`, folders of the probed checkpoints; `windows`; `chosen` filters;
            `table_images`; `trained` runs; `config`, to be shown; `files`, all results; `links`,
            names of files by place on the page. Folders and `files` are relative to `folder`,
            `links` to the folder of a probed checkpoint.
    """
    data = packing.plain(collect(Path(folder), settings))
    with files.replacing(path) as partial:
        partial.write_text(page(settings["title"], data), encoding="utf-8")


def page(title: str, data: str = "") -> str:
    """The page's text, with or without its data."""
    template = (SOURCES / "page.html").read_text(encoding="utf-8")
    return string.Template(template).substitute(
        title=html.escape(title),
        style=(SOURCES / "page.css").read_text(encoding="utf-8"),
        script=page_script.joined(SOURCES),
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
    images_path = folder / "dataset/images.h5"
    places = settings["probes"]
    probes = [_probe(folder / place, images_path, settings) for place in places]
    data = {
        "probes": probes,
        "side": image_file.side(images_path),
        "classes": image_file.classes(images_path),
        "digits": packing.DIGITS,
        "viridis": _viridis(),
        "thumbnails": _thumbnails(images_path, probes),
        "curves": [_curve(folder / run) for run in settings["trained"]],
        "card": _table(tables.read(folder / "reproduction.csv")),
        "counts": _table(tables.read(folder / "dataset/classes.csv")),
        "config": _config_text(settings["config"]),
        "versions": versions.computing() | versions.of(LIBRARIES),
        "files": settings["files"],
        "links": _links(settings),
    }
    bytes_left = MOST_BYTES - len(packing.plain(data))
    share = bytes_left // max(1, len(probes))
    for probe, place in zip(probes, places, strict=True):
        occlusion = folder / place / "occlusion"
        probe["occlusion"] = _occlusion(occlusion, images_path, settings["windows"], share)
    return data


def _viridis() -> list[int]:
    """Red, green and blue of the 256 levels, one after the other, from 0 to 255."""
    colours = np.array(matplotlib.colormaps["viridis"].colors)
    return (255 * colours).round().astype(int).ravel().tolist()


def _config_text(config: dict) -> str:
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=100)


def _links(settings: dict) -> dict[str, list[str]]:
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
    run, checkpoint = folder.parts[-2:]
    classes = image_file.classes(images_path)
    predictions = tables.read(folder / "ablation/predictions.csv")
    class_images = predictions["class"].value_counts()
    chosen_among = _chosen_among(folder.parent, settings["trained"])
    ablation = _ablation(folder / "ablation", predictions, classes)
    return {
        "run": run,
        "checkpoint": checkpoint,
        "warning": chance(predictions, chosen_among),
        "filters": _filters(folder / "filters", images_path, settings["chosen"], class_images),
        "ablation": ablation | {"table_images": settings["table_images"]},
    }


def _chosen_among(folder: Path, trained: list[str]) -> int:
    """The number of epochs from which the probed one was selected; 1 for weights of a file."""
    if folder.name not in trained:
        return 1
    return files.read_json(folder / "selection.json")["chosen_among"]


# Occlusion


def _occlusion(folder: Path, images_path: Path, windows: list[int], most_bytes: int) -> dict:
    """Maps under every window, of as many images as fit, and what all images say."""
    paths = [folder / f"window-{window}.h5" for window in windows]
    with hdf5.open_complete(paths[0]) as file:
        indices = file["image"][:].tolist()
        labels = file["label"][:].tolist()
        clean = file["clean_probability"][:]
        digest = file.attrs["checkpoint_sha256"]

    listed = []
    taken = 0
    pixel_bytes = 4 * image_file.side(images_path) ** 2  # as base64, at most
    for row, label in enumerate(labels):
        image = _image_maps(paths, row, label)
        taken += sum(map(len, image["maps"].values())) + pixel_bytes
        if listed and taken > most_bytes:
            break
        listed.append(image)

    images = image_file.read(images_path, "test", indices[: len(listed)])
    return {
        "indices": images.indices.tolist(),
        "images": len(indices),
        "labels": images.labels.tolist(),
        "clean": packing.units(clean[: len(listed)]).tolist(),
        "maps": [image["maps"] for image in listed],
        "sprite": sprites.sprite(images.pixels, images.side, lossless=True),
        "masks": None if images.masks is None else [packing.bits(mask) for mask in images.masks],
        "windows": _windows(folder, paths, listed),
        "digest": digest,
    }


def _image_maps(paths: list[Path], row: int, label: int) -> dict:
    """One image's maps, packed, and what is read off them, per window.

    Returns:
        `maps`, of `probability` in units (window, class, y, x) and of `predicted` classes
        (window, y, x); `lowest`, the place where the true class is least likely, counted row by
        row; `predicted_shares`, the predicted classes with their shares of the places.
    """
    probability = np.stack([_map(path, row) for path in paths])
    predicted = probability.argmax(axis=1).astype(np.uint16)
    true = probability[:, label].reshape(len(paths), -1)
    return {
        "maps": {
            "probability": packing.numbers(packing.units(probability)),
            "predicted": packing.numbers(predicted),
        },
        "lowest": true.argmin(axis=1).tolist(),
        "predicted_shares": [_shares(classes) for classes in predicted],
    }


def _map(path: Path, row: int) -> Float32[np.ndarray, "class y x"]:
    with hdf5.open_complete(path) as file:
        return np.moveaxis(file["probability"][row], -1, 0)


def _shares(predicted: np.ndarray) -> list[list]:
    """Each predicted class and its share of the places, the most frequent first."""
    classes, counts = np.unique(predicted, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shares = (counts / predicted.size).round(6)
    return [[int(classes[at]), float(shares[at])] for at in order]


def _windows(folder: Path, paths: list[Path], listed: list[dict]) -> list[dict]:
    """What is shown of each window."""
    summary = tables.read(folder / "summary.csv")
    localisation = tables.read(folder / "localisation.csv")
    shown = []
    for number, path in enumerate(paths):
        window = _window(path, summary, localisation, len(listed))
        window["lowest"] = [image["lowest"][number] for image in listed]
        window["predicted_shares"] = [image["predicted_shares"][number] for image in listed]
        shown.append(window)
    return shown


def _window(path: Path, summary: pd.DataFrame, localisation: pd.DataFrame, count: int) -> dict:
    """The answer of a window, over all images, and the numbers of the first `count` ones."""
    with hdf5.open_complete(path) as file:
        window = int(file.attrs["window"])
        fill = int(file.attrs["fill"])
    rows = summary[summary["window"] == window]
    answer = where_it_looks(rows, localisation[localisation["window"] == window])
    rows = rows.head(count)
    fall = rows["clean_confidence"] - rows["mean_confidence"]
    columns = ("mean_confidence", "min_confidence", "flipped_fraction")
    numbers = {column: rows[column].round(6).tolist() for column in columns}
    return {
        "window": window,
        "fill": fill,
        "answer": answer,
        **numbers,
        "fall": fall.round(6).tolist(),
    }


# Filters


def _filters(folder: Path, images_path: Path, chosen: list[str], class_images: pd.Series) -> dict:
    """The top images of every filter, and the patch at the peak of each in its first one."""
    table = tables.read(folder / "all-top-images.csv")
    by_layer = table.groupby("layer")
    return {
        "answer": what_filters_answer_to(table, class_images),
        "layers": [_layer(str(name), rows, images_path) for name, rows in by_layer],
        "chosen": chosen,
    }


def _layer(name: str, rows: pd.DataFrame, images_path: Path) -> dict:
    """The top images of a layer's filters: lists, filter by filter and rank by rank."""
    first = rows[rows["rank"] == 1]
    patches = _patches(first, images_path)
    side = max(max(patch.shape[:2]) for patch in patches)
    boxes = {edge: rows[edge].tolist() for edge in BOX}
    return {
        "name": name,
        "channels": len(first),
        "ranks": int(rows["rank"].max()),
        "image": rows["image"].tolist(),
        "response": [float(f"{response:.4g}") for response in rows["response"]],
        **boxes,
        "sprite": sprites.sprite(patches, side),
    }


def _patches(rows: pd.DataFrame, images_path: Path) -> list[np.ndarray]:
    """The pixels in the box of each row: uint8 (y, x, channel) each."""
    pixels = image_file.read(images_path, "test", rows["image"].tolist()).pixels
    patches = []
    for image, box in zip(pixels, rows[list(BOX)].to_numpy(), strict=True):
        top, left, bottom, right = box
        patches.append(sprites.thumbnail(image[top:bottom, left:right], THUMBNAIL_SIDE))
    return patches


# Ablation


def _ablation(folder: Path, predictions: pd.DataFrame, classes: list[str]) -> dict:
    """Accuracy of the variants, confusion, and the predictions, clean and ablated."""
    accuracy = tables.read(folder / "accuracy.csv")
    return {
        "answer": what_it_loses(accuracy),
        "variants": _variants(accuracy),
        "confusion": _confusion(predictions, classes),
        "images": len(predictions),
        **_predictions(predictions, classes),
    }


def _variants(accuracy: pd.DataFrame) -> dict:
    """How the accuracy changes without some filters; the random draws together.

    Args:
        accuracy: of `accuracy.csv`.
    """
    is_clean = accuracy["variant"] == "clean"
    is_draw = accuracy["variant"].str.startswith("random-")
    columns = ["variant", "change", "change_low", "change_high", "lost", "gained"]
    return {
        "clean_accuracy": float(accuracy.loc[is_clean, "accuracy"].iloc[0]),
        "rows": accuracy.loc[~is_clean & ~is_draw, columns].to_dict("records"),
        "random": _draws(accuracy.loc[is_draw, "change"]),
    }


def _draws(changes: pd.Series) -> dict | None:
    """How the accuracy changes without random filters; None where none were drawn."""
    if changes.empty:
        return None
    return {
        "changes": changes.tolist(),
        "lowest": float(changes.min()),
        "median": float(changes.median()),
        "highest": float(changes.max()),
    }


def _confusion(predictions: pd.DataFrame, classes: list[str]) -> dict:
    """Images by true and by predicted class, clean and ablated, and what the ablation changes."""
    clean, ablated = (
        tabulation.confusion(predictions, state, classes) for state in tabulation.STATES
    )
    return {
        "clean": clean.to_numpy().tolist(),
        "ablated": ablated.to_numpy().tolist(),
        "change": (ablated - clean).to_numpy().tolist(),
        "class_images": clean.sum(axis="columns").tolist(),
    }


def _predictions(predictions: pd.DataFrame, classes: list[str]) -> dict[str, list[int]]:
    """Columns of the predictions, for as many images as the page holds; classes by number."""
    # All lost images are held if possible: they are what is looked for.
    lost = tabulation.lost_images(predictions).index
    wanted = list(dict.fromkeys([*lost, *predictions.index[:MOST_PREDICTIONS]]))
    shown = predictions.loc[sorted(wanted[:MOST_PREDICTIONS])]
    columns = {"image": shown["image"].tolist()}
    for name in ("class", "clean", "ablated"):
        columns[name] = shown[name].map(classes.index).tolist()
    for name in ("clean_confidence", "ablated_confidence"):
        columns[name] = packing.units(shown[name].to_numpy()).tolist()
    return columns


# Shared by the tabs


def _thumbnails(images_path: Path, probes: list[dict]) -> dict:
    """Small pictures of the images that the page names most, and which images they are."""
    side = min(image_file.side(images_path), THUMBNAIL_SIDE)
    most = MOST_THUMBNAIL_PIXELS // side**2
    images = image_file.read(images_path, "test", _named_images(probes)[:most])
    pictures = [sprites.thumbnail(image, THUMBNAIL_SIDE) for image in images.pixels]
    return {
        "indices": images.indices.tolist(),
        "labels": images.labels.tolist(),
        **sprites.sprite(pictures, len(pictures[0])),
    }


def _named_images(probes: list[dict]) -> list[int]:
    """The images that the page names, each once, those first that are looked at first."""
    named = []
    for probe in probes:
        named += _top_images_of_chosen(probe["filters"])
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


def _curve(folder: Path) -> dict:
    """A run's learning curve, its selected epoch, and the versions that trained it."""
    table = tables.read(folder / "learning-curve.csv")
    trained_by = []
    for epoch in table["epoch"]:
        record = files.read_json(folder / f"training/epoch-{epoch:02d}.json")
        names = (f"{name} {version}" for name, version in record["versions"].items())
        trained_by.append(", ".join(names))
    return {
        "run": folder.name,
        "selection": files.read_json(folder / "selection.json"),
        # More than one if the run was continued after an update.
        "trained_by": list(dict.fromkeys(trained_by)),
        **_table(table),
    }


def _table(table: pd.DataFrame) -> dict[str, list]:
    """Columns and rows; a missing value is null."""
    values = table.astype(object).where(table.notna(), None)
    return {"columns": list(table.columns), "rows": values.to_numpy().tolist()}
