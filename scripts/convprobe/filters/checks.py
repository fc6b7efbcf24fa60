"""Do top images and patches follow from the maps, and does the network answer as tables say?"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, UInt8

from convprobe.dataset import image_file
from convprobe.dataset.outputs import TEST_IMAGES
from convprobe.filters import activations, kernels, quantiles, ranking, top_patches
from convprobe.filters.outputs import (
    ACTIVATIONS,
    ALL_TOP_IMAGES,
    PATCHES,
    QUANTILE_IMAGES,
    TOP_IMAGES,
)
from convprobe.network import checkpoints, filter_layers, graphs
from convprobe.network.batches import fitting, in_batches
from convprobe.network.classifiers import Classifier
from convprobe.network.execution import Execution
from convprobe.network.filter_layers import FilterLayer, split_name
from convprobe.network.layers import as_input
from convprobe.store import hdf5, tables
from convprobe.store.checks import TOLERANCE, Check, Probed, Results, dataset_names, is_finite

SAMPLE = 250  # images that the network is shown again
OF_RESPONSES = 1e-3  # relative, on whatever device they were computed
RANK = ["layer", "channel", "rank"]
PEAK = ["image", "peak_y", "peak_x"]
BOX = ["top", "left", "bottom", "right", "clipped"]

FilterLayers = dict[str, FilterLayer]  # by name
# For each thing checked: the first wrong row of a table, empty if none, and what is wrong.
WrongRows = Iterator[tuple[str, str]]


def check(results: Results, config: dict[str, Any], probed: Probed) -> Check:
    """Check the maps of the chosen filters, what follows from them, and the ranking of all."""
    chosen = config["filters"]["chosen"]
    top = config["filters"]["top"]
    images_path = results.path(TEST_IMAGES.path)
    images = image_file.read(images_path, "test")
    name = probed.name(ACTIVATIONS)
    path = results.path(name)
    layers = filter_layers.of_graph(graphs.of(config["network"], images.image_size))
    with hdf5.open_complete(path) as file:
        yield is_finite(file), name, "has values that are not finite"
        yield from results.made_from(name, file, probed)
        yield from _maps(file, name, chosen, len(images.labels), layers)
        network = checkpoints.load(results.path(probed.weights)).network
        yield from _kernels(file, name, network)
    table = top_patches.top_images(path, images_path, chosen, top, config["network"])
    yield from results.same_table(probed.name(TOP_IMAGES), table)
    over_range = quantiles.images_at_quantiles(path, images_path, chosen)
    yield from results.same_table(probed.name(QUANTILE_IMAGES), over_range)
    yield from _patches(results, probed.name(PATCHES), table, images, layers)
    yield from _every_filter(results, probed.name(ALL_TOP_IMAGES), network, top, table, images)


def _maps(
    file: h5py.File, name: str, chosen: list[str], images: int, layers: FilterLayers
) -> Check:
    recorded = set()
    for dataset in dataset_names(file):
        group, _, kind = dataset.rpartition("/")
        if kind != "kernels":
            recorded.add(group)
    yield recorded == set(chosen), name, f"has the filters {', '.join(sorted(recorded))}"
    for filter_name in chosen:
        layer, _ = split_name(filter_name)
        maps = file[f"{filter_name}/maps"]
        shape = (images, *layers[layer].shape)
        wrong = f"{filter_name} has shape {maps.shape}, expected {shape}"
        yield maps.shape == shape, name, wrong
        response = activations.response(maps[:])
        same = np.array_equal(response, file[f"{filter_name}/response"][:])
        yield same, name, f"{filter_name}: response is not the norm of the map"


def _kernels(file: h5py.File, name: str, network: Classifier) -> Check:
    """Compare the kernels to the network's weights."""
    expected = kernels.of_network(network)
    found = [dataset for dataset in dataset_names(file) if dataset.endswith("/kernels")]
    named = [] if expected is None else [f"{expected.layer}/kernels"]
    listed = ", ".join(found) or "none"
    yield found == named, name, f"has the kernels {listed}, expected {', '.join(named) or 'none'}"
    if expected is not None and found == named:
        same = np.array_equal(file[found[0]][:], expected.weights)
        yield same, name, f"{found[0]}: not the weights of the checkpoint"


