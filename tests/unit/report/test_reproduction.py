"""The reproduction card as a whole: what is tested at all, and what chance could pass."""

import pandas as pd
import pytest
from unit.report.made_evidence import (
    BEST_EPOCH,
    CIFAR10,
    CONFIDENCE,
    CONFUSION,
    FALL,
    FALL_WHEN_OFF,
    FLIP,
    KEPT,
    LEARNED,
    PIXELS,
    SELECTED,
    SWITCHED_OFF,
    accuracies,
    card_of_seeds,
    curve,
    make_card,
    of_seeds,
    selection,
    summary,
)

from convprobe import intervals
from convprobe.occlusion import localisation
from convprobe.report.clean_answers import Answers


def test_a_role_that_no_run_plays_says_so(probes):
    card = make_card(probes, curves={"raw": curve(0.7, 0.77)})
    for claim in (SELECTED, BEST_EPOCH, FALL):
        assert card.loc[claim, "verdict"] == "not tested: no such run"
    # What the raw network loses isn't what the study says of the normalised one.
    for claim in (SWITCHED_OFF, FALL_WHEN_OFF):
        reason = "not tested: the network was trained without normalisation"
        assert card.loc[claim, "verdict"] == reason
    # How weights from elsewhere were trained is not known.
    card = make_card(probes, curves={}, selection=None)
    assert card.loc[FALL_WHEN_OFF, "verdict"] == "holds"


# What is not held against the study


@pytest.mark.parametrize("other", [{"std": [0.2452, 0.2417, 0.2597]}, {"images": 5000}])
def test_images_with_the_class_names_of_cifar10_must_have_its_pixels_too(probes, other):
    card = make_card(probes, normalisation=PIXELS | other)
    for claim in (SELECTED, CONFUSION.format("cat", "dog")):
        assert card.loc[claim, "verdict"] == "not tested: other images than CIFAR-10's"


def test_cifar10_with_images_held_out_is_cifar10(probes):
    held_out = PIXELS | {"mean": [0.4916, 0.4819, 0.4467], "images": 45_000}
    assert make_card(probes, normalisation=held_out).loc[SELECTED, "verdict"] == "holds"


def test_cats_and_dogs_alone_are_not_cifar10(probes):
    """They have the named classes, but no wrong prediction that is none of them."""
    card = make_card(probes, classes=["cat", "dog"])
    for claim in (SELECTED, CONFUSION.format("cat", "dog")):
        assert card.loc[claim, "verdict"] == "not tested: not CIFAR-10"


def test_a_network_that_has_learned_nothing_is_not_asked_further(probes):
    """Always the same prediction: nothing changes under a window, which is no evidence."""
    guessed = probes["predictions"].assign(clean="cat", ablated="cat")
    card = make_card(probes, predictions=guessed)
    assert card["verdict"].iloc[0] == "can't be told from chance"
    reason = "not tested: the network's accuracy can't be told from chance"
    assert set(card.loc[KEPT:, "verdict"]) == {
        reason,
        "not tested: no such image",
        "not tested: the object's place is not known",
    }
    # An answer that is right more often than the one given after the last epoch.
    curves = {"normalised": curve(0.6, 0.2, 0.2)}
    fallen = make_card(probes, predictions=guessed, curves=curves).loc[FALL]
    assert (fallen["measured"], fallen["verdict"]) == (pytest.approx(0.4), reason)
    curves = {"normalised": curve(0.2, 0.2, 0.6)}
    assert make_card(probes, predictions=guessed, curves=curves).loc[FALL, "verdict"] == reason


# Several seeds


