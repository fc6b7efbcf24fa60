"""The config: defaults, and one exact line for every mistake."""

import copy
import datetime
import json
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.parametrize("preset", [(), ("demo",), ("small",)], ids=["published", "demo", "small"])
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
"""


def test_keys_that_are_left_out_have_their_defaults_at_every_depth():
    config = configs.checked(yaml.safe_load(LEAST), SCHEMA)
    assert config["dataset"] == {
        "name": "cifar10", "path": "resources/cifar10", "train_images": "all", "test_images": "all",
        "validation_images": 0,
    }  # fmt: skip
    assert config["training"] == {
        "epochs": 13, "batch_size": 128, "schedule": "constant", "augmentation": "none", "normalise": True,
        "precision": "bf16", "seed": 0,
        "optimizer": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.5, "weight_decay": 0.0005},
    }  # fmt: skip
    assert config["compared"] == []
    assert config["selection"] == {"policy": "fixed", "epoch": 13, "split": "validation"}
    assert config["occlusion"] == {"windows": [3], "images": 20, "fill": 128, "precision": "fp32"}
    assert config["filters"] == {"chosen": ["conv1/0"], "top": 5}
    assert config["ablation"] == {"mode": "zero", "table_images": 1000, "random_controls": 20}


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
    assert lines(meaning, [BASE, own, tmp_path / "not there.yaml"]) == [
        f"{BASE}: selection.epoch is 13, but run normalised ends at epoch 9",
        f"{own}: occlusion.windows[1] is 4, but a window is centred on a pixel: give an odd side (3, 5, 7 …)",
    ]


def test_a_key_that_no_file_holds_is_told_as_the_config_s():
    assert lines({"experiment": "x", "colour": 1}, [BASE])[0].startswith("config: colour: unknown key, expected one of")


BAD_EDITS = {
    "dataset: {nmae: 1}": "own: dataset.nmae: unknown key, did you mean name?",
    "selection: {zzz: 1}": "own: selection.zzz: unknown key, expected one of policy, epoch, split",
    "dataset: {name: cifar100}": 'own: dataset.name is "cifar100", expected one of cifar10, image-folder, shapes',
    "dataset: {name: shapes, test_images: 1000}": "base: dataset.train_images is all, "
    "but shapes are drawn: expected how many",
    "dataset: {name: image-folder}": "base: dataset.path is resources/cifar10: nothing is there, "
    "expected a folder, .tar.gz or .zip of images",
    "dataset: {path: gone.tar.gz}": "own: dataset.path is gone.tar.gz: nothing is there, "
    "expected a folder, .tar.gz or .zip of images",
    "dataset: {train_images: 50001}": "own: dataset.train_images is 50001, but cifar10 has 50000",
    "dataset: {train_images: 1e4}": 'own: dataset.train_images is "1e4", expected a whole number of at least 1, or all',
    "dataset: {train_images: 0}": "own: dataset.train_images is 0, expected a whole number of at least 1, or all",
    "dataset: {validation_images: 50000}": "own: dataset.validation_images is 50000, "
    "held out of 50000 training images: that leaves nothing to train on",
    "network: {conv: []}": "own: network.conv is [], expected a list of at least one convolution, "
    "as in {channels: 256, kernel: 5}",
    "network: {conv: [{channels: 3}]}": "own: network.conv[0].kernel is missing, "
    "expected: Side of the filters, in pixels of their input.",
    "network: {conv: [{channels: 256, kernel: 5, padding: 5}, {channels: 1024, kernel: 3}, "
    "{channels: 2048, kernel: 3}, {channels: 2048, kernel: 1}]}": "own: network.conv[0].padding is 5, "
    "expected less than the kernel, which is 5",
    "network: {dropout: 1}": "own: network.dropout is 1, expected a number of at least 0 and below 1",
    "network: {fc: [8, 0]}": "own: network.fc[1] is 0, expected a whole number of at least 1",
    "training: {epochs: 13.0}": "own: training.epochs is 13.0, expected a whole number of at least 1",
    "training: {epochs: true}": "own: training.epochs is true, expected a whole number of at least 1",
    "training: {epochs: 2e1}": 'own: training.epochs is "2e1", expected a whole number of at least 1 '
    "(YAML reads 2e1 as text: write 20)",
    "training: {normalise: 1}": "own: training.normalise is 1, expected true or false",
    "training: {optimizer: {learning_rate: 1e-3}}": 'own: training.optimizer.learning_rate is "1e-3", '
    "expected a number above 0 (YAML reads 1e-3 as text: write 0.001)",
    "training: {optimizer: {weight_decay: 1e-5}}": 'own: training.optimizer.weight_decay is "1e-5", '
    "expected a number of at least 0 (YAML reads 1e-5 as text: write 1.0e-05)",
    "training: {optimizer: {learning_rate: .nan}}": "own: training.optimizer.learning_rate is NaN, "
    "expected a number above 0",
    "training: {optimizer: {learning_rate: .inf}}": "own: training.optimizer.learning_rate is Infinity, "
    "expected a number above 0",
    "training: {optimizer: {momentum: 1}}": "own: training.optimizer.momentum is 1, "
    "expected a number of at least 0 and below 1",
    "training: {optimizer: false}": "own: training.optimizer is false, expected a mapping of keys to values",
    "training: {precision: fp16}": 'own: training.precision is "fp16", expected one of fp32, bf16',
    "runs: {raw: {epochs: 12}}": "base: selection.epoch is 13, but run raw ends at epoch 12",
    "runs: {raw: }": "own: runs.raw is null, expected a mapping of keys to values",
    "runs: {raw: {normalize: false}}": "own: runs.raw.normalize: unknown key, did you mean normalise?",
    "runs: {a b: {}}": 'own: runs has the key "a b", expected a name of letters, digits, - and _',
    "studied: [normalised, other]": "own: studied[1] is other, expected a run named in runs: normalised, raw",
    'studied: ["two\\nlines"]': 'own: studied[0] is "two\\nlines", '
    "expected a run, or one of its epochs as in normalised/epoch-5",
    "studied: [normalised/epoch-0]": 'own: studied[0] is "normalised/epoch-0", '
    "expected a run, or one of its epochs as in normalised/epoch-5",
    "studied: [normalised/epoch-16]": "own: studied[0] is normalised/epoch-16, but run normalised ends at epoch 15",
    "studied: [other/epoch-1]": "own: studied[0] is other/epoch-1, expected a run named in runs: normalised, raw",
    "{runs: {own: {weights: FILE}}, studied: [own/epoch-2]}": "own: studied[0] is own/epoch-2, "
    "but run own has weights in place of training: expected own",
    "{runs: {own: {weights: FILE}}, compared: [own]}": "own: compared[0] is own, but run own has weights "
    "in place of training: expected a run that is trained here, or own in studied",
    "runs: {own: {weights: gone.pth}}": "own: runs.own.weights is gone.pth: no file is there, "
    "expected a .pth with a state dict",
    "runs: {own: {weights: tests}}": "own: runs.own.weights is tests: no file is there, "
    "expected a .pth with a state dict",
    "runs: {own: {weights: FILE, epochs: 3}}": "own: runs.own.epochs is about training, "
    "but the run has weights: expected only weights, normalisation, normalise and seed",
    "runs: {own: {weights: FILE, normalise: false, normalisation: {mean: [0, 0, 0], std: [1, 1, 1]}}}": "own: "
    "runs.own has a normalisation, and normalise: false: expected one of the two",
    "runs: {raw: {normalisation: {mean: [0, 0, 0], std: [1, 1, 1]}}}": "own: runs.raw.normalisation is given "
    "without weights: a run that is trained here uses that of its images",
    "runs: {own: {weights: FILE, normalisation: {mean: [0, 0], std: [1, 1, 1]}}}": "own: "
    "runs.own.normalisation.mean is [0, 0], expected a list of three numbers, of red, green and blue",
    "runs: {own: {weights: FILE, normalisation: {mean: [0, 0, 0], std: [1, 0, 1]}}}": "own: "
    "runs.own.normalisation.std[1] is 0, expected a number above 0",
    "training: {weights: FILE}": "own: training.weights is given for all runs, expected it in a run: runs.NAME.weights",
    "ablation: {mode: off}": "own: ablation.mode is false, expected one of zero, weights-only, mean",
    "studied: normalised": 'own: studied is "normalised", expected a list of at least one run, each once',
    "studied: []": "own: studied is [], expected a list of at least one run, each once",
    "compared: [raw, normalised]": "own: compared holds normalised, which is studied: expected each run in one list",
    "selection: {policy: best}": "own: selection.split is validation, but dataset.validation_images is 0: "
    "expected some to be held out, or split: test",
    "selection: {epoch: 0}": "own: selection.epoch is 0, expected a whole number of at least 1",
    "occlusion: {windows: [3, 4]}": "own: occlusion.windows[1] is 4, but a window is centred on a pixel: "
    "give an odd side (3, 5, 7 …)",
    "occlusion: {windows: [33]}": "own: occlusion.windows[0] is 33, but the images are 32×32 pixels",
    "occlusion: {windows: [3, 3]}": "own: occlusion.windows is [3, 3], expected a list of odd numbers, each once",
    "occlusion: {images: [0, 10000]}": "own: occlusion.images[1] is 10000, but the test images are 0 to 9999",
    "occlusion: {images: 10001}": "own: occlusion.images is 10001, but 10000 images are tested",
    "occlusion: {images: []}": "own: occlusion.images is [], "
    "expected how many (20), a list of indices ([0, 7, 12]), or all",
    "occlusion: {images: true}": "own: occlusion.images is true, "
    "expected how many (20), a list of indices ([0, 7, 12]), or all",
    "occlusion: {fill: 256}": "own: occlusion.fill is 256, expected a grey level from 0 to 255",
    "filters: {chosen: [conv1/256]}": "own: filters.chosen[0] is conv1/256, but conv1 has channels 0 to 255",
    "filters: {chosen: [conv5/0]}": "own: filters.chosen[0] is conv5/0, "
    "but the network's layers are conv1, conv2, conv3, conv4",
    "filters: {chosen: [conv2/007]}": 'own: filters.chosen[0] is "conv2/007", '
    "expected a filter as in conv2/400: layer, slash, channel from 0",
    "ablation: {table_images: 10001}": "own: ablation.table_images is 10001, but 10000 images are tested",
    "experiment: a/b": 'own: experiment is "a/b", expected a name of letters, digits, - and _',
    'experiment: "demo\\n"': 'own: experiment is "demo\\n", expected a name of letters, digits, - and _',
}


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
