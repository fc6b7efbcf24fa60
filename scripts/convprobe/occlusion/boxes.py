"""Exact occlusion maps of any network for less work: only the boxes of units that can differ.

A window changes a box of pixels. In each map behind it the units that read changed ones lie in a
box too, which grows from layer to layer, until it is the whole map. A batch of positions is
computed box by box: a convolution gets the changed box, and around it as much of the clean map as
its kernel reads. Where an operator needs whole maps, as a global pooling does, the boxes are put
into the clean map, and from there on all is computed.

Nothing is approximated: only how PyTorch sums up may differ from a plain forward pass.
"""

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from convprobe.network import reach
from convprobe.network.batches import computed
from convprobe.network.classifiers import Classifier
from convprobe.network.execution import Execution, conv2d
from convprobe.network.graph import INPUT, ITEM, Node
from convprobe.network.layers import as_input
from convprobe.network.operators import (
    CONVOLUTIONS,
    MAX_POOLS,
    POOLS,
    Step,
    UnitRange,
    groups,
    steps,
)
from convprobe.network.reach import AXES, Reach

Starts = Int[np.ndarray, " position"]


class Box(NamedTuple):
    """Changed units of a batch of positions, all of one size.

    Attributes:
        values: of the units; of an operator with several results a list of them.
        top: row of the first unit, for each position.
        left: its column.
        height: in units.
        width: in units.
    """

    values: Any
    top: Starts
    left: Starts
    height: int
    width: int


class ChangedBoxes:
    """The occlusion maps of one network under one window."""

    def __init__(
        self, network: Classifier, hidden: Sequence[Sequence[UnitRange]], precision: str = "fp32"
    ) -> None:
        """Lay out what is the same for all images.

        Args:
            network: in evaluation mode.
            hidden: along height and width, which pixels the window hides at each of its places.
            precision: `fp32`, or `bf16`, by autocast.
        """
        self.network = network
        self.device = network.device
        self.is_on_cpu = self.device.type == "cpu"
        self.batch = (reach.ON_CPU if self.is_on_cpu else reach.ON_GPU[precision]).batch
        self.hidden = hidden
        self.is_bf16 = precision == "bf16"
        self.reach = Reach(network.graph)
        self.execution = Execution(network.graph, network)
        self.spans = [self.reach.spans(hidden[axis], axis) for axis in AXES]
        self.kept = self._kept()
        self.last_read = self._last_read()

    def _kept(self) -> list[str]:
        """Nodes whose clean results are needed: parts of them stand around changed boxes."""
        names = [INPUT]
        for node in self.network.graph.nodes.values():
            # One of several results lies where they lie.
            if node.kind not in (ITEM, "sym_size"):
                names += [name for name in self.reach.sources(node) if name in self.reach.boxed]
        return list(dict.fromkeys(names))

    def _last_read(self) -> dict[str, str]:
        """The node that reads a node's result last; that of the output is never forgotten."""
        last = {}
        for node in self.network.graph.nodes.values():
            last |= dict.fromkeys((node.name, *node.inputs), node.name)
        del last[self.network.graph.output]
        return last

    @torch.inference_mode()
    def __call__(
        self, image: UInt8[np.ndarray, "y x channel"], fill: int
    ) -> tuple[Float32[np.ndarray, "row column class"], Float32[np.ndarray, " class"]]:
        """Class probabilities with the window at each of its places, and without it.

        Args:
            fill: grey level of the window, 0 to 255.
        """
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_bf16):
            return self._maps(image, fill)

    def _maps(self, image: UInt8[np.ndarray, "y x channel"], fill: int) -> tuple[Any, Any]:
        pixels = torch.from_numpy(image)[None].to(self.device)
        pixels = self.network.normalised(as_input(pixels))
        grey = torch.full((1, 1, 1, image.shape[-1]), fill, dtype=torch.uint8)
        grey = self.network.normalised(as_input(grey.to(self.device)))
        output = self.network.graph.output
        clean = self.execution.results(pixels, [*self.kept, output])
        logits = clean.pop(output)
        # Channels innermost, so that whole runs of memory are copied.
        around = {name: _innermost(result) for name, result in clean.items()}
        shape = [len(self.hidden[axis]) for axis in AXES]
        places = list(itertools.product(*map(range, shape)))
        of_places = functools.partial(self._logits, clean=around, grey=grey)
        batches, occluded = zip(*computed(of_places, places, self.batch), strict=True)
        self.batch = len(batches[0])  # what fitted will fit for the next image
        maps = torch.cat(occluded).float().softmax(1).view(*shape, -1)
        return maps.cpu().numpy(), logits.float().softmax(1)[0].cpu().numpy()

    def _logits(
        self,
        places: Sequence[tuple[int, int]],
        clean: Mapping[str, Float[Tensor, "_y _x _channel"]],
        grey: Float[Tensor, "1 channel 1 1"],
    ) -> Float[Tensor, "position class"]:
        """What comes out with the window at some of its places."""
        batch = BatchOfPositions(self, places, clean)
        batch.boxes[INPUT] = batch.covered(batch.box(INPUT), grey)
        for node in self.network.graph.nodes.values():
            if node.name != INPUT:
                batch.compute(node)
                batch.forget(node)
        return batch.whole[self.network.graph.output]


