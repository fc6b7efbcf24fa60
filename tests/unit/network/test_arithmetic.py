"""Multiply-adds, against counting layer by layer and state by state."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from convprobe.network import arithmetic, chain
from convprobe.network.layers import Network
from convprobe.occlusion import sparse
from convprobe.occlusion.incremental import Incremental

PUBLISHED = yaml.safe_load(Path("config.yaml").read_text())["network"]


def test_a_forward_pass_of_the_published_network_layer_by_layer():
    convolutions = 784 * 75 * 256 + 144 * 2304 * 1024 + 16 * 9216 * 2048 + 4 * 2048 * 2048
    connected = 2048 * 1024 + 1024 * 256 + 2560
    assert arithmetic.forward(chain.graph(PUBLISHED, (32, 32), 10)) == convolutions + connected


def test_weights_are_those_that_the_network_has():
    network = Network(PUBLISHED, classes=10, image_size=(32, 32))
    assert arithmetic.weights(network.graph) == sum(
        weight.numel() for weight in network.parameters()
    )


@pytest.mark.parametrize(("window", "billions"), [(3, 93), (5, 123), (7, 148), (9, 168)])
def test_occlusion_maps_of_the_published_network(window, billions):
    """Against figures found by listing each unit's rectangles; 692 billion at every position."""
    assert arithmetic.occlusion_map(PUBLISHED, 32, 10, window, call=0) / 1e9 == pytest.approx(
        billions, rel=0.03
    )


@pytest.mark.parametrize("seed", range(10))
def test_products_of_random_networks_are_those_that_the_engine_lays_out(seed, monkeypatch):
    monkeypatch.setattr(sparse, "library", lambda: None)  # which lays out the same, in other terms
    draw = np.random.default_rng(seed)
    conv = [
        {"channels": int(draw.integers(1, 9)), "kernel": int(draw.integers(1, 4))} for _ in range(2)
    ]
    network, side, window = (
        {"conv": conv, "fc": [5]},
        int(draw.integers(14, 20)),
        int(draw.choice([1, 3, 5])),
    )
    engine = Incremental(Network(network, classes=4, image_size=(side, side)), side, window)
    first = 3 * conv[0]["channels"] * 4 * engine.first.reach**2
    count = (
        sum(len(hidden) for hidden in engine.first.hidden) - len(engine.first.hidden) ** 2
    )  # but the clean ones
    expected = (
        arithmetic.forward(chain.graph(network, (side, side), 4)) + side**2 * 5 * 4 + count * first
    )
    for layer in [*engine.layers, engine.head]:
        outputs, inputs = layer.weight.shape[:2]
        expected += sum(sums.products for sums in layer.sums.values()) * outputs * inputs
    assert arithmetic.occlusion_map(network, side, 4, window, call=0) == expected
