"""Small modules of what networks are made of beside chains, and what their filters' maps are.

Each has `maps`: by layer, the path of the module whose result is the map, and which call of it.
"""

import copy
from collections import Counter
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from convprobe.dataset.image_file import Images
from convprobe.network import tracing
from convprobe.network.classifiers import TracedNetwork

CLASSES = ("ant", "bee", "cow")
NORMALISATION = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}


class Residual(nn.Module):
    """A stem, and a block with strides, batch normalisation and a way around it."""

    shape = (16, 20)
    maps: ClassVar = {
        "stem": ("pool", 1),
        "block.conv1": ("block.relu1", 1),
        "block.conv2": ("block.norm2", 1),
        "block.around.0": ("block.around.1", 1),
    }

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.block = Block()
        self.fc = nn.Linear(5, len(CLASSES))

    def forward(self, x):
        x = self.block(self.pool(torch.relu(self.norm(self.stem(x)))))
        return self.fc(x.mean((2, 3)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 5, 3, 2, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(5)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(5, 5, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(5)
        self.around = nn.Sequential(nn.Conv2d(4, 5, 1, 2, bias=False), nn.BatchNorm2d(5))

    def forward(self, x):
        y = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return torch.relu(y + self.around(x))


class Joined(nn.Module):
    """Maps that are put beside each other, and layers that read their values in one row."""

    shape = (12, 12)
    maps: ClassVar = {"conv1": ("relu1", 1), "conv2": ("gelu", 1), "conv3": ("relu3", 1)}

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 3, 3, padding="same")
        self.gelu = nn.GELU()
        self.pool = nn.AvgPool2d(2)
        self.conv3 = nn.Conv2d(7, 4, 2)
        self.relu3 = nn.ReLU()
        self.fc1 = nn.Linear(4 * 4 * 4, 6)
        self.fc2 = nn.Linear(6, len(CLASSES))

    def forward(self, x):
        x = self.relu1(self.conv1(x))
        x = self.pool(torch.cat([x, self.gelu(self.conv2(x))], 1))
        x = self.relu3(self.conv3(x)).flatten(1)
        return self.fc2(torch.relu(self.fc1(x)))


class Depthwise(nn.Module):
    """Convolutions in groups of channels."""

    shape = (15, 13)
    maps: ClassVar = {"conv": ("swish", 1), "each": ("relu", 1), "pairs": ("norm", 1)}

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, 2, bias=True)
        self.swish = nn.Hardswish()
        self.each = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.relu = nn.ReLU6()
        self.pairs = nn.Conv2d(6, 4, 1, groups=2, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, len(CLASSES))

    def forward(self, x):
        x = self.norm(self.pairs(self.relu(self.each(self.swish(self.conv(x))))))
        return self.fc((x * torch.sigmoid(x)).amax((2, 3)))


class Reused(nn.Module):
    """A convolution that is used twice, and a pooling at no regular places."""

    shape = (13, 13)
    maps: ClassVar = {"stem": ("relu", 1), "conv": ("relu", 2), "conv-2": ("pool", 1)}

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 2)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.fc = nn.Linear(4 * 4 * 4, len(CLASSES))

    def forward(self, x):
        x = self.conv(self.relu(self.conv(self.relu(self.stem(x)))))
        return self.fc(torch.flatten(self.pool(x), 1))


class Peaks(nn.Module):
    """Poolings that give places beside values."""

    shape = (14, 12)
    maps: ClassVar = {"conv1": ("pool", 1), "conv2": ("largest", 1)}

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(4, 5, 2)
        self.largest = nn.AdaptiveMaxPool2d(2)
        self.fc = nn.Linear(5 * 2 * 2, len(CLASSES))

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        return self.fc(self.largest(torch.relu(self.conv2(x))).flatten(1))


class Precise(nn.Module):
    """Changes its input in place, turns its channels round, and goes on in float64."""

    shape = (12, 11)
    maps: ClassVar = {"conv1": ("relu1", 1), "conv2": ("relu2", 1), "conv3": ("relu3", 1)}

    def __init__(self):
        super().__init__()
        self.above = nn.LeakyReLU(0.5, inplace=True)
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 4, 3).double()
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(4, 5, 3).double()
        self.relu3 = nn.ReLU()
        self.fc = nn.Linear(5, len(CLASSES)).double()

    def forward(self, x):
        x = self.relu1(self.conv1(self.above(x).flip(1))).double()
        x = self.relu3(self.conv3(self.relu2(self.conv2(x))))
        return self.fc(x.mean((2, 3), keepdim=True).squeeze())


KINDS = (Residual, Joined, Depthwise, Reused, Peaks, Precise)


class Traced:
    """A module with random weights, and the network that its graph makes.

    Attributes:
        maps: of the class.
        images: noise.
    """

    def __init__(self, kind: type[nn.Module]) -> None:
        torch.manual_seed(1)
        self.module = kind().eval()
        for name, tensor in self.module.state_dict().items():
            if "running_var" in name:
                nn.init.uniform_(tensor, 0.5, 1.5)
            elif tensor.is_floating_point():
                # Larger than the initial ones, so that each filter matters.
                nn.init.normal_(tensor, std=0.5)
        self.maps = kind.maps
        graph = tracing.trace(self.module, (3, *kind.shape))
        self.network = TracedNetwork({"factory": "none"}, graph, NORMALISATION).eval()
        self.network.load_state_dict(self.module.state_dict())
        random = np.random.default_rng(2)
        pixels = random.integers(0, 256, (11, *kind.shape, 3), dtype=np.uint8)
        labels = random.integers(len(CLASSES), size=len(pixels))
        self.images = Images(pixels, labels, CLASSES, np.arange(len(pixels)))

    def inputs(self):
        """The images, normalised, in float64."""
        pixels = torch.from_numpy(self.images.pixels).permute(0, 3, 1, 2).double() / 255
        mean, std = (torch.tensor(NORMALISATION[key])[:, None, None] for key in ("mean", "std"))
        return (pixels - mean) / std

    def with_hooks(self, hooks):
        """A copy of the module in float64.

        Args:
            hooks: by path and call functions of a result, which may return another one.
        """
        copied = copy.deepcopy(self.module).double()
        calls = Counter()
        for path in {path for path, _ in hooks}:

            def hook(module, given, result, path=path):
                calls[path] += 1
                change = hooks.get((path, calls[path]))
                return change(result) if change else None

            copied.get_submodule(path).register_forward_hook(hook)
        return copied

    def maps_of(self, inputs):
        """Each layer's maps, as hooks see them."""
        found = {}
        hooks = {}
        for layer, place in self.maps.items():

            def keep(result, layer=layer):
                found[layer] = result

            hooks[place] = keep
        self.with_hooks(hooks)(inputs.clone())  # a module may change them
        return found