class BatchOfPositions:
    """Some positions of the window on their way through the network."""

    def __init__(
        self,
        engine: ChangedBoxes,
        places: Sequence[tuple[int, int]],
        clean: Mapping[str, Float[Tensor, "_y _x _channel"]],
    ) -> None:
        self.engine = engine
        self.places = np.array(places)
        self.clean = clean
        self.boxes: dict[str, Box] = {}
        self.whole: dict[str, Any] = {}

    def box(self, name: str) -> Box:
        """Where a node's changed units lie, without their values: of one size for all positions."""
        starts = []
        sizes = []
        for axis, spans in enumerate(self.engine.spans):
            span = spans[name]
            places = self.places[:, axis]
            size = max(1, int(span.lengths[places].max()))
            last = self.engine.reach.maps.side(name, axis) - size
            starts.append(np.minimum(span.first[places], last))
            sizes.append(size)
        return Box(None, starts[0], starts[1], *sizes)

    def covered(self, box: Box, grey: Float[Tensor, "1 channel 1 1"]) -> Box:
        """The pixels of a box: grey where the window is, the image's where it isn't."""
        rows, columns = (self._is_hidden(box, axis) for axis in AXES)
        is_grey = self._on_device(rows[:, None, :, None] & columns[:, None, None, :])
        return box._replace(values=torch.where(is_grey, grey, self.around(INPUT, box)))

    def _is_hidden(self, box: Box, axis: int) -> Bool[np.ndarray, "position place"]:
        """Along one axis, which pixels of a box the window hides."""
        starts, size = ((box.top, box.height), (box.left, box.width))[axis]
        first, end = np.array(self.engine.hidden[axis])[self.places[:, axis]].T
        pixels = starts[:, None] + np.arange(size)
        return (first[:, None] <= pixels) & (pixels < end[:, None])

    def _on_device(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.engine.device)

    def compute(self, node: Node) -> None:
        """Compute one node, in boxes if that is possible."""
        if node.kind == "sym_size":
            self.whole[node.name] = len(self.places)
        elif node.name in self.engine.reach.boxed:
            self.boxes[node.name] = self._computed(node)
        else:
            inputs = {name: self._whole(name) for name in node.inputs}
            self.whole[node.name] = self.engine.execution.result(node, inputs)

    def forget(self, node: Node) -> None:
        """Drop the results that no node behind this one reads: a batch has many."""
        for name in (node.name, *node.inputs):
            if self.engine.last_read.get(name) == node.name:
                self.boxes.pop(name, None)
                self.whole.pop(name, None)

    def _computed(self, node: Node) -> Box:
        walk = steps(node, self.engine.network.graph)
        box = self.box(node.name)
        if walk:
            return box._replace(values=self._walked(node, box))
        values = {}
        for name in node.inputs:
            source = self.boxes[name]
            if _is_same_place(source, box):
                values[name] = source.values
            else:
                values[name] = self._pasted(self.around(name, box), source, box.top, box.left)
        return box._replace(values=self.engine.execution.result(node, values))

    def _walked(self, node: Node, box: Box) -> Float[Tensor, "position channel y x"]:
        """A convolution or a pooling of a changed box and the clean units around it."""
        (name,) = self.engine.reach.sources(node)
        source = self.boxes[name]
        # Of a whole map units may be clean all the same: those that read padding alone.
        if self._is_whole(name, source) and self._is_whole(node.name, box):
            return self.engine.execution.result(node, {name: source.values})
        vertical, horizontal = steps(node, self.engine.network.graph)
        top = box.top * vertical.stride - vertical.padding
        left = box.left * horizontal.stride - horizontal.padding
        height = (box.height - 1) * vertical.stride + _extent(vertical)
        width = (box.width - 1) * horizontal.stride + _extent(horizontal)
        read = Box(None, top, left, height, width)
        padding = float("-inf") if node.kind in MAX_POOLS else 0.0
        values = self._pasted(self.around(name, read, padding), source, top, left)
        return self._apply(node, values)

    def _apply(
        self, node: Node, values: Float[Tensor, "position channel y x"]
    ) -> Float[Tensor, "position output y_ x_"]:
        """The operator without padding."""
        walk = steps(node, self.engine.network.graph)
        stride = [step.stride for step in walk]
        dilation = [step.dilation for step in walk]
        kernel = [step.kernel for step in walk]
        if node.kind in CONVOLUTIONS:
            weight, bias = (
                self.engine.execution.argument(node.argument(place, ""), {}) for place in (1, 2)
            )
            kept = self.engine.execution.kept  # what has `steps` has a weight that stays
            return conv2d(values, weight, bias, stride, [0, 0], dilation, groups(node), kept)
        if node.kind in POOLS - MAX_POOLS:
            divisor = node.argument(6, "divisor_override")
            return F.avg_pool2d(values, kernel, stride, divisor_override=divisor)
        pooled = F.max_pool2d(values, kernel, stride, 0, dilation)
        return pooled if node.kind == "max_pool2d" else [pooled]

    def around(
        self, name: str, box: Box, padding: float = 0.0
    ) -> Float[Tensor, "position channel y x"]:
        """The clean values in a box, and what stands for those beyond the map's edges."""
        clean = self.clean[name]
        height, width = clean.shape[:2]
        rows, is_row = _within(box.top, box.height, height)
        columns, is_column = _within(box.left, box.width, width)
        values = clean[self._on_device(rows)[:, :, None], self._on_device(columns)[:, None, :]]
        if not (is_row.all() and is_column.all()):
            is_inside = is_row[:, :, None] & is_column[:, None, :]
            values[self._on_device(~is_inside)] = padding
        return values.permute(0, 3, 1, 2)

    def _pasted(
        self,
        values: Float[Tensor, "position channel y x"],
        source: Box,
        top: Starts,
        left: Starts,
    ) -> Float[Tensor, "position channel y x"]:
        """Put changed units among clean ones; those that lie beyond are dropped.

        Args:
            values: clean ones; they may be overwritten.
            top, left: where these begin, for each position.
        """
        offsets = np.stack([source.top - top, source.left - left], axis=1)
        if not self.engine.is_on_cpu:
            return pasted_at_once(values, source.values, offsets)
        for offset in np.unique(offsets, axis=0).tolist():
            same = np.flatnonzero((offsets == offset).all(1))
            rows, own_rows = _overlap(offset[0], source.height, values.shape[2])
            columns, own_columns = _overlap(offset[1], source.width, values.shape[3])
            if len(same) == len(offsets):
                values[:, :, rows, columns] = source.values[:, :, own_rows, own_columns]
            else:
                chosen = torch.from_numpy(same)
                values[chosen, :, rows, columns] = source.values[chosen, :, own_rows, own_columns]
        return values

    def _whole(self, name: str) -> Any:
        """A node's whole result: clean but for the changed box."""
        if name not in self.boxes:
            return self.whole[name]
        source = self.boxes[name]
        if self._is_whole(name, source):
            return source.values
        start = np.zeros(len(self.places), dtype=np.int64)
        full = Box(None, start, start, *self._sides(name))
        return self._pasted(self.around(name, full), source, start, start)

    def _is_whole(self, name: str, box: Box) -> bool:
        """Whether a box is all of a node's map."""
        return [box.height, box.width] == self._sides(name)

    def _sides(self, name: str) -> list[int]:
        return [self.engine.reach.maps.side(name, axis) for axis in AXES]


