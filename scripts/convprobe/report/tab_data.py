"""What the page shows of one network: where it looks, its filters, what it loses without them.

A `folder` is that of the probed checkpoint.
"""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int, UInt16

from convprobe.ablation import tabulation
from convprobe.ablation.answers import what_it_loses, what_single_filters_change
from convprobe.dataset import image_file
from convprobe.filters.answers import what_filters_answer_to
from convprobe.filters.top_patches import read_maps
from convprobe.network.filter_layers import split_name
from convprobe.occlusion import blocks
from convprobe.occlusion.answers import (
    how_far_maps_agree,
    how_far_maps_of_a_class_agree,
    where_it_looks,
)
from convprobe.report import packing, sprites
from convprobe.store import hdf5, tables

BATCH = 256  # images that are read at a time: bounds the memory
HALF_RANGE = 127  # levels of a colour on either side of grey
# What the page holds at most; the files hold all, and the page says where it holds less.
MOST_PREDICTIONS = 20_000
MOST_TOP_IMAGES = 150_000  # of all filters and ranks
MAP_LEVELS = 255
LARGEST_MAP = 64 * 64  # places of a filter's map
MOST_CONFUSED = 30  # classes in the table of confusions
MOST_MAP_CLASSES = 12  # of an image: those that are likeliest anywhere
MOST_MAP_NUMBERS = 1_000_000  # of an image: where it has many places, fewer classes are held
LEAST_MAP_CLASSES = 2
SMALLEST_PATCH = 4  # longer side in pixels, however many patches there are
FEWEST_BYTES = 0.3  # of a patch's pixel, as text


# Occlusion


def occlusion(folder: Path, images_path: Path, windows: list[int], most_bytes: int) -> dict:
    """Maps under every window, of as many images as fit, and what all images say."""
    paths = [folder / f"occlusion/window-{window}.h5" for window in windows]
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
        "windows": _windows(folder, paths, listed),
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


