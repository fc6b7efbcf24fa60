"""The network that is trained and probed."""

import torch
from torch import nn
from torch.nn import functional as F

from convprobe import receptive_field

RAW = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}  # leaves pixels in [0, 1] as they are


class Network(nn.Module):
    """Convolutions, each followed by ReLU and 2×2 max pooling, then fully connected layers.

    Normalisation is part of the network, so that every probe hands it plain pixels. It isn't part
    of the state dict, whose keys are `conv1.weight` … `fc3.bias`.
    """

    def __init__(self, settings, classes, side, normalisation=RAW):
        """Build the network with PyTorch's default initial weights.

        Args:
            settings: the config's `network`: `conv` (`channels`, `kernel` each) and `fc` (widths).
            classes: number of outputs.
            side: of the square input images, in pixels.
            normalisation: `mean` and `std` per channel of pixels in [0, 1].

        Raises:
            InputError: a layer shrinks the map below 1×1.
        """
        super().__init__()
        self.settings, self.classes, self.side = settings, classes, side
        width = len(normalisation["mean"])
        for number, conv in enumerate(settings["conv"], start=1):
            self.add_module(f"conv{number}", nn.Conv2d(width, conv["channels"], conv["kernel"]))
            width = conv["channels"]
        *_, last_side = receptive_field.pooled_sides(settings, side).values()
        width *= last_side**2
        for number, outputs in enumerate([*settings["fc"], classes], start=1):
            self.add_module(f"fc{number}", nn.Linear(width, outputs))
            width = outputs
        self.convolutions = [f"conv{n}" for n in range(1, len(settings["conv"]) + 1)]
        self.fully_connected = [f"fc{n}" for n in range(1, len(settings["fc"]) + 2)]
        for name in ("mean", "std"):
            values = torch.tensor(normalisation[name], dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, values, persistent=False)

    def pooled_maps(self, images):
        """Yield (layer name, maps after ReLU and pooling), the first layer first.

        Args:
            images: float32 (image, channel, y, x) in [0, 1].
        """
        maps = (images - self.mean) / self.std
        for name in self.convolutions:
            maps = F.max_pool2d(F.relu(self.get_submodule(name)(maps)), receptive_field.POOL)
            yield name, maps

    def forward(self, images):
        """Logits (image, class) of float32 images (image, channel, y, x) in [0, 1]."""
        *_, (_, maps) = self.pooled_maps(images)
        hidden = maps.flatten(1)
        for name in self.fully_connected[:-1]:
            hidden = F.relu(self.get_submodule(name)(hidden))
        return self.get_submodule(self.fully_connected[-1])(hidden)


def as_input(pixels):
    """Turn uint8 pixels (image, y, x, channel) into float32 (image, channel, y, x) in [0, 1]."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)


def split_name(filter_name):
    """`conv2/400` as ("conv2", 400)."""
    layer, channel = filter_name.split("/")
    return layer, int(channel)
