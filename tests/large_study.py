"""Results as large as a user's own study may have, made up: for the page's size and speed."""

import itertools
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from convprobe.report import claims, outputs
from convprobe.store import files, hdf5, tables

SIDE = 224
CLASSES = [f"class {number}" for number in range(1000)]
TEST_IMAGES = 10_000
DIFFERENT = 100  # images; the others are the same again
OCCLUDED = 20
TOP = 500  # of them filters answer to most
WINDOWS = (31, 63)
STRIDE = 8
RANKS = 5
# As many filters as ResNet-50 has, in a few more layers.
CHANNELS = [64] * 10 + [128] * 10 + [256] * 15 + [512] * 13 + [1024] * 8 + [2048] * 4
RUN = "weights"


def write(folder: Path) -> dict:
    """Write all that the page shows, and return its settings, see explorer.write."""
    random = np.random.default_rng(0)
    probed = folder / RUN / "weights"
    labels = _images(folder / "dataset", random)
    _occlusion(probed / "occlusion", random, labels[:OCCLUDED])
    chosen = _filters(probed / "filters", random, labels)
    _ablation(probed / "ablation", random, labels, chosen)
    card = pd.DataFrame(columns=claims.COLUMNS)
    tables.write(folder / "reproduction.csv", card)
    files.write_json(folder / "manifest.json", {"environments": [], "jobs": [], "files": {}})
    return {
        "title": "A large study",
        "probes": [f"{RUN}/weights"],
        "windows": list(WINDOWS),
        "chosen": chosen,
        "table_images": 1000,
        "trained": [],
        "groups": {},
        "card_runs": {"probed": RUN},
        "sources": outputs.PAGE_SOURCES,
        "config": {},
        "files": [],
        "links": {},
    }


