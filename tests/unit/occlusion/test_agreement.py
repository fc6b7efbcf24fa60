"""Rank correlations of maps, against hand-computed values, scipy's, and pairs one by one."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from convprobe import intervals
from convprobe.errors import InputError
from convprobe.occlusion import agreement
from convprobe.occlusion.answers import how_far_maps_agree
from convprobe.store import hdf5


def write(path, maps):
    """A window file of these confidence maps."""
    with hdf5.create(path) as file:
        file["confidence"] = np.array(maps, np.float32)
        file["image"] = 10 + np.arange(len(maps))
    return path


def test_spearmans_rho_by_hand_with_ties():
    values = np.array([[1, 2, 3, 4], [40, 10, 30, 20], [5, 5, 7, 9], [2, 2, 2, 2]], np.float32)
    ranks = agreement.standardised_ranks(values)
    # Ranks 1 2 3 4 and 4 1 3 2: the squared differences are 9, 1, 0 and 4; 1 - 6·14 / (4·15).
    assert ranks[0] @ ranks[1] == pytest.approx(-0.4)
    # Ranks 1.5 1.5 3 4: the covariance is 4.5, the squares are 5 and 4.5.
    assert ranks[0] @ ranks[2] == pytest.approx(4.5 / np.sqrt(5 * 4.5))
    assert ranks[3].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_own_and_others_are_those_of_all_pairs_one_by_one(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(agreement, "BATCH", batch)
    random = np.random.default_rng(0)
    first = random.integers(6, size=(7, 3, 4)) / 8
    second = 0.5 * first + random.integers(6, size=(7, 3, 4)) / 8
    first[2] = 0.5  # the same everywhere
    second[5] = 0.25
    table = agreement.by_image(write(tmp_path / "1.h5", first), write(tmp_path / "2.h5", second))
    assert table["image"].tolist() == list(range(10, 17))
    for image, row in enumerate(table.itertuples()):
        if image == 2:
            assert np.isnan([row.spearman, row.spearman_others]).all()
            continue
        rho = [
            stats.spearmanr(first[image].ravel(), second[other].ravel()).statistic
            for other in range(7)
            if other != 5
        ]
        own = image if image < 5 else image - 1
        if image == 5:
            assert np.isnan(row.spearman)
            assert row.spearman_others == pytest.approx(np.mean(rho))
        else:
            assert row.spearman == pytest.approx(rho[own])
            assert row.spearman_others == pytest.approx(np.mean(rho[:own] + rho[own + 1 :]))


@pytest.mark.parametrize("damaged", ["first", "second"])
def test_of_two_files_the_damaged_one_is_named(tmp_path, damaged):
    maps = np.random.default_rng(0).random((2, 50, 50))
    paths = {name: write(tmp_path / f"{name}.h5", maps) for name in ("first", "second")}
    paths[damaged].write_bytes(paths[damaged].read_bytes()[:9000])
    with pytest.raises(InputError, match=f"{damaged}.h5: damaged"):
        agreement.by_image(*paths.values())


def test_one_image_has_no_others(tmp_path):
    maps = [[[1, 2], [3, 4]]]
    table = agreement.by_image(write(tmp_path / "1.h5", maps), write(tmp_path / "2.h5", maps))
    assert table["spearman"].tolist() == [pytest.approx(1)]
    assert table["spearman_others"].isna().all()
    assert agreement.means(table.assign(first="a", second="b", window=3)).empty


def test_of_two_images_the_difference_has_no_interval_and_of_three_one_within_its_range():
    rows = {"first": "a", "second": "b", "window": 3, "spearman_others": [-0.9, 0.9, 0.0]}
    table = pd.DataFrame({**rows, "image": range(3), "spearman": [0.9, -0.9, 0.5]})
    few = agreement.means(table[:2]).iloc[0]
    assert np.isnan([few["difference_low"], few["difference_high"]]).all()
    found = agreement.means(table).iloc[0]
    assert (found["difference_low"], found["difference_high"]) == (-2, 2)


def test_each_two_networks_are_compared_under_each_window(tmp_path):
    maps = np.arange(12).reshape(3, 2, 2)
    names = [f"{network}-{window}.h5" for network in "abc" for window in (3, 5)]
    paths = [write(tmp_path / name, maps) for name in names]
    by_network = agreement.paths_of(["a", "b", "c"], [3, 5], list(map(str, paths)))
    assert by_network["b"] == {3: str(tmp_path / "b-3.h5"), 5: str(tmp_path / "b-5.h5")}
    table = agreement.of_networks(by_network)
    pairs = table.drop_duplicates(["first", "second", "window"])
    found = list(pairs[["first", "second", "window"]].itertuples(index=False, name=None))
    assert found == [(*pair, window) for pair in ("ab", "ac", "bc") for window in (3, 5)]
    assert len(table) == 6 * 3
    alone = agreement.of_networks({"a": by_network["a"]})
    assert list(alone.columns) == list(agreement.COLUMNS)
    assert alone.empty
    assert list(agreement.means(alone).columns) == list(agreement.MEANS_COLUMNS)


def table_of(own, others):
    return pd.DataFrame(
        {
            "first": "a/epoch-01",
            "second": "b/epoch-01",
            "window": 5,
            "image": range(len(own)),
            "spearman": own,
            "spearman_others": others,
        }
    )


def test_means_have_intervals_over_the_images_of_which_both_are_known():
    table = table_of([0.3, 0.5, 0.7, np.nan, 0.1], [-0.1, 0, 0.4, 0.3, np.nan])
    (row,) = agreement.means(table).to_dict("records")
    assert row["images"] == 3
    assert row["own"] == pytest.approx(0.5)
    # Student's t with two degrees of freedom: 4.3027 standard errors of 0.2 / sqrt(3).
    assert row["high"] - row["own"] == pytest.approx(4.3027 * 0.2 / np.sqrt(3), abs=1e-4)
    assert row["others"] == pytest.approx(0.1)
    assert row["difference"] == pytest.approx(0.4)
    expected = intervals.mean([0.4, 0.5, 0.3])
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(expected)


def test_what_can_not_be_told_from_other_images_is_said_to_be_so():
    def words(own, others):
        return how_far_maps_agree(agreement.means(table_of(own, others)).iloc[0])

    agreeing = words([0.5, 0.7, 0.9], [0.1, 0.2, 0.6])
    interval = "0.70 (95\N{NO-BREAK SPACE}% interval 0.20 to 1.00)"
    assert f"correlation (Spearman) of {interval}, maps of different images" in agreeing
    assert "can't be told" not in agreeing
    alike = words([-0.5, 0.5, 0.3], [0.1, 0.2, -0.6])
    assert alike.endswith("agree more than others can't be told from these.")
    assert "different images of \N{MINUS SIGN}0.10; difference 0.20 (" in alike
    assert "interval \N{MINUS SIGN}1.00 to 1.00)" in alike, "no correlation is beyond 1"