def _windows(folder: Path, paths: list[Path], listed: list[dict]) -> list[dict]:
    """What is shown of each window."""
    summary = tables.read(folder / "occlusion/summary.csv")
    localisation = tables.read(folder / "occlusion/localisation.csv")
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
    found = []
    for _, row in means.iterrows():
        first, second, window = row["first"], row["second"], row["window"]
        known = of_images[first, second, window].dropna()
        images = known[known["image"].isin(held)]
        found.append(
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
    return found


def _agreement_of_classes(table: pd.DataFrame) -> dict[str, str]:
    """Sentences by the name of a class, from rows with the `name` of each image's class."""
    found = {}
    for name, rows in table.groupby("name"):
        own, others = rows["spearman"].mean(), rows["spearman_others"].mean()
        found[name] = how_far_maps_of_a_class_agree(name, len(rows), own, others)
    return found


# Filters


def filters(
    folder: Path,
    images_path: Path,
    chosen: list[str],
    class_images: pd.Series,
    most_images: int,
    most_patch_bytes: int,
) -> dict:
    """The top images of every filter, and the patch at the peak of each in its first one.

    Args:
        class_images: test images of each class.
        most_images: top images that are held, of all filters.
        most_patch_bytes: which the patches take as text.
    """
    table = tables.read(folder / "filters/all-top-images.csv")
    ranks = int(table["rank"].max())
    held = max(1, min(ranks, most_images * ranks // len(table)))
    patches = patches_of(table[table["rank"] == 1], images_path, most_patch_bytes)
    pictures = patch_sprites(patches, most_patch_bytes)
    by_layer = table[table["rank"] <= held].groupby("layer", sort=False)
    layers = [_layer(str(name), rows, pictures[name]) for name, rows in by_layer]
    with hdf5.open_complete(folder / "filters/activations.h5") as file:
        for layer in layers:
            stored = file.get(f"{layer['name']}/kernels")
            layer["kernels"] = None if stored is None else kernel_pictures(stored[:])
    return {
        "answer": what_filters_answer_to(table, class_images),
        "layers": layers,
        "chosen": chosen,
        "ranks": ranks,
        "maps": filter_maps(
            folder / "filters/activations.h5", table[table["rank"] <= held], chosen
        ),
        "quantiles": quantile_images(tables.read(folder / "filters/quantile-images.csv")),
    }


def _layer(name: str, rows: pd.DataFrame, sprite: dict) -> dict:
    """The top images of a layer's filters: lists, filter by filter and rank by rank.

    Returns:
        beside what tells itself, `boxes`, the different ones, each `top`, `left`, `bottom` and
        `right`, and `box`, which of them a top image has.
    """
    boxes = rows[["top", "left", "bottom", "right"]].to_numpy()
    different, box = np.unique(boxes, axis=0, return_inverse=True)
    return {
        "name": name,
        "channels": int((rows["rank"] == 1).sum()),
        "ranks": int(rows["rank"].max()),
        "image": rows["image"].tolist(),
        "response": _four_digits(rows["response"]),
        "boxes": different.tolist(),
        "box": box.ravel().tolist(),
        "sprite": sprite,
    }


def patches_of(
    rows: pd.DataFrame, images_path: Path, most_bytes: int
) -> dict[Any, list[sprites.Picture]]:
    """The pixels in the box of each row by layer, as large as they all may be in so many bytes.

    Those of a filter that answers to no image are grey.
    """
    boxes = rows[["top", "left", "bottom", "right"]].to_numpy()
    most = _side_that_may_fit((boxes[:, 2:] - boxes[:, :2]).max(axis=1), most_bytes)
    responses = rows["response"].to_numpy()
    patches = np.empty(len(rows), object)
    by_image = np.argsort(rows["image"], kind="stable")  # so that no image is read again and again
    for start in range(0, len(rows), BATCH):
        batch = by_image[start : start + BATCH]
        pixels = image_file.read(images_path, "test", rows["image"].iloc[batch].tolist()).pixels
        for place, image in zip(batch, pixels, strict=True):
            top, left, bottom, right = boxes[place]
            patch = image[top:bottom, left:right]
            seen = patch if responses[place] > 0 else np.full_like(patch, sprites.GREY)
            patches[place] = sprites.thumbnail(seen, most)
    return {name: list(patches[places]) for name, places in rows.groupby("layer").indices.items()}


def patch_sprites(patches: dict[Any, list[sprites.Picture]], most_bytes: int) -> dict[Any, dict]:
    """Of each layer one picture of its patches, scaled down until they all have few enough bytes.

    Args:
        patches: by layer.
        most_bytes: of all pictures as text; more only if patches would be smaller than
            SMALLEST_PATCH.
    """
    sides = [max(patch.shape[:2]) for of_layer in patches.values() for patch in of_layer]
    most = _side_that_may_fit(np.array(sides), most_bytes)
    while True:
        made = {name: _patch_sprite(of_layer, most) for name, of_layer in patches.items()}
        taken = sum(len(sprite["source"]) for sprite in made.values())
        if taken <= most_bytes or most == SMALLEST_PATCH:
            return made
        most = max(SMALLEST_PATCH, int(0.95 * most * math.sqrt(most_bytes / taken)))


def _side_that_may_fit(sides: Int[np.ndarray, "patch"], most_bytes: int) -> int:
    """The longest side at which patches with these longer sides might have few enough bytes."""
    for most in range(sprites.THUMBNAIL_SIDE, SMALLEST_PATCH, -1):
        pixels = np.square(np.minimum(sides, most)).sum()
        if pixels * FEWEST_BYTES <= most_bytes:
            return most
    return SMALLEST_PATCH


def _patch_sprite(patches: list[sprites.Picture], most: int) -> dict:
    scaled = [sprites.thumbnail(patch, most) for patch in patches]
    side = max(max(patch.shape[:2]) for patch in scaled)
    return sprites.sprite(scaled, (side, side))


def kernel_pictures(weights: Float32[np.ndarray, "filter y x channel"]) -> dict:
    """Kernels as colours: a weight of 0 is grey, the largest of a filter all or none of its colour.

    Returns:
        `sprite`, one cell per filter; `largest`, the largest absolute weight of each.
    """
    largest = np.abs(weights).max(axis=(1, 2, 3))
    scale = np.where(largest > 0, largest, 1)[:, None, None, None]
    pictures = (sprites.GREY + np.rint(HALF_RANGE * weights / scale)).astype(np.uint8)
    return {
        "sprite": sprites.sprite(pictures, pictures.shape[1:3], lossless=True),
        "largest": _four_digits(pd.Series(largest)),
    }


def filter_maps(path: Path, top_images: pd.DataFrame, chosen: list[str]) -> dict[str, dict]:
    """The maps of each chosen filter for its top images, in levels of one scale.

    Args:
        path: of `activations.h5`.
        top_images: of all filters, those that are held.

    Returns:
        by name: `height` and `width`, `low` and `high`, the values of the levels 0 and MAP_LEVELS,
        and `levels`, packed by rank; None of large maps.
    """
    found = {}
    for name in chosen:
        layer, channel = split_name(name)
        is_filter = (top_images["layer"] == layer) & (top_images["channel"] == channel)
        maps = read_maps(path, name, top_images.loc[is_filter, "image"])
        _, height, width = maps.shape
        low, high = min(0.0, float(maps.min())), float(maps.max())
        levels = np.rint(MAP_LEVELS * (maps - low) / (high - low or 1)).astype(np.uint8)
        is_small = height * width <= LARGEST_MAP
        found[name] = {
            "height": height,
            "width": width,
            "low": float(f"{low:.4g}"),
            "high": float(f"{high:.4g}"),
            "levels": packing.raw(levels) if is_small else None,
        }
    return found


def quantile_images(table: pd.DataFrame) -> dict[str, dict[str, list]]:
    """Columns of `quantile-images.csv` by the name of the filter."""
    found = {}
    for (layer, channel), rows in table.groupby(["layer", "channel"]):
        found[f"{layer}/{channel}"] = {
            "quantile": rows["quantile"].tolist(),
            "image": rows["image"].tolist(),
            "response": _four_digits(rows["response"]),
            "class": rows["class"].tolist(),
        }
    return found


def _four_digits(values: pd.Series) -> list[float]:
    return values.map("{:.4g}".format).astype(float).tolist()


# Ablation


def ablation(folder: Path, predictions: pd.DataFrame, classes: list[str], first: int) -> dict:
    """Accuracy of the variants, confusion, and the predictions, clean and ablated.

    Args:
        first: how many images are listed, whatever is predicted.
    """
    accuracy = tables.read(folder / "ablation/accuracy.csv")
    return {
        "answer": what_it_loses(accuracy),
        "variants": variants(accuracy),
        "singles": what_single_filters_change(accuracy),
        "confusion": confusion(predictions, classes),
        "images": len(predictions),
        **listed_predictions(predictions, classes, first),
    }


def variants(accuracy: pd.DataFrame) -> dict:
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


def confusion(predictions: pd.DataFrame, classes: list[str]) -> dict:
    """Images by true and by predicted class, clean and ablated, and what the ablation changes.

    Returns:
        tables `clean`, `ablated` and `change` of some classes, whose numbers are `labels`: of many
        those whose counts change most; and of all classes `class_images`, and how many of these
        are `right`, `clean` and `ablated`.
    """
    clean = tabulation.confusion(predictions, "clean", classes).to_numpy()
    ablated = tabulation.confusion(predictions, "ablated", classes).to_numpy()
    labels = most_changed(ablated - clean)
    part = np.ix_(labels, labels)
    return {
        "labels": labels,
        "clean": clean[part].tolist(),
        "ablated": ablated[part].tolist(),
        "change": (ablated - clean)[part].tolist(),
        "class_images": clean.sum(axis=1).tolist(),
        "right": {"clean": clean.diagonal().tolist(), "ablated": ablated.diagonal().tolist()},
    }


def most_changed(change: Int[np.ndarray, "class class"]) -> list[int]:
    """The classes whose counts change most, in their order: MOST_CONFUSED at most."""
    size = np.abs(change)
    changed = size.sum(axis=0) + size.sum(axis=1)
    return sorted(np.argsort(-changed, kind="stable")[:MOST_CONFUSED].tolist())


def listed_predictions(
    predictions: pd.DataFrame, classes: list[str], first: int
) -> dict[str, list[int]]:
    """Columns of the predictions, for as many images as the page holds; classes by number.

    Args:
        first: so many images come before the lost ones, which come before all others.
    """
    lost = tabulation.lost_images(predictions).index
    others = predictions.index[:MOST_PREDICTIONS]
    wanted = list(dict.fromkeys([*predictions.index[:first], *lost, *others]))
    shown = predictions.loc[sorted(wanted[:MOST_PREDICTIONS])]
    columns = {"image": shown["image"].tolist()}
    for name in ("class", "clean", "ablated"):
        columns[name] = shown[name].map(classes.index).tolist()
    for name in ("clean_confidence", "ablated_confidence"):
        columns[name] = packing.units(shown[name].to_numpy()).tolist()
    return columns
