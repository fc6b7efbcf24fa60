"""The config: defaults, and one exact line for every mistake."""

import copy
import datetime
import json
import re
from pathlib import Path

import pytest
import yaml
from bad_configs import BAD_EDITS

from convprobe import config as configs
from convprobe.errors import InputError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas/config.schema.json"
BASE = ROOT / "config.yaml"


def with_preset(*names):
    """The shipped config with presets merged over it, and the files that it came from."""
    files = [BASE, *(ROOT / "presets" / f"{name}.yaml" for name in names)]
    config = {}
    for file in files:
        config = configs.merged(config, yaml.safe_load(file.read_text(encoding="utf-8")))
    return config, files


def lines(config, files=()):
    """What is told of a config that must be refused."""
    with pytest.raises(InputError) as refused:
        configs.checked(config, SCHEMA, files)
    return str(refused.value).splitlines()


def edit(change):
    """What is told of the published config with a second file merged over it."""
    Path("base").write_bytes(BASE.read_bytes())
    Path("own").write_text(change, encoding="utf-8")
    return lines(configs.merged(with_preset()[0], yaml.safe_load(change)), ["base", "own"])


@pytest.fixture(autouse=True)
def _in_a_folder_without_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


PRESETS = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))


@pytest.mark.parametrize("preset", [(), *((name,) for name in PRESETS)], ids=["published", *PRESETS])
def test_a_shipped_config_passes_unchanged_but_for_its_defaults(preset):
    config, files = with_preset(*preset)
    checked = configs.checked(config, SCHEMA, files)
    assert holds(checked, config)
    assert configs.checked(checked, SCHEMA) == checked


def holds(value, part):
    """Whether a value has all that a part of it has, at every depth."""
    if isinstance(part, dict):
        return all(key in value and holds(value[key], below) for key, below in part.items())
    if isinstance(part, list):
        return len(value) == len(part) and all(map(holds, value, part))
    return value == part


def test_the_presets_replace_lists_as_a_whole_and_mappings_key_by_key():
    config = configs.checked(with_preset("demo")[0], SCHEMA)
    assert config["network"]["fc"] == []
    assert config["training"]["optimizer"] == {
        "name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0005,
    }  # fmt: skip


LEAST = """
experiment: least
dataset: {name: cifar10}
network: {conv: [{channels: 4, kernel: 3}], fc: []}
training: {epochs: 13, optimizer: {momentum: 0.5}}
runs: {one: {}, two: {optimizer: {learning_rate: 0.1}}}
studied: [one]
selection: {policy: fixed}
occlusion: {windows: [3]}
filters: {chosen: [conv1/0]}
compared: []
"""


def test_keys_that_are_left_out_have_their_defaults_at_every_depth():
    config = configs.checked(yaml.safe_load(LEAST), SCHEMA)
    assert config["dataset"] == {
        "name": "cifar10", "path": "resources/cifar10", "train_images": "all", "test_images": "all",
        "validation_images": 0,
    }  # fmt: skip
    assert config["training"] == {
        "epochs": 13, "batch_size": 128, "schedule": "linear", "augmentation": "none", "normalise": True,
        "precision": "bf16", "label_smoothing": 0.0, "seed": 0,
        "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0005},
    }  # fmt: skip
    assert config["selection"] == {"policy": "fixed", "epoch": 13}
    assert config["occlusion"] == {"windows": [3], "images": 20, "fill": 128, "precision": "fp32"}
    assert config["filters"] == {"chosen": ["conv1/0"], "top": 5}
    assert config["ablation"] == {"mode": "zero", "table_images": 1000, "random_controls": 20}


@pytest.mark.parametrize("used", [{"policy": "fixed", "epoch": 7}, {"policy": "best", "split": "test"}])
def test_a_selection_keeps_only_what_its_policy_uses(used):
    given = yaml.safe_load(LEAST) | {"selection": {"epoch": 12, "split": "validation"} | used}
    assert configs.checked(given, SCHEMA)["selection"] == used


def keys_below(value, path=()):
    """Paths of all keys of mappings in one another; those of `runs` are names that the user gives."""
    for key, below in value.items() if isinstance(value, dict) and path != ("runs",) else ():
        yield (*path, key)
        yield from keys_below(below, (*path, key))


