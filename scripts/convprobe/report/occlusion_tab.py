"""What the page's tab of occlusion shows: where does a network look, and do two of them agree?"""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt16

from convprobe.dataset import image_file
from convprobe.occlusion import blocks
from convprobe.occlusion.answers import (
    how_far_maps_agree,
    how_far_maps_of_a_class_agree,
    where_it_looks,
)
from convprobe.report import packing, sprites
from convprobe.store import hdf5, tables

# What the page holds at most; the files hold all, and the page says where it holds less.
MOST_MAP_CLASSES = 12  # of an image: those that are likeliest anywhere
MOST_MAP_NUMBERS = 1_000_000  # of an image: where it has many places, fewer classes are held
LEAST_MAP_CLASSES = 2


def collect(
    folder: Path, sources: Mapping[str, str], images_path: Path, windows: list[int], most_bytes: int
) -> dict:
    """Maps under every window, of as many images as fit, and what all images say.

    Args:
        folder: of the probed checkpoint.
        sources: paths by name, as of explorer.write.
        images_path: a file of test images.
        most_bytes: which the maps and images take as text.
    """
    paths = [folder / sources["maps"].format(window=window) for window in windows]
    with hdf5.open_complete(paths[0]) as file:
        indices = file["image"][:].tolist()
        labels = file["label"][:].tolist()
        clean = file["clean_probability"][:]
        digest = file.attrs["checkpoint_sha256"]
        rows, columns = blocks.centres(file)

    image_size = image_file.image_size(images_path)
    lossless = max(image_size) <= sprites.THUMBNAIL_SIDE
    listed = []
    taken = 0
    for row, label in enumerate(labels):
        image = image_maps(paths, row, label)
        pixels = image_file.read(images_path, "test", [indices[row]]).pixels
        taken += sum(map(len, image["maps"].values())) + _picture_bytes(pixels, lossless)
        if listed and taken > most_bytes:
            break
        listed.append(image)

    images = image_file.read(images_path, "test", indices[: len(listed)])
    return {
        "indices": images.indices.tolist(),
        "images": len(indices),
        "labels": images.labels.tolist(),
        "clean": packing.units(clean[: len(listed)]).tolist(),
        "clean_predicted": clean[: len(listed)].argmax(axis=1).tolist(),  # before rounding
        "maps": _column(listed, "maps"),
        "map_classes": _column(listed, "classes"),
        "sprite": sprites.sprite(images.pixels, image_size, lossless),
        "lossless": lossless,
        "masks": None if images.masks is None else [packing.bits(mask) for mask in images.masks],
        "windows": _windows(folder, sources, paths, listed),
        "centres": {"row": rows.tolist(), "column": columns.tolist()},
        "stride": blocks.stride(rows, columns),
        "digest": digest,
    }


def _picture_bytes(pixels: image_file.Pixels, lossless: bool) -> int:
    """How many bytes an image and its mask take as text, about."""
    _, height, width, _ = pixels.shape
    if lossless:
        return 4 * height * width
    return len(sprites.sprite(pixels, (height, width))["source"]) + height * width // 6


def image_maps(paths: list[Path], row: int, label: int) -> dict:
    """One image's maps, packed, and what is read off them, per window.

    Returns:
        `maps`, of `probability` in units (window, class, y, x), of some `classes`, and of
        `predicted` classes (window, y, x); `lowest`, the place where the true class is least
        likely, counted row by row; `predicted_shares`, the predicted classes with their shares of
        the places.
    """
    predicted = []
    true = []
    highest = []
    for path in paths:
        probability = _map(path, row)
        predicted.append(probability.argmax(axis=0).astype(np.uint16))
        true.append(probability[label].ravel())
        highest.append(probability.max(axis=(1, 2)))
    places = sum(map(np.size, predicted))
    classes = classes_of_maps(np.max(highest, axis=0), label, places)
    # One window at a time: of many classes and places a window alone fills much memory.
    units = [packing.units(_map(path, row)[classes]) for path in paths]
    return {
        "maps": {
            "probability": packing.numbers(np.stack(units)),
            "predicted": packing.numbers(np.stack(predicted)),
        },
        "classes": classes,
        "lowest": [int(probabilities.argmin()) for probabilities in true],
        "predicted_shares": [predicted_shares(classes) for classes in predicted],
    }


