"""Occlusion maps: ours against a forward pass at every position, Captum and MONAI.

    python benchmarks/occlusion.py --weights weights.pth \
        --images results/cifar10/dataset/test-images.h5

The published network, one thread, the same weights and images for all, in one interleaved run:
each repeat takes one image through every contender. Times are processor times. The peers take so
long that they see only some of the positions (every second or third along each axis); their time
is per image that went through the network, which is what a position costs them. Ours is for whole
maps. The peers' network is of PyTorch's own layers; ours computes convolutions by tiles, and what
that alone is worth is a row of its own. Plain passes in bf16 are left out where the processor
isn't made for it.

The bound is what no exact sum leaves out, at the rate of one large matrix product, which is
measured beside each image: every value that a state of the window changes, times every weight that
it meets. Not counted are the first convolution and whatever moves numbers about.

What the peers do differently: Captum moves the window only inside the image and returns the mean
drop of one class over the windows that cover a pixel; MONAI also stays inside, and returns the
probability of every class. Neither has a value for each pixel of the border. All get
their inputs in the memory format in which the network was fastest on a CPU: NCHW for float32,
channels last for bf16.
"""

import argparse
import json
import math
import statistics
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from captum.attr import Occlusion
from monai.visualize import OcclusionSensitivity

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from convprobe.dataset import image_file, shapes
from convprobe.job import machine
from convprobe.network.layers import Network, as_input
from convprobe.occlusion import windows
from convprobe.occlusion.incremental import Incremental
from convprobe.report import published

CIFAR10 = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]}
SIDE, FILL, WINDOWS = 32, 128, (3, 5, 7, 9)
STUDY_IMAGES = 20
CAPTUM_BATCHES = (16, 32, 64, 128)
MATRIX = 4096  # side of the product whose rate is the bound's


def published_network(weights):
    """With the weights of a state dict, or with PyTorch's initial ones."""
    torch.manual_seed(0)
    network = Network(
        published.NETWORK, classes=10, image_size=(SIDE, SIDE), normalisation=CIFAR10
    ).eval()
    if weights:
        state = torch.load(weights, weights_only=True)
        network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return network


