"""How far a change of some pixels reaches: which units of each map can differ.

Plain Python and NumPy, so that the estimate that is printed when Snakemake starts can use it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from convprobe.network import arithmetic
from convprobe.network.graph import INPUT, ITEM, Graph, Node
from convprobe.network.operators import (
    BATCH_NORMS,
    BESIDE_EACH_OTHER,
    CONVOLUTIONS,
    CUTS,
    MAX_POOLS,
    Maps,
    UnitRange,
)

AXES = (0, 1)  # height and width
PRODUCTS = 2  # states are computed by products of matrices, at so many times the boxes' rate


class Costs(NamedTuple):
    """What computing boxes takes beside their multiply-adds (benchmarks/graph_occlusion.py).

    Attributes:
        copies: what copying parts of maps takes, as a multiple of the multiply-adds of the parts.
        call: multiply-adds that take as long as the overhead of one operator and its copies.
        batch: positions at a time.
        least_side: smaller boxes take as long as those of so many units along each axis.
        has_tiles: whether some convolutions are computed by tiles, see `tile_cost`.
    """

    copies: float
    call: int
    batch: int
    least_side: int
    has_tiles: bool


ON_CPU = Costs(1.8, 12_000_000, batch=32, least_side=1, has_tiles=True)
# By precision, on an NVIDIA H200, torch 2.11. A slower card has less overhead in multiply-adds, and
# gains by boxes of a few more networks.
ON_GPU = {
    "fp32": Costs(1.3, 3_600_000_000, batch=1024, least_side=8, has_tiles=False),
    "bf16": Costs(3.0, 27_000_000_000, batch=1024, least_side=8, has_tiles=False),
}


def hidden(side: int, window: int, stride: int) -> list[UnitRange]:
    """The pixels that the window hides along an axis, at each of its places."""
    half = window // 2
    centres = arithmetic.centres(side, stride)
    return [(max(0, centre - half), min(side, centre + half + 1)) for centre in centres]


@dataclass(frozen=True)
class Span:
    """Units of a map along one axis that can differ, for each place of the window along it.

    Attributes:
        first: the first one; 0 where none differs.
        end: one behind the last one.
    """

    first: Int[np.ndarray, " place"]
    end: Int[np.ndarray, " place"]

    @property
    def lengths(self) -> Int[np.ndarray, " place"]:
        return self.end - self.first


class Reach:
    """Which units of each map differ while a window hides pixels of the image.

    Attributes:
        boxed: names of the nodes whose results differ in a box of units alone, and can be computed
            from such boxes, each after those that it is given.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.maps = Maps(graph)
        self.boxed: dict[str, Node] = {}
        for node in graph.nodes.values():
            if node.name == INPUT or self._is_boxed(node):
                self.boxed[node.name] = node

    def sources(self, node: Node) -> list[str]:
        """Names of a node's inputs that depend on the image."""
        return [name for name in node.inputs if name in self.maps.depending]

    def _is_boxed(self, node: Node) -> bool:
        """Whether a node can be computed in a box, given those of its inputs."""
        sources = self.sources(node)
        axes = self.maps.axes[node.name]
        if not sources or axes != (1, 2) or not self.maps.is_known(node.name):
            return False
        if not all(name in self.boxed for name in sources) or len(sources) < len(node.inputs):
            return False
        if node.kind in CONVOLUTIONS:
            return True
        if node.kind in MAX_POOLS:
            return not (node.argument(5, "ceil_mode", False) or self._gives_places(node))
        if node.kind == "avg_pool2d":
            padding = node.argument(3, "padding", 0)
            return not np.any(padding) and not node.argument(4, "ceil_mode", False)
        if node.kind not in BESIDE_EACH_OTHER | {ITEM} | CUTS.keys():
            return False
        return self._is_flat(node) and self._are_alike(node, sources)

    def _gives_places(self, pool: Node) -> bool:
        """Whether a node reads where the largest values were, which are places in a whole map."""
        readers = (node for node in self.graph.nodes.values() if pool.name in node.inputs)
        return any(node.kind == ITEM and node.arguments[1] == 1 for node in readers)

    def _is_flat(self, node: Node) -> bool:
        """Whether all weights of a node are the same everywhere in a map."""
        if node.kind in BATCH_NORMS | {"prelu"}:
            return True
        for name in node.weights:
            shape = self.graph.tensor_shape(name)
            if math.prod(shape[-2:]) > 1:
                return False
        return True

    def _are_alike(self, node: Node, sources: Sequence[str]) -> bool:
        """Whether a node's maps are as large as those that it is given."""
        for axis in AXES:
            side = self.maps.side(node.name, axis)
            if any(self.maps.side(name, axis) != side for name in sources):
                return False
        return True

    def spans(self, covered: Sequence[UnitRange], axis: int) -> dict[str, Span]:
        """Along one axis, the units of each boxed map that differ.

        Args:
            covered: half-open intervals of pixels, for each place of the window.
        """
        first, end = np.array(covered).T
        spans = {INPUT: Span(first, end)}
        for node in self.boxed.values():
            if node.name == INPUT:
                continue
            of_inputs = [self._read(node, name, spans[name], axis) for name in self.sources(node)]
            first = np.min([span.first for span in of_inputs], axis=0)
            end = np.max([span.end for span in of_inputs], axis=0)
            differs = first < end
            spans[node.name] = Span(np.where(differs, first, 0), np.where(differs, end, 0))
        return spans

    def _read(self, node: Node, source: str, changed: Span, axis: int) -> Span:
        """The units of a node that read units of an input that differ.

        Where there are none, they begin behind the last unit: beside another input, nothing counts.
        """
        firsts, ends = np.array(self.maps.reads(node.name, source, axis)).T
        reads = (firsts < changed.end[:, None]) & (ends > changed.first[:, None])
        count = reads.shape[1]
        differs = reads.any(1)
        first = np.where(differs, reads.argmax(1), count)
        end = np.where(differs, count - reads[:, ::-1].argmax(1), 0)
        return Span(first, end)

    def multiply_adds(self, covered: Sequence[Sequence[UnitRange]], costs: Costs = ON_CPU) -> float:
        """What one image's map takes if only boxes are computed, copies included.

        Args:
            covered: along height and width, intervals of pixels for each place of the window.
        """
        of_parts, of_whole = arithmetic.sums_of_parts, arithmetic.of_node
        if costs.has_tiles:
            of_parts, of_whole = arithmetic.of_parts, arithmetic.of_whole
        rows, columns = (self.spans(covered[axis], axis) for axis in AXES)
        places = len(covered[0]) * len(covered[1])
        total = 0.0
        for node in self.graph.nodes.values():
            work = arithmetic.of_node(node, self.graph)
            if node.name in self.boxed and work:
                _, *sides = node.shape
                heights, widths = (
                    _as_long(spans[node.name].lengths, min(costs.least_side, side))
                    for spans, side in zip((rows, columns), sides, strict=True)
                )
                total += costs.copies * of_parts(node, self.graph, heights, widths)
            elif work:
                total += of_whole(node, self.graph) * places
        batches = math.ceil(places / costs.batch)
        return total + costs.call * len(self.boxed) * batches


