"""What a network without some filters predicts, at a fraction of a forward pass per variant.

Up to the first map with a filter switched off nothing changes, nor beside the way from there to the
logits: that part is computed once for all variants. A convolution is linear, so one that reads such
a map changes by what the maps of these filters alone contributed to it. Only after that do all
channels change. Nothing is approximated: only the order of the additions differs from that of a
forward pass.
"""

import functools
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from convprobe.dataset.image_file import Images
from convprobe.job.runtime import IDLE, Job
from convprobe.network import filter_layers, operators, threads
from convprobe.network.batches import fitting, in_batches
from convprobe.network.classifiers import Classifier
from convprobe.network.execution import Execution, NodeResults
from convprobe.network.filter_layers import FilterLayer, split_name
from convprobe.network.graph import Node, Value, Weight
from convprobe.network.layers import as_input
from convprobe.network.matrix import ProductConvolution

BATCH = 200  # images at a time on each thread, at most; doesn't change the result
LARGEST_KEPT = 2**27  # numbers that are kept of the clean network, of all images at a time

Mode = Literal["zero", "weights-only", "mean"]
Off = dict[str, list[int]]  # channels that are switched off, by the name of the node of their maps
Substitutes = dict[str, Float[Tensor, "_channel _y _x"]]  # by node; 1×1: the same everywhere


