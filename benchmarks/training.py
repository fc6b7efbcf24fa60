"""How fast the published network trains, and what share of a whole study its steps take.

    python benchmarks/training.py --run presets/demo.yaml

On a GPU if there is one, else with all cores. First the network: in turn one large matrix product,
for comparison, training steps on random pixels with PyTorch's convolutions alone, and training
steps as the workflow takes them. Then, with --run, a study's training from nothing as a user starts
it: all epochs of its runs and their evaluations.
"""

import argparse
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import yaml
from occlusion import SIDE, processor, product_rate
from planning import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe.dataset import image_file
from convprobe.job import machine, progress_line
from convprobe.network import arithmetic, convolution, devices, graphs, tile_cost
from convprobe.network.normalisation import RAW
from convprobe.training import trainer

REPEATS = 5
CONFIG = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
SETTINGS = CONFIG["training"] | {"normalise": False}


def training_rate(device, images, precision, patches_per_filter, transform):
    """Images per second of an epoch of training.

    Args:
        patches_per_filter: the limit of `convolution`; 0 for no products.
        transform: that of `tile_cost`; infinite for no tiles.
    """
    convolution.PATCHES_PER_FILTER = patches_per_filter
    tile_cost.TRANSFORM = transform
    checkpoint, _ = trainer.begin(images, CONFIG["network"], RAW, SETTINGS)
    start = time.perf_counter()
    trainer.train_epoch(checkpoint, None, images, SETTINGS | {"precision": precision}, device)
    return len(images.labels) / (time.perf_counter() - start)


def compare(device, count):
    """Print the rates in each precision that the device is made for."""
    random = np.random.default_rng(0)
    pixels = random.integers(256, size=(count, SIDE, SIDE, 3), dtype=np.uint8)
    images = image_file.Images(
        pixels, random.integers(10, size=count), tuple("abcdefghij"), np.arange(count)
    )
    graph = graphs.of(CONFIG["network"], (SIDE, SIDE), classes=10)
    work = 3 * arithmetic.forward(graph)  # forward, and backward twice
    ours = convolution.PATCHES_PER_FILTER, tile_cost.TRANSFORM
    is_made_for_bf16 = device.type == "cuda" or machine.computes_bf16()
    for precision in ("fp32", "bf16") if is_made_for_bf16 else ("fp32",):
        rates = np.array(
            [
                (
                    product_rate(device, precision),
                    training_rate(device, images, precision, 0, math.inf),
                    training_rate(device, images, precision, *ours),
                )
                for _ in range(REPEATS + 1)
            ][1:]  # the first one warms up
        )
        product, plain, trained = np.median(rates, axis=0)
        ratio = np.median(rates[:, 2] / rates[:, 1])
        share = np.median(rates[:, 2] * work / rates[:, 0])
        print(
            f"{precision}: {trained:.0f} images per second, {ratio:.2f} times PyTorch's "
            f"convolutions alone ({plain:.0f}); an epoch of 50,000 in {50_000 / trained:.1f} s; "
            f"{share:.0%} of {product / 1e9:.0f} billion multiply-adds per second "
            f"(medians of {REPEATS})",
            flush=True,
        )


def time_run(configs):
    """Print how long a study's training takes from nothing, and the share of its steps."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "convprobe")
        shutil.copytree(REPOSITORY, folder, ignore=shutil.ignore_patterns(".*", "results", "logs"))
        start = time.perf_counter()
        command = [sys.executable, "-m", "snakemake", "--cores", "all"]
        command += ["--until", "tabulate_learning_curve", "--configfile", *configs]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        wall = time.perf_counter() - start
        logs = [log.read_text(encoding="utf-8") for log in folder.glob("logs/*/*/training/*.log")]
    ends = [end for log in logs for end in progress_line.ends(log)]
    steps = [end.done / end.rate for end in ends if end.unit == "images"]
    print(
        f"{' '.join(configs)}: {len(logs)} epochs in {wall:.0f} s from nothing, "
        f"{sum(steps):.0f} s of them training steps, {sum(steps) / wall:.0%}"
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--images", type=int, default=1280, help="per repeat")
    arguments.add_argument("--run", nargs="+", help="config files of a study to train")
    given = arguments.parse_args()
    device = devices.choose(threads=1000)
    print(f"{device}, {processor()}, torch {torch.__version__}")
    compare(device, given.images)
    if given.run:
        time_run([str(Path(config).resolve()) for config in given.run])


if __name__ == "__main__":
    main()
