"""Ablation variants of the published network against one evaluation each; all filters' top images.

    python benchmarks/ablation.py --weights weights.pth \
        --images results/cifar10/dataset/test-images.h5

One thread, the same weights and images for all. A variant is the network with some filters
switched off: the ten of the study, each of them alone, those of each layer, and random ones. Ours
computes all variants in one pass over the images. The evaluation of one variant is measured on the
network as it is: which filters are switched off makes no difference to the time. Times are
processor times; each repeat measures all of them on another part of the images, beside the rate of
one large matrix product. The bound is what they multiply at that rate, convolutions by tiles with
the way there and back: of a variant all layers behind the one that reads what is switched off, and
of that one the part.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from occlusion import SIDE, processor, product_rate, published_network

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from convprobe.ablation import passes, variants
from convprobe.dataset import image_file, shapes
from convprobe.filters import ranking
from convprobe.network import arithmetic
from convprobe.training import evaluation

CHOSEN = [
    "conv1/100", "conv1/200", "conv1/240",
    "conv2/400", "conv2/800", "conv2/1000",
    "conv3/1000", "conv3/2000",
    "conv4/1000", "conv4/2000",
]  # fmt: skip
CONTROLS, REPEATS = 20, 5


def seconds(compute):
    start = time.process_time()
    result = compute()
    return time.process_time() - start, result


def part(images, number):
    rows = slice(number, None, REPEATS)
    return image_file.Images(
        images.pixels[rows], images.labels[rows], images.classes, images.indices[rows]
    )


def least_multiply_adds(graph, off):
    """What a network without some filters has to compute anew."""
    layers = [node for node in graph.nodes.values() if arithmetic.of_node(node, graph)]
    first = min(number for number, node in enumerate(layers) if node.layer in map(layer_of, off))
    filters = sum(layer_of(name) == layers[first].layer for name in off)
    reads, *others = layers[first + 1 :]
    part = filters / layers[first].shape[0] * arithmetic.of_node(reads, graph)
    return part + sum(arithmetic.of_whole(node, graph) for node in others)


def layer_of(filter_name):
    return filter_name.partition("/")[0]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument(
        "--weights", help="state dict of the published network; else PyTorch's initial weights"
    )
    arguments.add_argument(
        "--images", help="test-images.h5 of an experiment, 32×32 pixels; else drawn shapes"
    )
    arguments.add_argument("--count", type=int, default=1000, help="images")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    network = published_network(given.weights)
    if given.images:
        images = image_file.read(given.images, "test", given.count)
    else:
        pixels, labels, _ = shapes.draw(given.count, seed=(0,))
        images = image_file.Images(pixels, labels, shapes.CLASSES, np.arange(given.count))
    controls = variants.draw_controls(network, CHOSEN, CONTROLS, seed=0)
    off = [CHOSEN, *variants.parts_and_controls(CHOSEN, controls).values()]
    forward = arithmetic.forward_by_tiles(network.graph)
    multiplied = {
        "evaluation": forward,
        "variants": forward + sum(least_multiply_adds(network.graph, one) for one in off),
        "top images": forward,
    }
    times = {name: [] for name in multiplied}
    rates = []
    for number in range(REPEATS):
        rates.append(product_rate("cpu", "fp32"))
        few = part(images, number)
        runs = {
            "evaluation": lambda few=few: evaluation.predict(network, few),
            "variants": lambda few=few: passes.predict(network, off, few),
            "top images": lambda few=few: ranking.top_images(network, few, 5),
        }
        for name, run in runs.items():
            times[name].append(1000 * seconds(run)[0] / len(few.labels))
    for name, milliseconds in times.items():
        low, median, high = np.percentile(milliseconds, [25, 50, 75])
        bound = 1000 * multiplied[name] / statistics.median(rates)
        print(
            f"{name}: {median:.2f} ms per image ({low:.2f} to {high:.2f}), n = {REPEATS}; "
            f"bound {bound:.2f}"
        )
    ratios = [
        ours / (len(off) * one)
        for ours, one in zip(times["variants"], times["evaluation"], strict=True)
    ]
    added = [
        ours / one - 1 for ours, one in zip(times["top images"], times["evaluation"], strict=True)
    ]
    print(
        f"{len(off)} variants cost {statistics.median(ratios):.3f} of {len(off)} evaluations, "
        f"all filters' top images {statistics.median(added):+.1%} more than one evaluation "
        f"(medians of {REPEATS} ratios, {len(images.labels)} images of {SIDE}×{SIDE} pixels, "
        f"{processor()}, torch {torch.__version__}, one thread)"
    )


if __name__ == "__main__":
    main()
