"""Mistakes: which key, and in which file."""

import pytest

from convprobe.plan import mistakes


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (("occlusion", "windows", 1), "occlusion.windows[1]"),
        (("studied",), "studied"),
        ((), "the config"),
    ],
)
def test_keys_are_named_as_in_python(key, name):
    assert mistakes.name(key) == name


SOURCES = [
    ("base", {"a": {"b": [1, 2]}, "c": 3}),
    ("own", {"a": {"d": 4}}),
    ("--config", {"c": 5}),
]


@pytest.mark.parametrize(
    ("key", "source"),
    [
        (("a", "b", 1), "base"),
        (("a", "b", 9), "base"),  # which holds the longest part of it
        (("a",), "own"),  # the last one
        (("a", "e"), "own"),
        (("c",), "--config"),
        (("z",), "config"),
        ((), "base"),
    ],
)
def test_a_mistake_is_reported_for_the_last_source_that_holds_its_key(key, source):
    assert mistakes.origin(key, SOURCES) == source


def test_a_line_cannot_control_a_terminal():
    assert mistakes.printable("one\ntwo \x1b[31m größer") == "one two \\x1b[31m größer"


def test_a_long_value_is_cut():
    assert mistakes.shown("a" * 100) == '"' + "a" * 56 + "…"
    assert mistakes.shown({"a": [1]}) == '{"a": [1]}'
