"""The kernels of a first layer that is given the image: three channels, to be seen as colours."""

from typing import NamedTuple

import h5py
import numpy as np
from jaxtyping import Float32

from convprobe.dataset import image_file
from convprobe.network import filter_layers
from convprobe.network.classifiers import Classifier
from convprobe.network.execution import Execution
from convprobe.network.graph import INPUT, Weight
from convprobe.store import hdf5

AXES = ("filter", "y", "x", "channel")


class Kernels(NamedTuple):
    """The kernels of a layer.

    Attributes:
        layer: its name.
        weights: what the pixels are multiplied by, once they are normalised.
    """

    layer: str
    weights: Float32[np.ndarray, "filter y x channel"]


def of_network(network: Classifier) -> Kernels | None:
    """The first layer's kernels; None if they aren't weights of the image's three channels."""
    first = next(iter(filter_layers.of_graph(network.graph).values()))
    convolution = network.graph.nodes[first.convolution]
    weight = convolution.argument(1, "weight")
    if not isinstance(weight, Weight) or convolution.inputs[0] != INPUT:
        return None
    weights = Execution(network.graph, network).tensors[weight.name]
    if weights.shape[:2] != (first.channels, len(image_file.CHANNELS)):
        return None
    return Kernels(first.name, weights.detach().float().permute(0, 2, 3, 1).cpu().numpy())


def store(file: h5py.File, kernels: Kernels) -> None:
    """Store them as the dataset `kernels` of the group of their layer."""
    group = file.require_group(kernels.layer)
    filters, height, width, _ = kernels.weights.shape
    hdf5.dimension(group, "filter", np.arange(filters))
    hdf5.places(group, (height, width))
    hdf5.dimension(group, "channel", image_file.CHANNELS)
    hdf5.dataset(group, "kernels", kernels.weights, AXES)
