"""Do top images and patches follow from the maps, and does the network answer as tables say?"""

import itertools
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import pandas as pd
import torch

from convprobe.dataset import image_file
from convprobe.dataset.outputs import IMAGES
from convprobe.filters import activations, ranking, top_patches
from convprobe.filters.outputs import ACTIVATIONS, ALL_TOP_IMAGES, PATCHES, TOP_IMAGES
from convprobe.network import checkpoints, receptive_field
from convprobe.network.layers import Network, as_input
from convprobe.store import hdf5, tables
from convprobe.store.checks import TOLERANCE, Check, Probed, Results, dataset_names, is_finite

SAMPLE = 250  # images that the network is shown again
OF_RESPONSES = 1e-3  # relative, on whatever device they were computed
RANK = ["layer", "channel", "rank"]
PEAK = ["image", "peak_y", "peak_x"]
BOX = ["top", "left", "bottom", "right", "clipped"]

# For each thing checked: the first wrong row of a table, empty if none, and what is wrong.
Rows = Iterator[tuple[str, str]]


def check(results: Results, config: dict[str, Any], probed: Probed) -> Check:
    """Check the maps of the chosen filters, what follows from them, and the ranking of all."""
    chosen = config["filters"]["chosen"]
    top = config["filters"]["top"]
    images_path = results.path(IMAGES.path)
    images = image_file.read(images_path, "test")
    name = probed.name(ACTIVATIONS)
    path = results.path(name)
    sides = receptive_field.pooled_sides(config["network"], images.side)
    with hdf5.open_complete(path) as file:
        yield is_finite(file), name, "has values that are not finite"
        yield from results.made_from(name, file, probed)
        yield from _maps(file, name, chosen, len(images.labels), sides)
    table = top_patches.top_images(path, images_path, chosen, top, config["network"])
    results.same_table(probed.name(TOP_IMAGES), table)
    fields = receptive_field.of_pooled_maps(config["network"], images.side)
    yield from _patches(results, probed.name(PATCHES), table, images, fields)
    yield from _every_filter(results, probed, top, table, images, fields)


def _maps(
    file: h5py.File, name: str, chosen: list[str], images: int, sides: dict[str, int]
) -> Check:
    recorded = {dataset.rpartition("/")[0] for dataset in dataset_names(file)}
    yield recorded == set(chosen), name, f"has the filters {', '.join(sorted(recorded))}"
    for filter_name in chosen:
        layer, _, _ = filter_name.partition("/")
        maps = file[f"{filter_name}/maps"]
        shape = (images, sides[layer], sides[layer])
        wrong = f"{filter_name} has shape {maps.shape}, expected {shape}"
        yield maps.shape == shape, name, wrong
        response = activations.response(maps[:])
        same = np.array_equal(response, file[f"{filter_name}/response"][:])
        yield same, name, f"{filter_name}: response is not the norm of the map"


def _patches(
    results: Results,
    name: str,
    table: pd.DataFrame,
    images: image_file.Images,
    fields: dict[str, receptive_field.ReceptiveField],
) -> Check:
    """Compare each patch to the pixels of its image."""
    with hdf5.open_complete(results.path(name)) as file:
        for (layer, channel), rows in table.groupby(["layer", "channel"]):
            patches = file[f"{layer}/{channel}"][:]
            ranked = rows.sort_values("rank")
            for patch, row in zip(patches, ranked.itertuples(), strict=True):
                pixels = images.pixels[row.image]
                seen = top_patches.cut(pixels, fields[layer], row.peak_y, row.peak_x)
                wrong = f"{layer}/{channel}, rank {row.rank}: not the pixels of its box"
                yield np.array_equal(patch, seen), name, wrong


def _every_filter(
    results: Results,
    probed: Probed,
    top: int,
    chosen: pd.DataFrame,
    images: image_file.Images,
    fields: dict[str, receptive_field.ReceptiveField],
) -> Check:
    """Check the ranking of all filters, as far as that takes much less time than making it."""
    name = probed.name(ALL_TOP_IMAGES)
    network = checkpoints.load(results.path(probed.weights)).network
    table = tables.read(results.path(name))
    found = list(table[RANK].itertuples(index=False, name=None))
    listed = found == _ranks(network, min(top, len(images.labels)))
    yield listed, name, "doesn't list each filter's ranks in order"
    if not listed:
        return
    checks = (
        _of_images(table, images),
        _of_boxes(table, fields),
        _of_chosen(table, chosen),
        _of_network(table, images, network),
    )
    for rows in checks:
        for wrong, what in rows:
            yield not wrong, name, f"{wrong}: {what}"


