"""Tables of the ablation, against counts of what brute force predicts, and counts by hand."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from unit.ablation.brute_force import CLASSES

from convprobe.ablation import tabulation, variants
from convprobe.ablation.tabulation import VariantPredictions
from convprobe.dataset.image_file import Images
from convprobe.store import tables

# Counted by brute force


def wilson_by_hand(right, count, z=1.959963985):
    """The two solutions p of |right / count - p| = z · √(p (1 - p) / count)."""
    middle = right + z**2 / 2
    spread = z * math.sqrt(right * (count - right) / count + z**2 / 4)
    return (middle - spread) / (count + z**2), (middle + spread) / (count + z**2)


def sign_test_by_hand(lost, gained):
    """Twice the share of the ways in which the rarer outcome is at most as frequent."""
    changed = lost + gained
    ways = sum(math.comb(changed, rarer) for rarer in range(min(lost, gained) + 1))
    return min(1, 2 * ways / 2**changed)


def test_accuracies_of_all_variants_are_those_of_brute_force(study):
    table = tabulation.accuracies(study.variants, study.predictions["class"])
    assert table["variant"].tolist() == list(study.filters)
    clean = study.is_right("clean")
    for row in table.itertuples():
        ablated = study.is_right(row.variant)
        pairs = list(zip(clean, ablated, strict=True))
        lost = pairs.count((True, False))
        gained = pairs.count((False, True))
        right = sum(ablated)
        assert row.filters == " ".join(study.filters[row.variant])
        assert (row.images, row.lost, row.gained) == (40, lost, gained)
        assert row.accuracy == pytest.approx(right / 40)
        assert (row.low, row.high) == pytest.approx(wilson_by_hand(right, 40))
        assert row.change == pytest.approx((gained - lost) / 40)
        assert row.change_low <= row.change <= row.change_high
        assert row.p_value == pytest.approx(sign_test_by_hand(lost, gained))


def test_accuracies_by_class_are_those_of_brute_force(study):
    table = tabulation.class_accuracies(study.variants, study.predictions["class"], CLASSES)
    table = table.set_index(["variant", "class"])
    assert list(table.index) == [(name, wanted) for name in study.filters for wanted in CLASSES]
    for name, wanted in table.index:
        answers = zip(study.is_right(name), study.true, strict=True)
        hits = [is_right for is_right, true in answers if true == wanted]
        low, high = wilson_by_hand(sum(hits), len(hits))
        expected = (len(hits), sum(hits) / len(hits), low, high)
        assert table.loc[(name, wanted)].tolist() == pytest.approx(expected)


def test_confusion_is_that_of_brute_force(study):
    for state in ("clean", "ablated"):
        pairs = list(zip(study.true, study.expected[state], strict=True))
        expected = [[pairs.count((row, column)) for column in CLASSES] for row in CLASSES]
        found = tabulation.confusion(study.predictions, state, CLASSES)
        assert found.to_numpy().tolist() == expected


def test_class_pairs_are_those_of_brute_force(study):
    clean = list(zip(study.true, study.expected["clean"], strict=True))
    ablated = list(zip(study.true, study.expected["ablated"], strict=True))
    lost = []
    for (true, before), after in zip(clean, ablated, strict=True):
        if true == before:
            lost.append(after)
    expected = {}
    for pair in {*clean, *ablated}:
        if pair[0] != pair[1]:
            counts = clean.count(pair), ablated.count(pair)
            expected[pair] = [*counts, counts[1] - counts[0], lost.count(pair)]
    assert sum(row[-1] for row in expected.values()) > 2, (
        "some are lost, or the test could not fail"
    )
    found = tabulation.class_pairs(study.predictions).set_index(["class", "predicted"])
    assert dict(zip(found.index, found.to_numpy().tolist(), strict=True)) == expected


def test_flips_are_those_of_brute_force(study):
    states = zip(study.expected["clean"], study.expected["ablated"], strict=True)
    changed = [image for image, (clean, ablated) in enumerate(states) if clean != ablated]
    found = tabulation.flips(study.predictions)
    rows = found.drop(columns="fall").sort_index()
    pd.testing.assert_frame_equal(rows, study.predictions.loc[changed])
    fall = found["clean_confidence"] - found["ablated_confidence"]
    assert found["fall"].tolist() == sorted(fall, reverse=True)


# Counted by hand


def test_confusion_has_true_classes_in_rows(predictions):
    found = tabulation.confusion(predictions, "ablated", CLASSES)
    assert found.to_numpy().tolist() == [[0, 3, 0], [1, 1, 0], [0, 0, 1]]
    assert list(found.index) == list(found.columns) == list(CLASSES)


def test_class_pairs_count_clean_and_ablated_confusions_and_lost_images(predictions):
    found = tabulation.class_pairs(predictions)
    assert list(found.columns) == ["class", "predicted", "clean", "ablated", "change", "lost"]
    assert found.to_numpy().tolist() == [
        ["ant", "bee", 0, 3, 3, 2],
        ["bee", "ant", 0, 1, 1, 1],
        ["ant", "cow", 1, 0, -1, 0],
        ["cow", "ant", 1, 0, -1, 0],
    ]


def test_flips_are_the_images_whose_prediction_changes_the_largest_fall_first(predictions):
    flips = tabulation.flips(predictions)
    assert flips["image"].tolist() == [0, 4, 1, 2, 5]
    assert flips["fall"].tolist() == pytest.approx([0.8, 0.7, 0.2, -0.1, -0.2])
    assert tabulation.lost_images(flips)["image"].tolist() == [0, 4, 1]


def test_accuracies_count_what_is_lost_and_gained(predictions, tmp_path):
    path = tmp_path / "variants.h5"
    labels = np.array([0, 0, 0, 1, 1, 2])
    images = Images(np.zeros((6, 1, 1, 3), np.uint8), labels, CLASSES, np.arange(6))
    all_right = torch.eye(3)[labels][None]
    variants.write_variants(
        path, {"random-01": ["conv1/2", "conv2/7"]}, all_right, images, "zero", ""
    )
    read = tabulation.read_variants(path, predictions, ["conv1/0"], CLASSES)
    table = tabulation.accuracies(read, predictions["class"])
    assert table["variant"].tolist() == ["clean", "ablated", "random-01"]
    assert table["filters"].tolist() == ["", "conv1/0", "conv1/2 conv2/7"]
    assert table["accuracy"].tolist() == pytest.approx([4 / 6, 2 / 6, 1])
    assert table[["lost", "gained"]].to_numpy().tolist() == [[0, 0], [3, 1], [0, 2]]
    # 3 of 4 changes or more to one side: 2 · (4 + 1) of 16 ways; 2 of 2: 2 · 1 of 4.
    assert table["p_value"].tolist() == pytest.approx([1, 10 / 16, 0.5])
    by_class = tabulation.class_accuracies(read, predictions["class"], CLASSES)
    ablated = by_class[by_class["variant"] == "ablated"]
    assert ablated[["class", "images", "accuracy"]].to_numpy().tolist() == [
        ["ant", 3, 0],
        ["bee", 2, 0.5],
        ["cow", 1, 1],
    ]


def test_the_cost_is_what_is_lost_beside_what_random_filters_lose():
    true = pd.Series(["ant"] * 100)
    right = {"clean": 90, "ablated": 70, "random-01": 70, "random-02": 89, "conv1": 60}
    read = {}
    for name, count in right.items():
        filters = "" if name == "clean" else "conv1/0"
        read[name] = VariantPredictions(filters, true.where(true.index < count, "bee"))
    cost = tabulation.cost(tabulation.accuracies(read, true))
    assert (cost.ablated, cost.fall) == pytest.approx((0.7, 0.2))
    assert 0.1 < cost.interval.low < 0.2 < cost.interval.high < 0.3
    assert (cost.verdict, cost.draws, cost.as_costly) == ("holds", 2, 1)
    assert not cost.more_than_random


def test_a_loss_that_passes_the_interval_but_no_exact_test_is_undecided():
    """17 of 1,000 images lost, 7 gained: p = 0.064."""
    true = pd.Series(["ant"] * 1000)
    clean = true.where(true.index >= 7, "bee")
    ablated = true.where((true.index < 7) | (true.index >= 24), "bee")
    table = tabulation.accuracies(
        {"clean": VariantPredictions("", clean), "ablated": VariantPredictions("conv1/0", ablated)},
        true,
    )
    cost = tabulation.cost(table)
    assert cost.fall == pytest.approx(0.01)
    assert cost.interval.low > 0
    assert cost.verdict == "undecided"


# Through a file


def test_classes_keep_their_names_from_table_to_table(predictions, tmp_path):
    """Names that pandas would read as numbers."""
    names = {"ant": "007", "bee": "7", "cow": "1e3"}
    tables.write(tmp_path / "predictions.csv", predictions.replace(names))
    read = tables.read(tmp_path / "predictions.csv")
    confusion = tabulation.confusion(read, "ablated", list(names.values()))
    assert confusion.to_numpy().tolist() == [[0, 3, 0], [1, 1, 0], [0, 0, 1]]
    assert tabulation.flips(read)["ablated"].tolist() == ["7", "007", "7", "7", "1e3"]
    pairs = tabulation.class_pairs(read)
    tables.write(tmp_path / "pairs.csv", pairs)
    assert tables.read(tmp_path / "pairs.csv", class_names=("class", "predicted")).equals(pairs)


def test_a_small_p_value_is_not_0_in_the_table(tmp_path):
    true = pd.Series(["ant"] * 30)
    read = {
        "clean": VariantPredictions("", true),
        "ablated": VariantPredictions("conv1/0", true.replace("ant", "bee")),
    }
    tables.write(tmp_path / "accuracy.csv", tabulation.accuracies(read, true))
    found = tables.read(tmp_path / "accuracy.csv")["p_value"].tolist()
    # All of 30 changes to one side: 2 of 2³⁰ ways.
    assert found == pytest.approx([1, 2**-29], rel=1e-6)