@torch.inference_mode()
def predict(
    network: Classifier,
    variants: Iterable[list[str]],
    images: Images,
    mode: Mode = "zero",
    job: Job = IDLE,
    batch: int = BATCH,
) -> Float[Tensor, "variant image class"]:
    """Logits of every variant of a network, on the CPU; the network itself stays as it is.

    Args:
        network: in evaluation mode, on the device where it is to run.
        variants: for each the names of the filters that are switched off, `conv2/400`; none for the
            clean network.
        mode: what takes the place of a filter's map, see filter_layers. `zero`: 0, as if its
            weights and its bias were 0, and no batch normalisation followed. `weights-only`: what
            its bias alone gives, as if only its weights were 0. `mean`: its mean map over these
            images (mean ablation: Chan et al. 2022, Causal Scrubbing).
        batch: images at a time, at most; doesn't change the result.
    """
    device = network.device
    layers = filter_layers.of_graph(network.graph)
    passes = Passes(network)
    ablations = [_off(layers, names) for names in variants]
    prepared = [passes.variant(off) for off in ablations]
    changed = {name for off in ablations for name in off}
    of_filters = [layer for layer in layers.values() if layer.map in changed]
    substitutes = _substitutes(network, passes.execution, of_filters, images, mode, job)

    @torch.inference_mode()  # which holds for one thread
    def logits(pixels: UInt8[Tensor, "part y x channel"]) -> Float[Tensor, "variant part class"]:
        clean = passes.clean(network.normalised(as_input(pixels.to(device))), prepared)
        by_variant = [passes.ablated(variant, substitutes, clean) for variant in prepared]
        stacked = torch.stack(by_variant).cpu()
        # NumPy has no bfloat16.
        return stacked.to(torch.promote_types(stacked.dtype, torch.float32))

    pixels = torch.from_numpy(images.pixels)
    most = torch.get_num_threads() if device.type == "cpu" else 1
    fitting_size = passes.images_at_a_time(prepared, batch * most)
    at_a_time = max(1, min(most, fitting_size // batch, len(pixels)))
    size = min(fitting_size, batch * at_a_time)
    with threads.shared_by(at_a_time) as pool:
        of_batch = functools.partial(_by_threads, pool, logits, at_a_time)
        batches = list(in_batches(of_batch, pixels, size, "images", job))
    return torch.cat(batches, dim=1)


def _by_threads(
    pool: ThreadPoolExecutor,
    compute: Callable[[Tensor], Tensor],
    threads: int,
    pixels: UInt8[Tensor, "image y x channel"],
) -> Float[Tensor, "variant image class"]:
    """The logits of a batch, of which each thread computes a part."""
    parts = [part for part in pixels.tensor_split(threads) if len(part)]
    return torch.cat(list(pool.map(compute, parts)), dim=1)


def _off(layers: dict[str, FilterLayer], names: list[str]) -> Off:
    """The filters that are switched off; channels in increasing order."""
    off = {}
    for layer, channel in sorted(map(split_name, names)):
        off.setdefault(layers[layer].map, []).append(channel)
    return off


def _substitutes(
    network: Classifier,
    execution: Execution,
    layers: list[FilterLayer],
    images: Images,
    mode: Mode,
    job: Job,
) -> Substitutes:
    """What takes the place of each layer's maps."""
    if mode == "mean":
        return _mean_maps(network, execution, [layer.map for layer in layers], images, job)
    if mode == "weights-only":
        return {layer.map: _maps_of_bias(network, execution, layer) for layer in layers}
    nothing = torch.zeros_like(network.mean[:1])
    return {layer.map: nothing.expand(layer.channels, 1, 1) for layer in layers}


def _maps_of_bias(
    network: Classifier, execution: Execution, layer: FilterLayer
) -> Float[Tensor, "channel y x"]:
    """A layer's maps if its weights were 0."""
    convolution = network.graph.nodes[layer.convolution]
    blank = torch.zeros(1, *network.graph.image_shape).to(network.mean)
    clean = execution.results(blank, [layer.convolution])[layer.convolution]
    constant = torch.zeros_like(clean)
    bias = _bias(execution, convolution)
    if bias is not None:
        constant += bias[:, None, None]
    results = execution.results(blank, [layer.map], {layer.convolution: constant})
    return results[layer.map][0]


def _bias(execution: Execution, node: Node) -> Float[Tensor, " output"] | None:
    """The bias of a convolution, which may itself be computed of weights."""
    argument = node.argument(2, "bias")
    blank = torch.zeros(1, *execution.graph.image_shape, device=execution.device)
    computed = [argument.name] if isinstance(argument, Value) else []
    return execution.argument(argument, execution.results(blank, computed))


def _mean_maps(
    network: Classifier, execution: Execution, names: list[str], images: Images, job: Job
) -> Substitutes:
    """The maps of some nodes, averaged over the images."""
    device = network.device

    def sums(pixels: UInt8[Tensor, "part y x channel"]) -> Substitutes:
        inputs = network.normalised(as_input(pixels.to(device)))
        return {name: maps.double().sum(0) for name, maps in execution.each(inputs, names)}

    pixels = torch.from_numpy(images.pixels)
    size = fitting(network.graph, BATCH)
    of_batches = list(in_batches(sums, pixels, size, "images for the mean", job))
    means = {}
    for name in names:
        mean = sum(of_batch[name] for of_batch in of_batches) / len(images.labels)
        means[name] = mean.to(network.mean.dtype)
    return means


class Linear(NamedTuple):
    """How a node is computed that is linear in all channels of one map.

    Attributes:
        source: name of the map's node.
        convolution: without the bias; a fully connected layer that is given a map in one row is one
            over the whole map.
    """

    source: str
    convolution: ProductConvolution


class AblatedPass(NamedTuple):
    """How the logits without some filters are computed.

    Attributes:
        off: channels that are switched off, by node.
        first: names of those of these nodes that no other one of them leads to.
        whole: those of `first` whose whole map is read.
        beside: names of the other nodes whose clean results are read.
        kept: names of all nodes whose clean results are needed.
        steps: nodes that are computed anew, in their order.
        last_use: of each of these, the name of the last one that reads it.
    """

    off: Off
    first: set[str]
    whole: set[str]
    beside: set[str]
    kept: set[str]
    steps: list[Node]
    last_use: dict[str, str]


class Passes:
    """Ways through one network, with all and without some of its filters.

    Attributes:
        execution: of the network.
    """

    def __init__(self, network: Classifier) -> None:
        self.graph = network.graph
        self.execution = Execution(network.graph, network)
        self._linear: dict[str, Linear | None] = {}

    def variant(self, off: Off) -> AblatedPass:
        """Prepare the way without some filters."""
        first, later = self._changed(off)
        whole, beside, kept = set(), set(), set()
        steps = []
        needed = later & {self.graph.output}
        for node in reversed(list(self.graph.nodes.values())):
            if node.name not in needed:
                continue
            steps.append(node)
            linear = self.linear(node)
            if linear and linear.source in first:
                kept.update([node.name, linear.source])
                continue
            needed |= later.intersection(node.inputs)
            whole.update(first.intersection(node.inputs))
            beside.update(set(node.inputs) - later - first)
        steps.reverse()
        last_use = {}
        for node in steps:
            last_use.update(dict.fromkeys(later.intersection(node.inputs), node.name))
        return AblatedPass(off, first, whole, beside, kept | whole | beside, steps, last_use)

    def _changed(self, off: Off) -> tuple[set[str], set[str]]:
        """Names of the nodes that change: the first ones, and all that they lead to."""
        first = set()
        later = set()
        for node in self.graph.nodes.values():
            if not (first | later).isdisjoint(node.inputs):
                later.add(node.name)
            elif node.name in off:
                first.add(node.name)
        return first, later

    def linear(self, node: Node) -> Linear | None:
        """How a node is computed from a map, if it is linear in all of the map's channels."""
        if node.name not in self._linear:
            self._linear[node.name] = self._as_linear(node)
        return self._linear[node.name]

    def _as_linear(self, node: Node) -> Linear | None:
        weight = node.argument(1, "weight")
        if not isinstance(weight, Weight):
            return None
        given = self.graph.nodes[node.inputs[0]]
        tensor = self.execution.tensors[weight.name]
        if node.kind in operators.CONVOLUTIONS:
            if operators.groups(node) > 1 or not operators.steps(node, self.graph):
                return None
            walk = (node.argument(3, "stride", 1), node.argument(4, "padding", 0))
            convolution = ProductConvolution(tensor, *walk, node.argument(5, "dilation", 1))
            return Linear(given.name, convolution)
        if node.kind != "linear" or given.kind not in operators.RESHAPES:
            return None
        source = self.graph.nodes[given.inputs[0]]
        shape = source.shape or ()
        if len(shape) != 3 or given.shape != (math.prod(shape),):
            return None
        return Linear(source.name, ProductConvolution(tensor.view(-1, *shape)))

    def images_at_a_time(self, variants: list[AblatedPass], largest: int) -> int:
        """How many images to compute at a time: fewer where there is much to keep of each.

        Args:
            largest: at most so many.
        """
        kept = set().union(*(variant.kept for variant in variants))
        numbers = sum(math.prod(self.graph.nodes[name].shape or ()) for name in kept)
        return max(1, min(fitting(self.graph, largest), LARGEST_KEPT // max(1, numbers)))

    def clean(
        self, images: Float[Tensor, "image channel y x"], variants: list[AblatedPass]
    ) -> NodeResults:
        """What the variants need of the network as trained, for normalised images."""
        kept = set().union(*(variant.kept for variant in variants))
        return self.execution.results(images, kept | {self.graph.output})

    def ablated(
        self, variant: AblatedPass, substitutes: Substitutes, clean: NodeResults
    ) -> Float[Tensor, "image class"]:
        """Logits of a batch without some filters.

        Args:
            substitutes: what takes the place of the maps.
            clean: the batch's results of `clean`.
        """
        results = {name: clean[name] for name in variant.beside}
        for name in variant.whole:
            results[name] = clean[name].clone()
            _switch_off(results[name], variant.off[name], substitutes[name])
        for node in variant.steps:
            results[node.name] = self._result(node, variant, substitutes, clean, results)
            if node.name in variant.off:
                _switch_off(results[node.name], variant.off[node.name], substitutes[node.name])
            for name in node.inputs:
                if variant.last_use.get(name) == node.name:
                    results.pop(name, None)
        return results.get(self.graph.output, clean[self.graph.output])

    def _result(
        self,
        node: Node,
        variant: AblatedPass,
        substitutes: Substitutes,
        clean: NodeResults,
        results: NodeResults,
    ) -> Any:
        """What comes out of a node without some filters."""
        linear = self.linear(node)
        if not linear or linear.source not in variant.first:
            return self.execution.result(node, results)
        channels = variant.off[linear.source]
        maps = clean[linear.source][:, channels]
        change = substitutes[linear.source][channels].to(maps.dtype) - maps
        changed = linear.convolution(change, channels).reshape(clean[node.name].shape)
        return changed.add_(clean[node.name])


def _switch_off(
    maps: Float[Tensor, "image channel y x"],
    channels: list[int],
    substitute: Float[Tensor, "channel _y _x"],
) -> None:
    """Put something else in the place of some channels."""
    maps[:, channels] = substitute[channels].to(maps.dtype)
