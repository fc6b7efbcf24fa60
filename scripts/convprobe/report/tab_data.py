"""What the page shows of one network: where it looks, its filters, what it loses without them.

A `folder` is that of the probed checkpoint.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt16

from convprobe.ablation import tabulation
from convprobe.ablation.answers import what_it_loses
from convprobe.dataset import image_file
from convprobe.filters.answers import what_filters_answer_to
from convprobe.occlusion import blocks
from convprobe.occlusion.answers import where_it_looks
from convprobe.report import packing, sprites
from convprobe.store import hdf5, tables

HALF_RANGE = 127  # levels of a colour on either side of grey
MOST_PREDICTIONS = 20_000  # that the page holds; the table beside it holds all


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

    listed = []
    taken = 0
    height, width = image_file.image_size(images_path)
    pixel_bytes = 4 * height * width  # as base64, at most
    for row, label in enumerate(labels):
        image = image_maps(paths, row, label)
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
        "maps": _column(listed, "maps"),
        "sprite": sprites.sprite(images.pixels, images.image_size, lossless=True),
        "masks": None if images.masks is None else [packing.bits(mask) for mask in images.masks],
        "windows": _windows(folder, paths, listed),
        "centres": {"row": rows.tolist(), "column": columns.tolist()},
        "stride": blocks.stride(rows, columns),
        "digest": digest,
    }


def image_maps(paths: list[Path], row: int, label: int) -> dict:
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
        "predicted_shares": [predicted_shares(classes) for classes in predicted],
    }


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
    }


# Filters


def filters(folder: Path, images_path: Path, chosen: list[str], class_images: pd.Series) -> dict:
    """The top images of every filter, and the patch at the peak of each in its first one."""
    table = tables.read(folder / "filters/all-top-images.csv")
    layers = [_layer(str(name), rows, images_path) for name, rows in table.groupby("layer")]
    with hdf5.open_complete(folder / "filters/activations.h5") as file:
        for layer in layers:
            stored = file.get(f"{layer['name']}/kernels")
            layer["kernels"] = None if stored is None else kernel_pictures(stored[:])
    return {
        "answer": what_filters_answer_to(table, class_images),
        "layers": layers,
        "chosen": chosen,
        "quantiles": quantile_images(tables.read(folder / "filters/quantile-images.csv")),
    }


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


def _layer(name: str, rows: pd.DataFrame, images_path: Path) -> dict:
    """The top images of a layer's filters: lists, filter by filter and rank by rank."""
    first = rows[rows["rank"] == 1]
    patches = _patches(first, images_path)
    side = max(max(patch.shape[:2]) for patch in patches)
    return {
        "name": name,
        "channels": len(first),
        "ranks": int(rows["rank"].max()),
        "image": rows["image"].tolist(),
        "response": _four_digits(rows["response"]),
        "top": rows["top"].tolist(),
        "left": rows["left"].tolist(),
        "bottom": rows["bottom"].tolist(),
        "right": rows["right"].tolist(),
        "sprite": sprites.sprite(patches, (side, side)),
    }


def _patches(rows: pd.DataFrame, images_path: Path) -> list[np.ndarray]:
    """The pixels in the box of each row: uint8 (y, x, channel) each."""
    pixels = image_file.read(images_path, "test", rows["image"].tolist()).pixels
    patches = []
    boxes = rows[["top", "left", "bottom", "right"]].to_numpy()
    for image, (top, left, bottom, right) in zip(pixels, boxes, strict=True):
        patches.append(sprites.thumbnail(image[top:bottom, left:right]))
    return patches


# Ablation


def ablation(folder: Path, predictions: pd.DataFrame, classes: list[str]) -> dict:
    """Accuracy of the variants, confusion, and the predictions, clean and ablated."""
    accuracy = tables.read(folder / "ablation/accuracy.csv")
    return {
        "answer": what_it_loses(accuracy),
        "variants": variants(accuracy),
        "confusion": confusion(predictions, classes),
        "images": len(predictions),
        **listed_predictions(predictions, classes),
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
    """Images by true and by predicted class, clean and ablated, and what the ablation changes."""
    clean = tabulation.confusion(predictions, "clean", classes)
    ablated = tabulation.confusion(predictions, "ablated", classes)
    return {
        "clean": clean.to_numpy().tolist(),
        "ablated": ablated.to_numpy().tolist(),
        "change": (ablated - clean).to_numpy().tolist(),
        "class_images": clean.sum(axis="columns").tolist(),
    }


def listed_predictions(predictions: pd.DataFrame, classes: list[str]) -> dict[str, list[int]]:
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
