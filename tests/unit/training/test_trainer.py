"""Training that is cut and resumed, evaluation, augmentation, selection, the drawn data set."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch

from convprobe.dataset import image_file, shapes, sources
from convprobe.errors import InputError
from convprobe.network import checkpoints
from convprobe.network.layers import Network
from convprobe.store import files
from convprobe.training import evaluation, selection, trainer

NETWORK = {"conv": [{"channels": 4, "kernel": 5}, {"channels": 6, "kernel": 3}], "fc": [8]}
TRAINING = {
    "epochs": 3, "batch_size": 32, "optimizer": {"learning_rate": 0.05, "momentum": 0.9, "weight_decay": 5e-4},
    "schedule": "cosine", "augmentation": "flip-crop", "normalise": True, "precision": "fp32",
    "label_smoothing": 0.0, "seed": 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def images():
    pixels, labels, masks = shapes.draw(200, seed=(1,))
    return image_file.Images(pixels, labels, shapes.CLASSES, np.arange(200), masks)


def train(images, settings, epochs, cut_in=None):
    """Train some epochs; with `cut_in` a folder, each starts from the files of the one before."""
    checkpoint, state = trainer.begin(
        images, NETWORK, image_file.normalisation(images.pixels), settings
    )
    for _ in range(epochs):
        record, state = trainer.train_epoch(checkpoint, state, images, settings)
        if cut_in:
            checkpoints.save(cut_in / "epoch.pth", checkpoint)
            checkpoints.save_tensors(cut_in / "epoch.optimizer.pth", state)
            checkpoint, state = trainer.resume(cut_in / "epoch.pth", cut_in / "epoch.optimizer.pth")
    return checkpoint, record


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_that_was_cut_and_resumed_gives_the_same_bytes(images, tmp_path, precision):
    settings = TRAINING | {"precision": precision}
    whole, record = train(images, settings, epochs=3)
    resumed, record_resumed = train(images, settings, epochs=3, cut_in=tmp_path)
    checkpoints.save(tmp_path / "whole.pth", whole)
    checkpoints.save(tmp_path / "resumed.pth", resumed)
    assert files.sha256(tmp_path / "whole.pth") == files.sha256(tmp_path / "resumed.pth")
    assert record == record_resumed


def test_a_checkpoint_tells_with_what_settings_its_epoch_was_trained(images, tmp_path):
    train(images, TRAINING, epochs=2, cut_in=tmp_path)
    assert checkpoints.load(tmp_path / "epoch.pth").training == TRAINING


def test_two_seeds_and_two_epochs_draw_differently(images):
    first, _ = train(images, TRAINING, epochs=1)
    other, _ = train(images, TRAINING | {"seed": 8}, epochs=1)
    assert not torch.equal(first.network.conv1.weight, other.network.conv1.weight)
    draws = {torch.randperm(1000, generator=trainer.generator(seed, epoch))[0].item() for seed, epoch in
             ((0, 1), (0, 2), (1, 1), (1, 0))}  # fmt: skip
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
    """At the start of training, by hand: the mean of - sum(q log p), q = 1 - share + share / 10 at the label."""
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


def test_evaluation_counts_and_averages_by_hand(images):
    network = Network(NETWORK, classes=10, side=32).eval()
    with torch.no_grad():
        network.fc2.weight.zero_()
        network.fc2.bias.zero_()
        network.fc2.bias[3] = 1  # always class 3, with probability e / (e + 9)
    measured = evaluation.evaluate(network, images)
    share = (images.labels == 3).mean()
    right, wrong = -math.log(math.e / (math.e + 9)), -math.log(1 / (math.e + 9))
    assert measured["accuracy"] == pytest.approx(share)
    assert measured["loss"] == pytest.approx(share * right + (1 - share) * wrong, rel=1e-6)
    assert measured["images"] == 200


def test_divergence_is_one_clear_line(images):
    settings = TRAINING | {
        "optimizer": {"learning_rate": 1e12, "momentum": 0.9, "weight_decay": 0.0}
    }
    with pytest.raises(InputError, match=r"epoch 1: the training loss is nan: .*learning_rate"):
        train(images, settings, epochs=1)


def test_flips_mirror_about_half_of_the_images_left_to_right(images):
    pixels = torch.from_numpy(images.pixels)
    flipped = trainer.augment(pixels, "flip", trainer.generator(0, 1))
    mirrored = torch.from_numpy(images.pixels[:, :, ::-1].copy())
    same = (flipped == pixels).flatten(1).all(1)
    assert ((flipped == mirrored).flatten(1).all(1) ^ same).all()
    assert 70 < same.sum() < 130


def test_crops_shift_by_at_most_four_pixels_and_fill_with_black():
    pixels = torch.zeros(500, 9, 9, 3, dtype=torch.uint8)
    pixels[:, 4, 4] = torch.tensor(
        [9, 8, 7], dtype=torch.uint8
    )  # in the middle: flips don't move it
    moved = trainer.augment(pixels, "flip-crop", trainer.generator(0, 1))
    images, ys, xs = (moved[..., 0] == 9).nonzero(as_tuple=True)
    assert len(images) == 500
    assert set(ys.tolist()) == set(xs.tolist()) == set(range(9))
    assert moved.sum() == 500 * 24


def test_normalisation_is_that_of_the_training_images_only():
    pixels = np.zeros((2, 1, 2, 3), dtype=np.uint8)
    pixels[..., 0] = [[[0, 255]], [[0, 255]]]
    pixels[..., 1] = [[[51, 51]], [[51, 255]]]
    pixels[..., 2] = [[[0, 0]], [[0, 102]]]
    measured = image_file.normalisation(pixels)
    assert measured["mean"] == pytest.approx([0.5, 0.4, 0.1])
    assert measured["std"] == pytest.approx([0.5, math.sqrt(0.12), math.sqrt(0.03)])
    settings = {"name": "shapes", "train_images": 50, "test_images": 10, "validation_images": 8}
    splits = sources.load(settings)
    assert {name: len(images.labels) for name, images in splits.items()} == {
        "train": 42,
        "test": 10,
        "validation": 8,
    }


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


def test_held_out_images_are_the_last_training_images():
    settings = {"name": "shapes", "train_images": 50, "test_images": 10, "validation_images": 0}
    whole, split = sources.load(settings), sources.load(settings | {"validation_images": 8})
    np.testing.assert_array_equal(split["train"].pixels, whole["train"].pixels[:42])
    np.testing.assert_array_equal(split["validation"].pixels, whole["train"].pixels[42:])


def test_more_training_images_do_not_change_the_drawn_test_images():
    settings = {"name": "shapes", "train_images": 5, "test_images": 10, "validation_images": 0}
    few, many = sources.load(settings), sources.load(settings | {"train_images": 9})
    np.testing.assert_array_equal(few["test"].pixels, many["test"].pixels)
    assert not np.array_equal(few["train"].pixels[0], few["test"].pixels[0])


def test_masks_are_where_the_drawn_object_is(images):
    """Inside the mask the picture has the object's colour, outside it the background's."""
    disc = images.labels == shapes.CLASSES.index("disc")
    for pixels, mask in zip(images.pixels[disc].astype(float), images.masks[disc], strict=True):
        inside, outside = pixels[mask], pixels[~mask]
        assert 60 < mask.sum() < 300
        assert np.abs(inside - np.median(inside, axis=0)).mean() < 14, "one colour and some noise"
        assert np.abs(np.median(inside, 0) - np.median(outside, 0)).sum() > 60


@pytest.fixture
def evaluations(tmp_path):
    paths = []
    for epoch, (test, validation) in enumerate(
        [(0.5, 0.4), (0.7, 0.6), (0.7, 0.8), (0.6, 0.8)], start=1
    ):
        paths.append(tmp_path / f"epoch-{epoch:02d}.json")
        rows = {"test": test, "validation": validation}
        files.write_json(
            paths[-1], {k: {"loss": 1.0, "accuracy": v, "images": 10} for k, v in rows.items()}
        )
    return paths


@pytest.mark.parametrize(
    ("settings", "epoch"),
    [
        ({"policy": "fixed", "epoch": 4, "split": "test"}, 4),
        ({"policy": "best", "split": "test"}, 2),
        ({"policy": "best", "split": "validation"}, 3),
    ],
)
def test_selection_takes_the_first_of_equal_epochs(evaluations, settings, epoch):
    chosen = selection.choose(evaluations, settings, counts=[30, 30])
    assert (chosen["epoch"], chosen["best_epoch"]) == (epoch, 2)
    assert chosen["test_accuracy"] == [0.5, 0.7, 0.7, 0.6][epoch - 1]
    assert chosen["chance"] == 0.5