def _as_long(lengths: Int[np.ndarray, " place"], least: int) -> list[int]:
    """Lengths of at least so many units, but for those of nothing."""
    return np.where(lengths > 0, np.maximum(lengths, least), 0).tolist()


class Way(NamedTuple):
    """How the map of one image is computed, and what that takes.

    Attributes:
        name: `passes`, one for each position; `boxes`, that a window reaches; or `states` of the
            units of a plain network, into which windows at all pixels put them.
        multiply_adds: copies and other overhead included.
    """

    name: Literal["passes", "boxes", "states"]
    multiply_adds: float


def cheapest(
    network: Mapping[str, Any],
    graph: Graph,
    image_size: tuple[int, int],
    window: int,
    stride: int,
    call: int = arithmetic.CALL,
    rate: float = 1.0,
) -> Way:
    """The way that takes the fewest multiply-adds on a CPU.

    Args:
        network: the config's `network`.
        graph: of the network.
        image_size: height and width in pixels.
        window: side in pixels, odd.
        stride: from one position of the window to the next, in pixels.
        call: the overhead of a product of states, in multiply-adds.
        rate: of states' multiply-adds, as a multiple of that of passes.
    """
    height, width = image_size
    covered = [hidden(side, window, stride) for side in image_size]
    passes = arithmetic.forward_by_tiles(graph) * len(covered[0]) * len(covered[1])
    boxes = Reach(graph).multiply_adds(covered)
    states = math.inf
    if "conv" in network and height == width:
        states = arithmetic.occlusion_map(network, height, graph.classes, window, call)
    if states <= min(rate * passes, PRODUCTS * boxes):
        return Way("states", states)
    return Way("passes", passes) if passes <= boxes else Way("boxes", boxes)


def cheapest_on_gpu(
    graph: Graph, image_size: tuple[int, int], window: int, stride: int, precision: str
) -> Way:
    """The way that takes the fewest multiply-adds on a GPU; many small products are slow there.

    Args: as for `cheapest`.
    """
    covered = [hidden(side, window, stride) for side in image_size]
    passes = arithmetic.forward(graph) * len(covered[0]) * len(covered[1])
    boxes = Reach(graph).multiply_adds(covered, ON_GPU[precision])
    return Way("passes", passes) if passes <= boxes else Way("boxes", boxes)
