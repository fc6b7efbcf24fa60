"""Under which optimizers of 2018 does the small network show what the study saw?

    python benchmarks/recipes.py results/small/dataset/images.h5 adam-0.0001 --inputs halves

The study doesn't name its optimizer. These are what its author may have typed: PyTorch's tutorial
on CIFAR-10 of that time and the usual steps of Adam, at constant rates without weight decay, on
pixels in [0, 1] (raw) or (x - 0.5) / 0.5 as in that tutorial (halves). Prints CSV, one row per
epoch of training: the accuracy on all test images and, at the study's epoch 13, that without the
preset's chosen filters, and the lowest and highest of 20 draws of as many random filters of the
same layers. One thread.
"""

import argparse
import contextlib
import csv
import sys

import torch
import yaml
from planning import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe.ablation import passes
from convprobe.ablation.variants import draw_controls
from convprobe.dataset import image_file
from convprobe.network.layers import RAW, as_input
from convprobe.training import trainer

HALVES = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
INPUTS = {"raw": RAW, "halves": HALVES}
RECIPES = {  # batch size, and the optimizer of the weights
    "sgd-0.001-batch-4": (4, lambda weights: torch.optim.SGD(weights, lr=0.001, momentum=0.9)),
    "sgd-0.001": (128, lambda weights: torch.optim.SGD(weights, lr=0.001, momentum=0.9)),
    "sgd-0.01": (128, lambda weights: torch.optim.SGD(weights, lr=0.01, momentum=0.9)),
    "adam-0.001": (128, lambda weights: torch.optim.Adam(weights, lr=0.001)),
    "adam-0.0001": (128, lambda weights: torch.optim.Adam(weights, lr=0.0001)),
}
DRAWS = 20
PROBED_EPOCH = 13
COLUMNS = ("recipe", "inputs", "seed", "epoch", "accuracy", "ablated", "lowest", "highest")


def train_epoch(network, optimizer, images, batch_size, random):
    """Descend once over all images, in random order."""
    network.train()
    pixels, labels = torch.from_numpy(images.pixels), torch.from_numpy(images.labels)
    for batch in torch.randperm(len(labels), generator=random).split(batch_size):
        optimizer.zero_grad()
        logits = network(as_input(pixels[batch]))
        torch.nn.functional.cross_entropy(logits, labels[batch]).backward()
        optimizer.step()
    network.eval()


def accuracies(network, variants, images):
    """Of each variant the share of the images whose own class is predicted."""
    with contextlib.redirect_stdout(sys.stderr):  # which gets the progress
        predicted = passes.predict(network, variants, images).argmax(2).numpy()
    return (predicted == images.labels).mean(axis=1)


def measure(network, chosen, images, epoch):
    """The last four columns of a row, the last three empty but at the probed epoch."""
    if epoch != PROBED_EPOCH:
        return [*accuracies(network, [[]], images), None, None, None]
    draws = draw_controls(network, chosen, DRAWS, seed=0)
    clean, ablated, *random = accuracies(network, [[], chosen, *draws], images)
    return clean, ablated, min(random), max(random)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("images", help="a study's images.h5")
    arguments.add_argument("recipe", choices=RECIPES)
    arguments.add_argument("--inputs", choices=INPUTS, required=True)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--epochs", type=int, default=15)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    small = yaml.safe_load((REPOSITORY / "presets/small.yaml").read_text(encoding="utf-8"))
    train, test = (image_file.read(given.images, split) for split in ("train", "test"))
    settings = {"normalise": True, "seed": given.seed}
    checkpoint, _ = trainer.begin(train, small["network"], INPUTS[given.inputs], settings)
    network = checkpoint.network.to(memory_format=torch.channels_last)
    batch_size, optimizer_of = RECIPES[given.recipe]
    optimizer = optimizer_of(network.parameters())
    rows = csv.writer(sys.stdout)
    rows.writerow(COLUMNS)
    for epoch in range(1, given.epochs + 1):
        random = trainer.generator(given.seed, epoch)
        train_epoch(network, optimizer, train, batch_size, random)
        shares = measure(network, small["filters"]["chosen"], test, epoch)
        rows.writerow([given.recipe, given.inputs, given.seed, epoch, *shares])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
