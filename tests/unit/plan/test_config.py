"""The config: defaults, and one exact line for every mistake."""

import copy
import datetime
import re
import zipfile
from pathlib import Path

import pytest
import yaml
from bad_configs import BAD_EDITS

from convprobe.errors import InputError
from convprobe.plan import config as configs
from convprobe.plan import study

ROOT = Path(__file__).parents[3]
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


@pytest.mark.parametrize(
    "preset", [(), *((name,) for name in PRESETS)], ids=["published", *PRESETS]
)
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


@pytest.mark.parametrize(
    "used", [{"policy": "fixed", "epoch": 7}, {"policy": "best", "split": "test"}]
)
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
    config = configs.merged(
        with_preset()[0], {"occlusion": {"images": "3"}, "training": {"normalise": "false"}}
    )
    arguments = [
        "occlusion={images: 3}",
        "training={normalise: false}",
        "training={optimizer: {momentum: 0.5}}",
    ]
    checked = configs.checked(config, SCHEMA, [BASE], arguments)
    assert checked["occlusion"] == {
        "windows": [3, 5, 7, 9],
        "images": 3,
        "fill": 128,
        "precision": "fp32",
    }
    assert checked["training"]["normalise"] is False
    assert checked["training"]["optimizer"] == {
        "name": "sgd", "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0005,
    }  # fmt: skip


def test_a_mistake_on_the_command_line_is_told_as_its_own():
    with pytest.raises(InputError) as refused:
        configs.checked(
            with_preset()[0], SCHEMA, [BASE], ["occlusion={images: 0, fill: 1}", "experiment=a/b"]
        )
    assert str(refused.value).splitlines() == [
        '--config: experiment is "a/b", expected a name of letters, digits, - and _',
        "--config: occlusion.images is 0, expected how many (20), a list of indices ([0, 7, 12]), or all",
    ]
    with pytest.raises(
        InputError, match=r"^--config: occlusion=\{images: 3 is not YAML, expected KEY=VALUE as in"
    ):
        configs.checked(with_preset()[0], SCHEMA, [BASE], ["occlusion={images: 3"])


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
    ],
    ids=["another encoding", "a tab", "no bracket", "no date"],
)
def test_a_config_file_that_is_none_is_told_in_one_line(content, told):
    Path("own.yaml").write_bytes(content)
    with pytest.raises(InputError) as refused:
        configs.read("own.yaml")
    assert str(refused.value) == f"own.yaml: {told}"


@pytest.mark.parametrize(
    ("content", "found"), [("- a\n", '["a"]'), ("# nothing\n", "nothing"), ("a", '"a"')]
)
def test_a_config_file_without_keys_is_told_with_what_it_holds(content, found):
    Path("own.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(
        InputError, match=f"^own.yaml holds {re.escape(found)}, expected keys and values"
    ):
        configs.read("own.yaml")


def test_what_a_run_overrides_is_not_filled_with_defaults():
    config = configs.checked(yaml.safe_load(LEAST), SCHEMA)
    assert config["runs"] == {"one": {}, "two": {"optimizer": {"learning_rate": 0.1}}}
    assert study.run_training(config, "two")["optimizer"] == {
        "name": "sgd", "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.0005,
    }  # fmt: skip


def test_checking_leaves_the_given_config_as_it_was():
    config = yaml.safe_load(LEAST)
    before = copy.deepcopy(config)
    configs.checked(config, SCHEMA)
    assert config == before


def test_all_mistakes_are_told_at_once_each_with_the_last_file_that_holds_its_key(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "occlusion: {windows: [3, 4]}\ntraining: {epochs: 9, sed: 1, epoch: 2}\n", encoding="utf-8"
    )
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
    assert lines({"experiment": "x", "colour": 1}, [BASE])[0].startswith(
        "config: colour: unknown key, expected one of"
    )


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
        f"{BASE}: training.epochs is missing, expected: How many times every training image is seen.",
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


