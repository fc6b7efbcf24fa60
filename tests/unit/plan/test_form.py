"""Keys, types and bounds of a config; its defaults."""

import datetime

import pytest
import yaml
from shipped_configs import BASE, LEAST, SCHEMA, lines, with_preset

from convprobe.plan import config as configs
from convprobe.plan import form

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_keys_that_are_left_out_have_their_defaults_at_every_depth():
    config = configs.checked(yaml.safe_load(LEAST), SCHEMA)
    assert config["dataset"] == {
        "name": "cifar10",
        "path": "resources/cifar10",
        "train_images": "all",
        "test_images": "all",
        "validation_images": 0,
    }
    assert config["training"] == {
        "epochs": 13,
        "batch_size": 128,
        "schedule": "linear",
        "augmentation": "none",
        "normalise": True,
        "precision": "bf16",
        "label_smoothing": 0.0,
        "seed": 0,
        "keep_optimizer": "all",
        "optimizer": {
            "name": "sgd",
            "learning_rate": 0.05,
            "momentum": 0.5,
            "weight_decay": 0.0005,
        },
    }
    assert config["selection"] == {"policy": "fixed", "epoch": 13}
    assert config["occlusion"] == {
        "windows": [3],
        "images": 20,
        "fill": 128,
        "stride": 1,
        "precision": "fp32",
    }
    assert config["filters"] == {"chosen": ["conv1/0"], "top": 5}
    assert config["ablation"] == {"mode": "zero", "table_images": 1000, "random_controls": 20}
    assert config["figures"] == {"captions": True, "as_published": False}


def test_a_missing_key_is_reported_with_what_it_means():
    config = with_preset()[0]
    del config["training"]["epochs"], config["occlusion"]
    assert lines(config, [BASE]) == [
        f"{BASE}: occlusion is missing, expected: Where does it look?",
        f"{BASE}: training.epochs is missing, expected: How many times every training image is "
        "seen.",
    ]


def test_a_key_that_no_file_holds_is_reported_for_the_config():
    assert lines({"experiment": "x", "colour": 1}, [BASE])[0].startswith(
        "config: colour: unknown key, expected one of"
    )


def nested(levels, value=1):
    for _ in range(levels):
        value = [value]
    return value


ITSELF = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        3,
        "text",
        [],
        [{}],
        {"experiment": None},
        {"dataset": ["cifar10"]},
        {"network": {"conv": {"a": 1}}},
        {"runs": [1]},
        {"runs": {}},
        {"training": 1e400},
        {1: 2},
        {None: {}},
        {datetime.date(2026, 1, 1): 1},
        {"two\nlines": 1},
        {"experiment": datetime.date(2026, 1, 1), "runs": 1},
        {"studied": ITSELF},
        {"studied": {1, 2}},
        {"filters": {"chosen": ["conv1/" + "9" * 5000]}},
        {"dataset": {"name": "image-folder", "path": "a" * 5000}},
        {"occlusion": {"windows": nested(100_000)}},
        {"occlusion": {"windows": [nested(900), nested(900)]}},
        {"training": {"epochs": 13, "seed": 10**30}},
        {"studied": ["two\nlines"]},
        {"occlusion": {"images": [[0]]}},
    ],
    ids=lambda odd: type(odd).__name__,
)
def test_odd_values_are_refused_line_by_line_and_never_crash(odd):
    config = with_preset()[0] | odd if isinstance(odd, dict) else odd
    assert all(": " in line for line in lines(config, [BASE]))


TOY = {
    "type": "object",
    "properties": {
        "rate": {"type": "number"},
        "steps": {"type": "integer", "default": 3},
        "inner": {"$ref": "#/$defs/Inner", "default": {}},
    },
    "$defs": {"Inner": {"type": "object", "properties": {"depth": {"default": [1]}}}},
}


def test_defaults_are_filled_in_through_references_and_each_time_anew():
    one = form.with_defaults({"rate": 1}, TOY)
    other = form.with_defaults({"inner": {"depth": [2]}, "steps": 4}, TOY)
    assert one == {"rate": 1, "steps": 3, "inner": {"depth": [1]}}
    assert other == {"steps": 4, "inner": {"depth": [2]}}
    one["inner"]["depth"].append(5)
    assert form.with_defaults({}, TOY)["inner"]["depth"] == [1]


def test_equal_values_are_written_alike():
    one = form.canonical({"steps": 3, "rate": 1}, TOY)
    other = form.canonical({"rate": 1.0, "steps": 3}, TOY)
    assert repr(one) == repr(other) == "{'rate': 1.0, 'steps': 3}"


def test_where_anything_is_allowed_it_stays_as_it_is():
    anything = {"type": "object", "additionalProperties": True}
    given = {"options": {"width": 4, "parts": [{"depth": 1}]}, "classes": 10}
    assert form.canonical(given, anything) == given
