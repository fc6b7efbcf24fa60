"""Which epoch is best and what is lost after it, and what chance could pass for either."""

import numpy as np
import pytest
from unit.report.made_evidence import (
    BEST_EPOCH,
    FALL,
    accuracies,
    card_of_seeds,
    curve,
    evidence_of,
    make_card,
)

from convprobe.report import claims_of_epochs


def normalised_curve(probes, *accuracies):
    return make_card(probes, curves={"normalised": curve(*accuracies)})


RISING = [0.5 + epoch / 100 for epoch in range(12)]


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ((*RISING, 0.81, 0.75, 0.74), "holds"),
        ((*RISING, 0.81, 0.809, 0.75), "undecided"),
        ((*RISING, 0.808, 0.81, 0.75), "undecided"),
        ((*RISING, 0.70, 0.81, 0.75), "differs"),
        ((0.5, 0.7), "not tested: no epoch 13"),
    ],
)
def test_the_best_epoch_holds_if_no_other_is_as_good(probes, accuracies, verdict):
    assert normalised_curve(probes, *accuracies).loc[BEST_EPOCH, "verdict"] == verdict


def test_the_fall_after_the_best_epoch(probes):
    fall = normalised_curve(probes, 0.7, 0.812, 0.79).loc[FALL]
    assert (fall["measured"], fall["verdict"]) == (pytest.approx(0.022), "holds")


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ((0.7, 0.812, 0.811), "undecided"),
        ((0.7, 0.8), "fails"),
        # No fall is seen, but one worth naming can't be excluded.
        ((0.8, 0.801), "undecided"),
        ((0.8,), "not tested: one epoch"),
    ],
)
def test_a_small_fall_after_the_best_epoch_or_none(probes, accuracies, verdict):
    assert normalised_curve(probes, *accuracies).loc[FALL, "verdict"] == verdict


@pytest.mark.slow
def test_a_curve_that_does_not_fall_seldom_holds_a_fall(probes):
    """The best of 15 equal epochs lies above the last one by chance alone; that is no fall."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        flat = random.binomial(10_000, 0.8, 15) / 10_000
        evidence = evidence_of(probes, curves={"normalised": curve(*flat)})
        held += claims_of_epochs.fall_after_the_best_epoch(evidence).verdict == "holds"
    assert held <= 10  # one in twenty


# Several seeds


def test_epochs_are_those_of_the_mean_curve_and_each_seed_is_compared_with_itself(probes):
    curves = [curve(0.70, 0.812, 0.78), curve(0.71, 0.81, 0.78), curve(0.80, 0.814, 0.78)]
    card = card_of_seeds([probes] * 3, {"normalised": curves})
    best = card.loc[BEST_EPOCH]
    # The first epoch is lower by 0.112, 0.1 and 0.014: ± t(2) at 97.5 %, 6.2053, × 0.0535 / √3.
    assert (best["measured"], best["low"], best["high"]) == (2, 1, 2)
    assert (best["counting_low"], best["counting_high"]) == (2, 2)
    fall = card.loc[FALL]
    # Falls 0.032, 0.030, 0.034.
    assert (fall["measured"], fall["verdict"]) == (pytest.approx(0.032), "holds")
    assert (fall["low"], fall["high"]) == pytest.approx((0.024835, 0.039165), abs=1e-6)


def test_the_epoch_holds_that_is_best_with_all_seeds(probes):
    curves = [curve(*([0.5 + seed / 1000] * 12), 0.81, 0.75 + seed / 1000) for seed in range(3)]
    card = card_of_seeds([probes] * 3, {"normalised": curves})
    assert card.loc[BEST_EPOCH, "verdict"] == "holds"


def test_that_seeds_fall_by_as_many_images_does_not_say_that_seeds_agree(probes):
    """400 of 10,000 each, whose shares differ by their rounding alone."""
    pairs = [(0.8123, 0.7723), (0.8017, 0.7617), (0.8260, 0.7860)]
    assert len({first - second for first, second in pairs}) > 1
    curves = [curve(*pair) for pair in pairs]
    card = card_of_seeds([probes] * 3, {"normalised": curves})
    assert card.loc[FALL, "measured"] == pytest.approx(0.04)
    assert card.loc[FALL, "verdict"] == "undecided"
    assert np.isnan(card.loc[FALL, "low"])
    assert (card.loc[BEST_EPOCH, "low"], card.loc[BEST_EPOCH, "high"]) == (1, 2)


def test_falls_by_as_many_images_are_equal_in_tables_of_six_decimals_too(probes):
    """86 to 82 of 120 images with one seed, 85 to 81 with the other."""
    few = probes | {"accuracies": accuracies(ablated=0.7, images=120)}
    curves = [curve(0.716667, 0.683333), curve(0.708333, 0.675)]
    card = card_of_seeds([few] * 2, {"normalised": curves})
    assert np.isnan(card.loc[FALL, "low"])


def test_of_epochs_with_as_many_right_images_the_first_is_the_best(probes):
    """22,240 of 30,000 after both; the sums of the shares differ by rounding."""
    curves = [curve(0.7978, 0.7981), curve(0.7070, 0.7095), curve(0.7192, 0.7164)]
    means = np.mean([table["test_accuracy"] for table in curves], axis=0)
    assert means[0] < means[1]
    card = card_of_seeds([probes] * 3, {"normalised": curves})
    assert card.loc[BEST_EPOCH, "measured"] == 1


def test_few_images_don_t_say_that_epochs_differ_or_that_nothing_falls(probes):
    """With each seed the best epoch is the 14th, by 16 or 17 of 200 images, and nothing falls."""
    curves = [curve(*([0.5] * 12), 0.80, 0.88 + more / 200) for more in (0, 0, 1)]
    few = probes | {"accuracies": accuracies(ablated=0.7, images=200)}
    card = card_of_seeds([few] * 3, {"normalised": curves})
    best = card.loc[BEST_EPOCH]
    assert (best["measured"], best["low"], best["high"]) == (14, 14, 14)
    assert best["counting_low"] <= 13
    assert best["verdict"] == "undecided"
    assert card.loc[FALL, "verdict"] == "undecided"
