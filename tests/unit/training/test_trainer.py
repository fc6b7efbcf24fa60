"""Training by hand, and training that is cut and resumed."""

import copy
import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from convprobe.dataset import image_file
from convprobe.errors import InputError
from convprobe.network import checkpoints, factories, tracing
from convprobe.network.classifiers import RAW
from convprobe.store import files
from convprobe.training import epochs_per_process, trainer

NETWORK = {"conv": [{"channels": 4, "kernel": 5}, {"channels": 6, "kernel": 3}], "fc": [8]}
TRAINING = {
    "epochs": 3, "batch_size": 32,
    "optimizer": {"learning_rate": 0.05, "momentum": 0.9, "weight_decay": 5e-4},
    "schedule": "cosine", "augmentation": "flip-crop", "normalise": True, "precision": "fp32",
    "label_smoothing": 0.0, "seed": 7,
}  # fmt: skip


def train(images, settings, epochs, cut_in=None, network=NETWORK):
    """Train some epochs; with `cut_in` a folder, each starts from the files of the one before."""
    checkpoint, state = trainer.begin(
        images, network, image_file.normalisation(images.pixels), settings
    )
    if not cut_in:
        *_, last = epochs_per_process.train(checkpoint, state, images, settings, epochs)
        return last.checkpoint, last.record
    for _ in range(epochs):
        record, state = trainer.train_epoch(checkpoint, state, images, settings)
        checkpoints.save(cut_in / "epoch.pth", checkpoint)
        checkpoints.save_tensors(cut_in / "epoch.optimizer.pth", state)
        checkpoint, state = trainer.resume(cut_in / "epoch.pth", cut_in / "epoch.optimizer.pth")
    return checkpoint, record


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_that_was_cut_and_resumed_gives_the_same_bytes(images, tmp_path, precision):
    settings = TRAINING | {"precision": precision}
    whole, record = train(images, settings, epochs=3)
    resumed, record_resumed = train(images, settings, epochs=3, cut_in=tmp_path)
    checkpoints.save(tmp_path / "whole.pth", whole)
    checkpoints.save(tmp_path / "resumed.pth", resumed)
    assert files.sha256(tmp_path / "whole.pth") == files.sha256(tmp_path / "resumed.pth")
    assert record == record_resumed