@pytest.mark.parametrize("path", list(keys_below(with_preset()[0])), ids=".".join)
def test_a_key_deleted_from_the_shipped_config_keeps_its_value_or_is_asked_for(path):
    config = with_preset()[0]
    shipped = configs.checked(config, SCHEMA)
    *above, key = path
    inside = config
    for name in above:
        inside = inside[name]
    del inside[key]
    try:
        assert configs.checked(config, SCHEMA) == shipped
    except InputError as error:
        assert f"{'.'.join(path)} is missing, expected: " in str(error)  # noqa: PT017 - one or the other


def test_the_command_line_is_merged_key_by_key_and_read_as_a_config_file_is():
    # As Snakemake hands it over: merged already, but with every value inside a mapping a text.
    config = configs.merged(with_preset()[0], {"occlusion": {"images": "3"}, "training": {"normalise": "false"}})
    arguments = ["occlusion={images: 3}", "training={normalise: false}", "training={optimizer: {momentum: 0.5}}"]
    checked = configs.checked(config, SCHEMA, [BASE], arguments)
    assert checked["occlusion"] == {"windows": [3, 5, 7, 9], "images": 3, "fill": 128, "precision": "fp32"}
    assert checked["training"]["normalise"] is False
    assert checked["training"]["optimizer"] == {
        "name": "sgd", "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0005,
    }  # fmt: skip


def test_a_mistake_on_the_command_line_is_told_as_its_own():
    with pytest.raises(InputError) as refused:
        configs.checked(with_preset()[0], SCHEMA, [BASE], ["occlusion={images: 0, fill: 1}", "experiment=a/b"])
    assert str(refused.value).splitlines() == [
        '--config: experiment is "a/b", expected a name of letters, digits, - and _',
        "--config: occlusion.images is 0, expected how many (20), a list of indices ([0, 7, 12]), or all",
    ]
    with pytest.raises(InputError, match=r"^--config: occlusion=\{images: 3 is not YAML, expected KEY=VALUE as in"):
        configs.checked(with_preset()[0], SCHEMA, [BASE], ["occlusion={images: 3"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"experiment: a\nexperiment: gr\xf6\xdfer\n", "line 2 is not UTF-8: save the file in that encoding"),
        (b"experiment: a\n\tdataset: {}\n", "not YAML: line 2: found character '\\t' that cannot start any token"),
        (b"experiment: [a\n", "not YAML: line 2: expected ',' or ']', but got '<stream end>'"),
        (b"experiment: 2026-13-01\n", "not YAML: month must be in 1..12"),
    ],
    ids=["another encoding", "a tab", "no bracket", "no date"],
)
def test_a_config_file_that_is_none_is_told_in_one_line(content, told):
    Path("own.yaml").write_bytes(content)
    with pytest.raises(InputError) as refused:
        configs.read("own.yaml")
    assert str(refused.value) == f"own.yaml: {told}"


