"""The shipped configs, and what is said about a config that must be refused."""

import zipfile
from pathlib import Path

import pytest
import yaml

from convprobe.errors import InputError
from convprobe.plan import config as configs

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schemas/config.schema.json"
BASE = ROOT / "config.yaml"
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


def with_preset(*names):
    """The shipped config with presets merged over it, and the files that it came from."""
    files = [BASE, *(ROOT / "presets" / f"{name}.yaml" for name in names)]
    config = {}
    contents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    for content in contents:
        config = configs.merged(config, content)
    return config | configs.chosen_network(contents), files


def lines(config, files=()):
    """What is said about a config that must be refused."""
    with pytest.raises(InputError) as refused:
        configs.checked(config, SCHEMA, files)
    return str(refused.value).splitlines()


def edit(change):
    """What is said about the published config with a second file merged over it."""
    Path("base").write_bytes(BASE.read_bytes())
    Path("own").write_text(change, encoding="utf-8")
    return lines(configs.merged(with_preset()[0], yaml.safe_load(change)), ["base", "own"])


def write_names(path, **counts):
    """An archive of files named as images of two classes: a config is checked against names."""
    with zipfile.ZipFile(path, "w") as archive:
        for split, count in counts.items():
            for number in range(count):
                archive.writestr(f"{split}/{'ab'[number % 2]}/{split}-{number:04d}.png", b"")
