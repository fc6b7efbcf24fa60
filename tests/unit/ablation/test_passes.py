"""Logits without some filters, against a copy of the network that is changed by hand."""

import numpy as np
import pytest
import torch
from unit.ablation.brute_force import draw_filters, draw_images, draw_network, logits_without

from convprobe.ablation import passes
from convprobe.training import evaluation


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["zero", "weights-only", "mean"])
@pytest.mark.parametrize("seed", range(8))
def test_variants_predict_as_a_changed_network_does(seed, mode):
    random = np.random.default_rng(seed)
    network = draw_network(random)
    images = draw_images(random)
    variants = [draw_filters(random, network) for _ in range(4)]
    weights = {name: values.clone() for name, values in network.state_dict().items()}
    found = passes.predict(network, variants, images, mode, batch=5)
    for logits, filters in zip(found, variants, strict=True):
        expected = logits_without(network, filters, images, mode)
        scale = expected.abs().max().clamp(min=1)
        torch.testing.assert_close(logits / scale, expected / scale, atol=2e-6, rtol=0)
        assert torch.equal(logits.argmax(1), expected.argmax(1))
    clean = evaluation.predict(network, images)
    change = (found - clean).abs().max() / clean.abs().max()
    assert change > 1e-3, "the filters matter, or the test could not fail"
    for name, values in network.state_dict().items():
        assert torch.equal(values, weights[name]), "the network itself stays as it is"


def test_the_clean_network_predicts_as_it_does_in_evaluation():
    random = np.random.default_rng(0)
    network = draw_network(random)
    images = draw_images(random)
    (clean,) = passes.predict(network, [[]], images)
    assert torch.equal(clean, evaluation.predict(network, images))


@pytest.mark.parametrize("batch", [1, 5, 12])
def test_the_batch_changes_no_prediction(batch):
    random = np.random.default_rng(1)
    network = draw_network(random)
    images = draw_images(random)
    variants = [draw_filters(random, network)]
    whole = passes.predict(network, variants, images, "mean")
    found = passes.predict(network, variants, images, "mean", batch=batch)
    torch.testing.assert_close(found, whole, atol=1e-4, rtol=1e-5)
