"""Which filters the variants are without, and what they predict, against brute force."""

import pytest
import torch

from convprobe.ablation import variants
from convprobe.network.layers import Network


def test_controls_are_as_many_per_layer_as_were_chosen():
    stages = [{"channels": 3, "kernel": 3}, {"channels": 4, "kernel": 2}]
    network = Network({"conv": stages, "fc": []}, 3, (12, 12))
    chosen = ["conv1/0", "conv2/1", "conv2/3"]
    draws = variants.draw_controls(network, chosen, count=40, seed=1)
    assert len(draws) == 40
    for draw in draws:
        layers = [name.split("/")[0] for name in draw]
        assert layers == ["conv1", "conv2", "conv2"]
        assert len(set(draw)) == 3
    drawn = {name for draw in draws for name in draw}
    assert drawn == {"conv1/0", "conv1/1", "conv1/2", "conv2/0", "conv2/1", "conv2/2", "conv2/3"}


def test_each_filter_each_layer_and_each_draw_is_a_variant():
    chosen = ["conv1/0", "conv2/1", "conv2/3"]
    assert variants.parts_and_controls(chosen, [["conv1/2"], ["conv1/1"]]) == {
        "conv1/0": ["conv1/0"],
        "conv2/1": ["conv2/1"],
        "conv2/3": ["conv2/3"],
        "conv1": ["conv1/0"],
        "conv2": ["conv2/1", "conv2/3"],
        "random-01": ["conv1/2"],
        "random-02": ["conv1/1"],
    }


def test_predictions_are_those_of_brute_force(study):
    table = study.predictions
    assert table["image"].tolist() == list(range(40))
    assert table["class"].tolist() == study.true
    for state in ("clean", "ablated"):
        assert table[state].tolist() == study.expected[state]
        probabilities = study.logits[state].softmax(1)
        of_true_class = probabilities[torch.arange(40), torch.from_numpy(study.labels)]
        expected = pytest.approx(of_true_class.tolist(), abs=1e-5)
        assert table[f"{state}_confidence"].tolist() == expected


def test_variants_keep_their_filters_and_predictions_in_the_file(study):
    assert list(study.variants) == list(study.filters)
    for name, (filters, predicted) in study.variants.items():
        assert filters == " ".join(study.filters[name])
        assert predicted.tolist() == study.expected[name]
