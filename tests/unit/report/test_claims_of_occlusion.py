"""What windows change, beside what they change of a network that ignores the image."""

import numpy as np
import pandas as pd
import pytest
from unit.report.made_evidence import CONFIDENCE, KEPT, card_of_seeds, make_card, of_seeds

from convprobe.occlusion import localisation


@pytest.mark.parametrize(
    ("under_3", "under_9", "verdict"),
    [
        ((0.02, 0.03, 0.04, 0.03), (0.1, 0.2, 0.1, 0.2), "holds"),
        # As of a network that ignores the image, or one that no window troubles.
        ((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), "undecided"),
        ((0.02, 0.03, 0.04, 0.03), (0.0, 0.1, 0.0, 0.1), "undecided"),
        ((0.7, 0.8, 0.7, 0.8), (0.9, 0.9, 0.9, 0.9), "fails"),
    ],
)
def test_kept_predictions_say_something_where_a_larger_window_changes_more(
    probes, under_3, under_9, verdict
):
    probes["summary"]["flipped_fraction"] = [*under_3, *under_9]
    row = make_card(probes).loc[KEPT]
    assert row["measured"] == pytest.approx(1 - np.mean(under_3))
    assert row["verdict"] == verdict


def test_one_window_has_no_larger_one_to_be_held_against(probes):
    probes["summary"] = probes["summary"].query("window == 3")
    assert make_card(probes).loc[KEPT, "verdict"] == "not tested: one window"


def test_confidence_falls_with_the_window(probes):
    row = make_card(probes).loc[CONFIDENCE]
    assert (row["measured"], row["verdict"]) == (pytest.approx(0.3, abs=0.01), "holds")


def test_a_fall_of_confidence_that_differs_from_image_to_image_is_undecided(probes):
    probes["summary"]["mean_confidence"] = [0.9, 0.5, 0.9, 0.5, 0.5, 0.9, 0.5, 0.9]
    row = make_card(probes).loc[CONFIDENCE]
    # Differences 0.4, -0.4, 0.4, -0.4: mean 0, deviation 0.4619, t(3) 3.1824, so ± 0.7350.
    assert (row["low"], row["high"]) == pytest.approx((-0.7350, 0.7350), abs=1e-4)
    assert row["verdict"] == "undecided"


def test_a_certain_fall_of_confidence_may_not_be_worth_naming(probes):
    probes["summary"]["mean_confidence"] = [0.9, 0.9, 0.9, 0.9, 0.8999, 0.8999, 0.8999, 0.8998]
    row = make_card(probes).loc[CONFIDENCE]
    assert row["low"] > 0
    assert row["verdict"] == "fails"


def test_the_claim_about_the_object_is_that_of_the_largest_window(probes):
    rows = [
        (3, "contrast", 9, 0.3, 0.1, 0.1, 0.1, 0.3, 0.001, "fails"),
        (9, "hit", 9, 0.3, 0.1, 0.4, 0.1, 0.3, 0.001, "fails"),
        (9, "contrast", 9, 0.3, 0.1, 0.2, 0.1, 0.3, 0.001, "holds"),
    ]
    card = make_card(probes, localisation=pd.DataFrame(rows, columns=localisation.COLUMNS))
    row = card[card.index.str.contains("on the object than beside it")].iloc[0]
    assert (row["measured"], row["verdict"]) == (0.2, "holds")


# Several seeds


def test_confidence_is_compared_between_seeds_and_between_images(probes):
    summaries = []
    for seed in range(3):
        table = probes["summary"].copy()
        table.loc[table["window"] == 9, "mean_confidence"] -= seed / 100
        summaries.append(table)
    row = card_of_seeds(of_seeds(probes, "summary", summaries)).loc[CONFIDENCE]
    # By image, 0.3 + 0, 1/900, 2/900, 3/900; by seed, 0, 0.01, 0.02 more.
    middle = 0.3 + 1 / 600 + 0.01
    assert row["measured"] == pytest.approx(middle)
    half = 4.302653 * 0.01 / 3**0.5
    assert (row["low"], row["high"]) == pytest.approx((middle - half, middle + half), abs=1e-6)
    half = 3.182446 * 0.00143444 / 4**0.5
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert row["verdict"] == "holds"


@pytest.mark.parametrize(
    ("differences", "of_each", "verdict"),
    [
        ((0.2, 0.25, 0.3), "holds", "holds"),
        ((0.1, 0.25, 0.4), "holds", "undecided"),
        ((0.0, 0.001, 0.002), "fails", "fails"),
        # Each seed alone says nothing.
        ((0.0, 0.001, 0.002), "undecided", "undecided"),
    ],
)
def test_the_object_is_looked_at_with_most_seeds(probes, differences, of_each, verdict):
    tables = []
    for difference in differences:
        row = (9, "contrast", 9, 0.3, 0.1, difference, 0.1, 0.3, 0.001, of_each)
        tables.append(pd.DataFrame([row], columns=localisation.COLUMNS))
    card = card_of_seeds(of_seeds(probes, "localisation", tables))
    row = card[card.index.str.contains("on the object than beside it")].iloc[0]
    assert row["measured"] == pytest.approx(np.mean(differences))
    assert np.isnan(row["counting_low"])
    assert row["verdict"] == verdict