@pytest.mark.parametrize("seeds", [1, 3])
def test_what_few_images_say_does_not_hold_with_any_number_of_seeds(probes, seeds):
    """All seeds see the same images, so their agreement is none of images."""
    row = (9, "contrast", 2, 0.3, 0.1, 0.2, 0.1, 0.3, 1.0, "undecided")  # of two images
    flips = probes["summary"].assign(flipped_to=["dog", None, None, None] * 2)
    found = []
    for seed in range(seeds):
        others = ["dog"] + [None] * 16 if seed % 2 else [None] * 17
        of_others = summary(9, ["frog"] * 17, others)
        contrast = (*row[:5], 0.2 + seed / 20, *row[6:])
        changes = {
            "summary": pd.concat([flips, of_others.assign(image=range(4, 21))]),
            "localisation": pd.DataFrame([contrast], columns=localisation.COLUMNS),
            "accuracies": accuracies(ablated=0.68 + seed / 1000, images=100),
            "selection": selection(0.81 + seed / 1000),
        }
        found.append(probes | changes)
    card = card_of_seeds(found, {"normalised": [curve(0.8)] * seeds})
    object_row = card[card.index.str.contains("on the object than beside it")].iloc[0]
    assert object_row["verdict"] == "undecided"
    assert card.loc[FLIP.format("cat", "dog"), "verdict"] == "undecided"
    assert card.loc[SELECTED, "verdict"] == "undecided"
    assert card.loc[SWITCHED_OFF, "verdict"] == "undecided"


def test_one_seed_that_has_learned_nothing_is_enough_not_to_ask_further(probes):
    guessed = probes["predictions"].assign(clean="cat", ablated="cat")
    card = card_of_seeds(of_seeds(probes, "predictions", [probes["predictions"], guessed]))
    reason = "can't be told from chance with 1 of 2 seeds"
    assert card["verdict"].iloc[0] == reason
    assert card.loc[KEPT, "verdict"] == f"not tested: the network's accuracy {reason}"


# A network without filters


def without_filters(probes, right):
    """The card where the network is right about so many of 1000 test images."""
    tested = dict.fromkeys(CIFAR10, 100)
    probed = {name: probes[name] for name in ("summary", "localisation")}
    curves = {"normalised": [curve(0.7, 0.812, 0.8)]}
    answers = {"clean": Answers(right, tested)}
    return card_of_seeds([probed | answers], curves, chosen=[], tested=tested)


def test_without_filters_one_row_says_that_no_loss_was_tested(probes):
    card = without_filters(probes, right=812)
    (claim,) = [claim for claim in card.index if "switched off" in claim]
    reason = "not tested: no layer of this network has filters with maps (height and width)"
    assert card.loc[claim, "verdict"] == reason
    assert not [claim for claim in card.index if "random" in claim]
    row = card.loc[LEARNED]
    assert (row["verdict"], row["measured"]) == ("holds", 0.812)
    assert row["low"] == pytest.approx(intervals.wilson(812, 1000).low)
    assert card.loc[CONFIDENCE, "verdict"] == "holds"


def test_without_filters_a_network_at_chance_is_not_tested_either(probes):
    card = without_filters(probes, right=118)  # of 100 by chance, with a probability of 3.6 %
    assert card.loc[LEARNED, "verdict"] == "can't be told from chance"
    assert card.loc[CONFIDENCE, "verdict"].startswith("not tested: the network's accuracy")
    assert without_filters(probes, right=121).loc[CONFIDENCE, "verdict"] == "holds"


def test_of_weights_without_filters_nothing_but_the_occluded_images_is_known(probes):
    """Why a claim isn't tested stays, also where the network is at chance."""
    probed = {name: probes[name] for name in ("summary", "localisation")}
    occluded = {"selection": None, "clean": Answers(2, {"cat": 4})}
    card = card_of_seeds([probed | occluded], chosen=[], tested={"cat": 90}, classes=["cat", "ant"])
    claim, first = next(card.iterrows())
    assert claim.startswith("accuracy on the 4 occluded images of the probed network, above ")
    assert (first["measured"], first["verdict"]) == (0.5, "can't be told from chance")
    assert card.loc[FLIP.format("cat", "dog"), "verdict"] == "not tested: not CIFAR-10"


def test_without_filters_a_class_without_test_images_is_named(probes):
    card = card_of_seeds(
        [
            {name: probes[name] for name in ("summary", "localisation")}
            | {"clean": Answers(9, {"cat": 9})}
        ],
        chosen=[],
        tested=dict.fromkeys(CIFAR10[:-1], 1),
    )
    row = card.loc["accuracies are those of all classes"]
    assert row["verdict"] == "not tested: no test image of class truck"