def write_names(path, **counts):
    """An archive of files that are named as images of two classes; a config is held against names alone."""
    with zipfile.ZipFile(path, "w") as archive:
        for split, count in counts.items():
            for number in range(count):
                archive.writestr(f"{split}/{'ab'[number % 2]}/{split}-{number:04d}.png", b"")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("occlusion: {images: [0, 59, 60, 999]}", [
            "occlusion.images[2] is 60, but the test images are 0 to 59",
            "occlusion.images[3] is 999, but the test images are 0 to 59",
        ]),
        ("occlusion: {images: 61}", ["occlusion.images is 61, but 60 images are tested"]),
        ("ablation: {table_images: 61}", ["ablation.table_images is 61, but 60 images are tested"]),
        ("dataset: {test_images: 61}", ["dataset.test_images is 61, but pictures.zip has 60"]),
        ("dataset: {test_images: 20}", [
            "occlusion.images is 60, but 20 images are tested",
            "ablation.table_images is 60, but 20 images are tested",
        ]),
        ("dataset: {train_images: 101}", ["dataset.train_images is 101, but pictures.zip has 100"]),
        ("dataset: {validation_images: 100}", [
            "dataset.validation_images is 100, held out of 100 training images: that leaves nothing to train on"
        ]),
        ("dataset: {split: {test_share: 0.5, seed: 0}}", []),  # 160 images, of which 80 are tested
        ("dataset: {split: {test_share: 0.5, seed: 0}}\nocclusion: {images: 81}", [
            "occlusion.images is 81, but 80 images are tested"
        ]),
        ("dataset: {train_images: 100, validation_images: 99, test_images: 60}\nocclusion: {images: [59]}", []),
    ],
)  # fmt: skip
def test_one_s_own_images_are_counted_before_anything_runs(change, told):
    write_names("pictures.zip", train=100, test=60)
    own = "dataset: {name: image-folder, path: pictures.zip}\nocclusion: {images: 60}\nablation: {table_images: 60}"
    config = with_preset()[0]
    for text in (own, change):
        config = configs.merged(config, yaml.safe_load(text))
    if told:
        assert lines(config) == [f"config: {line}" for line in told]
    else:
        configs.checked(config, SCHEMA)


def test_images_that_lie_otherwise_than_expected_are_told_with_the_other_mistakes():
    write_names("pictures.zip", train=9)
    assert edit(
        "dataset: {name: image-folder, path: pictures.zip}\nocclusion: {windows: [3, 4]}"
    ) == [
        "own: dataset.path is pictures.zip: no image at test/CLASS/NAME, "
        "expected files that end in .jpg, .jpeg, .png, .bmp, .gif, .webp",
        "own: occlusion.windows[1] is 4, but a window is centred on a pixel: give an odd side (3, 5, 7 …)",
    ]


def test_how_many_images_each_split_has():
    def sizes(change):
        return study.split_sizes(
            configs.checked(configs.merged(with_preset()[0], yaml.safe_load(change)), SCHEMA)
        )

    write_names("pictures.zip", train=100, test=60)
    own = "dataset: {name: image-folder, path: pictures.zip, %s}\nablation: {table_images: 9}"
    assert sizes("{}") == {"train": 50_000, "test": 10_000}
    assert sizes("dataset: {train_images: 900, validation_images: 100}") == {
        "train": 800, "validation": 100, "test": 10_000,
    }  # fmt: skip
    assert sizes("dataset: {name: shapes, train_images: 70, test_images: 1000}") == {
        "train": 70,
        "test": 1000,
    }
    assert sizes(own % "validation_images: 10") == {"train": 90, "validation": 10, "test": 60}
    assert sizes(own % "test_images: 20") == {"train": 100, "test": 20}


EXAMPLES = re.findall(
    r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize("block", EXAMPLES)
def test_the_examples_in_the_readme_are_right(block):
    Path("own.pth").touch()
    write_names("pictures.zip", train=1000, test=1000)
    configs.checked(configs.merged(with_preset()[0], yaml.safe_load(block)), SCHEMA)