@pytest.mark.parametrize(("content", "found"), [("- a\n", '["a"]'), ("# nothing\n", "nothing"), ("a", '"a"')])
def test_a_config_file_without_keys_is_told_with_what_it_holds(content, found):
    Path("own.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"^own.yaml holds {re.escape(found)}, expected keys and values"):
        configs.read("own.yaml")


def test_what_a_run_overrides_is_not_filled_with_defaults():
    config = configs.checked(yaml.safe_load(LEAST), SCHEMA)
    assert config["runs"] == {"one": {}, "two": {"optimizer": {"learning_rate": 0.1}}}
    assert configs.run_training(config, "two")["optimizer"] == {
        "name": "sgd", "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.0005,
    }  # fmt: skip


def test_checking_leaves_the_given_config_as_it_was():
    config = yaml.safe_load(LEAST)
    before = copy.deepcopy(config)
    configs.checked(config, SCHEMA)
    assert config == before


def keys_without_description(schema, path=""):
    found = []
    for key, below in schema.get("properties", {}).items():
        found += [] if below.get("description", "").endswith((".", "?")) else [f"{path}.{key}"]
        found += keys_without_description(below, f"{path}.{key}")
        found += keys_without_description(below.get("items", {}), f"{path}.{key}[]")
    return found


def test_every_key_of_the_schema_is_described():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert keys_without_description(schema) == []
    assert [key for name in schema["$defs"] for key in keys_without_description(schema["$defs"][name], name)] == []


def test_all_mistakes_are_told_at_once_each_with_the_last_file_that_holds_its_key(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("occlusion: {windows: [3, 4]}\ntraining: {epochs: 9, sed: 1, epoch: 2}\n", encoding="utf-8")
    form = configs.merged(with_preset()[0], yaml.safe_load(own.read_text(encoding="utf-8")))
    form["filters"]["top"] = 0
    assert lines(form, [BASE, own]) == [
        f"{BASE}: filters.top is 0, expected a whole number of at least 1",
        f"{own}: training.epoch: unknown key, did you mean epochs?",
        f"{own}: training.sed: unknown key, did you mean seed?",
    ]
    meaning = configs.merged(form, {"filters": {"top": 5}})
    del meaning["training"]["sed"], meaning["training"]["epoch"]
    meaning["runs"]["raw"]["epochs"] = 20
    assert lines(meaning, [BASE, own]) == [
        f"{BASE}: selection.epoch is 13, but run normalised ends at epoch 9",
        f"{own}: occlusion.windows[1] is 4, but a window is centred on a pixel: give an odd side (3, 5, 7 …)",
    ]


def test_a_key_that_no_file_holds_is_told_as_the_config_s():
    assert lines({"experiment": "x", "colour": 1}, [BASE])[0].startswith("config: colour: unknown key, expected one of")


@pytest.mark.parametrize("change", BAD_EDITS)
def test_a_bad_edit_is_told_in_exactly_one_line(change):
    assert edit(change.replace("FILE", __file__)) == [BAD_EDITS[change]]


def test_a_network_that_leaves_nothing_of_the_image():
    change = "{network: {conv: [{channels: 4, kernel: 5}, {channels: 4, kernel: 14}]}, filters: {chosen: [conv1/0]}}"
    assert edit(change) == [
        "own: network.conv[1] is a 14×14 convolution and 2×2 pooling, but its input is 14×14: "
        "that leaves nothing. Expected fewer layers or smaller kernels"
    ]


def test_a_missing_key_is_told_with_what_it_means():
    config = with_preset()[0]
    del config["training"]["epochs"], config["occlusion"]
    assert lines(config, [BASE]) == [
        f"{BASE}: occlusion is missing, expected: Where does it look?",
        f"{BASE}: training.epochs is missing, expected: How often every training image is shown.",
    ]


def nested(levels, value=1):
    for _ in range(levels):
        value = [value]
    return value


ITSELF = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    "odd",
    [
        None, 3, "text", [], [{}], {"experiment": None}, {"dataset": ["cifar10"]}, {"network": {"conv": {"a": 1}}},
        {"runs": [1]}, {"runs": {}}, {"training": 1e400}, {1: 2}, {None: {}}, {datetime.date(2026, 1, 1): 1},
        {"two\nlines": 1}, {"experiment": datetime.date(2026, 1, 1), "runs": 1}, {"studied": ITSELF},
        {"studied": {1, 2}},
        {"filters": {"chosen": ["conv1/" + "9" * 5000]}}, {"dataset": {"name": "image-folder", "path": "a" * 5000}},
        {"occlusion": {"windows": nested(100_000)}}, {"occlusion": {"windows": [nested(900), nested(900)]}},
        {"training": {"epochs": 13, "seed": 10**30}}, {"studied": ["two\nlines"]}, {"occlusion": {"images": [[0]]}},
    ],
    ids=lambda odd: type(odd).__name__,
)  # fmt: skip
def test_odd_values_are_refused_line_by_line_and_never_crash(odd):
    config = with_preset()[0] | odd if isinstance(odd, dict) else odd
    assert all(": " in line for line in lines(config, [BASE]))


EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", EXAMPLES)
def test_the_examples_in_the_readme_are_right(block):
    for name in ("own.pth", "pictures.zip"):
        Path(name).touch()
    configs.checked(configs.merged(with_preset()[0], yaml.safe_load(block)), SCHEMA)