def _patches(
    results: Results,
    name: str,
    table: pd.DataFrame,
    images: image_file.Images,
    layers: FilterLayers,
) -> Check:
    """Compare each patch to the pixels of its image."""
    with hdf5.open_complete(results.path(name)) as file:
        for (layer, channel), rows in table.groupby(["layer", "channel"]):
            patches = file[f"{layer}/{channel}"][:]
            ranked = rows.sort_values("rank")
            for patch, row in zip(patches, ranked.itertuples(), strict=True):
                pixels = images.pixels[row.image]
                seen = top_patches.cut(pixels, layers[layer].fields, row.peak_y, row.peak_x)
                wrong = f"{layer}/{channel}, rank {row.rank}: not the pixels of its box"
                yield np.array_equal(patch, seen), name, wrong


def _every_filter(
    results: Results,
    name: str,
    network: Classifier,
    top: int,
    chosen: pd.DataFrame,
    images: image_file.Images,
) -> Check:
    """Check the ranking of all filters, as far as that takes much less time than making it."""
    layers = filter_layers.of_graph(network.graph)
    table = tables.read(results.path(name))
    found = list(table[RANK].itertuples(index=False, name=None))
    listed = found == _ranks(layers, min(top, len(images.labels)))
    yield listed, name, "doesn't list each filter's ranks in order"
    if not listed:
        return
    checks = (
        _of_images(table, images),
        _of_boxes(table, layers),
        _of_chosen(table, chosen),
        _of_network(table, images, network),
    )
    for rows in checks:
        for wrong, what in rows:
            yield not wrong, name, f"{wrong}: {what}"


def _ranks(layers: FilterLayers, top: int) -> list[tuple[str, int, int]]:
    """Layer, channel and rank of each row of the ranking."""
    ranks = []
    for name, layer in layers.items():
        ranks += itertools.product([name], range(layer.channels), range(1, top + 1))
    return ranks


def _first(table: pd.DataFrame, wrong: np.ndarray | pd.Series) -> str:
    """The filter and rank of the first row that is wrong."""
    rows = table[np.asarray(wrong)]
    return "" if rows.empty else "{layer}/{channel}, rank {rank}".format(**rows.iloc[0])


def _of_images(table: pd.DataFrame, images: image_file.Images) -> WrongRows:
    """What follows from the images and the ranks."""
    classes = np.array(images.classes)[images.labels[table["image"]]]
    yield _first(table, table["class"] != classes), "not the class of its image"
    rises = table.groupby(["layer", "channel"])["response"].diff() > 0
    yield _first(table, rises), "a higher response than the rank before"


def _of_boxes(table: pd.DataFrame, layers: FilterLayers) -> WrongRows:
    """What follows from the peaks."""
    for layer, rows in table.groupby("layer"):
        peak_y = rows["peak_y"].to_numpy()
        peak_x = rows["peak_x"].to_numpy()
        box = np.stack(top_patches.clipped_box(layers[layer].fields, peak_y, peak_x), axis=1)
        wrong = (rows[BOX].to_numpy(int) != box).any(axis=1)
        yield _first(rows, wrong), "not the box that its peak sees"


def _of_chosen(table: pd.DataFrame, chosen: pd.DataFrame) -> WrongRows:
    """What follows from the maps of the chosen filters."""
    expected = chosen.set_index(RANK)
    found = table.set_index(RANK).loc[expected.index].reset_index()
    elsewhere = (found[PEAK].to_numpy() != expected[PEAK].to_numpy()).any(axis=1)
    yield _first(found, elsewhere), "another image or peak"
    same = _alike(found["response"], expected["response"])
    yield _first(found, ~same), "another response than in activations.h5"


