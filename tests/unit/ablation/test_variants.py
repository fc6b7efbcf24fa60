"""Variants of a network against copies of it that are changed by hand, and the tables that are made of them."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from convprobe.ablation import figures, passes, tabulation, variants
from convprobe.dataset import image_file
from convprobe.errors import InputError
from convprobe.network.layers import Network
from convprobe.store import tables
from convprobe.training import evaluation

CLASSES = ("ant", "bee", "cow")


def draw_network(draw):
    """A random network that the config can describe, and the side of its images."""
    depth, side = int(draw.integers(1, 4)), 26
    conv = [
        {"channels": int(draw.integers(2, 9)), "kernel": int(draw.integers(1, 4))}
        for _ in range(depth)
    ]
    if draw.integers(2):
        for stage in conv:
            stage |= {
                "padding": int(draw.integers(0, stage["kernel"])),
                "stride": int(draw.integers(1, 3)),
            }
            stage |= {"pool": int(draw.integers(1, 3)), "batch_norm": bool(draw.integers(2))}
    torch.manual_seed(int(draw.integers(2**31)))
    network = Network(
        {"conv": conv, "fc": draw.integers(8, 12, draw.integers(0, 3)).tolist()}, len(CLASSES), side
    )
    for (
        name,
        weight,
    ) in network.state_dict().items():  # larger than the initial ones, so that each filter matters
        if weight.is_floating_point():
            torch.nn.init.uniform_(
                weight, 0.5, 1.5
            ) if "running_var" in name else torch.nn.init.normal_(weight, std=0.5)
    return network.eval(), side


def draw_images(draw, side, count=12):
    pixels = draw.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return image_file.Images(pixels, draw.integers(3, size=count), CLASSES, np.arange(count))


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
    found = passes.predict(network, off, images, mode, batch=5)
    for logits, filters in zip(found, off, strict=True):
        expected = without(network, filters, images, mode)
        scale = expected.abs().max().clamp(min=1)
        torch.testing.assert_close(logits / scale, expected / scale, atol=2e-6, rtol=0)
        assert torch.equal(logits.argmax(1), expected.argmax(1))
    clean = evaluation.predict(network, images)
    assert (found - clean).abs().max() > 1e-3 * clean.abs().max(), (
        "the filters matter, or the test could not fail"
    )
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_nothing_off_is_the_network_itself():
    draw = np.random.default_rng(0)
    network, side = draw_network(draw)
    images = draw_images(draw, side)
    assert torch.equal(
        passes.predict(network, [[]], images)[0], evaluation.predict(network, images)
    )


@pytest.mark.parametrize("batch", [1, 5, 12])
def test_the_batch_changes_no_prediction(batch):
    draw = np.random.default_rng(1)
    network, side = draw_network(draw)
    images, off = draw_images(draw, side), [draw_filters(draw, network)]
    whole = passes.predict(network, off, images, "mean")
    torch.testing.assert_close(
        passes.predict(network, off, images, "mean", batch=batch), whole, atol=1e-4, rtol=1e-5
    )


def wilson_by_hand(right, count, z=1.959963985):
    """The two solutions p of |right / count - p| = z · √(p (1 - p) / count)."""
    middle, spread = right + z**2 / 2, z * math.sqrt(right * (count - right) / count + z**2 / 4)
    return (middle - spread) / (count + z**2), (middle + spread) / (count + z**2)


class Study:
    """A random network, its ablation as the workflow computes it, and the answers of brute force.

    Attributes:
        off: lists of filters by the variant's name, `clean` and `ablated` among them.
        true: names of the true classes.
        predictions: of ablation.predictions.
        predicted: of ablation_tables.read_variants, after a way through variants.h5.
        answers: logits by variant, by brute force; `taken_for`: names of the classes they stand for.
    """

    def __init__(self, path, mode, seed):
        draw = np.random.default_rng(seed)
        network, side = draw_network(draw)
        images, chosen = draw_images(draw, side, count=40), sorted(draw_filters(draw, network))
        others = variants.parts_and_controls(
            chosen, variants.draw_controls(network, chosen, 2, seed)
        )
        self.predictions = variants.predictions(network, chosen, images, mode)
        logits = passes.predict(network, list(others.values()), images, mode)
        variants.write_variants(path, others, logits, images, mode, "")
        self.predicted = tabulation.read_variants(path, self.predictions, chosen, CLASSES)
        self.off = {"clean": [], "ablated": chosen, **others}
        self.labels, self.true = images.labels, [CLASSES[label] for label in images.labels]
        self.answers = {
            name: without(network, filters, images, mode) for name, filters in self.off.items()
        }
        self.taken_for = {
            name: [CLASSES[k] for k in found.argmax(1)] for name, found in self.answers.items()
        }

    def right(self, name):
        return [
            found == wanted for found, wanted in zip(self.taken_for[name], self.true, strict=True)
        ]


@pytest.fixture(
    scope="module", params=[("zero", 3), ("weights-only", 7), ("mean", 2)], ids=lambda pair: pair[0]
)
def study(request, tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study") / "variants.h5", *request.param)


def test_accuracies_of_all_variants_are_those_of_brute_force(study):
    table = tabulation.accuracies(study.predicted, study.predictions["class"]).set_index("variant")
    assert list(table.index) == list(study.off)
    before = study.right("clean")
    for name, filters in study.off.items():
        right = study.right(name)
        lost = sum(was and not now for was, now in zip(before, right, strict=True))
        gained = sum(now and not was for was, now in zip(before, right, strict=True))
        tail = sum(math.comb(lost + gained, k) for k in range(min(lost, gained) + 1)) / 2 ** (
            lost + gained
        )
        numbers = (
            40,
            sum(right) / 40,
            *wilson_by_hand(sum(right), 40),
            lost,
            gained,
            (gained - lost) / 40,
        )
        assert table.loc[name, "filters"] == " ".join(filters)
        assert table.loc[name].iloc[1:8].tolist() == pytest.approx(numbers)
        assert (
            table.loc[name, "change_low"]
            <= table.loc[name, "change"]
            <= table.loc[name, "change_high"]
        )
        assert table.loc[name, "p_value"] == pytest.approx(min(1, 2 * tail))


def test_accuracies_by_class_are_those_of_brute_force(study):
    table = tabulation.class_accuracies(study.predicted, study.predictions["class"], CLASSES)
    table = table.set_index(["variant", "class"])
    assert list(table.index) == [(name, wanted) for name in study.off for wanted in CLASSES]
    for name, wanted in table.index:
        hits = [
            hit for hit, label in zip(study.right(name), study.true, strict=True) if label == wanted
        ]
        numbers = (len(hits), sum(hits) / len(hits), *wilson_by_hand(sum(hits), len(hits)))
        assert table.loc[(name, wanted)].tolist() == pytest.approx(numbers)


def test_predictions_and_confusion_are_those_of_brute_force(study):
    table = study.predictions
    assert (table["image"].tolist(), table["class"].tolist()) == (list(range(40)), study.true)
    for state in ("clean", "ablated"):
        assert table[state].tolist() == study.taken_for[state]
        truth = study.answers[state].softmax(1)[torch.arange(40), torch.from_numpy(study.labels)]
        assert table[f"{state}_confidence"].tolist() == pytest.approx(truth.tolist(), abs=1e-5)
        pairs = list(zip(study.true, study.taken_for[state], strict=True))
        counted = [[pairs.count((row, column)) for column in CLASSES] for row in CLASSES]
        assert tabulation.confusion(table, state, CLASSES).to_numpy().tolist() == counted


def test_class_pairs_and_flips_are_those_of_brute_force(study):
    images = list(
        zip(study.true, study.taken_for["clean"], study.taken_for["ablated"], strict=True)
    )
    counted = {}
    for pair in ((true, other) for true in CLASSES for other in CLASSES if true != other):
        before, after = (
            sum((image[0], image[state]) == pair for image in images) for state in (1, 2)
        )
        if before or after:
            counted[pair] = [before, after, after - before, images.count((pair[0], *pair))]
    assert sum(lost for *_, lost in counted.values()) > 2, (
        "some turn wrong, or the test could not fail"
    )
    pairs = tabulation.class_pairs(study.predictions).set_index(["class", "predicted"])
    assert dict(zip(pairs.index, pairs.to_numpy().tolist(), strict=True)) == counted
    flips = tabulation.flips(study.predictions)
    changed = [number for number, (_, before, after) in enumerate(images) if before != after]
    pd.testing.assert_frame_equal(
        flips.drop(columns="fall").sort_index(), study.predictions.loc[changed]
    )
    assert flips["fall"].tolist() == sorted(
        flips["clean_confidence"] - flips["ablated_confidence"], reverse=True
    )


def test_controls_are_as_many_per_layer_as_were_chosen():
    network = Network(
        {"conv": [{"channels": 3, "kernel": 3}, {"channels": 4, "kernel": 2}], "fc": []}, 3, 12
    )
    draws = variants.draw_controls(network, ["conv1/0", "conv2/1", "conv2/3"], count=40, seed=1)
    assert len(draws) == 40
    for draw in draws:
        layers = [name.split("/")[0] for name in draw]
        assert (layers.count("conv1"), layers.count("conv2"), len(set(draw))) == (1, 2, 3)
    drawn = {name for draw in draws for name in draw}
    assert drawn == {"conv1/0", "conv1/1", "conv1/2", "conv2/0", "conv2/1", "conv2/2", "conv2/3"}


def test_each_filter_each_layer_and_each_draw_is_a_variant():
    found = variants.parts_and_controls(
        ["conv1/0", "conv2/1", "conv2/3"], [["conv1/2"], ["conv1/1"]]
    )
    assert found == {
        "conv1/0": ["conv1/0"], "conv2/1": ["conv2/1"], "conv2/3": ["conv2/3"], "conv1": ["conv1/0"],
        "conv2": ["conv2/1", "conv2/3"], "random-01": ["conv1/2"], "random-02": ["conv1/1"],
    }  # fmt: skip


@pytest.fixture
def predictions():
    rows = [
        ("ant", "ant", "bee", 0.9, 0.1),
        ("ant", "ant", "bee", 0.6, 0.4),
        ("ant", "cow", "bee", 0.2, 0.3),
    ]
    rows += [
        ("bee", "bee", "bee", 0.8, 0.7),
        ("bee", "bee", "ant", 0.9, 0.2),
        ("cow", "ant", "cow", 0.3, 0.5),
    ]
    columns = ["class", "clean", "ablated", "clean_confidence", "ablated_confidence"]
    return pd.DataFrame(rows, columns=columns).reset_index(names="image")


def test_confusion_has_true_classes_in_rows(predictions):
    after = tabulation.confusion(predictions, "ablated", CLASSES)
    assert after.to_numpy().tolist() == [[0, 3, 0], [1, 1, 0], [0, 0, 1]]
    assert (list(after.index), list(after.columns)) == (list(CLASSES), list(CLASSES))


def test_classes_keep_their_names_from_table_to_table(predictions, tmp_path):
    """What pandas would take for numbers, truths and missing values."""
    names = {"ant": "007", "bee": "7", "cow": "1e3"}
    numbered = predictions.replace(names)
    tables.write(tmp_path / "a.csv", numbered)
    read = tables.read(tmp_path / "a.csv")
    confusion = tabulation.confusion(read, "ablated", names.values())
    assert confusion.to_numpy().tolist() == [[0, 3, 0], [1, 1, 0], [0, 0, 1]]
    assert tabulation.flips(read)["ablated"].tolist() == ["7", "007", "7", "7", "1e3"]
    pairs = tabulation.class_pairs(read)
    tables.write(tmp_path / "c.csv", pairs)
    assert tables.read(tmp_path / "c.csv", class_names=("class", "predicted")).equals(pairs)
    tables.write(
        tmp_path / "d.csv", predictions.replace({"ant": "NA", "bee": "true", "cow": "-inf"})
    )
    assert set(tables.read(tmp_path / "d.csv")["class"]) == {"NA", "true", "-inf"}


# Names of columns, of the corner of a table, of variants; what is quoted in a table or a formula in a figure.
AWKWARD = (
    "clean", "ablated", "class", "class.1", "predicted", "image", "none", "all", "nan", "p_value", "response", "", " ",
    'a, "b"', "$x$",
)  # fmt: skip


def test_classes_may_be_called_as_anything_in_a_table_is(tmp_path):
    counts = pd.DataFrame(np.arange(len(AWKWARD) ** 2).reshape(len(AWKWARD), -1), AWKWARD, AWKWARD)
    tables.write(tmp_path / "counts.csv", counts.rename_axis("class"), index=True)
    read = tables.read_counts(tmp_path / "counts.csv")
    assert (list(read.index), list(read.columns)) == (list(AWKWARD), list(AWKWARD))
    assert read.to_numpy().tolist() == counts.to_numpy().tolist()
    figures.confusion(tmp_path / "a.png", read, read, "conv1/0: map set to 0", "own", "weights")
    drawn = (tmp_path / "a.svg").read_text()
    assert (
        drawn.count("<!-- class -->") == drawn.count("<!-- class.1 -->") == 2 * 3
    )  # once a side of each panel


@pytest.mark.parametrize("content", ["", "class,a\na,1,2\n", "class,a\na,b\n", "class,a\na,\n"])
def test_what_is_no_table_of_counts_is_refused(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InputError, match=r"a\.csv: damaged \("):
        tables.read_counts(tmp_path / "a.csv")


def test_a_bar_for_each_pair_of_classes_whatever_their_names(tmp_path):
    """Two pairs whose names read the same."""
    rows = [("a", "a", "b → c"), ("a → b", "a → b", "c"), ("a → b", "a → b", "c")]
    predictions = pd.DataFrame(rows, columns=["class", "clean", "ablated"])
    pairs = tabulation.class_pairs(predictions)
    figures.class_pairs(
        tmp_path / "a.png", pairs, predictions, "conv1/0: map set to 0", "own", "weights"
    )
    assert (tmp_path / "a.svg").read_text().count("<!-- a → b → c -->") == 2 * 2


def test_the_figure_of_confusion_has_place_for_many_classes_of_any_name(tmp_path):
    """A cell is as wide as a number is; dollars in a name are no formula."""
    names = [rf"$\{number}$" for number in range(33)]
    table = pd.DataFrame(np.eye(33, dtype=int), names, names)
    off = figures.switched_off(["conv1/0"], "zero")
    figures.confusion(tmp_path / "a.png", table, table, off, "own", "weights")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 3 * 33 * 0.25 * 150


def test_class_pairs_tell_what_was_confused_before_and_after_and_who_turned_wrong(predictions):
    assert tabulation.class_pairs(predictions).to_numpy().tolist() == [
        ["ant", "bee", 0, 3, 3, 2],
        ["bee", "ant", 0, 1, 1, 1],
        ["ant", "cow", 1, 0, -1, 0],
        ["cow", "ant", 1, 0, -1, 0],
    ]


def test_flips_are_the_images_that_changed_the_largest_fall_first(predictions):
    flips = tabulation.flips(predictions)
    assert flips["image"].tolist() == [0, 4, 1, 2, 5]
    assert flips["fall"].tolist() == pytest.approx([0.8, 0.7, 0.2, -0.1, -0.2])
    assert tabulation.lost_images(flips)["image"].tolist() == [0, 4, 1]


def test_a_small_p_value_is_not_0_in_the_table(tmp_path):
    true = pd.Series(["ant"] * 30)
    predicted = {"clean": ("", true), "ablated": ("conv1/0", true.replace("ant", "bee"))}
    tables.write(tmp_path / "accuracy.csv", tabulation.accuracies(predicted, true))
    # All of 30 changes to one side: 2 of 2³⁰ ways.
    assert tables.read(tmp_path / "accuracy.csv")["p_value"].tolist() == pytest.approx(
        [1, 2**-29], rel=1e-6
    )


def test_accuracies_count_what_was_lost_and_gained(predictions, tmp_path):
    logits = torch.tensor(
        [[[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]]
    )  # all right
    images = image_file.Images(
        np.zeros((6, 1, 1, 3), np.uint8), np.array([0, 0, 0, 1, 1, 2]), CLASSES, np.arange(6)
    )
    off = {"random-01": ["conv1/2", "conv2/7"]}
    variants.write_variants(tmp_path / "variants.h5", off, logits, images, "zero", "")
    predicted = tabulation.read_variants(
        tmp_path / "variants.h5", predictions, ["conv1/0"], CLASSES
    )
    table = tabulation.accuracies(predicted, predictions["class"]).set_index("variant")
    assert table["filters"].tolist() == ["", "conv1/0", "conv1/2 conv2/7"]
    assert table["accuracy"].tolist() == pytest.approx([4 / 6, 2 / 6, 1])
    assert table[["lost", "gained"]].to_numpy().tolist() == [[0, 0], [3, 1], [0, 2]]
    # 3 of 4 changes or more to one side: 2 · (4 + 1) of 16 ways; 2 of 2: 2 · 1 of 4.
    assert table["p_value"].tolist() == pytest.approx([1, 10 / 16, 0.5])
    by_class = tabulation.class_accuracies(predicted, predictions["class"], CLASSES)
    chosen = by_class[by_class["variant"] == "ablated"]
    assert chosen[["class", "images", "accuracy"]].to_numpy().tolist() == [
        ["ant", 3, 0],
        ["bee", 2, 0.5],
        ["cow", 1, 1],
    ]
