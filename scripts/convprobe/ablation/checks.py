"""Do the tables of the ablation follow from its predictions, and were the right filters off?"""

from typing import Any

import h5py

from convprobe.ablation import tabulation, variants
from convprobe.ablation.outputs import (
    ACCURACY,
    CLASS_ACCURACY,
    CLASS_PAIRS,
    CONFUSION_ABLATED,
    CONFUSION_CLEAN,
    FIRST_IMAGES,
    FLIPS,
    PREDICTIONS,
    VARIANTS,
)
from convprobe.dataset import image_file
from convprobe.dataset.outputs import TEST_IMAGES
from convprobe.network import checkpoints
from convprobe.plan import study
from convprobe.store import hdf5, tables
from convprobe.store.checks import Check, Probed, Results, attributes

CONFUSION = {"clean": CONFUSION_CLEAN, "ablated": CONFUSION_ABLATED}


def check(results: Results, config: dict[str, Any], probed: Probed) -> Check:
    """Check the predictions, the variants, and the tables made from both."""
    images = image_file.read(results.path(TEST_IMAGES.path), "test")
    name = probed.name(PREDICTIONS)
    table = tables.read(results.path(name))
    same_classes = list(table["class"]) == [images.classes[label] for label in images.labels]
    same_images = list(table["image"]) == list(images.indices)
    yield same_classes and same_images, name, "has other images than the test images"
    for state, output in CONFUSION.items():
        counts = tabulation.confusion(table, state, images.classes)
        yield from results.same_table(probed.name(output), counts, index=True)
    yield from results.same_table(probed.name(CLASS_PAIRS), tabulation.class_pairs(table))
    yield from results.same_table(probed.name(FLIPS), tabulation.flips(table))
    first = table.head(config["ablation"]["table_images"])
    yield from results.same_table(probed.name(FIRST_IMAGES), first)
    yield from _variants(results, config, probed, len(table))
    path = results.path(probed.name(VARIANTS))
    chosen = config["filters"]["chosen"]
    predicted = tabulation.read_variants(path, table, chosen, images.classes)
    true = table["class"]
    yield from results.same_table(probed.name(ACCURACY), tabulation.accuracies(predicted, true))
    by_class = tabulation.class_accuracies(predicted, true, images.classes)
    yield from results.same_table(probed.name(CLASS_ACCURACY), by_class)


def _variants(results: Results, config: dict[str, Any], probed: Probed, images: int) -> Check:
    """Compare the variants to those that the config asks for."""
    name = probed.name(VARIANTS)
    mode = {"mode": config["ablation"]["mode"]}
    expected = _expected_variants(results, config, probed)
    with hdf5.open_complete(results.path(name)) as file:
        yield from results.made_from(name, file, probed)
        shape = (len(expected), images)
        found = file["predicted"].shape
        yield found == shape, name, f"predicted has shape {found}, expected {shape}"
        yield from results.made_with(name, attributes(file, tuple(mode)), mode)
        off = _switched_off(file)
    for variant, filters in expected.items():
        here = off.get(variant)
        there = " ".join(filters)
        yield here == there, name, f"{variant} is without {here}, expected {there}"


def _expected_variants(
    results: Results, config: dict[str, Any], probed: Probed
) -> dict[str, list[str]]:
    """The filters that are off in each variant."""
    network = checkpoints.load(results.path(probed.weights)).network
    chosen = config["filters"]["chosen"]
    draws = config["ablation"]["random_controls"]
    seed = study.run_training(config, probed.run)["seed"]
    controls = variants.draw_controls(network, chosen, draws, seed)
    return variants.parts_and_controls(chosen, controls)


def _switched_off(file: h5py.File) -> dict[str, str]:
    """By variant, the filters that its file says are off."""
    names = file["variant"].asstr()[:]
    return dict(zip(names, file["filters"].asstr()[:], strict=True))
