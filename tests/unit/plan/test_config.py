"""The config: checked as a whole, with defaults, and one exact line for every mistake."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from bad_configs import BAD_EDITS
from shipped_configs import BASE, LEAST, ROOT, SCHEMA, edit, lines, with_preset, write_names

from convprobe.errors import InputError
from convprobe.plan import config as configs

pytestmark = pytest.mark.usefixtures("empty_folder")


PRESETS = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))


@pytest.mark.slow
@pytest.mark.usefixtures("preloaded_tracer")
@pytest.mark.parametrize(
    "preset", [(), *((name,) for name in PRESETS)], ids=["published", *PRESETS]
)
def test_a_shipped_config_passes_unchanged_but_for_its_defaults(preset):
    config, files = with_preset(*preset)
    checked = configs.checked(config, SCHEMA, files)
    graph = checked["network"].pop("graph", None)
    if graph:  # a factory, whose file is named from here
        assert checked["network"]["factory"].endswith("/presets/resnet.py:build")
        config["network"]["factory"] = checked["network"]["factory"]
    assert holds(checked, config)
    again = configs.checked(checked, SCHEMA)
    assert again["network"].pop("graph", None) == graph
    assert again == checked


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


@pytest.mark.parametrize(
    "used", [{"policy": "fixed", "epoch": 7}, {"policy": "best", "split": "test"}]
)
def test_a_selection_keeps_only_what_its_policy_uses(used):
    given = yaml.safe_load(LEAST) | {"selection": {"epoch": 12, "split": "validation"} | used}
    assert configs.checked(given, SCHEMA)["selection"] == used


@pytest.mark.parametrize(
    ("given", "meant"), [([0, 1, 2], 3), (3, 3), ("all", "all"), ([0, 2], [0, 2]), ([1, 0], [1, 0])]
)
def test_the_first_images_are_as_many_whether_counted_or_listed(given, meant):
    config = yaml.safe_load(LEAST) | {"occlusion": {"images": given}}
    assert configs.checked(config, SCHEMA)["occlusion"]["images"] == meant


def keys_below(value, path=()):
    """Paths of all nested keys, without those of `runs`, which are names that the user gives."""
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
        missing = f"{'.'.join(path)} is missing, expected: "
        assert missing in str(error)  # noqa: PT017 - one or the other


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
        "stride": 1,
        "precision": "fp32",
    }
    assert checked["training"]["normalise"] is False
    assert checked["training"]["optimizer"] == {
        "name": "sgd", "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0005,
    }  # fmt: skip


def test_a_mistake_on_the_command_line_is_reported_as_its_own():
    with pytest.raises(InputError) as refused:
        configs.checked(
            with_preset()[0], SCHEMA, [BASE], ["occlusion={images: 0, fill: 1}", "experiment=a/b"]
        )
    assert str(refused.value).splitlines() == [
        '--config: experiment is "a/b", expected a name of at most 100 letters, digits, - and _',
        "--config: occlusion.images is 0, expected how many (20), a list of indices ([0, 7, 12]), "
        "or all",
    ]
    with pytest.raises(
        InputError, match=r"^--config: occlusion=\{images: 3 is not YAML, expected KEY=VALUE as in"
    ):
        configs.checked(with_preset()[0], SCHEMA, [BASE], ["occlusion={images: 3"])


def test_what_an_importer_gives_is_merged_over_the_shipped_config_and_named_in_mistakes():
    given = {"occlusion": {"images": 3}, "filters": {"chosen": ["conv1/5"]}}
    checked = configs.imported(given, BASE, "config of module probe", SCHEMA)
    assert checked == configs.checked(configs.merged(with_preset()[0], given), SCHEMA)
    assert configs.imported({}, BASE, "", SCHEMA) == configs.checked(with_preset()[0], SCHEMA)
    with pytest.raises(InputError) as refused:
        configs.imported({"occlusion": {"fill": 256}}, BASE, "config of module probe", SCHEMA)
    assert str(refused.value).startswith("config of module probe: occlusion.fill is 256, expected")


def test_checking_leaves_the_given_config_as_it_was():
    config = yaml.safe_load(LEAST)
    before = copy.deepcopy(config)
    configs.checked(config, SCHEMA)
    assert config == before


def test_all_mistakes_are_reported_at_once_each_for_the_last_file_that_holds_its_key(tmp_path):
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
        f"{own}: occlusion.windows[1] is 4, but a window is centred on a pixel: give an odd side "
        "(3, 5, 7 …)",
    ]


@pytest.mark.parametrize("change", BAD_EDITS)
def test_a_bad_edit_is_reported_in_exactly_one_line(change):
    assert edit(change.replace("FILE", __file__)) == [BAD_EDITS[change]]


PAGES = (ROOT / "README.md", ROOT / "docs/your-own.md")
EXAMPLES = [
    block
    for page in PAGES
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]
(MODULE,) = re.findall(r"```python\n(.*?)```", PAGES[1].read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.usefixtures("preloaded_tracer")
@pytest.mark.parametrize("block", EXAMPLES)
def test_the_examples_for_users_are_right(block):
    for name in ("own.pth", "own.safetensors"):
        Path(name).touch()
    for name in ("pictures.zip", "photos.zip"):
        write_names(name, train=1000, test=1000)
    Path("mynet.py").write_text(MODULE, encoding="utf-8")
    Path("mine.yaml").write_text(block, encoding="utf-8")
    config = configs.merged(with_preset()[0], yaml.safe_load(block))
    configs.checked(config, SCHEMA, [BASE, "mine.yaml"])