def _ranks(network: Network, top: int) -> list[tuple[str, int, int]]:
    """Layer, channel and rank of each row of the ranking."""
    found = []
    for layer in network.convolutions:
        channels = range(network.get_submodule(layer).out_channels)
        found += itertools.product([layer], channels, range(1, top + 1))
    return found


def _first(table: pd.DataFrame, wrong: np.ndarray | pd.Series) -> str:
    """The filter and rank of the first row that is wrong."""
    rows = table[np.asarray(wrong)]
    return "" if rows.empty else "{layer}/{channel}, rank {rank}".format(**rows.iloc[0])


def _of_images(table: pd.DataFrame, images: image_file.Images) -> Rows:
    """What follows from the images and the ranks."""
    classes = np.array(images.classes)[images.labels[table["image"]]]
    yield _first(table, table["class"] != classes), "not the class of its image"
    rises = table.groupby(["layer", "channel"])["response"].diff() > 0
    yield _first(table, rises), "a higher response than the rank before"


def _of_boxes(table: pd.DataFrame, fields: dict[str, receptive_field.ReceptiveField]) -> Rows:
    """What follows from the peaks."""
    for layer, rows in table.groupby("layer"):
        peak_y = rows["peak_y"].to_numpy()
        peak_x = rows["peak_x"].to_numpy()
        box = np.stack(top_patches.clipped_box(fields[layer], peak_y, peak_x), axis=1)
        wrong = (rows[BOX].to_numpy(int) != box).any(axis=1)
        yield _first(rows, wrong), "not the box that its peak sees"


def _of_chosen(table: pd.DataFrame, chosen: pd.DataFrame) -> Rows:
    """What follows from the maps of the chosen filters."""
    expected = chosen.set_index(RANK)
    found = table.set_index(RANK).loc[expected.index].reset_index()
    elsewhere = (found[PEAK].to_numpy() != expected[PEAK].to_numpy()).any(axis=1)
    yield _first(found, elsewhere), "another image or peak"
    same = _alike(found["response"], expected["response"])
    yield _first(found, ~same), "another response than in activations.h5"


def _of_network(table: pd.DataFrame, images: image_file.Images, network: Network) -> Rows:
    """What the network answers to the images that are named most.

    That a filter answers to no other image more is seen of these images alone: all of them would
    take as long as ranking them did.
    """
    most = table["image"].value_counts(sort=True).index[:SAMPLE]
    sample = np.sort(most)
    for layer, maps in _pooled_maps(network, images.pixels[sample]):
        rows = table[table["layer"] == layer]
        yield from _of_layer(rows, maps, sample)


@torch.inference_mode()  # of a function, for it doesn't hold in a generator that is wrapped
def _pooled_maps(network: Network, pixels: np.ndarray) -> list[tuple[str, torch.Tensor]]:
    """The maps of every layer, by the layer's name."""
    return list(network.pooled_maps(as_input(torch.from_numpy(pixels))))


def _of_layer(rows: pd.DataFrame, maps: torch.Tensor, sample: np.ndarray) -> Rows:
    """What a layer answers.

    Args:
        rows: of the layer.
        maps: float32 (image, channel, y, x), of the sample.
        sample: indices of its images, in ascending order.
    """
    responses = ranking.responses(maps).numpy()
    shown = rows[rows["image"].isin(sample)]
    image = np.searchsorted(sample, shown["image"])
    channel = shown["channel"].to_numpy()
    same = _alike(shown["response"], responses[image, channel])
    yield _first(shown, ~same), "another response than the network's"
    highest = maps.amax(dim=(2, 3)).numpy()[image, channel]
    peak = maps.numpy()[image, channel, shown["peak_y"], shown["peak_x"]]
    yield _first(shown, ~_alike(peak, highest)), "not the peak of the network's map"
    responses[image, channel] = 0  # leaves the images that the table passes over
    passed_over = responses.max(axis=0)
    lowest = rows.groupby("channel")["response"].min().to_numpy()
    last = rows.groupby("channel").tail(1)
    wrong = (passed_over > lowest) & ~_alike(passed_over, lowest)
    yield _first(last, wrong), "passes over an image that the filter answers to more"


def _alike(found: np.ndarray | pd.Series, expected: np.ndarray | pd.Series) -> np.ndarray:
    """Whether responses differ by no more than the device and the rounding in a table explain."""
    return np.isclose(found, expected, rtol=OF_RESPONSES, atol=TOLERANCE)
