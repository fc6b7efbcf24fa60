"""Exact occlusion maps of any network for less work: only the boxes of units that can differ.

A window changes a box of pixels. In each map behind it the units that read changed ones lie in a
box too, which grows from layer to layer, until it is the whole map. A batch of positions is
computed box by box: a convolution gets the changed box, and around it as much of the clean map as
its kernel reads. Where an operator needs whole maps, as a global pooling does, the boxes are put
into the clean map, and from there on all is computed.

Nothing is approximated: only how PyTorch sums up may differ from a plain forward pass.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from convprobe.network.classifiers import Classifier
from convprobe.network.execution import Execution, conv2d
from convprobe.network.graph import INPUT, ITEM, Node
from convprobe.network.layers import as_input
from convprobe.network.operators import (
    CONVOLUTIONS,
    MAX_POOLS,
    POOLS,
    Interval,
    Step,
    groups,
    steps,
)
from convprobe.network.reach import AXES, BATCH, Reach

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
        self, network: Classifier, hidden: Sequence[Sequence[Interval]], precision: str = "fp32"
    ) -> None:
        """Lay out what is the same for all images.

        Args:
            network: in evaluation mode.
            hidden: along height and width, which pixels the window hides at each of its places.
            precision: `fp32`, or `bf16`, by autocast.
        """
        self.network = network
        self.hidden = hidden
        self.is_bf16 = precision == "bf16"
        self.reach = Reach(network.graph)
        self.execution = Execution(network.graph, network)
        self.spans = [self.reach.spans(hidden[axis], axis) for axis in AXES]
        self.kept = self._kept()

    def _kept(self) -> list[str]:
        """Nodes whose clean results are needed: parts of them stand around changed boxes."""
        names = [INPUT]
        for node in self.network.graph.nodes.values():
            # One of several results lies where they lie.
            if node.kind not in (ITEM, "sym_size"):
                names += [name for name in self.reach.sources(node) if name in self.reach.boxed]
        return list(dict.fromkeys(names))

    @torch.inference_mode()
    def __call__(
        self, image: UInt8[np.ndarray, "y x channel"], fill: int
    ) -> tuple[Float32[np.ndarray, "row column class"], Float32[np.ndarray, " class"]]:
        """Class probabilities with the window at each of its places, and without it.

        Args:
            fill: grey level of the window, 0 to 255.
        """
        with torch.autocast(self.network.mean.device.type, torch.bfloat16, enabled=self.is_bf16):
            return self._maps(image, fill)

    def _maps(self, image: UInt8[np.ndarray, "y x channel"], fill: int) -> tuple[Any, Any]:
        pixels = self.network.normalised(as_input(torch.from_numpy(image)[None]))
        grey = torch.full((1, image.shape[-1], 1, 1), fill, dtype=torch.uint8).float().div_(255)
        grey = self.network.normalised(grey)
        output = self.network.graph.output
        clean = self.execution.results(pixels, [*self.kept, output])
        logits = clean.pop(output)
        # Channels innermost, so that whole runs of memory are copied.
        around = {name: _innermost(found) for name, found in clean.items()}
        places = list(itertools.product(*(range(len(self.hidden[axis])) for axis in AXES)))
        batches = [places[start : start + BATCH] for start in range(0, len(places), BATCH)]
        found = [self._logits(batch, around, grey) for batch in batches]
        shape = [len(self.hidden[axis]) for axis in AXES]
        maps = torch.cat(found).float().softmax(1).view(*shape, -1)
        return maps.numpy(), logits.float().softmax(1)[0].numpy()

    def _logits(
        self,
        places: Sequence[tuple[int, int]],
        clean: Mapping[str, Float[Tensor, "_y _x _channel"]],
        grey: Float[Tensor, "1 channel 1 1"],
    ) -> Float[Tensor, "position class"]:
        """What comes out with the window at some of its places."""
        batch = Batch(self, places, clean)
        box = batch.box(INPUT)
        shape = (len(places), grey.shape[1], box.height, box.width)
        batch.boxes[INPUT] = batch.covered(box, grey.expand(shape))
        for node in self.network.graph.nodes.values():
            if node.name != INPUT:
                batch.compute(node)
        return batch.whole[self.network.graph.output]


class Batch:
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

    def covered(self, box: Box, grey: Float[Tensor, "position channel y x"]) -> Box:
        """The pixels of a box: grey where the window is, the image's where it isn't."""
        pixels = self.around(INPUT, box)
        for position, place in enumerate(self.places):
            rows, columns = (
                slice(*np.subtract(self.engine.hidden[axis][place[axis]], start[position]))
                for axis, start in zip(AXES, (box.top, box.left), strict=True)
            )
            pixels[position, :, rows, columns] = grey[position, :, rows, columns]
        return box._replace(values=pixels)

    def compute(self, node: Node) -> None:
        """Compute one node, in boxes if that is possible."""
        reach = self.engine.reach
        if node.kind == "sym_size":
            self.whole[node.name] = len(self.places)
        elif node.name in reach.boxed:
            self.boxes[node.name] = self._computed(node)
        else:
            inputs = {name: self._whole(name) for name in node.inputs}
            self.whole[node.name] = self.engine.execution.result(node, inputs)

    def _computed(self, node: Node) -> Box:
        walk = steps(node, self.engine.network.graph)
        box = self.box(node.name)
        if walk:
            return box._replace(values=self._walked(node, box))
        found = {}
        for name in node.inputs:
            source = self.boxes[name]
            if _is_same_place(source, box):
                found[name] = source.values
            else:
                found[name] = self._pasted(self.around(name, box), source, box.top, box.left)
        return box._replace(values=self.engine.execution.result(node, found))

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
        rows = torch.as_tensor(box.top)[:, None] + torch.arange(box.height)
        columns = torch.as_tensor(box.left)[:, None] + torch.arange(box.width)
        height, width = clean.shape[:2]
        is_row = (rows >= 0) & (rows < height)
        is_column = (columns >= 0) & (columns < width)
        rows = rows.clamp_(0, height - 1)[:, :, None]
        columns = columns.clamp_(0, width - 1)[:, None, :]
        values = clean[rows, columns]
        if not (is_row.all() and is_column.all()):
            is_inside = is_row[:, :, None] & is_column[:, None, :]
            values[~is_inside] = padding
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
            values: clean ones; they are overwritten.
            top, left: where these begin, for each position.
        """
        offsets = np.stack([source.top - top, source.left - left], axis=1)
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
    """Of a stretch that begins at an offset, what lies within a size: there, and in itself."""
    first = max(0, offset)
    end = max(first, min(size, offset + length))
    return slice(first, end), slice(first - offset, end - offset)


def _is_same_place(one: Box, other: Box) -> bool:
    same_size = (one.height, one.width) == (other.height, other.width)
    return same_size and np.array_equal(one.top, other.top) and np.array_equal(one.left, other.left)


def _innermost(found: Float[Tensor, "1 channel y x"]) -> Float[Tensor, "y x channel"]:
    return found[0].permute(1, 2, 0).contiguous()
