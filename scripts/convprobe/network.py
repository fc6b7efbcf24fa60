"""The network that is trained and probed."""

import torch
from torch import nn
from torch.nn import functional as F

from convprobe import receptive_field

RAW = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}  # leaves pixels in [0, 1] as they are


class Network(nn.Module):
    """Convolutions, each with batch normalisation if asked for, ReLU and max pooling; fully connected layers.

    Normalisation is part of the network, so that every probe hands it plain pixels. It isn't part
    of the state dict, whose keys are `conv1.weight` … `fc3.bias`, and `norm1.weight` … where a
    convolution is followed by batch normalisation.
    """

    def __init__(self, settings, classes, side, normalisation=RAW):
        """Build the network with PyTorch's default initial weights.

        Args:
            settings: the config's `network`: `conv` (a receptive_field.Stage each), `fc` (widths) and `dropout`.
            classes: number of outputs.
            side: of the square input images, in pixels.
            normalisation: `mean` and `std` per channel of pixels in [0, 1].

        Raises:
            InputError: a layer shrinks the map below 1×1.
        """
        super().__init__()
        self.settings, self.classes, self.side = settings, classes, side
        width = len(normalisation["mean"])
        self.stages = receptive_field.stages(settings)
        for number, stage in enumerate(self.stages, start=1):
            convolution = nn.Conv2d(width, stage.channels, stage.kernel, stage.stride, stage.padding)
            self.add_module(f"conv{number}", convolution)
            if stage.batch_norm:
                self.add_module(f"norm{number}", nn.BatchNorm2d(stage.channels))
            width = stage.channels
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
        for number, name in enumerate(self.convolutions):
            maps = self.pooled(number, self.get_submodule(name)(maps))
            yield name, maps

    def pooled(self, number, maps):
        """What follows the convolution of a layer, counted from 0: batch normalisation, ReLU and pooling."""
        stage = self.stages[number]
        if stage.batch_norm:
            maps = self.get_submodule(f"norm{number + 1}")(maps)
        return F.max_pool2d(F.relu(maps), stage.pool)

    def forward(self, images):
        """Logits (image, class) of float32 images (image, channel, y, x) in [0, 1]."""
        *_, (_, maps) = self.pooled_maps(images)
        hidden, dropout = maps.flatten(1), self.settings.get("dropout", 0)
        for name in self.fully_connected[:-1]:
            hidden = F.relu(self.get_submodule(name)(F.dropout(hidden, dropout, self.training)))
        return self.get_submodule(self.fully_connected[-1])(F.dropout(hidden, dropout, self.training))


def as_input(pixels):
    """Turn uint8 pixels (image, y, x, channel) into float32 (image, channel, y, x) in [0, 1]."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)