class LayerAnswers(NamedTuple):
    """What a layer of the network answers to a sample of the images.

    Attributes:
        responses: of each filter to each image.
        highest: of the filter's map of the image.
        at_peaks: the map at the peaks of those rows of the table that name an image of the sample.
    """

    responses: Float32[np.ndarray, "image channel"]
    highest: Float32[np.ndarray, "image channel"]
    at_peaks: Float32[np.ndarray, " row"]


def _of_network(table: pd.DataFrame, images: image_file.Images, network: Classifier) -> WrongRows:
    """What the network answers to the images that are named most.

    That a filter answers to no other image more is seen of these images alone: all of them would
    take as long as ranking them did.
    """
    most = table["image"].value_counts(sort=True).index[:SAMPLE]
    sample = np.sort(most)
    rows = dict(list(table.groupby("layer")))
    shown = {}
    for layer, of_layer in rows.items():
        named = of_layer[of_layer["image"].isin(sample)]
        place = np.searchsorted(sample, named["image"])
        shown[layer] = named.assign(place=place).sort_values("place", kind="stable")
    for layer, answers in _answers(network, images.pixels[sample], shown).items():
        yield from _of_layer(rows[layer], shown[layer], answers)


def _answers(
    network: Classifier,
    pixels: UInt8[np.ndarray, "image y x channel"],
    shown: dict[str, pd.DataFrame],
) -> dict[str, LayerAnswers]:
    """What each layer answers to some images.

    Args:
        shown: by layer the rows that name these images, in the order of `place`, their place among
            them.
    """
    layers = filter_layers.of_graph(network.graph)
    names = {layer.map: name for name, layer in layers.items()}
    execution = Execution(network.graph, network)

    @torch.inference_mode()
    def of_batch(places: range) -> dict[str, LayerAnswers]:
        batch = torch.from_numpy(pixels[places.start : places.stop])
        by_layer = {}
        for node, maps in execution.each(network.normalised(as_input(batch)), names):
            rows = shown[names[node]]
            rows = rows[rows["place"].isin(places)]
            image = rows["place"].to_numpy() - places.start
            peaks = [rows[column].to_numpy() for column in ("channel", "peak_y", "peak_x")]
            # NumPy has no bfloat16.
            units = maps.to(torch.promote_types(maps.dtype, torch.float32))
            by_layer[names[node]] = LayerAnswers(
                ranking.responses(maps).numpy(),
                units.amax(dim=(2, 3)).numpy(),
                units.numpy()[image, *peaks],
            )
        return by_layer

    size = fitting(network.graph, SAMPLE)
    batches = list(in_batches(of_batch, range(len(pixels)), size, "images"))
    answers = {}
    for name in layers:
        parts = zip(*(by_layer[name] for by_layer in batches), strict=True)
        answers[name] = LayerAnswers(*map(np.concatenate, parts))
    return answers


def _of_layer(rows: pd.DataFrame, shown: pd.DataFrame, answers: LayerAnswers) -> WrongRows:
    """What a layer answers.

    Args:
        rows: of the layer.
        shown: those that name an image of the sample.
    """
    responses = answers.responses.copy()
    image = shown["place"].to_numpy()
    channel = shown["channel"].to_numpy()
    same = _alike(shown["response"], responses[image, channel])
    yield _first(shown, ~same), "another response than the network's"
    highest = answers.highest[image, channel]
    yield _first(shown, ~_alike(answers.at_peaks, highest)), "not the peak of the network's map"
    responses[image, channel] = 0  # leaves the images that the table passes over
    passed_over = responses.max(axis=0)
    lowest = rows.groupby("channel")["response"].min().to_numpy()
    last = rows.groupby("channel").tail(1)
    wrong = (passed_over > lowest) & ~_alike(passed_over, lowest)
    yield _first(last, wrong), "passes over an image that the filter answers to more"


def _alike(found: np.ndarray | pd.Series, expected: np.ndarray | pd.Series) -> np.ndarray:
    """Whether responses differ by no more than the device and the rounding in a table explain."""
    return np.isclose(found, expected, rtol=OF_RESPONSES, atol=TOLERANCE)