ONE_EPOCH = """
import sys
import numpy as np
from convprobe.dataset.image_file import Images
from convprobe.training import trainer

network, settings = eval(sys.argv[1])
pixels = np.zeros((8, 16, 16, 3), dtype=np.uint8)
labels = np.arange(8) % 2
images = Images(pixels, labels, ("cat", "dog"), np.arange(8))
checkpoint, _ = trainer.begin(images, network, {"mean": [0.0] * 3, "std": [1.0] * 3}, settings)
_, state = trainer.train_epoch(checkpoint, None, images, settings)
trainer.train_epoch(checkpoint, state, images, settings)
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.slow
def test_training_does_not_wait_for_the_compiler_of_networks():
    command = [sys.executable, "-c", ONE_EPOCH, repr((NETWORK, TRAINING))]
    ran = subprocess.run(command, cwd="scripts", check=True, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "False"


def test_a_checkpoint_tells_with_what_settings_its_epoch_was_trained(images, tmp_path):
    train(images, TRAINING, epochs=2, cut_in=tmp_path)
    assert checkpoints.load(tmp_path / "epoch.pth").training == TRAINING


def test_two_seeds_and_two_epochs_draw_differently(images):
    first, _ = train(images, TRAINING, epochs=1)
    other, _ = train(images, TRAINING | {"seed": 8}, epochs=1)
    assert not torch.equal(first.network.conv1.weight, other.network.conv1.weight)
    draws = set()
    for seed, epoch in ((0, 1), (0, 2), (1, 1), (1, 0)):
        random = trainer.generator(seed, epoch)
        draws.add(torch.randperm(1000, generator=random)[0].item())
    assert len(draws) == 4


def test_two_epochs_of_one_step_are_gradient_descent_with_momentum(images):
    """By hand: v = momentum · v + gradient + decay · w, then w = w - rate · v."""
    optimizer = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}
    settings = TRAINING | {
        "batch_size": 200,
        "optimizer": optimizer,
        "schedule": "constant",
        "augmentation": "none",
    }
    checkpoint, state = trainer.begin(
        images, NETWORK, image_file.normalisation(images.pixels), settings
    )
    by_hand = copy.deepcopy(checkpoint.network)
    velocity = {name: torch.zeros_like(weight) for name, weight in by_hand.named_parameters()}
    x, labels = (
        torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255,
        torch.from_numpy(images.labels),
    )
    for _ in range(2):
        record, state = trainer.train_epoch(checkpoint, state, images, settings)
        by_hand.zero_grad()
        torch.nn.functional.cross_entropy(by_hand(x), labels).backward()
        for name, weight in by_hand.named_parameters():
            velocity[name] = 0.9 * velocity[name] + weight.grad + 0.01 * weight.detach()
            weight.data -= 0.1 * velocity[name]
    for trained, expected in zip(
        checkpoint.network.parameters(), by_hand.parameters(), strict=True
    ):
        torch.testing.assert_close(trained, expected, atol=1e-5, rtol=1e-3)
    assert record["images"] == 200


def test_label_smoothing_spreads_a_share_of_each_label_over_all_classes(images):
    """By hand: the mean of - sum(q log p), where q = 1 - share + share / 10 at the label."""
    share = 0.2
    checkpoint, _ = trainer.begin(
        images, NETWORK, image_file.normalisation(images.pixels), TRAINING
    )
    x = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    log_p = checkpoint.network(x).log_softmax(1).detach().numpy().astype(np.float64)
    q = np.full((200, 10), share / 10)
    q[np.arange(200), images.labels] += 1 - share
    settings = TRAINING | {"batch_size": 200, "augmentation": "none", "label_smoothing": share}
    record, _ = trainer.train_epoch(checkpoint, None, images, settings)
    assert record["train_loss"] == pytest.approx(-(q * log_p).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("constant", [0.05, 0.05]), ("linear", [0.05, 0.025]), ("cosine", [0.05, 0.025])],
)
def test_schedules_fall_from_the_given_rate_to_zero(images, schedule, rates):
    settings = TRAINING | {"epochs": 2, "batch_size": 200, "schedule": schedule}
    checkpoint, state = trainer.begin(
        images, NETWORK, image_file.normalisation(images.pixels), settings
    )
    found = []
    for _ in range(2):
        _, state = trainer.train_epoch(checkpoint, state, images, settings)
        found.append(state["param_groups"][0]["lr"])
    assert found == pytest.approx(rates)


def test_batch_normalisation_of_one_number_is_one_clear_line(images):
    """Maps of one pixel, and batches of one image."""
    whole = {"channels": 3, "kernel": 32, "pool": 1, "batch_norm": True}
    with pytest.raises(InputError) as refused:
        train(images, TRAINING | {"batch_size": 1}, 1, network={"conv": [whole], "fc": []})
    assert str(refused.value) == (
        "batch normalisation can't work on 1 image with maps of one pixel: expected a larger "
        "training.batch_size, or more training images"
    )


def test_divergence_is_one_clear_line(images):
    settings = TRAINING | {
        "optimizer": {"learning_rate": 1e12, "momentum": 0.9, "weight_decay": 0.0}
    }
    with pytest.raises(InputError, match=r"epoch 1: the training loss is nan: .*learning_rate"):
        train(images, settings, epochs=1)


@pytest.mark.parametrize("level", [0, 254])  # the mean of 254/255, summed as it is, isn't 254/255
def test_a_channel_of_one_value_stops_only_runs_that_normalise(images, level):
    pixels = images.pixels.copy()
    pixels[..., 1] = level
    flat = dataclasses.replace(images, pixels=pixels)
    measured = image_file.normalisation(pixels)
    assert (measured["mean"][1], measured["std"][1]) == (level / 255, 0)
    checkpoint, state = trainer.begin(flat, NETWORK, measured, TRAINING | {"normalise": False})
    record, _ = trainer.train_epoch(checkpoint, state, flat, TRAINING)
    assert math.isfinite(record["train_loss"])
    with pytest.raises(
        InputError,
        match=r"channel 1 has one value everywhere\. Expected training\.normalise or runs",
    ):
        trainer.begin(flat, NETWORK, measured, TRAINING)


# A network that a factory makes

# In training it is left out at random, less often later on: no state dict says how late it is.
FACTORY = """
import random

