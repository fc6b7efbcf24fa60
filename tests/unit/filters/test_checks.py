"""What is checked of the ranking of all filters finds what is wrong in it, of any network."""

import numpy as np
import pytest
from unit.traced_modules import Residual, Traced

from convprobe.filters import checks, ranking
from convprobe.network import filter_layers


@pytest.fixture(scope="module")
def traced():
    return Traced(Residual)


@pytest.fixture(scope="module")
def ranked(traced):
    return ranking.top_images(traced.network, traced.images, 3)


@pytest.fixture(params=[250, 4], ids=["one batch", "some batches"])
def wrong(request, traced, monkeypatch):
    """A function: what is found wrong in a table."""
    monkeypatch.setattr(checks, "fitting", lambda graph, largest: request.param)

    def find(table):
        found = list(checks._of_network(table, traced.images, traced.network))
        found += checks._of_boxes(table, filter_layers.of_graph(traced.network.graph))
        return {what for row, what in found if row}

    return find


class Half(Residual):
    """Computes in another precision than its images have."""

    def __init__(self):
        super().__init__()
        self.bfloat16()

    def forward(self, x):
        return super().forward(x.bfloat16())


def test_a_ranking_of_a_network_in_bfloat16_is_checked_too():
    traced = Traced(Half)
    ranked = ranking.top_images(traced.network, traced.images, 11)
    found = checks._of_network(ranked, traced.images, traced.network)
    assert not any(row for row, _ in found)


def test_nothing_is_wrong_in_a_ranking(ranked, wrong):
    assert wrong(ranked) == set()


@pytest.mark.parametrize(
    ("column", "change", "what"),
    [
        ("response", lambda value: value * 1.01, "another response than the network's"),
        ("peak_x", lambda value: (value + 1) % 5, "not the peak of the network's map"),
        ("bottom", lambda value: value - 1, "not the box that its peak sees"),
    ],
)
def test_a_wrong_value_is_found(ranked, wrong, column, change, what):
    table = ranked.copy()
    table[column] = table[column].astype(np.float64 if column == "response" else int)
    row = table.index[table["layer"] == "block.conv2"][4]
    table.loc[row, column] = change(table.loc[row, column])
    assert what in wrong(table)


def test_an_image_that_is_passed_over_is_found(ranked, wrong):
    table = ranked[ranked["rank"] != 1]
    assert wrong(table) == {"passes over an image that the filter answers to more"}
