"""The network that is trained and probed."""

import itertools

import torch
from torch import nn
from torch.nn import functional as F

from convprobe.errors import InputError
from convprobe.network import receptive_field

# Up to which a layer trains faster on a CPU as a product of matrices: PyTorch's convolution takes long over many
# weights, however small the maps (benchmarks/training.py).
PATCHES_PER_FILTER = 4
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
            InputError: a layer shrinks the map below 1×1, or a channel has no deviation to divide by.
        """
        super().__init__()
        if 0 in normalisation["std"]:
            found = f"channel {normalisation['std'].index(0)} has one value everywhere"
            raise InputError(
                f"the training images can't be normalised: {found}. Expected training.normalise or "
                "runs.NAME.normalise to be false or, with weights, runs.NAME.normalisation"
            )
        self.settings, self.classes, self.side = settings, classes, side
        width = len(normalisation["mean"])
        self.stages = receptive_field.stages(settings)
        for number, stage in enumerate(self.stages, start=1):
            convolution = nn.Conv2d(
                width, stage.channels, stage.kernel, stage.stride, stage.padding
            )
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
            maps = self.pooled(number, self.convolved(number, maps))
            yield name, maps

    def convolved(self, number, maps):
        """The convolution of a layer, counted from 0."""
        convolution, stage = self.get_submodule(self.convolutions[number]), self.stages[number]
        patches = len(maps) * receptive_field.convolved_side(stage, maps.shape[-1]) ** 2
        # Not in evaluation: how many images come at a time mustn't decide what is computed there.
        if (
            self.training
            and maps.device.type == "cpu"
            and patches <= PATCHES_PER_FILTER * stage.channels
        ):
            return _as_product(convolution, maps)
        return convolution(maps)

    def pooled(self, number, maps):
        """What follows the convolution of a layer, counted from 0: batch normalisation, ReLU and pooling."""
        stage = self.stages[number]
        if stage.batch_norm:
            maps = self.get_submodule(f"norm{number + 1}")(maps)
        return F.relu(F.max_pool2d(maps, stage.pool))  # as in the other order, for fewer values

    def forward(self, images):
        """Logits (image, class) of float32 images (image, channel, y, x) in [0, 1]."""
        *_, (_, maps) = self.pooled_maps(images)
        hidden, dropout = maps.flatten(1), self.settings.get("dropout", 0)
        for name in self.fully_connected[:-1]:
            hidden = F.relu(self.get_submodule(name)(F.dropout(hidden, dropout, self.training)))
        return self.get_submodule(self.fully_connected[-1])(
            F.dropout(hidden, dropout, self.training)
        )


def as_input(pixels):
    """Turn uint8 pixels (image, y, x, channel) into float32 (image, channel, y, x) in [0, 1]."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)


def _as_product(convolution, maps):
    """A convolution as a product of two matrices, patches and weights (Chellapilla et al. 2006, section 3)."""
    # In float32 or better: the gradient at a place that lies in several patches is summed before it is rounded.
    places = F.pad(
        maps.to(torch.promote_types(maps.dtype, torch.float32)), 4 * convolution.padding[:1]
    )
    end, stride = places.shape[-1] - convolution.kernel_size[0] + 1, convolution.stride[0]
    corners = itertools.product(range(convolution.kernel_size[0]), repeat=2)
    shifted = [
        places[..., y : y + end : stride, x : x + end : stride].to(maps.dtype) for y, x in corners
    ]
    patches = torch.cat([part.permute(0, 2, 3, 1) for part in shifted], dim=-1)
    weights = convolution.weight.permute(0, 2, 3, 1).flatten(1)  # in the order of the patches
    return F.linear(patches, weights, convolution.bias).permute(0, 3, 1, 2)
