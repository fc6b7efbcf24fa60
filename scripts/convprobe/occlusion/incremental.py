"""Exact occlusion maps for less work: what the window doesn't change is not computed again.

Seen from a unit of a feature map, many positions of the window are the same: they put it into the
same *state* (see states.py). So each layer is computed once for each state of its units, and not
once for each position of the window. And it is computed from what the window *changes*: a
convolution is a sum of products, one for each unit that it reads and the weight there (a *tap*), so

    value in a state = clean value + sum over taps of weight × change of the unit that is read there

As an example, take an image of 8 pixels in a line, and a window of 3. The first layer has a kernel
of 1 and is pooled by 2: its unit 0 sees pixels 0 and 1, its unit 1 sees pixels 2 and 3, and so on.
These are the states into which the window can put them:

    unit 0    hides 0–1    hides 1
    unit 1    hides 2      hides 2–3    hides 3

The second layer has a kernel of 2. Its unit 0 reads these two with the weights v and w, and sees
pixels 0 to 3. In each of its own states the units that it reads are in one of theirs:

    hides     change of the sum
    0–1       v × (unit 0, 0–1)
    0–2       v × (unit 0, 0–1)  +  w × (unit 1, 2)
    1–3       v × (unit 0, 1)    +  w × (unit 1, 2–3)
    2–3                             w × (unit 1, 2–3)
    3                               w × (unit 1, 3)

These are five products, each computed once and added up wherever it is needed; a forward pass at
each of the 8 positions computes 16. In two dimensions both numbers are squared: 25 and 256. The sum
is added to the clean value, ReLU and pooling follow, and what then differs from the clean map is
what the third layer reads.

Channels that don't change, most of them in a trained network, would add 0: the products leave them
out, by compiled code for every few states (`sparse`), or by PyTorch for tiles of them (`tiles`).
Nothing is approximated: only the order of the additions differs from that of a plain forward
pass.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int, UInt8
from torch import Tensor

from convprobe.network.arithmetic import POOL, centres
from convprobe.network.layers import Network, as_input
from convprobe.network.matrix import product
from convprobe.occlusion import sparse
from convprobe.occlusion.later_layers import Activations, LaterLayer
from convprobe.occlusion.sparse import SparseLayer
from convprobe.occlusion.states import Positions, Unit, UnitStates
from convprobe.occlusion.tiles import TiledLayer


class Incremental:
    """The occlusion maps of one network under some windows.

    Attributes:
        numbers_held: at a time, of what the windows change in the maps of an image:
            those of the map that is read, and of the one that is made.
    """

    def __init__(
        self,
        network: Network,
        side: int,
        windows: Sequence[int],
        precision: str = "fp32",
        stride: int = 1,
    ) -> None:
        """Lay out what is the same for all images.

        Args:
            network: in evaluation mode, on the CPU; its stages have stride 1, no padding and no
                batch normalisation, and are pooled 2×2.
            side: of the images, in pixels.
            windows: their sides in pixels, odd. What several of them change in the same way is
                computed once.
            precision: `fp32`, or `bf16`: what changes, and the weights that it is multiplied with,
                are rounded to bfloat16. A processor without instructions for it multiplies them in
                float32, as quickly as otherwise. Probabilities of the published network with
                trained weights were off by at most 1e-6 and 3e-3 (5 images, 4 windows); those of a
                plain pass in bf16 by 1e-2.
            stride: from one position to the next, in pixels; all states are computed nevertheless.
        """
        self.network = network
        self.centres = np.array(centres(side, stride))
        (weight, bias), *later = _parameters(network, side)
        states = UnitStates.of_pixels(side, windows).convolved(weight.shape[-1]).pooled()
        self.first = FirstLayer(weight, bias, states)
        self.layers = []
        for weight, bias in later:
            layer = _layer(weight, bias, states, precision)
            self.layers.append(layer)
            states = layer.pooled
        # The first fully connected layer is one unit that sees the whole image. After it each
        # state goes its own way.
        self.head = self.layers.pop()
        maps = [self.first.states.total() * len(self.first.bias)]
        maps += [layer.pooled.total() * len(layer.bias) for layer in self.layers]
        self.numbers_held = max(map(sum, itertools.pairwise([0, *maps])))
        self.tail = [network.get_submodule(name) for name in network.fully_connected[1:]]

    @torch.inference_mode()
    def __call__(
        self, image: UInt8[np.ndarray, "y x channel"], fill: int
    ) -> tuple[Float32[np.ndarray, "window row column class"], Float32[np.ndarray, " class"]]:
        """Class probabilities with each window centred at every pixel, and without one.

        Both are equal, bit by bit, where a window changes nothing.

        Args:
            fill: grey level of the windows, 0 to 255.
        """
        pixels = as_input(torch.from_numpy(image)[None])[0]
        grey = torch.tensor(fill, dtype=torch.uint8).float().div_(255)
        activations = self.first(self._normalised(pixels), self._normalised(grey).flatten())
        for layer in self.layers:
            activations = layer(activations)
        hidden = self.head.preactivations(activations)
        unchanged = (hidden == hidden[0]).all(1)
        for linear in self.tail:
            hidden = linear(hidden.relu_())
        probability = hidden.softmax(1)
        probability[unchanged] = probability[0].clone()  # products round equal rows differently
        return probability[self._state_by_position()].numpy(), probability[0].numpy()

    def _normalised(self, pixels: Float32[Tensor, "..."]) -> Float32[Tensor, "channel y x"]:
        return (pixels - self.network.mean) / self.network.std

    def _state_by_position(self) -> Int[Tensor, "window row column"]:
        """The state of the whole image with each window at each position."""
        numbers = np.arange(len(self.head.units.windows))
        positions = Positions(*np.meshgrid(numbers, self.centres, self.centres, indexing="ij"))
        return torch.from_numpy(self.head.units.at((0, 0), positions))


class FirstLayer:
    """The first convolution with ReLU and pooling.

    It reads few channels, so each state is computed from the pixels. A pooled unit sees a patch of
    the image; the convolution at the POOL² places in it is one product with the patch's pixels.
    """

    def __init__(
        self,
        weight: Float32[Tensor, "output input kernel kernel"],
        bias: Float32[Tensor, " output"],
        states: UnitStates,
    ) -> None:
        """Lay out the layer.

        Args:
            states: of its pooled units.
        """
        self.bias = bias
        self.states = states
        outputs, inputs, kernel, _ = weight.shape
        self.reach = kernel + POOL - 1  # side of the patch
        shifted = torch.zeros(POOL, POOL, outputs, inputs, self.reach, self.reach)
        for y, x in np.ndindex(POOL, POOL):
            shifted[y, x, :, :, y : y + kernel, x : x + kernel] = weight
        self.weight = shifted.flatten(3).flatten(0, 2).t().contiguous()
        # The units of one row are computed together, each in its clean state and all others.
        self.hidden = []
        self.counts = []
        for y in range(states.units):
            row = [(y, x) for x in range(states.units)]
            self.hidden.append(torch.cat([self._hidden(unit) for unit in row]))
            self.counts.append([1 + states.count(unit) for unit in row])

    def _hidden(self, unit: Unit) -> Bool[Tensor, "state 1 y x"]:
        """Which pixels of a unit's patch are hidden; none in the clean state, which comes first."""
        y, x = unit
        places = self.states.positions(unit)
        half = np.array(self.states.windows)[places.window] // 2
        hidden_rows = self._hidden_along_axis(y, places.row, half)
        hidden_columns = self._hidden_along_axis(x, places.column, half)
        hidden = hidden_rows[:, :, None] & hidden_columns[:, None, :]
        nothing = torch.zeros_like(hidden[:1])
        return torch.cat([nothing, hidden])[:, None]

    def _hidden_along_axis(
        self,
        unit: int,
        position: Int[np.ndarray, " state"],
        half: Int[np.ndarray, " state"],
    ) -> Bool[Tensor, "state pixel"]:
        pixels = POOL * unit + np.arange(self.reach)
        distance = abs(pixels - position[:, None])
        return torch.from_numpy(distance <= half[:, None])

    def __call__(
        self, image: Float32[Tensor, "channel y x"], grey: Float32[Tensor, " channel"]
    ) -> Activations:
        """The map of a normalised image that is covered with a normalised grey."""
        rows = image.unfold(1, self.reach, POOL)
        patches = rows.unfold(2, self.reach, POOL).permute(1, 2, 0, 3, 4)
        clean = torch.empty(len(self.bias), self.states.units, self.states.units)
        changes = {}
        for y, counts in enumerate(self.counts):
            patch = patches[y].repeat_interleave(torch.tensor(counts), dim=0)
            covered = torch.where(self.hidden[y], grey[:, None, None], patch)
            values = self._values(covered)
            # Clean values are rows of the same product: what doesn't change differs by exactly 0.
            for x, states in enumerate(values.split(counts)):
                clean[:, y, x] = states[0]
                changes[y, x] = states[1:] - states[0]
        return Activations(clean, changes)

    def _values(
        self, patches: Float32[Tensor, "patch channel y x"]
    ) -> Float32[Tensor, "patch output"]:
        sums = product(patches.flatten(1), self.weight)
        largest = sums.view(len(patches), POOL * POOL, -1).amax(1)
        return largest.add_(self.bias).relu_()


def _layer(
    weight: Float32[Tensor, "output input kernel kernel"],
    bias: Float32[Tensor, " output"],
    inputs: UnitStates,
    precision: str,
) -> LaterLayer:
    """A later layer, computed in the fastest way that there is here."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    code = sparse.fastest(precision)
    if code:
        return SparseLayer(weight, bias, inputs, code, dtype)
    return TiledLayer(weight, bias, inputs, dtype)


Parameters = tuple[Float32[Tensor, "output input y x"], Float32[Tensor, " output"]]


def _parameters(network: Network, side: int) -> list[Parameters]:
    """Weight and bias of each convolution and of the first fully connected layer, as one."""
    parameters = []
    for name in network.convolutions:
        convolution = network.get_submodule(name)
        parameters.append((convolution.weight.detach(), convolution.bias.detach()))
        side = (side - convolution.kernel_size[0] + 1) // POOL
    head = network.get_submodule(network.fully_connected[0])
    weight = head.weight.detach().view(head.out_features, -1, side, side)
    parameters.append((weight, head.bias.detach()))
    return parameters
