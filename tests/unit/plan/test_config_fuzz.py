"""Random and mutated configs: a plan, or lines that name keys; never a traceback."""

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from convprobe.errors import InputError
from convprobe.plan import config, study

SCHEMA = "schemas/config.schema.json"
PRESETS = [
    yaml.safe_load(path.read_text())
    for path in (Path("config.yaml"), *sorted(Path("presets").glob("*.yaml")))
]
VALID = [config.merged(PRESETS[0], preset) for preset in PRESETS]
# What people write: the texts of the config itself, near misses, and anything.
KNOWN = [
    "all",
    "cifar10",
    "image-folder",
    "shapes",
    "bf16",
    "conv1/0",
    "conv9/99",
    "normalised",
    "normalised/epoch-3",
    "raw",
    "1e-3",
    "",
    " ",
    "..",
    "a b",
    "größer",
    "\n",
    "\x00",
    "config.yaml",
    "yes",
    "~",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(KNOWN)
    | st.text(max_size=20)
    | st.integers(-2, 40)
    | st.dates()
)
KEYS = st.sampled_from(
    ["name", "path", "conv", "epochs", "weights", "policy", "windows", "chosen", "mode", "split"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def places(value, path=()):
    """Paths of a value and of all that is in it."""
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, below in items:
        yield from places(below, (*path, key))


@st.composite
def mutated(draw):
    """A valid config with up to three places changed, removed, or with a key added."""
    changed = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([path for path in places(changed) if path]))
        inside = changed
        for key in above:
            inside = inside[key]
        match draw(st.sampled_from(["change", "change", "remove", "add"])):
            case "change":
                inside[last] = draw(VALUES)
            case "remove" if isinstance(inside, dict):
                del inside[last]
            case "add" if isinstance(inside, dict):
                inside[draw(KEYS | st.text(max_size=8))] = draw(VALUES)
        if not changed:
            break
    return changed


def plan_or_lines(value):
    before = copy.deepcopy(value)
    checked, lines = None, []
    try:
        checked = config.checked(value, SCHEMA)
    except InputError as error:
        lines = str(error).split("\n")
    assert all(": " in line and line.isprintable() for line in lines), lines
    if checked:
        assert set(checked) >= {"experiment", "dataset", "network", "training", "runs", "studied"}
        assert config.checked(checked, SCHEMA) == checked, "what was checked is checked already"
        assert study.built_runs(checked)
    assert repr(value) == repr(before), "the user's config stays as it is"


@pytest.mark.slow
@settings(max_examples=400, deadline=None, derandomize=True)
@given(mutated())
def test_a_mutated_config_gives_a_plan_or_lines_that_name_keys(value):
    plan_or_lines(value)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(VALUES)
def test_anything_else_gives_lines(value):
    plan_or_lines(value)
