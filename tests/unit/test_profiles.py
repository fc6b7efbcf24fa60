"""The profiles agree with the rules, and with one another where they say so."""

import re
from pathlib import Path

import pytest
import yaml

PROFILES = {
    path.parent.name: path.read_text(encoding="utf-8")
    for path in Path("profiles").glob("*/config.yaml")
}
CLUSTERS = ("slurm", "cluster-generic")
TRIGGERS = ("rerun-triggers", "max-checksum-file-size", "rerun-incomplete", "show-failed-logs")
SAME = (
    *TRIGGERS,
    "retries",
    "groups",
    "group-components",
    "resources",
    "set-resource-scopes",
    "set-resources",
)
GPU_RULE = re.compile(r"^rule (\w+):$(?:(?!^rule ).)*?gpu=(?:1|gpus_of)", re.MULTILINE | re.DOTALL)


def gpu_rules():
    return {
        rule
        for path in Path("rules").glob("*.smk")
        for rule in GPU_RULE.findall(path.read_text(encoding="utf-8"))
    }


def without_gpus(text):
    """The profile with its commented lines, for clusters without GPUs, instead of the others."""
    lines = text.splitlines()
    first = lines.index("set-resources:")
    other = lines.index("# set-resources:")
    last = next(place for place in range(other, len(lines)) if lines[place].startswith("# ---"))
    return yaml.safe_load(
        "\n".join([*lines[:first], *(line[2:] for line in lines[other:last]), *lines[last:]])
    )


def test_every_profile_has_the_triggers_of_the_default_one():
    profiles = {name: yaml.safe_load(text) for name, text in PROFILES.items()}
    for key in TRIGGERS:
        assert (
            profiles["slurm"][key] == profiles["cluster-generic"][key] == profiles["default"][key]
        )


def test_the_cluster_profiles_differ_only_in_their_scheduler():
    slurm, generic = (yaml.safe_load(PROFILES[name]) for name in CLUSTERS)
    assert {key: slurm[key] for key in SAME} == {key: generic[key] for key in SAME}
    assert (
        without_gpus(PROFILES["slurm"])["set-resources"]
        == without_gpus(PROFILES["cluster-generic"])["set-resources"]
    )


@pytest.mark.parametrize("name", CLUSTERS)
def test_each_gpu_rule_has_its_memory_and_time_with_and_without_gpus(name):
    with_gpus, without = (
        yaml.safe_load(PROFILES[name])["set-resources"],
        without_gpus(PROFILES[name])["set-resources"],
    )
    assert len(gpu_rules()) == 7
    assert set(with_gpus) == set(without) == gpu_rules()
    assert all(
        {"mem_mb", "runtime"} <= set(resources)
        for resources in (*with_gpus.values(), *without.values())
    )
    assert all(resources["gpu"] == 0 for resources in without.values())


@pytest.mark.parametrize("name", CLUSTERS)
def test_jobs_of_one_submission_are_made_one_at_a_time_without_gpus_too(name):
    """Side by side they would ask for the cores and the memory of all of them at once."""
    profile = without_gpus(PROFILES[name])
    grouped = {entry.split("=")[0] for entry in profile["groups"]}
    assert profile["resources"] == ["gpu=1", "turn=1"]
    assert {
        rule for rule, resources in profile["set-resources"].items() if resources.get("turn")
    } == grouped & gpu_rules()
