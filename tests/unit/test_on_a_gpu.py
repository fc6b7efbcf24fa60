"""What the questions find on a GPU is what they find on the CPU, but for rounding."""

import copy

import numpy as np
import pytest
import torch

from convprobe.ablation import passes
from convprobe.dataset.image_file import Images
from convprobe.filters import ranking
from convprobe.network import devices
from convprobe.network.layers import Network
from convprobe.occlusion import windows
from convprobe.training import trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

SIDE = 16
SETTINGS = {"conv": [{"channels": 12, "kernel": 3}, {"channels": 20, "kernel": 3}], "fc": [16]}
NORMALISATION = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}
TRAINING = {
    "seed": 0,
    "epochs": 2,
    "batch_size": 16,
    "optimizer": {"learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0005},
    "schedule": "linear",
    "augmentation": "flip-crop",
    "label_smoothing": 0.1,
    "normalise": True,
    "precision": "fp32",
}


@pytest.fixture(scope="module")
def gpu():
    return devices.choose(threads=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Network(SETTINGS, 3, (SIDE, SIDE), NORMALISATION).eval()


@pytest.fixture
def on_gpu(network, gpu):
    return copy.deepcopy(network).to(gpu)


@pytest.fixture(scope="module")
def images():
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (40, SIDE, SIDE, 3), dtype=np.uint8)
    return Images(pixels, draw.integers(0, 3, 40), ("a", "b", "c"), np.arange(40))


@pytest.mark.parametrize(("window", "stride"), [(3, 1), (7, 3)])
def test_occlusion_maps(network, on_gpu, images, window, stride):
    expected, expected_clean = windows.sweep(network, images.pixels[:3], window, stride=stride)
    found, clean = windows.sweep(on_gpu, images.pixels[:3], window, stride=stride, batch=50)
    assert np.ptp(expected, axis=(1, 2)).max() > 1e-3  # the window does change something
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(clean, expected_clean, rtol=0, atol=1e-6)


def test_what_filters_answer_to(network, on_gpu, images):
    expected = ranking.top_images(network, images, 3)
    found = ranking.top_images(on_gpu, images, 3)
    np.testing.assert_allclose(found["response"], expected["response"], rtol=1e-5)
    assert (found["image"] == expected["image"]).mean() > 0.95  # but for ties within rounding


@pytest.mark.parametrize("mode", ["zero", "mean"])
def test_logits_without_filters(network, on_gpu, images, mode):
    variants = [[], ["conv1/3"], ["conv1/0", "conv2/7", "conv2/11"]]
    expected = passes.predict(network, variants, images, mode)
    found = passes.predict(on_gpu, variants, images, mode)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_an_epoch_of_training(images, gpu):
    losses = []
    for device in (trainer.CPU, gpu):
        checkpoint, _ = trainer.begin(images, SETTINGS, NORMALISATION, TRAINING)
        record, _ = trainer.train_epoch(checkpoint, None, images, TRAINING, device)
        losses.append(record["train_loss"])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
