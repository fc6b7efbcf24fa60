"""What the network reaches, and loses with filters switched off, beside the published numbers."""

import numpy as np
import pandas as pd
import pytest
from unit.report.made_evidence import (
    FALL_WHEN_OFF,
    RANDOM,
    RAW,
    SELECTED,
    SWITCHED_OFF,
    accuracies,
    card_of_seeds,
    curve,
    make_card,
    of_seeds,
    selection,
)

from convprobe.ablation import tabulation
from convprobe.ablation.tabulation import VariantPredictions


def test_accuracies_hold_that_certainly_lie_within_two_points(probes):
    card = make_card(probes)
    assert card.loc[SELECTED, "verdict"] == "holds"
    assert card.loc[RAW, "verdict"] == "measured lower"
    assert card.loc[SWITCHED_OFF, "verdict"] == "holds"


@pytest.mark.parametrize(
    ("selected", "verdict"),
    [
        # Less than 81 by more than counting explains, but perhaps not by more than rounding does.
        (0.795, "undecided"),
        (0.79, "measured lower"),
        (0.84, "measured higher"),
    ],
)
def test_an_accuracy_beside_the_published_one(probes, selected, verdict):
    assert make_card(probes, selected=selected).loc[SELECTED, "verdict"] == verdict


def test_a_few_images_are_not_enough_for_an_accuracy_to_hold(probes):
    few = accuracies(ablated=0.7, images=60)
    row = make_card(probes, accuracies=few, selected=0.8).loc[SELECTED]
    assert row["low"] < 0.71
    assert row["high"] > 0.88
    assert row["verdict"] == "undecided"


def test_random_draws_are_counted_if_something_is_lost(probes):
    row = make_card(probes).loc[RANDOM]
    assert (row["measured"], row["verdict"]) == (0.5, "not a claim of the study")
    nothing = accuracies(ablated=0.812, draws=(0.81, 0.80))
    card = make_card(probes, accuracies=nothing)
    assert card.loc[RANDOM, "verdict"] == "not tested: no certain loss worth naming"
    assert card.loc[FALL_WHEN_OFF, "verdict"] == "fails"


def test_a_loss_that_an_exact_test_can_not_tell_is_none(probes):
    """Of 200 images 53 are lost and 34 gained, by McNemar's test p = 0.053."""
    true = pd.Series(["ant"] * 200)
    images = np.arange(200)
    variants = {
        "clean": VariantPredictions("", true.where(images >= 34, "bee")),
        "ablated": VariantPredictions("conv1/1", true.where(images < 147, "bee")),
        "random-01": VariantPredictions("conv1/2", true),
    }
    table = tabulation.accuracies(variants, true)
    assert table.loc[1, "change_high"] < 0, "the interval alone would tell"
    card = make_card(probes, accuracies=table)
    assert card.loc[RANDOM, "verdict"] == "not tested: no certain loss worth naming"


@pytest.mark.parametrize(
    ("ablated", "verdict"),
    [(0.812, "fails"), (0.80, "measured lower"), (0.68, "holds"), (0.5, "measured higher")],
)
def test_a_loss_beside_the_published_one(probes, ablated, verdict):
    card = make_card(probes, accuracies=accuracies(ablated=ablated))
    assert card.loc[FALL_WHEN_OFF, "verdict"] == verdict


def test_another_network_is_measured_but_not_judged(probes):
    row = make_card(probes, network={"conv": [], "fc": []}).loc[SELECTED]
    assert (row["measured"], row["verdict"]) == (0.812, "not tested: not the published network")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"chosen": ["conv1/100"]}, "not tested: other filters"),
        ({"mode": "mean"}, "not tested: switched off in another way"),
    ],
)
def test_another_ablation_is_not_held_against_the_study(probes, other, reason):
    card = make_card(probes, **other)
    assert card.loc[SWITCHED_OFF, "verdict"] == reason
    assert card.loc[FALL_WHEN_OFF, "verdict"] == reason
    assert card.loc[SELECTED, "verdict"] == "holds"


