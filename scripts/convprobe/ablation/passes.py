"""What a network without some filters predicts, at a fraction of a forward pass per variant.

Up to the first layer with a filter switched off nothing changes: that part is computed once for all
variants. A convolution is linear, so the next layer changes by what the maps of these filters alone
contributed to it. Only after that do all channels change. Nothing is approximated: only the order
of the additions differs from that of a forward pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor
from torch.nn import functional as F

from convprobe.dataset.image_file import Images
from convprobe.job.runtime import IDLE, Job
from convprobe.network.batches import in_batches
from convprobe.network.layers import Network, as_input
from convprobe.network.matrix import Convolution
from convprobe.network.receptive_field import split_name

BATCH = 100  # images at a time; bounds the memory, doesn't change the result

Mode = Literal["zero", "weights-only", "mean"]
ByLayer = dict[int, list[int]]  # channels by the number of their layer, from 0
Maps = Float32[Tensor, "image _channel _y _x"]
Substitutes = list[Float32[Tensor, "_channel _y _x"]]  # of each layer; 1×1: the same everywhere


@torch.inference_mode()
def predict(
    network: Network,
    variants: Iterable[list[str]],
    images: Images,
    mode: Mode = "zero",
    job: Job = IDLE,
    batch: int = BATCH,
) -> Float32[Tensor, "variant image class"]:
    """Logits of every variant of a network, on the CPU; the network itself stays as it is.

    Args:
        network: in evaluation mode, on the device where it is to run.
        variants: for each the names of the filters that are switched off, `conv2/400`; none for the
            clean network.
        mode: what takes the place of a filter's map after ReLU and pooling. `zero`: 0, as if its
            weights and its bias were 0, and no batch normalisation followed. `weights-only`: what
            its bias alone gives, as if only its weights were 0. `mean`: its mean map over these
            images (mean ablation: Chan et al. 2022, Causal Scrubbing).
        batch: images at a time; doesn't change the result.
    """
    device = network.mean.device
    substitutes = _substitutes(network, images, mode, job)
    ablations = [_by_layer(network, names) for names in variants]
    passes = Passes(network)

    def logits(pixels: UInt8[Tensor, "part y x channel"]) -> Float32[Tensor, "variant part class"]:
        clean = passes.clean(as_input(pixels.to(device)))
        found = [passes.ablated(filters, substitutes, clean) for filters in ablations]
        return torch.stack(found).cpu()

    pixels = torch.from_numpy(images.pixels)
    return torch.cat(list(in_batches(logits, pixels, batch, "images", job)), dim=1)


def _by_layer(network: Network, names: list[str]) -> ByLayer:
    """The filters that are switched off; layers and channels in increasing order."""
    filters = []
    for name in names:
        layer, channel = split_name(name)
        filters.append((network.convolutions.index(layer), channel))
    by_layer = {}
    for number, channel in sorted(filters):
        by_layer.setdefault(number, []).append(channel)
    return by_layer


def _substitutes(network: Network, images: Images, mode: Mode, job: Job) -> Substitutes:
    """What takes the place of each layer's maps."""
    if mode == "mean":
        return _mean_maps(network, images, job)
    substitutes = []
    for number, layer in enumerate(network.convolutions):
        bias = network.get_submodule(layer).bias.detach()[:, None, None]
        if mode == "zero":
            substitutes.append(torch.zeros_like(bias))
        else:
            substitutes.append(_maps_of_bias(network, number, bias))
    return substitutes


def _maps_of_bias(
    network: Network, number: int, bias: Float32[Tensor, "channel 1 1"]
) -> Float32[Tensor, "channel 1 1"]:
    """A layer's maps after ReLU and pooling if its weights were 0: the same value everywhere."""
    # As large as the pooling needs.
    pool = network.stages[number].pool
    constant = bias.expand(-1, pool, pool)[None]
    return network.pooled(number, constant)[0]


def _mean_maps(network: Network, images: Images, job: Job) -> Substitutes:
    """Each layer's maps, averaged over the images."""
    device = network.mean.device

    def sums(
        pixels: UInt8[Tensor, "part y x channel"],
    ) -> list[Float64[Tensor, "_channel _y _x"]]:
        pooled_maps = network.pooled_maps(as_input(pixels.to(device)))
        return [maps.double().sum(0) for _, maps in pooled_maps]

    pixels = torch.from_numpy(images.pixels)
    of_batches = list(in_batches(sums, pixels, BATCH, "images for the mean", job))
    means = []
    for of_layer in zip(*of_batches, strict=True):
        mean = sum(of_layer) / len(images.labels)
        means.append(mean.float())
    return means


@dataclass(frozen=True)
class CleanPass:
    """A batch on its way through the clean network.

    Attributes:
        pooled: each convolution's maps after ReLU and pooling.
        outputs: what comes out of each convolution and of the first fully connected layer, before
            batch normalisation and ReLU.
    """

    pooled: list[Maps]
    outputs: list[Maps]
    logits: Float32[Tensor, "image class"]


class Passes:
    """Ways through one network, with all and without some of its filters."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.layers = [network.get_submodule(name) for name in network.convolutions]
        first, *self.tail = [network.get_submodule(name) for name in network.fully_connected]
        self.bias = [layer.bias for layer in (*self.layers[1:], first)]
        self.convolutions = []
        for layer, stage in zip(self.layers[1:], network.stages[1:], strict=True):
            weight = layer.weight.detach()
            self.convolutions.append(Convolution(weight, stage.stride, stage.padding))
        # The first fully connected layer is a convolution over its whole input.
        channels = self.layers[-1].out_channels
        side = round((first.in_features / channels) ** 0.5)
        weight = first.weight.detach().view(-1, channels, side, side)
        self.convolutions.append(Convolution(weight))

    def clean(self, inputs: Float32[Tensor, "image channel y x"]) -> CleanPass:
        """Take a batch of images in [0, 1] through the network as trained."""
        maps = (inputs - self.network.mean) / self.network.std
        pooled = []
        outputs = []
        for number, layer in enumerate(self.layers):
            outputs.append(layer(maps))
            maps = self.network.pooled(number, outputs[-1])
            pooled.append(maps)
        first = self.network.get_submodule(self.network.fully_connected[0])
        outputs.append(first(maps.flatten(1))[..., None, None])
        return CleanPass(pooled, outputs, self._logits(outputs[-1]))

    def ablated(
        self, filters: ByLayer, substitutes: Substitutes, clean: CleanPass
    ) -> Float32[Tensor, "image class"]:
        """Logits of a batch without some filters.

        Args:
            filters: those that are switched off.
            substitutes: what takes the place of each layer's maps.
            clean: the batch's way through the network as trained.
        """
        if not filters:
            return clean.logits
        start = min(filters)
        channels = filters[start]
        change = substitutes[start][channels] - clean.pooled[start][:, channels]
        outputs = clean.outputs[start + 1] + self.convolutions[start](change, channels)
        for number in range(start + 1, len(self.layers)):
            maps = self.network.pooled(number, outputs)
            channels = filters.get(number, [])
            maps[:, channels] = substitutes[number][channels]
            outputs = self.convolutions[number](maps) + self.bias[number][:, None, None]
        return self._logits(outputs)

    def _logits(self, outputs: Maps) -> Float32[Tensor, "image class"]:
        """What the last layers make of the outputs of the first fully connected one."""
        hidden = outputs.flatten(1)
        for layer in self.tail:
            hidden = layer(F.relu(hidden))
        return hidden
