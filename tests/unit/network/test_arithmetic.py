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


def test_on_a_cpu_convolutions_by_tiles_count_what_these_take():
    def tiled(inputs, outputs):  # 36 products a tile and pair of channels, and 100 a channel
        return 36 * (inputs * outputs + 100 * (inputs + outputs))

    tiles = 9 * tiled(256, 1024) + tiled(1024, 2048)
    others = 784 * 75 * 256 + 4 * 2048 * 2048 + 2048 * 1024 + 1024 * 256 + 2560
    graph = chain.graph(PUBLISHED, (32, 32), 10)
    assert arithmetic.forward_by_tiles(graph) == tiles + others
    conv2, conv4 = graph.nodes["conv2"], graph.nodes["conv4"]
    # Parts of 2×5 and 6×5 units, in 2 and in 4 tiles; 3×3 sums take less than one.
    assert arithmetic.of_parts(conv2, graph, [2, 6], [5]) == 6 * tiled(256, 1024)
    assert arithmetic.of_parts(conv2, graph, [3], [1]) == 3 * 9 * 256 * 1024
    assert arithmetic.of_parts(conv4, graph, [2], [1]) == 2 * 2048 * 2048


def test_tiles_count_only_where_they_are_computed():
    def counts(**walk):
        stage = {"channels": 256, "kernel": 3} | walk
        graph = chain.graph({"conv": [stage], "fc": []}, (18, 18), 4, channels=256)
        return arithmetic.forward_by_tiles(graph), arithmetic.forward(graph)

    for walk in ({"stride": 2}, {"kernel": 5}):
        by_tiles, by_sums = counts(**walk)
        assert by_tiles == by_sums
    for walk in ({}, {"padding": 1}):
        by_tiles, by_sums = counts(**walk)
        assert by_tiles < by_sums / 1.5


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
    engine = Incremental(Network(network, classes=4, image_size=(side, side)), side, [window])
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
