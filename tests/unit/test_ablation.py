"""Variants of a network against copies of it that are changed by hand, and the tables that are made of them."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from convprobe import ablation, ablation_tables, datasets, evaluation, variants
from convprobe.network import Network

CLASSES = ("ant", "bee", "cow")


def draw_network(draw):
    """A random network that the config can describe, and the side of its images."""
    depth, side = int(draw.integers(1, 4)), 26
    conv = [{"channels": int(draw.integers(2, 9)), "kernel": int(draw.integers(1, 4))} for _ in range(depth)]
    if draw.integers(2):
        for stage in conv:
            stage |= {"padding": int(draw.integers(0, stage["kernel"])), "stride": int(draw.integers(1, 3))}
            stage |= {"pool": int(draw.integers(1, 3)), "batch_norm": bool(draw.integers(2))}
    torch.manual_seed(int(draw.integers(2**31)))
    network = Network({"conv": conv, "fc": draw.integers(8, 12, draw.integers(0, 3)).tolist()}, len(CLASSES), side)
    for name, weight in network.state_dict().items():  # larger than the initial ones, so that each filter matters
        if weight.is_floating_point():
            torch.nn.init.uniform_(weight, 0.5, 1.5) if "running_var" in name else torch.nn.init.normal_(
                weight, std=0.5
            )
    return network.eval(), side


def draw_images(draw, side, count=12):
    pixels = draw.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return datasets.Images(pixels, draw.integers(3, size=count), CLASSES, np.arange(count))


def draw_filters(draw, network):
    """Some filters, of any layers, none of them twice."""
    layers = {name: network.get_submodule(name).out_channels for name in network.convolutions}
    every = [f"{name}/{channel}" for name, width in layers.items() for channel in range(width)]
    return draw.choice(every, draw.integers(1, len(every) // 2 + 1), replace=False).tolist()


@torch.no_grad()
def without(network, filters, images, mode):
    """Logits by brute force: every layer of every image anew, each map replaced as the mode says."""
    original = [maps for _, maps in network.pooled_maps(inputs(images))]
    changed, maps = copy.deepcopy(network), inputs(images)
    for number, layer in enumerate(changed.convolutions):
        convolution = changed.get_submodule(layer)
        channels = [int(name.split("/")[1]) for name in filters if name.split("/")[0] == layer]
        convolution.weight[channels] = 0
        maps = convolution(maps)
        if network.stages[number].batch_norm:
            maps = changed.get_submodule(f"norm{number + 1}")(maps)
        maps = F.max_pool2d(F.relu(maps), network.stages[number].pool)
        if mode == "zero":
            maps[:, channels] = 0
        if mode == "mean":
            maps[:, channels] = original[number][:, channels].mean(0)
    hidden = maps.flatten(1)
    for layer in changed.fully_connected[:-1]:
        hidden = F.relu(changed.get_submodule(layer)(hidden))
    return changed.get_submodule(changed.fully_connected[-1])(hidden)


def inputs(images):
    return torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255


@pytest.mark.parametrize("mode", ["zero", "weights-only", "mean"])
@pytest.mark.parametrize("seed", range(8))
def test_variants_answer_as_a_changed_network_does(seed, mode):
    draw = np.random.default_rng(seed)
    network, side = draw_network(draw)
    images, off = draw_images(draw, side), [draw_filters(draw, network) for _ in range(4)]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = variants.predict(network, off, images, mode, batch=5)
    for logits, filters in zip(found, off, strict=True):
        expected = without(network, filters, images, mode)
        scale = expected.abs().max().clamp(min=1)
        torch.testing.assert_close(logits / scale, expected / scale, atol=2e-6, rtol=0)
        assert torch.equal(logits.argmax(1), expected.argmax(1))
    clean = evaluation.predict(network, images)
    assert (found - clean).abs().max() > 1e-3 * clean.abs().max(), "the filters matter, or the test could not fail"
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_nothing_off_is_the_network_itself():
    draw = np.random.default_rng(0)
    network, side = draw_network(draw)
    images = draw_images(draw, side)
    assert torch.equal(variants.predict(network, [[]], images)[0], evaluation.predict(network, images))


@pytest.mark.parametrize("batch", [1, 5, 12])
def test_the_batch_changes_no_prediction(batch):
    draw = np.random.default_rng(1)
    network, side = draw_network(draw)
    images, off = draw_images(draw, side), [draw_filters(draw, network)]
    whole = variants.predict(network, off, images, "mean")
    torch.testing.assert_close(variants.predict(network, off, images, "mean", batch=batch), whole, atol=1e-4, rtol=1e-5)


def test_predictions_hold_names_and_the_probability_of_the_true_class():
    draw = np.random.default_rng(2)
    network, side = draw_network(draw)
    images, filters = draw_images(draw, side), draw_filters(draw, network)
    table = ablation.predictions(network, filters, images, "zero")
    for state, logits in (
        ("before", without(network, [], images, "zero")),
        ("after", without(network, filters, images, "zero")),
    ):
        assert table[state].tolist() == [CLASSES[label] for label in logits.argmax(1)]
        truth = logits.softmax(1)[torch.arange(12), torch.from_numpy(images.labels)]
        np.testing.assert_allclose(table[f"confidence_{state}"], truth, atol=1e-5)


def test_controls_are_as_many_per_layer_as_were_chosen():
    network = Network({"conv": [{"channels": 3, "kernel": 3}, {"channels": 4, "kernel": 2}], "fc": []}, 3, 12)
    draws = ablation.draw_controls(network, ["conv1/0", "conv2/1", "conv2/3"], count=40, seed=1)
    assert len(draws) == 40
    for draw in draws:
        layers = [name.split("/")[0] for name in draw]
        assert (layers.count("conv1"), layers.count("conv2"), len(set(draw))) == (1, 2, 3)
    drawn = {name for draw in draws for name in draw}
    assert drawn == {"conv1/0", "conv1/1", "conv1/2", "conv2/0", "conv2/1", "conv2/2", "conv2/3"}


def test_each_filter_each_layer_and_each_draw_is_a_variant():
    found = ablation.parts_and_controls(["conv1/0", "conv2/1", "conv2/3"], [["conv1/2"], ["conv1/1"]])
    assert found == {
        "conv1/0": ["conv1/0"], "conv2/1": ["conv2/1"], "conv2/3": ["conv2/3"], "conv1": ["conv1/0"],
        "conv2": ["conv2/1", "conv2/3"], "random-01": ["conv1/2"], "random-02": ["conv1/1"],
    }  # fmt: skip


@pytest.fixture
def predictions():
    rows = [("ant", "ant", "bee", 0.9, 0.1), ("ant", "ant", "bee", 0.6, 0.4), ("ant", "cow", "bee", 0.2, 0.3)]
    rows += [("bee", "bee", "bee", 0.8, 0.7), ("bee", "bee", "ant", 0.9, 0.2), ("cow", "ant", "cow", 0.3, 0.5)]
    columns = ["class", "before", "after", "confidence_before", "confidence_after"]
    return pd.DataFrame(rows, columns=columns).reset_index(names="image")


def test_confusion_has_true_classes_in_rows(predictions):
    after = ablation_tables.confusion(predictions, "after", CLASSES)
    assert after.to_numpy().tolist() == [[0, 3, 0], [1, 1, 0], [0, 0, 1]]
    assert (list(after.index), list(after.columns)) == (list(CLASSES), list(CLASSES))


def test_class_pairs_tell_what_was_confused_before_and_after_and_who_turned_wrong(predictions):
    assert ablation_tables.class_pairs(predictions).to_numpy().tolist() == [
        ["ant", "bee", 0, 3, 3, 2],
        ["bee", "ant", 0, 1, 1, 1],
        ["ant", "cow", 1, 0, -1, 0],
        ["cow", "ant", 1, 0, -1, 0],
    ]


def test_flips_are_the_images_that_changed_the_largest_fall_first(predictions):
    flips = ablation_tables.flips(predictions)
    assert flips["image"].tolist() == [0, 4, 1, 2, 5]
    assert flips["fall"].tolist() == pytest.approx([0.8, 0.7, 0.2, -0.1, -0.2])
    assert ablation_tables.newly_wrong(flips)["image"].tolist() == [0, 4, 1]


def test_accuracies_count_what_was_lost_and_gained(predictions, tmp_path):
    logits = torch.tensor([[[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]])  # all right
    images = datasets.Images(np.zeros((6, 1, 1, 3), np.uint8), np.array([0, 0, 0, 1, 1, 2]), CLASSES, np.arange(6))
    ablation.write_variants(tmp_path / "variants.h5", {"random-01": ["conv1/2", "conv2/7"]}, logits, images, "")
    predicted = ablation_tables.read_variants(tmp_path / "variants.h5", predictions, ["conv1/0"], CLASSES)
    table = ablation_tables.accuracies(predicted, predictions["class"]).set_index("variant")
    assert table["filters"].tolist() == ["", "conv1/0", "conv1/2 conv2/7"]
    assert table["accuracy"].tolist() == pytest.approx([4 / 6, 2 / 6, 1])
    assert table[["lost", "gained"]].to_numpy().tolist() == [[0, 0], [3, 1], [0, 2]]
    # 3 of 4 changes or more to one side: 2 · (4 + 1) of 16 ways; 2 of 2: 2 · 1 of 4.
    assert table["p_value"].tolist() == pytest.approx([1, 10 / 16, 0.5])
    by_class = ablation_tables.class_accuracies(predicted, predictions["class"], CLASSES)
    chosen = by_class[by_class["variant"] == "chosen"]
    assert chosen[["class", "images", "accuracy"]].to_numpy().tolist() == [
        ["ant", 3, 0],
        ["bee", 2, 0.5],
        ["cow", 1, 1],
    ]
