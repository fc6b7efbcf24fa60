"""config.yaml is the published study, as the reproduction card has it."""

from pathlib import Path

import yaml

from convprobe.report import published

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text(encoding="utf-8"))


def test_the_network_is_the_published_one():
    assert CONFIG["network"] == published.NETWORK


def test_a_network_that_a_factory_makes_is_another_one():
    assert published.other_network(CONFIG["network"]) is None
    assert published.other_network({"factory": "a.py:b", "arguments": {}, "graph": "a.json"}) == (
        "not tested: not the published network"
    )


def test_the_chosen_filters_are_the_published_ones_and_are_switched_off_likewise():
    assert set(CONFIG["filters"]["chosen"]) == set(published.FILTERS)
    assert CONFIG["ablation"]["mode"] == published.MODE


def test_the_selected_epoch_is_the_published_one():
    assert CONFIG["selection"] == {"policy": "fixed", "epoch": published.EPOCH}