import numpy as np
from torch import nn

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.steps = 0

    def forward(self, maps):
        if self.training:
            self.steps += 1
            if random.random() < 0.5 / self.steps or np.random.random() < 0.2:
                return maps
        return maps + self.norm(self.conv(maps)).relu()

def build(width=4):
    mean = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1)]
    return nn.Sequential(nn.Conv2d(3, width, 3, 2), Block(width), *mean, nn.Linear(width, 10))
"""


@pytest.fixture
def factory(images, tmp_path):
    """The config's `network`, with the path of its graph."""
    (tmp_path / "blocks_of_test_trainer.py").write_text(FACTORY)
    network = {"factory": f"{tmp_path}/blocks_of_test_trainer.py:build", "arguments": {"width": 5}}
    graph = tracing.trace(factories.build(network), (3, *images.image_size))
    (tmp_path / "graph.json").write_text(graph.to_json())
    return {**network, "graph": f"{tmp_path}/graph.json"}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_factory_s_network_that_was_cut_and_resumed_gives_the_same_bytes(
    images, tmp_path, factory, precision
):
    settings = TRAINING | {"precision": precision}
    whole, record = train(images, settings, epochs=3, network=factory)
    resumed, record_resumed = train(images, settings, epochs=3, cut_in=tmp_path, network=factory)
    checkpoints.save(tmp_path / "whole.pth", whole)
    checkpoints.save(tmp_path / "resumed.pth", resumed)
    assert files.sha256(tmp_path / "whole.pth") == files.sha256(tmp_path / "resumed.pth")
    assert record == record_resumed


def test_a_factory_s_checkpoint_computes_what_was_trained(images, tmp_path, factory):
    trained, _ = train(images, TRAINING, epochs=1, network=factory)
    checkpoints.save(tmp_path / "epoch.pth", trained)
    loaded = checkpoints.load(tmp_path / "epoch.pth")
    assert (loaded.settings, loaded.epoch) == (factory, 1)
    pixels = torch.rand(3, 3, *images.image_size)
    with torch.inference_mode():
        expected = trained.network.eval()(pixels)
        assert torch.allclose(loaded.network(pixels), expected, atol=1e-6)


VIEWING = """
from torch import nn

class Viewing(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 5, 3)
        self.fc = nn.Linear(4 * 10 * 10, 10)

    def forward(self, images):
        return self.fc(self.conv(images).view(-1, 4 * 10 * 10))
"""


def test_a_factory_s_network_may_view_its_maps_as_a_row(images, tmp_path):
    """Which PyTorch refuses where the channels come last."""
    (tmp_path / "viewing.py").write_text(VIEWING)
    network = {"factory": f"{tmp_path}/viewing.py:Viewing"}
    graph = tracing.trace(factories.build(network), (3, *images.image_size))
    (tmp_path / "graph.json").write_text(graph.to_json())
    network |= {"graph": f"{tmp_path}/graph.json"}
    checkpoint, _ = trainer.begin(images, network, RAW, TRAINING)
    before = checkpoint.network.state_dict()["conv.weight"].clone()
    trainer.train_epoch(checkpoint, None, images, TRAINING)
    assert not torch.equal(checkpoint.network.state_dict()["conv.weight"], before)


def test_seeds_decide_a_factory_s_initial_weights(images, factory):
    states = []
    for seed in (0, 1, 0):
        checkpoint, _ = trainer.begin(images, factory, RAW, TRAINING | {"seed": seed})
        states.append(checkpoint.network.state_dict()["1.conv.weight"])
    assert torch.equal(states[0], states[2])
    assert not torch.equal(states[0], states[1])


@pytest.mark.slow
def test_a_factory_that_makes_another_network_than_before_cannot_go_on(images, tmp_path, factory):
    train(images, TRAINING, epochs=1, cut_in=tmp_path, network=factory)
    checkpoint = checkpoints.load(tmp_path / "epoch.pth")
    checkpoint.settings = {**factory, "arguments": {"width": 6}}
    checkpoints.save(tmp_path / "epoch.pth", checkpoint)
    with pytest.raises(InputError, match="makes another network than the one that was trained"):
        trainer.resume(tmp_path / "epoch.pth", tmp_path / "epoch.optimizer.pth")
