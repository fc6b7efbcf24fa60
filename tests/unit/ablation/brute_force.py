"""Random networks, and what they predict without some filters, by brute force."""

import copy

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional as F

from convprobe.dataset.image_file import Images
from convprobe.network.layers import Network

CLASSES = ("ant", "bee", "cow")
SIDE = 26  # of the images, in pixels


def draw_network(random: np.random.Generator) -> Network:
    """A network that the config can describe."""
    stages = []
    for _ in range(random.integers(1, 4)):
        channels = int(random.integers(2, 9))
        stages.append({"channels": channels, "kernel": int(random.integers(1, 4))})
    if random.integers(2):
        for stage in stages:
            stage["padding"] = int(random.integers(0, stage["kernel"]))
            stage["stride"] = int(random.integers(1, 3))
            stage["pool"] = int(random.integers(1, 3))
            stage["batch_norm"] = bool(random.integers(2))
    torch.manual_seed(int(random.integers(2**31)))
    widths = random.integers(8, 12, random.integers(0, 3)).tolist()
    network = Network({"conv": stages, "fc": widths}, len(CLASSES), (SIDE, SIDE))
    for name, values in network.state_dict().items():
        # Larger than the initial ones, so that each filter matters.
        if "running_var" in name:
            torch.nn.init.uniform_(values, 0.5, 1.5)
        elif values.is_floating_point():
            torch.nn.init.normal_(values, std=0.5)
    return network.eval()


def draw_images(random: np.random.Generator, count: int = 12) -> Images:
    pixels = random.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    labels = random.integers(len(CLASSES), size=count)
    return Images(pixels, labels, CLASSES, np.arange(count))


def draw_filters(random: np.random.Generator, network: Network) -> list[str]:
    """Some filters, of any layers, none of them twice."""
    every = []
    for layer in network.convolutions:
        width = network.get_submodule(layer).out_channels
        every += [f"{layer}/{channel}" for channel in range(width)]
    count = random.integers(1, len(every) // 2 + 1)
    return random.choice(every, count, replace=False).tolist()


@torch.no_grad()
def logits_without(
    network: Network, filters: list[str], images: Images, mode: str
) -> Float32[Tensor, "image class"]:
    """Every layer of every image anew, each map of these filters replaced as the mode says."""
    inputs = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    clean_maps = dict(network.pooled_maps(inputs))
    changed = copy.deepcopy(network)
    maps = inputs
    for number, layer in enumerate(changed.convolutions):
        channels = [int(name.split("/")[1]) for name in filters if name.split("/")[0] == layer]
        convolution = changed.get_submodule(layer)
        convolution.weight[channels] = 0
        maps = convolution(maps)
        if network.stages[number].batch_norm:
            maps = changed.get_submodule(f"norm{number + 1}")(maps)
        maps = F.max_pool2d(F.relu(maps), network.stages[number].pool)
        if mode == "zero":
            maps[:, channels] = 0
        if mode == "mean":
            maps[:, channels] = clean_maps[layer][:, channels].mean(0)
    hidden = maps.flatten(1)
    for layer in changed.fully_connected[:-1]:
        hidden = F.relu(changed.get_submodule(layer)(hidden))
    return changed.get_submodule(changed.fully_connected[-1])(hidden)
