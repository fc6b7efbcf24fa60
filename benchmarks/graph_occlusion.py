"""Occlusion of any network by changed boxes: ours against forward passes and Captum.

    python benchmarks/graph_occlusion.py vgg16 resnet18 resnet50 --repeats 5

torchvision's networks with random weights at 224 pixels, window 17, a position every 8 pixels, one
interleaved run: each repeat takes one random image through every contender. On a GPU if there is
one, by the clock and at all positions; else on one thread, in processor time and at every seventh
row of positions (the same ones, borders among them). Captum, whose windows stay inside the image
and can't lie apart, sees a position every 17 by 16 pixels. The bound is what the multiply-adds of
the boxes alone would allow, on a CPU by tiles where these pay, against the sums of a forward pass.
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
from convprobe.network import arithmetic, devices, reach, tracing
from convprobe.network.classifiers import TracedNetwork
from convprobe.network.layers import as_input
from convprobe.network.reach import Reach
from convprobe.occlusion.boxes import ChangedBoxes

FILL, CLASSES = 128, 10
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
# Of forward passes; the fastest is taken.
BATCHES = {"cpu": (8, 16, 32), "cuda": (128, 256, 512)}
EVERY = {"cpu": 7, "cuda": 1}  # rows of positions
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
        there = {"device": images.device}
        mean, std = (torch.tensor(IMAGENET[key], **there).view(3, 1, 1) for key in ("mean", "std"))
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
    pixels = torch.from_numpy(np.stack(covered)).to(_device(module))
    inputs = as_input(pixels).contiguous()
    return torch.cat([module(part).softmax(1) for part in inputs.split(batch)]).cpu().numpy()


def _device(module):
    return next(module.parameters()).device


@torch.inference_mode()
def captum(module, image, window, batch):
    """How many images went through the network."""
    pixels = as_input(torch.from_numpy(image)[None].to(_device(module))).contiguous()
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


def seconds(device, compute, *arguments):
    clock = time.process_time
    if device.type == "cuda":
        clock = time.perf_counter
        torch.cuda.synchronize()
    start = clock()
    result = compute(*arguments)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start, result


def _image(draw, side):
    return draw.integers(0, 256, (side, side, 3), dtype=np.uint8)


def measure(name, side, window, stride, repeats, device):
    """Milliseconds per position of each contender, the bound, and the largest difference."""
    network, module = (built.to(device) for built in random_network(name, side))
    columns = reach.hidden(side, window, stride)
    rows = columns[:: EVERY[device.type]]
    engine = ChangedBoxes(network, [rows, columns])
    positions = len(rows) * len(columns)
    draw = np.random.default_rng(0)
    times = {name: [] for name in CONTENDERS}
    difference = 0.0
    tried = {}
    for size in BATCHES[device.type]:
        some = rows if device.type == "cuda" else rows[:1]
        asked = (plain, module, _image(draw, side), some, columns, size)
        seconds(device, *asked)
        tried[size], _ = seconds(device, *asked)
    engine(_image(draw, side), FILL)  # once, for a GPU looks for the best way at first
    batch = min(tried, key=tried.get)
    for _ in range(repeats):
        image = _image(draw, side)
        taken, exact = seconds(device, plain, module, image, rows, columns, batch)
        times["plain"].append(1000 * taken / positions)
        taken, seen = seconds(device, captum, module, image, window, batch)
        times["Captum"].append(1000 * taken / seen)
        taken, (maps, _) = seconds(device, engine, image, FILL)
        times["ours"].append(1000 * taken / positions)
        difference = max(difference, float(np.abs(maps.reshape(-1, CLASSES) - exact).max()))
    most = bound(network.graph, rows, columns, device)
    return times, most, difference, float(exact.std(axis=0).max())


def bound(graph, rows, columns, device):
    """How many times fewer multiply-adds the boxes have."""
    costs = reach.ON_CPU if device.type == "cpu" else reach.ON_GPU["fp32"]
    boxes = Reach(graph).multiply_adds(
        [rows, columns], costs._replace(copies=1, call=0, least_side=1)
    )
    return arithmetic.forward(graph) * len(rows) * len(columns) / boxes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=["vgg16", "resnet18", "resnet50"])
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--window", type=int, default=17)
    parser.add_argument("--stride", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    device = devices.choose(threads=1)
    heads = ["ms per position", *CONTENDERS, "plain / ours", "Captum / ours", "bound", "difference"]
    print(f"| {' | '.join(heads)} |")
    print("| --- " * len(heads) + "|")
    for name in options.networks:
        times, most, difference, spread = measure(
            name, options.side, options.window, options.stride, options.repeats, device
        )
        medians = {key: statistics.median(taken) for key, taken in times.items()}
        cells = " | ".join(f"{median:.3g}" for median in medians.values())
        print(
            f"| {name} | {cells} | {medians['plain'] / medians['ours']:.2f} | "
            f"{medians['Captum'] / medians['ours']:.2f} | {most:.1f} | "
            f"{difference:.0e} of {spread:.0e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
