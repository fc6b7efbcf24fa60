"""Responses, ties, peaks and patches against values worked out by hand."""

import gc

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from convprobe.dataset import image_file
from convprobe.filters import activations, ranking, top_patches
from convprobe.job import runtime
from convprobe.network import receptive_field
from convprobe.network.layers import Network
from convprobe.store import tables
from convprobe.training import evaluation

SETTINGS = {"conv": [{"channels": 3, "kernel": 3}, {"channels": 4, "kernel": 2}], "fc": [5]}
CLASSES = ("ant", "bee", "cow")


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    # A colour and a texture an image: noise alone would look the same to every filter.
    colours, textures = random.uniform(0, 255, (30, 1, 1, 3)), random.uniform(0, 80, (30, 1, 1, 1))
    pixels = (
        (colours + textures * random.normal(size=(30, 12, 12, 3))).clip(0, 255).astype(np.uint8)
    )
    pixels[17] = pixels[4]  # equal images: a tie for every filter
    return image_file.Images(pixels, random.integers(3, size=30), CLASSES, np.arange(30))


@pytest.fixture(scope="module")
def images_path(images, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.h5"
    image_file.write(path, {"train": images, "test": images})
    return path


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    built = Network(SETTINGS, classes=3, side=12).eval()
    for weight in built.parameters():  # larger than the initial ones, so that each filter matters
        torch.nn.init.normal_(weight)
    return built


def test_response_is_the_frobenius_norm():
    maps = np.array([[[3, 0], [0, 4]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]], dtype=np.float32)
    assert activations.response(maps).tolist() == [5, 2, 0]


def test_peak_is_the_first_maximum_in_row_order():
    assert top_patches.peak(np.array([[0, 7, 1], [7, 2, 7]])) == (0, 1)


@pytest.mark.parametrize("batch", [1, 7, 30])
def test_recorded_maps_are_those_of_the_network(network, images, images_path, tmp_path, batch):
    chosen = ["conv2/3", "conv1/0"]
    path = tmp_path / "activations.h5"
    activations.write(path, activations.record(network, images, chosen, batch=batch), chosen, "")
    x = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    first = torch.nn.functional.max_pool2d(torch.relu(network.conv1(x)), 2)
    second = torch.nn.functional.max_pool2d(torch.relu(network.conv2(first)), 2)
    with h5py.File(path) as file:
        np.testing.assert_allclose(file["conv1/0/maps"], first[:, 0].detach(), atol=1e-6)
        np.testing.assert_allclose(file["conv2/3/maps"], second[:, 3].detach(), atol=1e-5)
        norms = torch.linalg.matrix_norm(second[:, 3]).detach()
        np.testing.assert_allclose(file["conv2/3/response"], norms, rtol=1e-5)


def test_top_images_break_ties_by_the_lowest_index_and_box_what_the_peak_sees(
    images_path, tmp_path
):
    maps = np.zeros((30, 2, 2), dtype=np.float32)
    maps[4, 1, 0] = maps[17, 1, 0] = 2  # equal responses
    maps[9, 0, 1] = 3
    path = tmp_path / "activations.h5"
    activations.write(path, [{"conv2/1": maps}], ["conv2/1"], "")
    table = top_patches.top_images(path, images_path, ["conv2/1"], 4, SETTINGS)
    assert table["image"].tolist() == [9, 4, 17, 0]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["response"].tolist() == [3, 2, 2, 0]
    # conv2 sees 3 + 1 + 2·(2 - 1) + 2·(2 - 1) = 8 pixels, its units lie 4 apart.
    boxes = table[["top", "left", "bottom", "right"]].to_numpy().tolist()
    assert boxes[:2] == [[0, 4, 8, 12], [4, 0, 12, 8]]


def test_patches_are_the_boxed_pixels_the_highest_response_first(images, images_path, tmp_path):
    columns = ["layer", "channel", "rank", "image", "class", "response", "peak_y", "peak_x"]
    rows = [("conv1", 2, 2, 3, "ant", 1.0, 1, 1), ("conv1", 2, 1, 8, "bee", 2.0, 0, 3)]
    table = tmp_path / "top-images.csv"
    pd.DataFrame(rows, columns=columns).to_csv(table, index=False)
    top_patches.cut_patches(tmp_path / "patches.h5", table, images_path, SETTINGS)
    with h5py.File(tmp_path / "patches.h5") as file:
        patches = file["conv1/2"][:]
    np.testing.assert_array_equal(patches[0], images.pixels[8, 0:4, 6:10])
    np.testing.assert_array_equal(patches[1], images.pixels[3, 2:6, 2:6])


@pytest.mark.parametrize("batch", [1, 4, 30])
def test_the_batch_does_not_change_predictions(network, images, batch):
    whole = evaluation.predict(network, images)
    torch.testing.assert_close(
        evaluation.predict(network, images, batch=batch), whole, atol=1e-5, rtol=1e-5
    )


def test_a_patch_is_grey_where_the_peak_sees_more_than_the_image(images, images_path, tmp_path):
    settings = {"conv": [{"channels": 3, "kernel": 3, "padding": 2}], "fc": []}
    maps = np.zeros((30, 7, 7), dtype=np.float32)
    maps[4, 0, 6] = 1
    activations.write(tmp_path / "activations.h5", [{"conv1/1": maps}], ["conv1/1"], "")
    table = top_patches.top_images(
        tmp_path / "activations.h5", images_path, ["conv1/1"], 2, settings
    )
    # Fields of 4 pixels, 2 apart, the first from -2 on: rows -2 to 1, columns 10 to 13, of 12.
    boxes = table[["top", "left", "bottom", "right", "clipped"]].to_numpy().tolist()
    assert boxes == [[0, 10, 2, 12, True], [0, 0, 2, 2, True]]
    table.to_csv(tmp_path / "top-images.csv", index=False)
    top_patches.cut_patches(
        tmp_path / "patches.h5", tmp_path / "top-images.csv", images_path, settings
    )
    with h5py.File(tmp_path / "patches.h5") as file:
        patch = file["conv1/1"][0]
    expected = np.full((4, 4, 3), 128)
    expected[2:, :2] = images.pixels[4, :2, 10:]
    np.testing.assert_array_equal(patch, expected)


def test_a_patch_is_grey_where_padding_stands_in_place_of_pixels_that_pooling_dropped():
    # 9 pixels, convolved to 7, pooled to 3 and 1: that unit sees rows 0 to 5, and the last layer pads it.
    conv = [
        {"channels": 1, "kernel": 3},
        {"channels": 1, "kernel": 1},
        {"channels": 1, "kernel": 2, "padding": 1},
    ]
    field = receptive_field.of_pooled_maps({"conv": conv, "fc": []}, 9)["conv3"]
    image = np.arange(9 * 9 * 3, dtype=np.uint8).reshape(9, 9, 3)
    patch = top_patches.cut(image, field, 0, 0)
    # Of 14 pixels, from 4 before the image on.
    np.testing.assert_array_equal(patch[4:10, 4:10], image[:6, :6])
    patch[4:10, 4:10] = 128
    assert patch.shape == (14, 14, 3)
    assert (patch == 128).all()


# Every filter's top images


OTHER_LAYERS = {
    "conv": [
        {"channels": 3, "kernel": 3, "stride": 2, "padding": 1, "pool": 1, "batch_norm": True},
        {"channels": 4, "kernel": 2, "padding": 1},
    ],
    "fc": [],
}


@pytest.fixture(params=[SETTINGS, OTHER_LAYERS], ids=["plain", "other layers"])
def any_network(request, network):
    if request.param is SETTINGS:
        return network
    torch.manual_seed(5)
    built = Network(request.param, classes=3, side=12).eval()
    built.norm1.running_mean.normal_()
    return built


@torch.no_grad()
def top_images_by_brute_force(network, images, top):
    """A filter, an image, a unit at a time: all that top-images.csv tells."""
    rows, maps = [], torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    fields = receptive_field.of_pooled_maps(network.settings, images.side)
    for number, (layer, field) in enumerate(fields.items(), start=1):
        maps = network.get_submodule(layer)(maps)
        if network.stages[number - 1].batch_norm:
            maps = network.get_submodule(f"norm{number}")(maps)
        maps = torch.nn.functional.max_pool2d(maps.clamp(min=0), network.stages[number - 1].pool)
        for channel in range(maps.shape[1]):
            norms = [
                np.float32(sum(x**2 for x in image[channel].flatten().tolist()) ** 0.5)
                for image in maps
            ]
            first = sorted(
                range(len(norms)), key=lambda image, norms=norms: (-norms[image], image)
            )[:top]
            for rank, image in enumerate(first, start=1):
                units = [(y, x) for y in range(maps.shape[2]) for x in range(maps.shape[3])]
                y, x = max(
                    units, key=lambda unit, seen=maps[image, channel]: float(seen[unit])
                )  # the first of equals
                whole = [
                    field.start + place * field.stride + end
                    for end in (0, field.size)
                    for place in (y, x)
                ]
                box = [
                    min(max(edge, 0), images.side) for edge in whole
                ]  # no row is dropped before a padding here
                name = images.classes[images.labels[image]]
                rows.append(
                    (layer, channel, rank, image, name, norms[image], y, x, *box, whole != box)
                )
    return pd.DataFrame(rows, columns=top_patches.TOP_IMAGES_COLUMNS)


@pytest.mark.parametrize("batch", [1, 7, 30])
def test_both_tables_of_top_images_are_those_of_brute_force(
    any_network, images, images_path, tmp_path, batch
):
    layers = zip(any_network.convolutions, any_network.stages, strict=True)
    names = [f"{layer}/{channel}" for layer, stage in layers for channel in range(stage.channels)]
    path = tmp_path / "activations.h5"
    activations.write(path, activations.record(any_network, images, names, batch=batch), names, "")
    expected = top_images_by_brute_force(any_network, images, 6)
    chosen = top_patches.top_images(path, images_path, names, 6, any_network.settings)
    every = ranking.top_images(any_network, images, 6, batch=batch)
    for found in (chosen, every):
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    ties = [rows["image"].tolist() for _, rows in expected.groupby(["layer", "channel"])]
    assert any({4, 17} <= set(shown) for shown in ties), (
        "a tie is shown, or the test could not fail"
    )


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


def test_what_is_kept_of_all_filters_does_not_grow_with_the_images(network, images):
    job = Weighing()
    ranking.top_images(network, images, 3, job, batch=3)
    assert len(job.alive) == 10
    assert len(set(job.alive[1:])) == 1


def test_equal_images_tie_in_a_small_last_batch_too():
    """PyTorch adds up few images in another order than many: a last batch of two would differ in the last bits."""
    torch.manual_seed(0)
    wide = {
        "conv": [{"channels": 64, "kernel": 3}, {"channels": 512, "kernel": 1, "pool": 1}],
        "fc": [],
    }
    same = (
        np.random.default_rng(0).integers(0, 256, (1, 4, 4, 3), dtype=np.uint8).repeat(22, axis=0)
    )
    images = image_file.Images(same, np.zeros(22, dtype=int), CLASSES, np.arange(22))
    table = ranking.top_images(Network(wide, classes=3, side=4).eval(), images, 3, batch=20)
    assert table["image"].tolist() == [0, 1, 2] * (64 + 512)


def test_a_silent_filter_shows_the_first_images(images):
    quiet = Network(SETTINGS, classes=3, side=12).eval()
    with torch.no_grad():
        quiet.conv1.weight[1], quiet.conv1.bias[1] = 0, -1
    table = ranking.top_images(quiet, images, 3, batch=4)
    silent = table[(table["layer"] == "conv1") & (table["channel"] == 1)]
    assert silent[["image", "response", "peak_y", "peak_x"]].to_numpy().tolist() == [
        [i, 0, 0, 0] for i in range(3)
    ]


def test_a_small_response_is_no_silence_in_the_table(network, images, tmp_path):
    quiet = Network(SETTINGS, classes=3, side=12).eval()
    quiet.load_state_dict(network.state_dict())
    with torch.no_grad():
        for weight in quiet.conv1.parameters():
            weight.mul_(1e-9)
    loud, faint = (
        ranking.top_images(found, images, 3).query("layer == 'conv1'") for found in (network, quiet)
    )
    tables.write(tmp_path / "all-top-images.csv", faint)
    read = tables.read(tmp_path / "all-top-images.csv")
    assert 0 < faint["response"].max() < 5e-7
    np.testing.assert_allclose(read["response"], 1e-9 * loud["response"].to_numpy(float), rtol=1e-5)


def test_fewer_images_than_ranks_are_all_listed(network, images):
    few = image_file.Images(images.pixels[:2], images.labels[:2], CLASSES, np.array([5, 9]))
    table = ranking.top_images(network, few, 5)
    assert len(table) == 7 * 2
    assert set(table["image"]) == {5, 9}
