"""Config files: a mapping, or one line that says what is wrong with the file."""

import re
from pathlib import Path

import pytest

from convprobe.errors import InputError
from convprobe.plan import reading

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"experiment: a\nexperiment: gr\xf6\xdfer\n",
            "line 2 is not UTF-8: save the file in that encoding",
        ),
        (
            b"experiment: a\n\tdataset: {}\n",
            "not YAML: line 2: found character '\\t' that cannot start any token",
        ),
        (b"experiment: [a\n", "not YAML: line 2: expected ',' or ']', but got '<stream end>'"),
        (b"experiment: 2026-13-01\n", "not YAML: month must be in 1..12"),
        (
            b"occlusion: {fill: 3}\nfilters: {top: 3}\nocclusion: {stride: 2}\n",
            "not YAML: line 3: occlusion is given twice",
        ),
        (
            b"runs:\n  raw: {}\n  no: {}\n",
            "not YAML: line 3: no is no text for YAML: write it in quotes",
        ),
        (
            b"selection:\n  epoch: 013\n",
            "not YAML: line 2: 013 is 11 for YAML: write 11, or a text in quotes",
        ),
        (
            b"training: {epochs: 1:30}\n",
            "not YAML: line 1: 1:30 is 90 for YAML: write 90, or a text in quotes",
        ),
        (
            b"training: " + 3000 * b"[",
            "more than 20 levels of lists and mappings, expected the documented keys",
        ),
    ],
    ids=[
        "another encoding",
        "a tab",
        "no bracket",
        "no date",
        "twice",
        "a key that is no text",
        "octal",
        "base 60",
        "too deep",
    ],
)
def test_a_config_file_that_is_none_is_reported_in_one_line(content, told):
    Path("own.yaml").write_bytes(content)
    with pytest.raises(InputError) as refused:
        reading.read("own.yaml")
    assert str(refused.value) == f"own.yaml: {told}"


def test_what_is_merged_in_may_be_given_again():
    Path("own.yaml").write_text("a: &a {b: 1, c: 2}\nd: &d {<<: *a, b: 3}\ne: {<<: *d, c: 4}\n")
    assert reading.read("own.yaml") == {
        "a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}, "e": {"b": 3, "c": 4},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "found"), [("- a\n", '["a"]'), ("# nothing\n", "nothing"), ("a", '"a"')]
)
def test_a_config_file_without_keys_is_reported_with_what_it_holds(content, found):
    Path("own.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(
        InputError, match=f"^own.yaml holds {re.escape(found)}, expected keys and values"
    ):
        reading.read("own.yaml")


@pytest.mark.parametrize(
    ("base", "override", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
    ],
)
def test_mappings_are_merged_key_by_key_and_anything_else_is_replaced(base, override, expected):
    assert reading.merged(base, override) == expected


LAYERS = {"conv": [1], "fc": [], "dropout": 0.5}
MADE = {"factory": "a.py:b", "arguments": {"c": 1, "d": 2}}


@pytest.mark.parametrize(
    ("networks", "chosen"),
    [
        ([LAYERS, MADE], MADE),
        ([MADE, LAYERS], LAYERS),
        ([LAYERS, MADE, LAYERS, MADE], MADE),
        ([LAYERS, MADE, {"arguments": {"d": 3}}], {**MADE, "arguments": {"c": 1, "d": 3}}),
        ([MADE, {"factory": "e:f"}], {"factory": "e:f"}),  # with arguments of its own
        ([MADE, {"fc": [3]}], {**MADE, "fc": [3]}),  # which is a mistake
        ([{**MADE, "conv": [1]}], {**MADE, "conv": [1]}),  # and so is this
        ([MADE, "odd", None], MADE),
    ],
)
def test_the_last_one_that_gives_a_whole_network_counts(networks, chosen):
    contents = [{"network": network} for network in networks]
    assert reading.chosen_network([{}, *contents, {}]) == {"network": chosen}


def test_networks_without_a_factory_are_left_to_the_usual_merging():
    assert reading.chosen_network([{"network": LAYERS}, {"network": {"fc": [3]}}, {}]) == {}
