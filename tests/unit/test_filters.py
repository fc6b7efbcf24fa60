"""Responses, ties, peaks, patches and ablation against values worked out by hand."""

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from convprobe import ablation, activations, datasets, evaluation
from convprobe.network import Network

SETTINGS = {"conv": [{"channels": 3, "kernel": 3}, {"channels": 4, "kernel": 2}], "fc": [5]}
CLASSES = ("ant", "bee", "cow")


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    # A colour and a texture an image: noise alone would look the same to every filter.
    colours, textures = random.uniform(0, 255, (30, 1, 1, 3)), random.uniform(0, 80, (30, 1, 1, 1))
    pixels = (colours + textures * random.normal(size=(30, 12, 12, 3))).clip(0, 255).astype(np.uint8)
    pixels[17] = pixels[4]  # equal images: a tie for every filter
    return datasets.Images(pixels, random.integers(3, size=30), CLASSES, np.arange(30))


@pytest.fixture(scope="module")
def images_path(images, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.h5"
    datasets.write(path, {"train": images, "test": images})
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
    assert activations.peak(np.array([[0, 7, 1], [7, 2, 7]])) == (0, 1)


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


def test_top_images_break_ties_by_the_lowest_index_and_box_what_the_peak_sees(images_path, tmp_path):
    maps = np.zeros((30, 2, 2), dtype=np.float32)
    maps[4, 1, 0] = maps[17, 1, 0] = 2  # equal responses
    maps[9, 0, 1] = 3
    path = tmp_path / "activations.h5"
    activations.write(path, [{"conv2/1": maps}], ["conv2/1"], "")
    table = activations.top_images(path, images_path, ["conv2/1"], 4, SETTINGS)
    assert table["image"].tolist() == [9, 4, 17, 0]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["response"].tolist() == [3, 2, 2, 0]
    # conv2 sees 3 + 1 + 2·(2 - 1) + 2·(2 - 1) = 8 pixels, its units lie 4 apart.
    boxes = table[["top", "left", "bottom", "right"]].to_numpy().tolist()
    assert boxes[:2] == [[0, 4, 8, 12], [4, 0, 12, 8]]


def test_patches_are_the_boxed_pixels_the_highest_response_first(images, images_path, tmp_path):
    columns = ["layer", "channel", "rank", "image", "class", "response", "peak_y", "peak_x"]
    rows = [("conv1", 2, 2, 3, "ant", 1.0, 1, 1, 2, 2, 6, 6), ("conv1", 2, 1, 8, "bee", 2.0, 0, 3, 0, 6, 4, 10)]
    table = tmp_path / "top-images.csv"
    pd.DataFrame(rows, columns=[*columns, "top", "left", "bottom", "right"]).to_csv(table, index=False)
    activations.cut_patches(tmp_path / "patches.h5", table, images_path)
    with h5py.File(tmp_path / "patches.h5") as file:
        patches = file["conv1/2"][:]
    np.testing.assert_array_equal(patches[0], images.pixels[8, 0:4, 6:10])
    np.testing.assert_array_equal(patches[1], images.pixels[3, 2:6, 2:6])


def test_a_filter_that_is_switched_off_has_a_map_of_zeros_and_others_keep_theirs(network, images):
    with torch.no_grad():
        network.conv1.bias[1] = 5  # a positive bias alone would leave a constant map
    before = {name: value.clone() for name, value in network.state_dict().items()}
    ablated = ablation.switch_off(network, ["conv1/1", "conv2/0"])
    x = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    maps, original = dict(ablated.pooled_maps(x)), dict(network.pooled_maps(x))
    assert (maps["conv1"][:, 1] == 0).all()
    assert (maps["conv2"][:, 0] == 0).all()
    assert torch.equal(maps["conv1"][:, 0], original["conv1"][:, 0])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_predictions_are_those_of_a_network_that_ignores_the_filters_maps(network, images):
    table = ablation.predictions(network, ["conv1/0"], images)
    x = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    maps = torch.nn.functional.max_pool2d(torch.relu(network.conv1(x)), 2)
    maps[:, 0] = 0
    maps = torch.nn.functional.max_pool2d(torch.relu(network.conv2(maps)), 2)
    logits = network.fc2(torch.relu(network.fc1(maps.flatten(1))))
    assert table["after"].tolist() == [CLASSES[label] for label in logits.argmax(1)]
    truth = logits.softmax(1)[torch.arange(30), torch.from_numpy(images.labels)].detach()
    np.testing.assert_allclose(table["confidence_after"], truth, atol=1e-5)
    assert (table["before"] != table["after"]).any(), "the filter matters, or the test could not fail"


def test_accuracies_count_right_answers(network, images):
    table = ablation.accuracies(network, ["conv1/0"], [["conv1/2"]], images)
    predictions = ablation.predictions(network, ["conv1/0"], images)
    assert table["variant"].tolist() == ["none", "chosen", "random-01"]
    for row, column in ((0, "before"), (1, "after")):
        right = sum(a == b for a, b in zip(predictions[column], predictions["class"], strict=True))
        assert table["accuracy"][row] == pytest.approx(right / 30)


def test_controls_are_as_many_per_layer_as_were_chosen(network):
    draws = ablation.draw_controls(network, ["conv1/0", "conv2/1", "conv2/3"], count=40, seed=1)
    assert len(draws) == 40
    for draw in draws:
        layers = [name.split("/")[0] for name in draw]
        assert (layers.count("conv1"), layers.count("conv2"), len(set(draw))) == (1, 2, 3)
    drawn = {name for draw in draws for name in draw}
    assert drawn == {"conv1/0", "conv1/1", "conv1/2", "conv2/0", "conv2/1", "conv2/2", "conv2/3"}


@pytest.fixture
def predictions():
    rows = [("ant", "ant", "bee"), ("ant", "ant", "bee"), ("ant", "cow", "bee"), ("bee", "bee", "bee")]
    rows += [("bee", "bee", "ant"), ("cow", "ant", "cow")]
    return pd.DataFrame(rows, columns=["class", "before", "after"]).reset_index(names="image")


def test_confusion_has_true_classes_in_rows(predictions):
    after = ablation.confusion(predictions, "after", CLASSES)
    assert after.to_numpy().tolist() == [[0, 3, 0], [1, 1, 0], [0, 0, 1]]
    assert (list(after.index), list(after.columns)) == (list(CLASSES), list(CLASSES))


def test_class_pairs_count_only_images_that_were_right(predictions):
    assert ablation.class_pairs(predictions).to_numpy().tolist() == [["ant", "bee", 2], ["bee", "ant", 1]]


@pytest.mark.parametrize("batch", [1, 4, 30])
def test_the_batch_does_not_change_predictions(network, images, batch):
    whole = evaluation.predict(network, images)
    torch.testing.assert_close(evaluation.predict(network, images, batch=batch), whole, atol=1e-5, rtol=1e-5)
