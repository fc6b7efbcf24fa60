"""Intervals, verdicts and roles of the reproduction card against values from the literature or by hand."""

import numpy as np
import pandas as pd
import pytest

from convprobe import datasets, localisation, occlusion, reproduction

CIFAR10 = sorted(reproduction.CIFAR10_CLASSES)


def curve(*accuracies):
    return pd.DataFrame({"epoch": range(1, len(accuracies) + 1), "test_accuracy": accuracies})


@pytest.fixture
def probes():
    """1000 images: 40 cats become dogs; of the deer 2 become cats and 18 horses; the rest is right."""
    true = np.repeat(CIFAR10, 100)
    after = true.copy()
    after[(true == "cat").nonzero()[0][:40]] = "dog"
    after[(true == "deer").nonzero()[0][:20]] = ["cat"] * 2 + ["horse"] * 18
    predictions = pd.DataFrame({"image": range(1000), "class": true, "before": true, "after": after})
    accuracy = pd.DataFrame(
        {"variant": ["none", "chosen", "random-01", "random-02"], "images": 10_000, "accuracy": [0.812, 0.68, 0.8, 0.6]}
    )
    rows = [(w, i, "cat", 0.9, c - i / 100, 0.1, 0.05, None) for w, c in ((3, 0.9), (9, 0.6)) for i in range(4)]
    columns = ["window", "image", "class", "clean_confidence", "mean_confidence", "min_confidence"]
    summary = pd.DataFrame(rows, columns=[*columns, "flipped_fraction", "flipped_to"])
    places = pd.DataFrame(columns=["image", "on_object", "beside"])
    return {"accuracy": accuracy, "predictions": predictions, "summary": summary, "places": places}


def make_card(probes, curves=None, network=reproduction.PUBLISHED_NETWORK, best_epoch=2, classes=CIFAR10):
    curves = curves or {"normalised": curve(0.7, 0.812, 0.8), "raw": curve(0.6, 0.75, 0.7)}
    selection = {"test_accuracy": 0.812, "best_epoch": best_epoch}
    return reproduction.card(curves, selection, probes, network, classes).set_index("claim")


def test_accuracies_hold_where_the_interval_covers_the_published_value(probes):
    card = make_card(probes)
    assert card.loc["test accuracy with normalisation, selected epoch", "verdict"] == "holds"
    assert card.loc["test accuracy without normalisation, best epoch", "verdict"] == "measured lower"
    assert card.loc["test accuracy with the chosen filters switched off", "verdict"] == "holds"
    controls = card.loc["share of random draws of as many filters that lower the accuracy at least as much"]
    assert controls["measured"] == 0.5


def test_another_network_or_data_set_is_measured_but_not_judged(probes):
    card = make_card(probes, network={"conv": [], "fc": []})
    row = card.loc["test accuracy with normalisation, selected epoch"]
    assert (row["measured"], row["verdict"]) == (0.812, "not tested: not the published network")
    # Cats and dogs alone have the named classes, but no wrong answer that is none of them.
    card = make_card(probes, classes=["cat", "dog"])
    named = card.index.str.contains("images of cat")
    assert named.sum() == 2
    assert set(card.loc[named, "verdict"]) == {"not tested: not CIFAR-10"}
    assert card.loc["test accuracy with normalisation, selected epoch", "verdict"] == "not tested: not CIFAR-10"
    few = probes | {"predictions": probes["predictions"].query("`class` != 'truck'")}
    row = make_card(few).loc["test accuracy with normalisation, selected epoch"]
    assert row["verdict"] == "holds", "no truck among a few test images"


def test_a_role_that_no_run_plays_says_so(probes):
    card = make_card(probes, curves={"raw": curve(0.7, 0.77)})
    assert card.loc["test accuracy with normalisation, selected epoch", "verdict"] == "not tested: no such run"
    assert card.loc["epoch of the highest test accuracy", "verdict"] == "not tested: no such run"


