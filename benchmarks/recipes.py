"""Under which optimizers of 2018 does a network show what the study saw?

    python benchmarks/recipes.py results/small/dataset adam-0.0001 --inputs halves
    python benchmarks/recipes.py results/cifar10/dataset sgd-0.001-batch-4 --inputs raw \
        --config config.yaml --precision bf16

The study doesn't name its optimizer. These are what its author may have typed: PyTorch's tutorial
on CIFAR-10 of that time and the usual steps of Adam, at constant rates without weight decay, on
pixels in [0, 1] (raw) or (x - 0.5) / 0.5 as in that tutorial (halves). Prints CSV, one row per
epoch of training: the accuracy on all test images and, at the study's epoch 13, that without the
config's chosen filters, and the lowest and highest of 20 draws of as many random filters of the
same layers. On a GPU if there is one, where whole steps are replayed as CUDA graphs: steps of four
images would take longer to launch than to compute. Otherwise on one thread.
"""

import argparse
import contextlib
import csv
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import yaml
from planning import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe.ablation import passes
from convprobe.ablation.variants import draw_controls
from convprobe.dataset import image_file
from convprobe.network import devices
from convprobe.network.layers import as_input
from convprobe.network.normalisation import RAW
from convprobe.training import trainer

HALVES = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
INPUTS = {"raw": RAW, "halves": HALVES}
RECIPES = {  # batch size, and the optimizer of the weights
    "sgd-0.001-batch-4": (4, lambda weights: torch.optim.SGD(weights, lr=0.001, momentum=0.9)),
    "sgd-0.001": (128, lambda weights: torch.optim.SGD(weights, lr=0.001, momentum=0.9)),
    "sgd-0.01": (128, lambda weights: torch.optim.SGD(weights, lr=0.01, momentum=0.9)),
    "adam-0.001": (128, lambda weights: adam(weights, 0.001)),
    "adam-0.0001": (128, lambda weights: adam(weights, 0.0001)),
}
WARM_UP = 3  # steps before one is recorded, as PyTorch advises
DRAWS = 20
PROBED_EPOCH = 13
COLUMNS = ("recipe", "inputs", "seed", "epoch", "accuracy", "ablated", "lowest", "highest")


def adam(weights, rate):
    weights = list(weights)
    return torch.optim.Adam(weights, lr=rate, capturable=weights[0].is_cuda)


class Training:
    """A network that descends over the same images again and again."""

    def __init__(self, network, optimizer, images, batch_size, precision):
        self.network = network
        self.optimizer = optimizer
        self.device = network.device
        self.pixels = torch.from_numpy(images.pixels).to(self.device)
        self.labels = torch.from_numpy(images.labels).to(self.device)
        self.is_bf16 = precision == "bf16"
        self.batch = torch.zeros(batch_size, dtype=torch.int64, device=self.device)
        self.replay = self._recorded() if self.device.type == "cuda" else None

    def epoch(self, random):
        """Descend once over all images, in random order."""
        self.network.train()
        order = torch.randperm(len(self.labels), generator=random).to(self.device)
        for batch in order.split(len(self.batch)):
            if self.replay and len(batch) == len(self.batch):
                self.batch.copy_(batch)
                self.replay()
            else:
                self._step(batch)
        self.network.eval()

    def _step(self, batch):
        self.optimizer.zero_grad()
        # Without its cache, whose copies of the weights would be part of what is replayed.
        options = {"enabled": self.is_bf16, "cache_enabled": False}
        with torch.autocast(self.device.type, torch.bfloat16, **options):
            logits = self.network(as_input(self.pixels[batch])).float()
        torch.nn.functional.cross_entropy(logits, self.labels[batch]).backward()
        self.optimizer.step()

    def _recorded(self) -> Callable[[], None]:
        """A step over the images whose numbers are in `batch`."""
        before = {name: found.clone() for name, found in self.network.state_dict().items()}
        self.network.train()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._step(self.batch)
        torch.cuda.current_stream().wait_stream(aside)
        self.optimizer.zero_grad()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step(self.batch)
        # As before the first step: momentum and the like are 0 then.
        self.network.load_state_dict(before)
        for state in self.optimizer.state.values():
            for tensor in state.values():
                tensor.zero_()
        return graph.replay


def accuracies(network, variants, images):
    """Of each variant the share of the images whose own class is predicted."""
    with contextlib.redirect_stdout(sys.stderr):  # which gets the progress
        predicted = passes.predict(network, variants, images).argmax(2).cpu().numpy()
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
    arguments.add_argument("dataset", type=Path, help="a study's folder with its images")
    arguments.add_argument("recipe", choices=RECIPES)
    arguments.add_argument("--inputs", choices=INPUTS, required=True)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--epochs", type=int, default=15)
    arguments.add_argument("--config", default=REPOSITORY / "presets/small.yaml")
    arguments.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    given = arguments.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        device = devices.choose(threads=1)
    config = yaml.safe_load(Path(given.config).read_text(encoding="utf-8"))
    train = image_file.read(given.dataset / "training-images.h5", "train")
    test = image_file.read(given.dataset / "test-images.h5", "test")
    settings = {"normalise": True, "seed": given.seed}
    checkpoint, _ = trainer.begin(train, config["network"], INPUTS[given.inputs], settings)
    network = checkpoint.network.to(device, memory_format=torch.channels_last)
    batch_size, optimizer_of = RECIPES[given.recipe]
    optimizer = optimizer_of(network.parameters())
    training = Training(network, optimizer, train, batch_size, given.precision)
    rows = csv.writer(sys.stdout)
    rows.writerow(COLUMNS)
    for epoch in range(1, given.epochs + 1):
        training.epoch(trainer.generator(given.seed, epoch))
        shares = measure(network, config["filters"]["chosen"], test, epoch)
        rows.writerow([given.recipe, given.inputs, given.seed, epoch, *shares])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