class OfPyTorch(torch.nn.Module):
    """The same network by PyTorch's own layers, as the peers' users have it."""

    def __init__(self, network):
        super().__init__()
        self.normalised = network.normalised
        layers = []
        for stage, name in zip(network.stages, network.convolutions, strict=True):
            pool = torch.nn.MaxPool2d(stage.pool)
            layers += [network.get_submodule(name), pool, torch.nn.ReLU()]
        layers.append(torch.nn.Flatten())
        for name in network.fully_connected:
            layers += [network.get_submodule(name), torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(*layers[:-1])

    def forward(self, images):
        return self.layers(self.normalised(images))


def seconds_per_position(network, compute):
    """Processor seconds per image that went through a network, and what was computed."""
    seen = 0

    def count(_module, inputs):
        nonlocal seen
        seen += len(inputs[0])

    handle = network.register_forward_pre_hook(count)
    start = time.process_time()
    result = compute()
    taken = time.process_time() - start
    handle.remove()
    return taken / (seen or SIDE**2), result


@torch.inference_mode()
def plain(network, image, window, precision):
    """A forward pass for every ninth position, in batches of 128."""
    rows, columns = (hidden[::3] for hidden in windows.windows(SIDE, SIDE, window))
    is_grey = (rows[:, None, :, None] & columns[None, :, None, :]).reshape(-1, SIDE, SIDE)
    covered = np.where(is_grey[..., None], np.uint8(FILL), image)
    inputs = as_input(torch.from_numpy(covered))
    inputs = inputs.contiguous() if precision == "fp32" else inputs
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        logits = torch.cat([network(part).float() for part in inputs.split(128)])
    return logits.softmax(1).numpy()


def every_ninth():
    rows, columns = np.divmod(np.arange(SIDE**2), SIDE)
    return (rows % 3 == 0) & (columns % 3 == 0)


@torch.inference_mode()
def captum(network, image, window, batch):
    pixels = as_input(torch.from_numpy(image)[None]).contiguous()
    explain = Occlusion(lambda images: network(images).softmax(1))
    options = {
        "sliding_window_shapes": (3, window, window),
        "strides": (3, 2, 2),
        "perturbations_per_eval": batch,
    }
    return explain.attribute(pixels, target=0, baselines=FILL / 255, **options)


@torch.inference_mode()
def monai(network, image, window):
    pixels = as_input(torch.from_numpy(image)[None]).contiguous()
    stride_2 = 1 - 2 / window - 1e-6
    options = {
        "mask_size": window,
        "n_batch": 64,
        "mode": FILL / 255,
        "overlap": stride_2,
        "activate": "softmax",
    }
    return OcclusionSensitivity(network, **options, verbose=False)(pixels)


def contenders(network, window, batch):
    """What computes a map of an image, by name, and the network that it sends images through."""
    peer = OfPyTorch(network).eval()
    exact = Incremental(network, SIDE, [window])
    found = {
        "plain, float32": (peer, lambda image: plain(peer, image, window, "fp32")),
        f"Captum, batch of {batch}": (peer, lambda image: captum(peer, image, window, batch)),
        "MONAI, batch of 64": (peer, lambda image: monai(peer, image, window)),
        "plain by tiles, float32": (network, lambda image: plain(network, image, window, "fp32")),
        "ours, float32": (network, lambda image: exact(image, FILL)[0][0]),
    }
    rounded = Incremental(network, SIDE, [window], "bf16")
    if machine.computes_bf16():
        found["plain, bf16"] = (peer, lambda image: plain(peer, image, window, "bf16"))
    found["ours, bf16"] = (network, lambda image: rounded(image, FILL)[0][0])
    return found


def product_rate(device, precision):
    """Multiply-adds per second of a large matrix product."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    factors = torch.randn(2, MATRIX, MATRIX, device=device, dtype=kind)
    start = time.perf_counter()
    (factors[0] @ factors[1]).sum().item()  # waits until a GPU has finished
    return MATRIX**3 / (time.perf_counter() - start)


class Counted:
    """A later layer that counts the multiply-adds which what it reads can't do without."""

    def __init__(self, layer):
        self.layer = layer
        self.units = layer.units
        self.multiply_adds = 0

    def _count(self, changes):
        last = self.units.units - 1
        for unit, change in changes.items():
            reading = math.prod(
                min(place, last) - max(place - self.layer.kernel, -1) for place in unit
            )
            changed = int(change.count_nonzero())
            self.multiply_adds += changed * reading * len(self.layer.bias)

    def __call__(self, read):
        self._count(read.changes)
        return self.layer(read)

    def preactivations(self, read):
        self._count(read.changes)
        hidden = self.layer.preactivations(read)
        self.states = len(hidden)
        return hidden


def least_multiply_adds(network, image, shown):
    """What no exact sum leaves out in the maps of an image under some windows, per position."""
    engine = Incremental(network, SIDE, shown)
    *engine.layers, engine.head = counted = [
        Counted(layer) for layer in (*engine.layers, engine.head)
    ]
    maps, _ = engine(image, FILL)
    tail = engine.head.states * sum(linear.weight.numel() for linear in engine.tail)
    return (sum(layer.multiply_adds for layer in counted) + tail) / maps[..., 0].size


def bounds(network, image):
    """Milliseconds per position that no exact sum beats, by window and contender."""
    found = {}
    together = least_multiply_adds(network, image, WINDOWS)
    alone = {window: least_multiply_adds(network, image, [window]) for window in WINDOWS}
    kinds = {"float32": "fp32"} | ({"bf16": "bf16"} if machine.computes_bf16() else {})
    for name, precision in kinds.items():
        rate = product_rate("cpu", precision)
        for window in WINDOWS:
            found[window, f"bound, {name}"] = 1000 * alone[window] / rate
            found[window, f"bound, all windows together, {name}"] = 1000 * together / rate
    return found


def tuned_batch(network, image):
    """The batch with which Captum is fastest."""
    peer = OfPyTorch(network).eval()
    times = {
        batch: seconds_per_position(peer, partial(captum, peer, image, 5, batch))[0]
        for batch in CAPTUM_BATCHES
    }
    print({batch: f"{1000 * taken:.1f} ms" for batch, taken in times.items()}, flush=True)
    return min(times, key=times.get)


def as_plain(maps):
    """At the positions that `plain` takes."""
    return maps if maps.ndim == 2 else maps.reshape(-1, maps.shape[-1])[every_ninth()]


def measure(network, images):
    """Rows of window, contender, milliseconds per position of each image, difference to plain.

    The difference is the largest one of any probability, in float32.
    """
    batch = tuned_batch(network, images[0])
    runs = {window: contenders(network, window, batch) for window in WINDOWS}
    engines = {
        f"ours, all windows together, {name}": Incremental(network, SIDE, WINDOWS, precision)
        for name, precision in (("float32", "fp32"), ("bf16", "bf16"))
    }
    names = [*runs[WINDOWS[0]], *engines]
    times = {(window, name): [] for window in WINDOWS for name in names}
    differences = dict.fromkeys(times, 0.0)
    for number, image in enumerate(images, start=1):
        together = {}
        for name, engine in engines.items():
            start = time.process_time()
            maps, _ = engine(image, FILL)
            taken = (time.process_time() - start) / maps[..., 0].size
            together[name] = dict(zip(WINDOWS, maps, strict=True)), taken
        for window, compute in runs.items():
            exact = None
            for name, (through, run) in compute.items():
                taken, result = seconds_per_position(through, partial(run, image))
                times[window, name].append(1000 * taken)
                exact = result if exact is None else exact
                if name.startswith(("plain", "ours")):
                    difference = float(np.abs(as_plain(result) - exact).max())
                    differences[window, name] = max(differences[window, name], difference)
            for name, (maps, taken) in together.items():
                times[window, name].append(1000 * taken)
                difference = float(np.abs(as_plain(maps[window]) - exact).max())
                differences[window, name] = max(differences[window, name], difference)
        for place, milliseconds in bounds(network, image).items():
            times.setdefault(place, []).append(milliseconds)
            differences[place] = 0.0
        print(f"image {number} of {len(images)}", flush=True)
    return [
        {
            "window": window,
            "contender": name,
            "milliseconds": milliseconds,
            "difference": differences[window, name],
        }
        for (window, name), milliseconds in times.items()
    ]


def table(rows):
    """Median and quartiles per window, and how many times faster than Captum over all windows."""
    names = list(dict.fromkeys(row["contender"] for row in rows))
    windows_shown = " | ".join(f"window {window}" for window in WINDOWS)
    lines = [
        f"| ms per position | {windows_shown} | mean | Captum / it | largest difference |",
        "| --- " * (len(WINDOWS) + 4) + "|",
    ]
    means = {}
    for name in names:
        own = [row for row in rows if row["contender"] == name]
        means[name] = statistics.mean(statistics.median(row["milliseconds"]) for row in own)
    captum_mean = next(mean for name, mean in means.items() if name.startswith("Captum"))
    for name in names:
        own = [row for row in rows if row["contender"] == name]
        cells = []
        for row in own:
            low, median, high = np.percentile(row["milliseconds"], [25, 50, 75])
            cells.append(f"{median:.2f} ({low:.2f} to {high:.2f})")
        difference = max(row["difference"] for row in own)
        shown = f"{difference:.1e}" if name.startswith(("plain", "ours")) else "other maps"
        shown = "–" if name.startswith("bound") else shown
        ratio = captum_mean / means[name]
        lines.append(
            f"| {name} | {' | '.join(cells)} | {means[name]:.2f} | {ratio:.1f} | {shown} |"
        )
    return "\n".join(lines), means


def processor():
    """The name of the processor."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")),
        "unknown processor",
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument(
        "--weights", help="state dict of the published network; else PyTorch's initial weights"
    )
    arguments.add_argument(
        "--images", help="test-images.h5 of an experiment, 32×32 pixels; else drawn shapes"
    )
    arguments.add_argument("--count", type=int, default=5, help="images, one per repeat")
    arguments.add_argument(
        "--output", default="benchmarks/results", help="folder of the table and the JSON"
    )
    given = arguments.parse_args()
    warnings.simplefilter("ignore")  # of the peers
    torch.set_num_threads(1)
    network = published_network(given.weights)
    if given.images:
        images = image_file.read(given.images, "test", given.count).pixels
    else:
        images = shapes.draw(given.count, seed=(0,))[0]
    rows = measure(network, images)
    text, means = table(rows)
    ours, forward = (
        means[name] * SIDE**2 * len(WINDOWS) * STUDY_IMAGES / 1000
        for name in ("ours, all windows together, float32", "plain, float32")
    )
    text += (
        f"\n\nn = {len(images)} images, {processor()}, torch {torch.__version__}, one thread. "
        f"The study's {STUDY_IMAGES} images and {len(WINDOWS)} windows take {ours:.0f} processor "
        f"seconds, with a forward pass at every position {forward:.0f} (both from the table), "
        f"{forward / ours:.1f} times as many."
    )
    print(text)
    folder = Path(given.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "occlusion.md").write_text(text + "\n", encoding="utf-8")
    (folder / "occlusion.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