def test_the_epoch_and_the_fall_after_it(probes):
    card = make_card(probes)
    assert card.loc["epoch of the highest test accuracy", ["measured", "verdict"]].tolist() == [2, "differs"]
    fall = card.loc["fall of test accuracy from its best epoch to the last"]
    assert (fall["measured"], fall["verdict"]) == (pytest.approx(0.012), "holds")
    slight = make_card(probes, curves={"normalised": curve(0.7, 0.812, 0.811)})
    assert slight.loc["fall of test accuracy from its best epoch to the last", "verdict"] == "undecided"
    rising = make_card(probes, curves={"normalised": curve(0.7, 0.8)})
    assert rising.loc["fall of test accuracy from its best epoch to the last", "verdict"].startswith("fails")


def test_confidence_falls_with_the_window(probes):
    row = make_card(probes).loc["fall of mean confidence from window 3 to 9"]
    assert (row["measured"], row["verdict"]) == (pytest.approx(0.3), "holds")
    probes["summary"]["mean_confidence"] = [0.9, 0.5, 0.9, 0.5, 0.5, 0.9, 0.5, 0.9]
    # Differences 0.4, -0.4, 0.4, -0.4: mean 0, deviation 0.4619, t(3) 3.1824, so ± 0.7350.
    row = make_card(probes).loc["fall of mean confidence from window 3 to 9"]
    assert (row["low"], row["high"]) == pytest.approx((-0.7350, 0.7350), abs=1e-4)
    assert row["verdict"] == "undecided"


def test_named_confusions_are_held_against_chance(probes):
    card = make_card(probes)
    claim = "images of {} that are wrong only with the chosen filters off, taken for {}"
    assert card.loc[claim.format("cat", "dog"), ["measured", "verdict"]].tolist() == [1, "holds"]
    assert card.loc[claim.format("deer", "cat"), ["measured", "verdict"]].tolist() == [0.1, "undecided"]
    assert card.loc[claim.format("truck", "automobile"), "verdict"] == "not tested: no image of truck turned wrong"
    published = ["cat dog", "dog cat", "frog dog", "deer cat", "horse cat", "truck automobile", "automobile truck"]
    assert list(card.index[-7:]) == [claim.format(*pair.split()) for pair in published]


def test_covered_cats_that_turn_into_dogs_are_counted_under_the_largest_window(probes):
    probes["summary"].loc[probes["summary"]["window"] == 9, "flipped_to"] = ["dog", "dog", "frog", "cat"]
    card = make_card(probes)
    row = card.loc["images of cat that mostly turn into dog under window 9"]
    assert (row["measured"], row["verdict"]) == (pytest.approx(2 / 3), "holds")
    row = card.loc["images of truck that mostly turn into automobile under window 9"]
    assert row["verdict"] == "not tested: no image of truck turned"


def test_places_split_the_map_by_the_mask(tmp_path, probes):
    masks = np.zeros((2, 2, 2), dtype=bool)
    masks[:, 0, 0] = True
    images = datasets.Images(np.zeros((2, 2, 2, 3), np.uint8), np.array([0, 1]), ("a", "b"), np.arange(2), masks)
    datasets.write(tmp_path / "images.h5", {"train": images, "test": images})
    maps = np.zeros((2, 2, 2, 2), dtype=np.float32)
    maps[0, :, :, 0] = [[0.1, 0.5], [0.6, 0.7]]
    maps[1, :, :, 1] = [[0.2, 0.9], [0.9, 0.9]]
    settings = {"window": 1, "fill": 0, "precision": "fp32"}
    occlusion.write(tmp_path / "w.h5", maps, np.zeros((2, 2)), images, settings, "")
    places = localisation.confidence_by_place(tmp_path / "w.h5", tmp_path / "images.h5")
    np.testing.assert_allclose(places[["on_object", "beside"]], [[0.1, 0.6], [0.2, 0.9]], rtol=1e-6)
    probes["places"] = places
    claim = "mean confidence with the largest window beside the object less that on it"
    assert make_card(probes).loc[claim, "measured"] == pytest.approx(0.6)
