"""Pairs of classes, beside what images of the other classes do."""

import numpy as np
import pandas as pd
import pytest
from unit.report.made_evidence import (
    CIFAR10,
    CONFUSION,
    FLIP,
    card_of_seeds,
    evidence_of,
    make_card,
    of_seeds,
    summary,
)

from convprobe.report import claims_of_class_pairs


def test_named_confusions_are_held_against_the_other_classes(probes):
    card = make_card(probes)
    # No other lost image is predicted as a dog, 2 of 60 as a cat.
    of_cats = card.loc[CONFUSION.format("cat", "dog")]
    assert (of_cats["measured"], of_cats["verdict"]) == (1, "holds")
    of_deer = card.loc[CONFUSION.format("deer", "cat")]
    assert (of_deer["measured"], of_deer["verdict"]) == (0.1, "undecided")
    of_trucks = card.loc[CONFUSION.format("truck", "automobile")]
    assert of_trucks["verdict"] == "not tested: no such image"


def test_the_named_confusions_are_the_published_ones(probes):
    pairs = [
        ("cat", "dog"), ("dog", "cat"), ("frog", "dog"), ("deer", "cat"), ("horse", "cat"),
        ("truck", "automobile"), ("automobile", "truck"),
    ]  # fmt: skip
    claims = [CONFUSION.format(*pair) for pair in pairs]
    assert list(make_card(probes).index[-7:]) == claims


def test_a_class_that_all_lost_images_are_predicted_as_is_no_confusion_of_one(probes):
    lost = probes["predictions"]["class"] != probes["predictions"]["ablated"]
    probes["predictions"].loc[lost, "ablated"] = "dog"
    row = make_card(probes).loc[CONFUSION.format("cat", "dog")]
    assert (row["measured"], row["verdict"]) == (1, "fails")


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, 200])
def test_a_class_that_the_window_looks_like_is_no_confusion(probes, count):
    """Every image flips to automobile or truck: automobiles, then, all to truck."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(40):
        classes = random.choice(CIFAR10, count)
        flipped_to = random.choice(["automobile", "truck"], count)
        evidence = evidence_of(probes, summary=summary(9, classes, flipped_to))
        rows = claims_of_class_pairs.flips_under_the_largest_window(evidence)
        held += "holds" in {row.verdict for row in rows}
    assert held <= 2  # one in twenty


def test_a_flip_of_one_image_is_undecided(probes):
    one = probes["summary"].assign(flipped_to=["dog", None, None, None] * 2)
    assert make_card(probes, summary=one).loc[FLIP.format("cat", "dog"), "verdict"] == "undecided"


@pytest.mark.parametrize(("cats", "verdict"), [(2, "undecided"), (3, "holds")])
def test_a_pair_must_pass_for_all_pairs_that_are_tried(probes, cats, verdict):
    """Fisher's test: 6 of 231 ways and 10 of 1771; of three pairs one may pass 1 in 120 times."""
    classes = ["cat"] * cats + ["ship"] * 20
    flipped_to = ["dog"] * (cats + 2) + ["frog"] * 18
    card = make_card(probes, summary=summary(9, classes, flipped_to))
    assert card.loc[FLIP.format("cat", "dog"), "verdict"] == verdict


def test_flips_are_counted_under_the_largest_window(probes):
    flipped_to = [*["dog"] * 6, "frog", "cat", *["frog"] * 20]
    largest = summary(9, [*["cat"] * 8, *["ship"] * 20], flipped_to)
    smallest = summary(3, ["cat"] * 28, ["frog"] * 28)
    card = make_card(probes, summary=pd.concat([smallest, largest]))
    row = card.loc[FLIP.format("cat", "dog")]
    # The one that flips to cat is predicted wrong without a window.
    assert (row["measured"], row["verdict"]) == (pytest.approx(6 / 7), "holds")
    of_trucks = card.loc[FLIP.format("truck", "automobile")]
    assert of_trucks["verdict"] == "not tested: no such image"


# Several seeds


def predictions(probes, cats_to_dogs):
    """40 cats are lost, so many as dogs and the others as frogs."""
    table = probes["predictions"].copy()
    lost = table.index[(table["class"] == "cat") & (table["ablated"] == "dog")]
    table.loc[lost[cats_to_dogs:], "ablated"] = "frog"
    return table


@pytest.mark.parametrize(
    ("cats", "verdict"),
    [
        ((40, 38, 36), "holds"),
        # 0.85 ± 0.448 by t(2) at 95 %, but ± 1.23 where one of 7 pairs may pass.
        ((40, 36, 26), "undecided"),
        ((40, 20, 2), "undecided"),
        ((1, 0, 2), "undecided"),  # by counting, 1 of 40 may be 13 %
    ],
)
def test_a_class_pair_must_pass_between_seeds(probes, cats, verdict):
    tables = [predictions(probes, dogs) for dogs in cats]
    row = card_of_seeds(of_seeds(probes, "predictions", tables)).loc[CONFUSION.format("cat", "dog")]
    assert row["measured"] == pytest.approx(sum(cats) / 120)
    assert (row["seeds"], row["verdict"]) == (3, verdict)


def test_a_class_pair_fails_that_is_rare_with_all_seeds_and_in_many_images(probes):
    tables = [pd.concat([predictions(probes, dogs)] * 4) for dogs in (1, 0, 2)]
    card = card_of_seeds(of_seeds(probes, "predictions", tables))
    assert card.loc[CONFUSION.format("cat", "dog"), "verdict"] == "fails"


def test_images_that_seeds_have_in_common_count_once(probes):
    """One seed loses a single cat, to dogs; the other 40, ten of them to dogs."""
    few = predictions(probes, 40)
    lost = few.index[(few["class"] == "cat") & (few["ablated"] == "dog")]
    few.loc[lost[1:], "ablated"] = "cat"
    tables = [few, predictions(probes, 10)]
    row = card_of_seeds(of_seeds(probes, "predictions", tables)).loc[CONFUSION.format("cat", "dog")]
    assert row["measured"] == (1 + 0.25) / 2
    # The means of the bounds of Wilson of 1 in 1 and of 10 in 40.
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx(((0.206549 + 0.141871) / 2, (1 + 0.401942) / 2), abs=1e-5)


def test_a_seed_without_an_image_of_the_class_is_left_out(probes):
    kept = probes["predictions"].assign(ablated=probes["predictions"]["clean"])
    tables = [probes["predictions"], kept]
    row = card_of_seeds(of_seeds(probes, "predictions", tables)).loc[CONFUSION.format("cat", "dog")]
    assert (row["measured"], row["seeds"]) == (1, 1)
    assert row["verdict"] == "undecided", "one seed of two is not enough"
