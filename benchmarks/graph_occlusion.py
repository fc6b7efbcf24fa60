"""Occlusion of any network by changed boxes: ours against forward passes and Captum.

    python benchmarks/graph_occlusion.py vgg16 resnet18 resnet50 --repeats 5

torchvision's networks with random weights at 224 pixels, window 17, a position every 8 pixels, one
thread, one interleaved run: each repeat takes one random image through every contender. Times are
processor times per position. All see some of the rows of positions only: plain passes and ours
every seventh (the same ones, borders among them); Captum, whose windows stay inside the image and
can't lie apart, at a position every 17 by 16 pixels. The bound is what the multiply-adds of the
boxes alone would allow, by tiles where these pay, against the sums of a forward pass.
"""

import argparse
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
from captum.attr import Occlusion
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from convprobe.network import arithmetic, reach, tracing
from convprobe.network.classifiers import TracedNetwork
from convprobe.network.layers import as_input
from convprobe.network.reach import Reach
from convprobe.occlusion.boxes import ChangedBoxes

FILL, CLASSES = 128, 10
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
BATCHES = (8, 16, 32)  # of forward passes; the fastest is taken
EVERY = 7  # rows of positions
CONTENDERS = ("plain", "Captum", "ours")


def random_network(name, side):
    """A network of torchvision whose batch normalisation isn't the identity."""
    torch.manual_seed(0)
    module = torchvision.models.get_model(name, weights=None, num_classes=CLASSES).eval()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 2)
    network = TracedNetwork({}, tracing.trace(module, (3, side, side)), IMAGENET)
    network.load_state_dict(module.state_dict())
    return network.eval(), nn.Sequential(Normalised(), module).eval()


class Normalised(nn.Module):
    def forward(self, images):
        mean, std = (torch.tensor(IMAGENET[key]).view(3, 1, 1) for key in ("mean", "std"))
        return (images - mean) / std


@torch.inference_mode()
def plain(module, image, rows, columns, batch):
    """A forward pass at every position."""
    covered = []
    for top, bottom in rows:
        for left, right in columns:
            pixels = image.copy()
            pixels[top:bottom, left:right] = FILL
            covered.append(pixels)
    inputs = as_input(torch.from_numpy(np.stack(covered))).contiguous()
    return torch.cat([module(part).softmax(1) for part in inputs.split(batch)]).numpy()


@torch.inference_mode()
def captum(module, image, window, batch):
    """How many images went through the network."""
    pixels = as_input(torch.from_numpy(image)[None]).contiguous()
    seen = 0

    def probability(images):
        nonlocal seen
        seen += len(images)
        return module(images).softmax(1)

    explain = Occlusion(probability)
    explain.attribute(
        pixels,
        target=0,
        baselines=FILL / 255,
        sliding_window_shapes=(3, window, window),
        strides=(3, window, window - 1),
        perturbations_per_eval=batch,
    )
    return seen


def seconds(compute, *arguments):
    start = time.process_time()
    result = compute(*arguments)
    return time.process_time() - start, result


def _image(draw, side):
    return draw.integers(0, 256, (side, side, 3), dtype=np.uint8)


def measure(name, side, window, stride, repeats):
    """Milliseconds per position of each contender, the bound, and the largest difference."""
    network, module = random_network(name, side)
    columns = reach.hidden(side, window, stride)
    rows = columns[::EVERY]
    engine = ChangedBoxes(network, [rows, columns])
    positions = len(rows) * len(columns)
    draw = np.random.default_rng(0)
    times = {name: [] for name in CONTENDERS}
    difference = 0.0
    tried = {}
    for size in BATCHES:
        tried[size], _ = seconds(plain, module, _image(draw, side), rows[:1], columns, size)
    batch = min(tried, key=tried.get)
    for _ in range(repeats):
        image = _image(draw, side)
        taken, exact = seconds(plain, module, image, rows, columns, batch)
        times["plain"].append(1000 * taken / positions)
        taken, seen = seconds(captum, module, image, window, batch)
        times["Captum"].append(1000 * taken / seen)
        taken, (maps, _) = seconds(engine, image, FILL)
        times["ours"].append(1000 * taken / positions)
        difference = max(difference, float(np.abs(maps.reshape(-1, CLASSES) - exact).max()))
    return times, bound(network.graph, rows, columns), difference, float(exact.std(axis=0).max())


def bound(graph, rows, columns):
    """How many times fewer multiply-adds the boxes have."""
    places = len(rows) * len(columns)
    overhead = reach.CALL * len(Reach(graph).boxed) * -(-places // reach.BATCH)
    boxes = (Reach(graph).multiply_adds([rows, columns]) - overhead) / reach.COPIES
    return arithmetic.forward(graph) * places / boxes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=["vgg16", "resnet18", "resnet50"])
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--window", type=int, default=17)
    parser.add_argument("--stride", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    heads = ["ms per position", *CONTENDERS, "plain / ours", "Captum / ours", "bound", "difference"]
    print(f"| {' | '.join(heads)} |")
    print("| --- " * len(heads) + "|")
    for name in options.networks:
        times, most, difference, spread = measure(
            name, options.side, options.window, options.stride, options.repeats
        )
        medians = {key: statistics.median(taken) for key, taken in times.items()}
        cells = " | ".join(f"{median:.1f}" for median in medians.values())
        print(
            f"| {name} | {cells} | {medians['plain'] / medians['ours']:.2f} | "
            f"{medians['Captum'] / medians['ours']:.2f} | {most:.1f} | "
            f"{difference:.0e} of {spread:.0e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
