"""Declarations of files: their paths, and what is read from them."""

import pytest

from convprobe.store import outputs
from convprobe.store.outputs import Figure, Hdf5, Table

MAPS = Hdf5("maps/side-{side}.h5", "maps", tab="maps")
PARTS = Hdf5("maps/side-{side}/{layer}.h5", "the same in parts")
SHEET = Figure("maps/sheet-{sheet}", "a figure", tab="maps")
SUMMARY = Table("summary.csv", "a table", tab="tables")
LAYER = Figure("filters/{layer}/{channel}", "a figure of a filter")
WEIGHTS = Hdf5("weights/epoch-{epoch}.pth", "weights")
STATE = Hdf5("weights/epoch-{epoch}.state.pth", "what goes with them")
VALUES = {
    ("side",): [{"side": 3}, {"side": 5}],
    ("side", "layer"): [{"side": 3, "layer": "a"}],
    ("sheet",): [{"sheet": 1}],
}


def test_each_combination_of_values_is_a_file_and_a_figure_is_three():
    assert outputs.names([SUMMARY, MAPS, PARTS, SHEET], VALUES) == [
        "summary.csv",
        "maps/side-3.h5",
        "maps/side-5.h5",
        "maps/side-3/a.h5",
        "maps/sheet-1.png",
        "maps/sheet-1.svg",
        "maps/sheet-1.txt",
    ]


def test_a_wildcard_without_values_is_named():
    with pytest.raises(LookupError, match=r"maps/sheet-{sheet}: no values of sheet"):
        outputs.names([SHEET], {})


def test_the_page_links_by_tab_and_of_a_figure_the_picture():
    assert outputs.links([SUMMARY, MAPS, PARTS, SHEET], VALUES) == {
        "tables": ["summary.csv"],
        "maps": ["maps/side-3.h5", "maps/side-5.h5", "maps/sheet-1.png"],
    }


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (MAPS, "maps/side-3.h5"),
        (PARTS, "maps/side-3/0001.h5"),
        (LAYER, "filters/layer1.0.conv1/12.svg"),
        (WEIGHTS, "weights/epoch-01.pth"),
        (STATE, "weights/epoch-01.state.pth"),
        (SHEET, "maps/sheet-1.svg"),
        (SUMMARY, "summary.csv"),
    ],
)
def test_a_name_matches_its_own_declaration_only(output, name):
    declared = (MAPS, PARTS, SHEET, SUMMARY, LAYER, WEIGHTS, STATE)
    assert [one for one in declared if one.matches(name)] == [output]