def test_a_class_without_test_images_is_named(probes):
    few = probes["predictions"].query("`class` != 'truck'")
    card = make_card(probes, predictions=few)
    assert card.loc[SELECTED, "verdict"] == "holds", "no truck among a few test images"
    untested = card.loc["accuracies are those of all classes", "verdict"]
    assert untested == "not tested: no test image of class truck"


# Several seeds


def test_an_accuracy_is_the_mean_over_seeds_with_the_interval_between_them(probes):
    seeds = of_seeds(probes, "selection", map(selection, (0.80, 0.82, 0.84)))
    row = card_of_seeds(seeds, {"normalised": [curve(0.8)] * 3}).loc[SELECTED]
    assert (row["measured"], row["seeds"]) == (pytest.approx(0.82), 3)
    # Deviation 0.02, so ± t(2) 4.3027 × 0.02 / √3.
    assert (row["low"], row["high"]) == pytest.approx((0.770317, 0.869683), abs=1e-6)
    # Wilson: (0.82 + 0.000192 ± 1.96 √(0.82 × 0.18 / 10000 + 9.6e-9)) / 1.000384.
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx((0.812348, 0.827407), abs=1e-5)


def test_of_one_seed_both_intervals_are_that_of_counting(probes):
    row = make_card(probes).loc[SELECTED]
    assert row["seeds"] == 1
    assert (row["low"], row["high"]) == (row["counting_low"], row["counting_high"])


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ((0.811, 0.812, 0.813), "holds"),
        # One seed at 81 % would hold.
        ((0.77, 0.81, 0.85), "undecided"),
        ((0.770, 0.771, 0.772), "measured lower"),
        ((0.850, 0.851, 0.852), "measured higher"),
        # Two seeds: ± t(1) 12.7062 × 0.002.
        ((0.810, 0.814), "undecided"),
        ((0.812, 0.812), "undecided"),
    ],
)
def test_it_is_decided_by_how_far_seeds_differ(probes, accuracies, verdict):
    seeds = of_seeds(probes, "selection", map(selection, accuracies))
    card = card_of_seeds(seeds, {"normalised": [curve(0.8)] * len(seeds)})
    assert card.loc[SELECTED, "verdict"] == verdict


def test_another_number_of_seeds_may_be_without_normalisation(probes):
    raw = [curve(0.6, 0.76), curve(0.77, 0.6), curve(0.78, 0.7)]
    row = card_of_seeds([probes], {"raw": raw}).loc[RAW]
    assert (row["measured"], row["seeds"]) == (pytest.approx(0.77), 3)


def test_a_loss_is_that_of_all_seeds(probes):
    seeds = of_seeds(probes, "accuracies", map(accuracies, (0.68, 0.69, 0.67)))
    card = card_of_seeds(seeds)
    row = card.loc[FALL_WHEN_OFF]
    # Falls 0.132, 0.122, 0.142.
    assert (row["low"], row["high"]) == pytest.approx(
        (0.132 - 0.024842, 0.132 + 0.024842), abs=1e-6
    )
    assert row["verdict"] == "undecided", "the study's 13 points may be 2 points off"
    assert card.loc[SWITCHED_OFF, "measured"] == pytest.approx(0.68)


def test_a_loss_may_be_another_one_where_it_can_not_be_told_whether_there_is_one(probes):
    """Falls of 0.002, 0.006 and -0.001 might be half a point with other seeds, but never 13."""
    found = map(accuracies, (0.81, 0.806, 0.813))
    row = card_of_seeds(of_seeds(probes, "accuracies", found)).loc[FALL_WHEN_OFF]
    assert row["high"] > 0.005
    assert row["verdict"] == "measured lower"


def test_random_draws_of_all_seeds_are_counted(probes):
    draws = [(0.6, 0.8), (0.8, 0.8), (0.6, 0.6)]
    found = [accuracies(0.68 - seed / 1000, draws=drawn) for seed, drawn in enumerate(draws)]
    row = card_of_seeds(of_seeds(probes, "accuracies", found)).loc[RANDOM]
    assert (row["measured"], row["verdict"]) == (0.5, "not a claim of the study")
    # Wilson of 3 in 6.
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx((0.187616, 0.812384), abs=1e-6)
