"""The JSON schema of the config: generated from the sections, and the only one a user sees."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from shipped_configs import with_preset

from convprobe.plan import config as configs
from convprobe.plan import form, schema
from convprobe.plan.sections import Config

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "schemas/config.schema.json"
PRESETS = sorted((ROOT / "presets").glob("*.yaml"))


def test_the_committed_schema_is_the_generated_one():
    """`make generate` writes it anew."""
    assert SCHEMA.read_text(encoding="utf-8") == schema.text()


def keys_without_description(section, root, path=""):
    """Paths of the keys in a section, and in those below it, that have no sentence of their own."""
    found = []
    for key, below in section.get("properties", {}).items():
        reference = below.get("$ref", "").rpartition("/")[2]
        below = root["$defs"].get(reference, {}) | below
        described = below.get("description", "").endswith((".", "?"))
        found += [] if described else [f"{path}.{key}"]
        found += keys_without_description(below, root, f"{path}.{key}")
        found += keys_without_description(below.get("items", {}), root, f"{path}.{key}[]")
    return found


def test_every_key_is_described():
    generated = schema.schema()
    assert keys_without_description(generated, generated) == []
    for section in generated["$defs"].values():
        assert keys_without_description(section, generated) == []


@pytest.mark.parametrize("preset", [None, *PRESETS], ids=lambda path: path.stem if path else "none")
def test_the_models_accept_the_shipped_configs_and_give_the_same_defaults(preset):
    config, _ = with_preset(*([preset.stem] if preset else []))
    filled = Config.model_validate(config).model_dump(exclude_none=True)
    checked = form.with_defaults(config, schema.schema())
    for section in ("dataset", "network", "training", "occlusion", "ablation", "figures"):
        assert filled[section] == checked[section]


@pytest.mark.parametrize(
    "change",
    [
        {"colour": 1},
        {"experiment": "a/b"},
        {"experiment": "demo\n"},
        {"runs": {"a b": {}}},
        {"occlusion": {"fill": 256}},
        {"filters": {"chosen": ["conv2/007"]}},
    ],
)
def test_the_models_refuse_what_the_schema_refuses(change):
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    with pytest.raises(ValidationError):
        Config.model_validate(configs.merged(config, change))


def test_a_plan_builds_no_models():
    """Building them takes 50 ms of a plan's time, which is checked against the file instead."""
    modules = "cautions, config, contents, cost, fingerprint, study"
    code = f"import sys; from convprobe.plan import {modules}; sys.exit('pydantic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "scripts")
