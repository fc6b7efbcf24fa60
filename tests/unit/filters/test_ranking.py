"""Every filter's top images against brute force."""

import gc

import numpy as np
import pandas as pd
import pytest
import torch

from convprobe.dataset import image_file
from convprobe.filters import activations, ranking, top_patches
from convprobe.job import runtime
from convprobe.network import convolution, filter_layers, tile_cost
from convprobe.network.layers import Network
from convprobe.store import tables

OTHER_LAYERS = {
    "conv": [
        {"channels": 3, "kernel": 3, "stride": 2, "padding": 1, "pool": 1, "batch_norm": True},
        {"channels": 4, "kernel": 2, "padding": 1},
    ],
    "fc": [],
}


@pytest.fixture(params=["plain", "other layers"])
def any_network(request, network):
    if request.param == "plain":
        return network
    torch.manual_seed(5)
    built = Network(OTHER_LAYERS, classes=3, image_size=(12, 12)).eval()
    built.norm1.running_mean.normal_()
    return built


@torch.no_grad()
def top_images_by_brute_force(network, images, top):
    """All of top-images.csv, by one filter, one image and one unit at a time."""
    rows = []
    maps = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    layers = filter_layers.of_graph(network.graph)
    for number, (layer, of_layer) in enumerate(layers.items(), start=1):
        grid = of_layer.fields.y.grid
        stage = network.stages[number - 1]
        maps = network.get_submodule(layer)(maps)
        if stage.batch_norm:
            maps = network.get_submodule(f"norm{number}")(maps)
        maps = torch.nn.functional.max_pool2d(maps.clamp(min=0), stage.pool)
        for channel in range(maps.shape[1]):
            norms = [norm_by_brute_force(image[channel]) for image in maps]
            # Sorting keeps the order of equal ones.
            best = sorted(range(len(norms)), key=lambda image, norms=norms: -norms[image])[:top]
            for rank, image in enumerate(best, start=1):
                y, x = peak_by_brute_force(maps[image, channel])
                whole = []
                for end in (0, grid.size):
                    whole += [grid.start + place * grid.stride + end for place in (y, x)]
                # No row is dropped before a padding here.
                box = [min(max(edge, 0), images.image_size[0]) for edge in whole]
                name = images.classes[images.labels[image]]
                found = (layer, channel, rank, image, name, norms[image], y, x)
                rows.append((*found, *box, whole != box))
    return pd.DataFrame(rows, columns=top_patches.TOP_IMAGES_COLUMNS)


def norm_by_brute_force(seen):
    return np.float32(sum(x**2 for x in seen.flatten().tolist()) ** 0.5)


def peak_by_brute_force(seen):
    units = [(y, x) for y in range(seen.shape[0]) for x in range(seen.shape[1])]
    return max(units, key=lambda unit: float(seen[unit]))  # the first of equals


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 7, 30])
def test_both_tables_of_top_images_are_those_of_brute_force(
    any_network, images, images_path, tmp_path, batch
):
    layers = zip(any_network.convolutions, any_network.stages, strict=True)
    names = [f"{layer}/{channel}" for layer, stage in layers for channel in range(stage.channels)]
    path = tmp_path / "activations.h5"
    batches = activations.record(any_network, images, names, batch=batch)
    activations.write(path, batches, names, "")
    expected = top_images_by_brute_force(any_network, images, 6)
    chosen = top_patches.top_images(path, images_path, names, 6, any_network.settings)
    every = ranking.top_images(any_network, images, 6, batch=batch)
    for found in (chosen, every):
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    ties = [rows["image"].tolist() for _, rows in expected.groupby(["layer", "channel"])]
    tie_is_shown = any({4, 17} <= set(shown) for shown in ties)
    assert tie_is_shown, "or the test could not fail"


class Weighing(runtime.Job):
    """A job that counts the numbers in all tensors that are alive, after each batch."""

    def progress(self, *arguments):
        gc.collect()  # what other tests left behind doesn't count
        self.alive = []
        for batch in super().progress(*arguments):
            yield batch
            self.alive.append(
                sum(found.numel() for found in gc.get_objects() if type(found) is torch.Tensor)
            )


@pytest.mark.slow
def test_what_is_kept_of_all_filters_does_not_grow_with_the_images(network, images):
    job = Weighing()
    ranking.top_images(network, images, 3, job, batch=3)
    assert len(job.alive) == 10
    assert len(set(job.alive[1:])) == 1


def test_equal_images_tie_in_a_small_last_batch_too():
    """PyTorch adds up few images in another order than many: the last bits would differ."""
    torch.manual_seed(0)
    conv = [{"channels": 64, "kernel": 3}, {"channels": 512, "kernel": 1, "pool": 1}]
    network = Network({"conv": conv, "fc": []}, classes=3, image_size=(4, 4)).eval()
    one = np.random.default_rng(0).integers(0, 256, (1, 4, 4, 3), dtype=np.uint8)
    labels = np.zeros(22, dtype=int)
    images = image_file.Images(one.repeat(22, axis=0), labels, ("ant",), np.arange(22))
    table = ranking.top_images(network, images, 3, batch=20)
    assert table["image"].tolist() == [0, 1, 2] * (64 + 512)


def test_in_a_plain_image_the_peak_is_the_first_unit_however_convolutions_are_computed():
    torch.manual_seed(0)
    conv = [{"channels": 64, "kernel": 1, "pool": 1}, {"channels": 256, "kernel": 3, "pool": 1}]
    network = Network({"conv": conv, "fc": []}, classes=3, image_size=(14, 14)).eval()
    assert tile_cost.pays(64, 256, 12, 12, convolution.EVALUATED)
    plain = np.full((1, 14, 14, 3), 200, dtype=np.uint8)
    images = image_file.Images(plain, np.zeros(1, dtype=int), ("ant",), np.arange(1))
    table = ranking.top_images(network, images, 1)
    largest = table.groupby("layer")["response"].transform("max")
    answering = table[table["response"] > 0.05 * largest]  # else there is little but rounding
    assert answering["layer"].nunique() == 2
    assert (answering[["peak_y", "peak_x"]] == 0).all().all()


def test_a_silent_filter_shows_the_first_images(quiet_network, images):
    with torch.no_grad():
        quiet_network.conv1.weight[1] = 0
        quiet_network.conv1.bias[1] = -1
    table = ranking.top_images(quiet_network, images, 3, batch=4)
    silent = table[(table["layer"] == "conv1") & (table["channel"] == 1)]
    shown = silent[["image", "response", "peak_y", "peak_x"]].to_numpy().tolist()
    assert shown == [[image, 0, 0, 0] for image in range(3)]


def test_a_small_response_is_no_silence_in_the_table(network, quiet_network, images, tmp_path):
    with torch.no_grad():
        for weight in quiet_network.conv1.parameters():
            weight.mul_(1e-9)
    loud = ranking.top_images(network, images, 3).query("layer == 'conv1'")
    faint = ranking.top_images(quiet_network, images, 3).query("layer == 'conv1'")
    tables.write(tmp_path / "all-top-images.csv", faint)
    read = tables.read(tmp_path / "all-top-images.csv")
    assert 0 < faint["response"].max() < 5e-7
    np.testing.assert_allclose(read["response"], 1e-9 * loud["response"].to_numpy(float), rtol=1e-5)


def test_fewer_images_than_ranks_are_all_listed(network, images):
    indices = np.array([5, 9])
    few = image_file.Images(images.pixels[:2], images.labels[:2], images.classes, indices)
    table = ranking.top_images(network, few, 5)
    assert len(table) == 7 * 2
    assert set(table["image"]) == {5, 9}