def _images(folder: Path, random: np.random.Generator) -> np.ndarray:
    """Soft patterns with a little noise, as large in a file as photos are; their labels."""
    folder.mkdir(parents=True)
    pixels = np.zeros((DIFFERENT, SIDE, SIDE, 3), np.float32)
    for cells in (4, 8, 16, 56):
        coarse = random.normal(size=(DIFFERENT, cells, cells, 3)).astype(np.float32)
        pixels += coarse.repeat(SIDE // cells, axis=1).repeat(SIDE // cells, axis=2)
    pixels += random.normal(scale=0.1, size=pixels.shape)
    pixels = (128 + 40 * pixels).clip(0, 255).astype(np.uint8)
    labels = random.integers(len(CLASSES), size=TEST_IMAGES)
    with hdf5.create(folder / "test-images.h5") as file:
        file.attrs["classes"] = CLASSES
        file["different"] = pixels
        layout = h5py.VirtualLayout((TEST_IMAGES, *pixels.shape[1:]), np.uint8)
        for start in range(0, TEST_IMAGES, DIFFERENT):
            layout[start : start + DIFFERENT] = h5py.VirtualSource(file["different"])
        file.create_virtual_dataset("test/images", layout)
        file["test/labels"] = labels
    counts = np.bincount(labels, minlength=len(CLASSES))
    tables.write(folder / "classes.csv", pd.DataFrame({"class": CLASSES, "test": counts}))
    return labels


def _occlusion(folder: Path, random: np.random.Generator, labels: np.ndarray) -> None:
    """Each image has some classes that are likely at some places, and noise of all others."""
    folder.mkdir(parents=True)
    centres = np.arange(STRIDE // 2, SIDE, STRIDE)
    places = np.indices((len(centres), len(centres)))
    rows = []
    for window in WINDOWS:
        with hdf5.create(folder / f"window-{window}.h5") as file:
            shape = (OCCLUDED, len(centres), len(centres), len(CLASSES))
            stored = file.create_dataset("probability", shape, np.float32, chunks=(1, *shape[1:]))
            for image, label in enumerate(labels):
                logits = random.normal(size=shape[1:]).astype(np.float32)
                for liked in (label, *random.integers(len(CLASSES), size=30)):
                    y, x = random.uniform(0, len(centres), size=2)
                    distance = np.hypot(places[0] - y, places[1] - x)
                    logits[:, :, liked] += 9 * np.exp(-((distance / 8) ** 2))
                logits[:, :, label] += 6
                weight = np.exp(logits)
                stored[image] = weight / weight.sum(axis=-1, keepdims=True)
            file["image"] = np.arange(OCCLUDED)
            file["label"] = labels
            file["clean_probability"] = stored[:, 0, 0]
            file["y"] = file["x"] = centres
            file.attrs.update(window=window, fill=128, checkpoint_sha256="0" * 64)
        for image, label in enumerate(labels):
            rows.append((window, image, CLASSES[label], 0.9, 0.7, 0.1, 0.2, CLASSES[0], None, None))
    columns = [
        "window", "image", "class", "clean_confidence", "mean_confidence", "min_confidence",
        "flipped_fraction", "flipped_to", "contrast", "contrast_others",
    ]  # fmt: skip
    tables.write(folder / "summary.csv", pd.DataFrame(rows, columns=columns))
    columns = ["window", "measure", "images", "own", "others", "verdict"]
    tables.write(folder / "localisation.csv", pd.DataFrame(columns=columns))


def _filters(folder: Path, random: np.random.Generator, labels: np.ndarray) -> list[str]:
    """Boxes grow from layer to layer until they have the whole image; the chosen filters."""
    folder.mkdir(parents=True)
    parts = []
    for number, channels in enumerate(CHANNELS):
        channel, rank = np.indices((channels, RANKS)).reshape(2, -1)
        image = random.integers(TOP, size=len(rank))
        side = min(SIDE, 7 + 6 * number)
        top, left = random.integers(SIDE - side + 1, size=(2, len(rank)))
        columns = {
            "layer": f"block{number:02d}.conv",
            "channel": channel,
            "rank": rank + 1,
            "image": image,
            "class": [CLASSES[label] for label in labels[image]],
            "response": random.gamma(3, size=len(rank)),
            "top": top,
            "left": left,
            "bottom": top + side,
            "right": left + side,
        }
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    tables.write(folder / "all-top-images.csv", table)
    chosen = [f"block{number:02d}.conv/{channel}" for number in (0, 20, 59) for channel in (1, 5)]
    rows = []
    for name, quantile in itertools.product(chosen, (1.0, 0.75, 0.5, 0.25, 0.0)):
        layer, _, channel = name.rpartition("/")
        image = random.integers(TEST_IMAGES)
        name_of_class = CLASSES[labels[image]]
        rows.append((layer, int(channel), quantile, image, name_of_class, 5 * quantile))
    columns = ["layer", "channel", "quantile", "image", "class", "response"]
    tables.write(folder / "quantile-images.csv", pd.DataFrame(rows, columns=columns))
    with hdf5.create(folder / "activations.h5") as file:
        kernels = random.normal(size=(CHANNELS[0], 7, 7, 3)).astype(np.float32)
        file["block00.conv/kernels"] = kernels
        for name in chosen:  # maps as large as the page holds, of the images that it shows
            maps = random.gamma(3, size=(TOP, 64, 64)).astype(np.float32)
            file[f"{name}/maps"] = maps
    return chosen


def _ablation(
    folder: Path, random: np.random.Generator, label: np.ndarray, chosen: list[str]
) -> None:
    """Three quarters of the images are right clean, two thirds ablated."""
    folder.mkdir(parents=True)
    predicted = {}
    for name, right in (("clean", 0.75), ("ablated", 0.66)):
        other = random.integers(len(CLASSES), size=TEST_IMAGES)
        predicted[name] = np.where(random.uniform(size=TEST_IMAGES) < right, label, other)
    names = np.array(CLASSES)
    predictions = pd.DataFrame(
        {
            "image": np.arange(TEST_IMAGES),
            "class": names[label],
            "clean": names[predicted["clean"]],
            "ablated": names[predicted["ablated"]],
            "clean_confidence": random.beta(5, 1, TEST_IMAGES),
            "ablated_confidence": random.beta(4, 1, TEST_IMAGES),
        }
    )
    tables.write(folder / "predictions.csv", predictions)
    rows = []
    for variant in ("clean", "ablated", *chosen, *(f"random-{draw}" for draw in range(10))):
        accuracy = (predictions["clean"] == predictions["class"]).mean()
        change = 0.0 if variant == "clean" else -0.09
        off = "" if variant == "clean" else " ".join(chosen)
        interval = (change - 0.01, change + 0.01)
        rows.append(
            (variant, off, TEST_IMAGES, accuracy, accuracy, accuracy, 9, 1, change, *interval, 0.01)
        )
    columns = [
        "variant", "filters", "images", "accuracy", "low", "high", "lost", "gained",
        "change", "change_low", "change_high", "p_value",
    ]  # fmt: skip
    tables.write(folder / "accuracy.csv", pd.DataFrame(rows, columns=columns))
