"""What a network says without some of its filters, for far less than a forward pass a variant.

Up to the first filter that is off nothing changes, and is computed once for all variants. A convolution
is linear, so the next layer changes by what the filters that are off, and they alone, gave to it. Only
after that do all channels change. Nothing is approximated: only the order of the additions differs from
that of a forward pass.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from convprobe.job import runtime
from convprobe.network.batches import in_batches
from convprobe.network.layers import as_input
from convprobe.network.matrix import Convolution
from convprobe.network.receptive_field import split_name

BATCH = 100  # images at a time; bounds the memory, doesn't change the result


@torch.inference_mode()
def predict(network, variants, images, mode="zero", job=runtime.IDLE, batch=BATCH):
    """Logits of every variant of a network, which itself stays as it is.

    Args:
        network: in evaluation mode, on the device where it is to run.
        variants: for each the names of the filters that are off, `conv2/400`; none for the network
            as it is.
        images: image_file.Images.
        mode: what takes the place of a filter's map after ReLU and pooling. `zero`: 0, as if its weights
            and its bias were 0, and no batch normalisation followed. `weights-only`: what its bias alone
            gives, as if only its weights were 0.
            `mean`: its mean map over these images (mean ablation: Chan et al. 2022, Causal Scrubbing).
        batch: images at a time.

    Returns:
        float32 (variant, image, class), on the CPU.
    """
    device = network.mean.device
    substitutes = _substitutes(network, images, mode, job)
    off = [_by_layer(network, names) for names in variants]
    passes = Passes(network)

    def logits(pixels):
        clean = passes.clean(as_input(pixels.to(device)))
        return torch.stack([passes.without(filters, substitutes, clean) for filters in off]).cpu()

    pixels = torch.from_numpy(images.pixels)
    return torch.cat(list(in_batches(logits, pixels, batch, "images", job)), dim=1)


def _by_layer(network, names):
    """Channels by the number of their layer from 0, both in order."""
    found = {}
    for layer, channel in sorted(
        (network.convolutions.index(layer), channel) for layer, channel in map(split_name, names)
    ):
        found.setdefault(layer, []).append(channel)
    return found


def _substitutes(network, images, mode, job):
    """What takes the place of each layer's maps, float32 (channel, y, x); 1×1 for the same everywhere."""
    if mode == "mean":
        return _mean_maps(network, images, job)
    biases = [
        network.get_submodule(name).bias.detach()[:, None, None] for name in network.convolutions
    ]
    if mode == "zero":
        return [torch.zeros_like(bias) for bias in biases]
    # A map that is the same everywhere stays so; it must only be large enough to be pooled.
    maps = [
        bias.expand(-1, *[stage.pool] * 2)[None]
        for bias, stage in zip(biases, network.stages, strict=True)
    ]
    return [network.pooled(number, constant)[0] for number, constant in enumerate(maps)]


def _mean_maps(network, images, job):
    device = network.mean.device

    def sums(pixels):
        return [
            maps.double().sum(0) for _, maps in network.pooled_maps(as_input(pixels.to(device)))
        ]

    pixels = torch.from_numpy(images.pixels)
    found = list(in_batches(sums, pixels, BATCH, "images for the mean", job))
    return [(sum(layer) / len(images.labels)).float() for layer in zip(*found, strict=True)]


@dataclass(frozen=True)
class Clean:
    """A batch on its way through the network as it is.

    Attributes:
        pooled: of each convolution the maps after ReLU and pooling, (image, channel, y, x).
        before: of each convolution and the first fully connected layer what comes out of it.
        logits: (image, class).
    """

    pooled: list
    before: list
    logits: torch.Tensor


class Passes:
    """Ways through one network, with and without some of its filters."""

    def __init__(self, network):
        self.network = network
        self.layers = [network.get_submodule(name) for name in network.convolutions]
        first, *self.tail = [network.get_submodule(name) for name in network.fully_connected]
        channels = self.layers[-1].out_channels
        side = round((first.in_features / channels) ** 0.5)
        # The first fully connected layer is a convolution over its whole input.
        self.bias = [layer.bias for layer in (*self.layers[1:], first)]
        self.convolutions = [
            Convolution(layer.weight.detach(), stage.stride, stage.padding)
            for layer, stage in zip(self.layers[1:], network.stages[1:], strict=True)
        ]
        self.convolutions.append(Convolution(first.weight.detach().view(-1, channels, side, side)))

    def clean(self, inputs):
        """A batch (image, channel, y, x) in [0, 1] through the network as it is."""
        maps, pooled, before = (inputs - self.network.mean) / self.network.std, [], []
        for number, layer in enumerate(self.layers):
            before.append(layer(maps))
            maps = self.network.pooled(number, before[-1])
            pooled.append(maps)
        first = self.network.get_submodule(self.network.fully_connected[0])
        before.append(first(maps.flatten(1))[..., None, None])
        return Clean(pooled, before, self._logits(before[-1]))

    def without(self, filters, substitutes, clean):
        """Logits (image, class) of the batch.

        Args:
            filters: channels by the number of their layer, those that are off.
            substitutes: of each layer what takes the place of a map.
            clean: the batch's way through the network as it is.
        """
        if not filters:
            return clean.logits
        start, maps = min(filters), None
        for number in range(start, len(self.layers)):
            channels = filters.get(number, [])
            if number == start:
                change = substitutes[number][channels] - clean.pooled[number][:, channels]
                hidden = clean.before[number + 1] + self.convolutions[number](change, channels)
            else:
                maps = self.network.pooled(number, hidden)
                maps[:, channels] = substitutes[number][channels]
                hidden = self.convolutions[number](maps) + self.bias[number][:, None, None]
        return self._logits(hidden)

    def _logits(self, hidden):
        hidden = hidden.flatten(1)
        for layer in self.tail:
            hidden = layer(F.relu(hidden))
        return hidden