def classes_of_maps(highest: Float32[np.ndarray, " class"], label: int, places: int) -> list[int]:
    """The classes whose maps are held: the true one, and the others that are likeliest anywhere.

    Args:
        highest: of each class the highest probability at any place.
        label: of the true class.
        places: under all windows together.
    """
    by_places = max(LEAST_MAP_CLASSES, MOST_MAP_NUMBERS // places)
    most = min(MOST_MAP_CLASSES, by_places)
    likeliest = np.argsort(-highest, kind="stable").tolist()
    others = [number for number in likeliest if number != label]
    return sorted([label, *others[: most - 1]])


def _map(path: Path, row: int) -> Float32[np.ndarray, "class y x"]:
    with hdf5.open_complete(path) as file:
        return np.moveaxis(file["probability"][row], -1, 0)


def predicted_shares(predicted: UInt16[np.ndarray, "y x"]) -> list[list]:
    """Each predicted class and its share of the places, the most frequent first."""
    classes, counts = np.unique(predicted, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shares = (counts / predicted.size).round(6)
    pairs = zip(classes[order].tolist(), shares[order].tolist(), strict=True)
    return [list(pair) for pair in pairs]


def _windows(
    folder: Path, sources: Mapping[str, str], paths: list[Path], listed: list[dict]
) -> list[dict]:
    """What is shown of each window."""
    summary = tables.read(folder / sources["summary"])
    localisation = tables.read(folder / sources["localisation"])
    windows = [_window(path, summary, localisation, len(listed)) for path in paths]
    for name in ("lowest", "predicted_shares"):
        by_window = zip(*_column(listed, name), strict=True)
        for window, of_images in zip(windows, by_window, strict=True):
            window[name] = list(of_images)
    return windows


def _column(listed: list[dict], name: str) -> list:
    return [image[name] for image in listed]


def _window(path: Path, summary: pd.DataFrame, localisation: pd.DataFrame, count: int) -> dict:
    """The answer of a window, over all images, and the numbers of the first `count` ones."""
    with hdf5.open_complete(path) as file:
        window = int(file.attrs["window"])
        fill = int(file.attrs["fill"])
    rows = summary[summary["window"] == window]
    answer = where_it_looks(rows, localisation[localisation["window"] == window])
    rows = rows.head(count)
    fall = rows["clean_confidence"] - rows["mean_confidence"]
    return {
        "window": window,
        "fill": fill,
        "answer": answer,
        "mean_confidence": rows["mean_confidence"].tolist(),
        "min_confidence": rows["min_confidence"].tolist(),
        "flipped_fraction": rows["flipped_fraction"].tolist(),
        "fall": fall.round(6).tolist(),
        "contrast": _or_none(rows["contrast"]),
        "contrast_others": _or_none(rows["contrast_others"]),
    }


def _or_none(values: pd.Series) -> list[float | None]:
    """Numbers, None for missing ones."""
    return values.astype(object).where(values.notna(), None).tolist()


def agreement(
    table: pd.DataFrame, means: pd.DataFrame, classes: pd.Series, held: Collection[int]
) -> list[dict]:
    """How far maps agree, of each two networks and window.

    Args:
        table: of `map-agreement.csv`.
        means: of `map-agreement-means.csv`.
        classes: the class of each image in the table, by its number.
        held: numbers of the images that the page holds.

    Returns:
        of each: `text`, and `of_class`, one by the name of each class; and of the images that are
        held two numbers.
    """
    of_images = dict(list(table.groupby(["first", "second", "window"])))
    entries = []
    for _, row in means.iterrows():
        first, second, window = row["first"], row["second"], row["window"]
        known = of_images[first, second, window].dropna()
        images = known[known["image"].isin(held)]
        entries.append(
            {
                "first": first,
                "second": second,
                "window": window,
                "text": how_far_maps_agree(row),
                "of_class": _agreement_of_classes(known.assign(name=known["image"].map(classes))),
                "image": images["image"].tolist(),
                "own": images["spearman"].round(4).tolist(),
                "others": images["spearman_others"].round(4).tolist(),
            }
        )
    return entries


def _agreement_of_classes(table: pd.DataFrame) -> dict[str, str]:
    """Sentences by the name of a class, from rows with the `name` of each image's class."""
    by_class = {}
    for name, rows in table.groupby("name"):
        own, others = rows["spearman"].mean(), rows["spearman_others"].mean()
        by_class[name] = how_far_maps_of_a_class_agree(name, len(rows), own, others)
    return by_class