def _extent(step: Step) -> int:
    """How many units lie from the first to the last that a kernel reads."""
    return (step.kernel - 1) * step.dilation + 1


def _overlap(offset: int, length: int, size: int) -> tuple[slice, slice]:
    """Where a stretch overlaps an axis of some size: as a slice of the axis, and of the stretch."""
    first = max(0, offset)
    end = max(first, min(size, offset + length))
    return slice(first, end), slice(first - offset, end - offset)


def pasted_at_once(
    values: Float[Tensor, "position channel y x"],
    changed: Float[Tensor, "position channel own_y own_x"],
    offsets: Int[np.ndarray, "position axis"],
) -> Float[Tensor, "position channel y x"]:
    """Changed units among clean ones by a single gather: a GPU is slow at many small copies.

    Args:
        offsets: where the changed ones begin, in rows and columns of the clean ones.
    """
    places = []
    are_changed = []
    for axis in AXES:
        own, is_own = _within(-offsets[:, axis], values.shape[2 + axis], changed.shape[2 + axis])
        places.append(torch.from_numpy(own).to(values.device))
        are_changed.append(torch.from_numpy(is_own).to(values.device))
    rows, columns = places
    position = torch.arange(len(values), device=values.device)[:, None, None]
    pasted = changed.permute(0, 2, 3, 1)[position, rows[:, :, None], columns[:, None, :]]
    is_row, is_column = are_changed
    is_changed = is_row[:, None, :, None] & is_column[:, None, None, :]
    return torch.where(is_changed, pasted.permute(0, 3, 1, 2).to(values.dtype), values)


def _within(
    starts: Starts, length: int, size: int
) -> tuple[Int[np.ndarray, "position place"], Bool[np.ndarray, "position place"]]:
    """The nearest units of a map to those of some stretches, and which of these lie within it.

    Args:
        starts: of the stretches, which are equally long.
        size: of the map.
    """
    places = starts[:, None] + np.arange(length)
    return places.clip(0, size - 1), (places >= 0) & (places < size)


def _is_same_place(one: Box, other: Box) -> bool:
    same_size = (one.height, one.width) == (other.height, other.width)
    return same_size and np.array_equal(one.top, other.top) and np.array_equal(one.left, other.left)


def _innermost(result: Float[Tensor, "1 channel y x"]) -> Float[Tensor, "y x channel"]:
    return result[0].permute(1, 2, 0).contiguous()
