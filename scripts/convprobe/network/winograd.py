"""3×3 convolutions with a quarter of the multiplications, on a CPU.

A map is cut into tiles of 6×6 pixels, each of which gives 4×4 outputs. As a polynomial of degree 5
a tile is known by its values at six points; there the convolution is a product of numbers, and from
the products' values at those points the outputs follow. That takes 36 multiplications a tile and
pair of channels, where the sums themselves take 144.

Source: Lavin & Gray 2016, "Fast algorithms for convolutional neural networks", F(4×4, 3×3).
"""

import functools
import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F

from convprobe.network import matrix
from convprobe.network.tile_cost import KERNEL, OUTPUTS, TILE

# The sixth point is infinity. These round least: in float32 a convolution of 1024 channels errs by
# 1.8e-5 at most, one with the customary points 1 and 2 by 12e-5, and PyTorch's own by 1.4e-5 with
# AVX2; with AVX-512 it errs less, for it adds up more sums beside each other.
# Source: Alam et al. 2022, "Winograd convolution for deep neural networks: efficient point
# selection", reciprocal points of both signs.
POINTS = (0.0, math.sqrt(2), -math.sqrt(2), math.sqrt(1 / 2), -math.sqrt(1 / 2))

LARGEST = 2**25  # numbers at all points of some images' tiles at a time

Tiles = Float[Tensor, "pixel tile channel"]
Kept = dict[int, Float[Tensor, "point output channel"]]  # values of weights, by their identity


def convolved(
    maps: Float[Tensor, "image channel y x"],
    weight: Float[Tensor, "output channel 3 3"],
    bias: Float[Tensor, " output"] | None,
    padding: int = 0,
    kept: Kept | None = None,
) -> Float[Tensor, "image output convolved_y convolved_x"]:
    """A convolution of stride 1, as PyTorch's but for rounding.

    Args:
        kept: where the weight's values stay from one batch to the next. Nothing may change the
            weight in between.
    """
    values = _values_of_weight(weight, kept)
    height, width = (side + 2 * padding - KERNEL + 1 for side in maps.shape[-2:])
    rows, columns = (math.ceil(side / OUTPUTS) for side in (height, width))
    below = rows * OUTPUTS - height + padding
    right = columns * OUTPUTS - width + padding
    numbers = len(maps) * rows * columns * TILE**2 * max(weight.shape[:2])
    # What a gradient needs stays in memory anyhow. Parts are even: see batches.in_batches.
    parts = 1 if torch.is_grad_enabled() else min(math.ceil(numbers / LARGEST), len(maps))
    found = []
    for part in maps.tensor_split(parts):
        whole = F.pad(part, (padding, right, padding, below))
        found.append(_OfWholeTiles.apply(whole, values, bias)[..., :height, :width])
    return torch.cat(found) if parts > 1 else found[0]


def _values_of_weight(
    weight: Float[Tensor, "output channel 3 3"], kept: Kept | None
) -> Float[Tensor, "point output channel"]:
    if kept and id(weight) in kept:
        return kept[id(weight)]
    _, to_values, _ = transforms(weight.dtype)
    outputs, inputs = weight.shape[:2]
    pixels = weight.permute(2, 3, 0, 1).reshape(-1, outputs, inputs)
    values = _transformed(to_values, pixels)
    if kept is not None:
        kept[id(weight)] = values
    return values


class _OfWholeTiles(torch.autograd.Function):
    """A convolution whose outputs are whole tiles, given the values of its weight."""

    @staticmethod
    def forward(
        context: FunctionCtx,
        maps: Float[Tensor, "image channel y x"],
        weights: Float[Tensor, "point output channel"],
        bias: Float[Tensor, " output"] | None,
    ) -> Float[Tensor, "image output convolved_y convolved_x"]:
        to_values, _, to_outputs = transforms(maps.dtype)
        outputs = weights.shape[1]
        rows, columns = ((side - KERNEL + 1) // OUTPUTS for side in maps.shape[-2:])
        values = _transformed(to_values, _tiles(maps, TILE))
        context.save_for_backward(values, weights)
        context.shape = maps.shape
        products = matrix.products(values, weights.transpose(1, 2))
        tiles = _transformed(to_outputs, products)
        tiles = tiles.view(OUTPUTS, OUTPUTS, len(maps), rows, columns, outputs)
        convolved = tiles.new_empty(len(maps), rows, OUTPUTS, columns, OUTPUTS, outputs)
        torch.add(tiles.permute(2, 3, 0, 4, 1, 5), 0 if bias is None else bias, out=convolved)
        return convolved.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)

    @staticmethod
    def backward(
        context: FunctionCtx, gradient: Float[Tensor, "image output convolved_y convolved_x"]
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        to_values, _, to_outputs = transforms(gradient.dtype)
        values, weights = context.saved_tensors
        products = _transformed(to_outputs.t(), _tiles(gradient, OUTPUTS))
        of_maps = of_weights = of_bias = None
        if context.needs_input_grad[0]:
            of_values = matrix.products(products, weights)
            of_maps = _overlapping(_transformed(to_values.t(), of_values), context.shape)
        if context.needs_input_grad[1]:
            of_weights = matrix.products(products.transpose(1, 2), values)
        if context.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_maps, of_weights, of_bias


def _tiles(maps: Float[Tensor, "image channel y x"], side: int) -> Tiles:
    """The tiles of maps, a row of them after the other, and one image after the other."""
    pixels = [_pixel_of_each_tile(maps, side, y, x) for y, x in _places(side)]
    return torch.stack(pixels).flatten(1, 3)


def _overlapping(tiles: Tiles, shape: tuple[int, ...]) -> Float[Tensor, "image channel y x"]:
    """The sum of tiles in their places in maps of that shape."""
    images, channels, height, width = shape
    maps = tiles.new_zeros(images, height, width, channels).permute(0, 3, 1, 2)
    for pixels, (y, x) in zip(tiles, _places(TILE), strict=True):
        place = _pixel_of_each_tile(maps, TILE, y, x)
        place += pixels.view_as(place)
    return maps


def _pixel_of_each_tile(
    maps: Float[Tensor, "image channel y x"], side: int, y: int, x: int
) -> Float[Tensor, "image row column channel"]:
    """A view of the maps; the tiles begin `OUTPUTS` pixels apart."""
    bottom, right = (length - side for length in maps.shape[-2:])
    pixels = maps[..., y : y + bottom + 1 : OUTPUTS, x : x + right + 1 : OUTPUTS]
    return pixels.permute(0, 2, 3, 1)


def _places(side: int) -> itertools.product:
    return itertools.product(range(side), repeat=2)


def _transformed(
    transform: Float[Tensor, "value pixel"], tiles: Tiles
) -> Float[Tensor, "value tile channel"]:
    return (transform @ tiles.flatten(1)).view(-1, *tiles.shape[1:])


@functools.cache
def transforms(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """What makes values at the points of a tile and of a kernel, and outputs of their products.

    Each for both axes at once. That the first one is an inverse is what turns the product of
    polynomials into the sums of a convolution (Lavin & Gray 2016, section 4.1: Bᵀ, G and Aᵀ).
    """
    with torch.inference_mode(mode=False):  # kept for training too, whoever asks first
        to_values = torch.linalg.inv(_powers(TILE)).t()
        axes = (to_values, _powers(KERNEL), _powers(OUTPUTS).t())
        return tuple(torch.kron(axis, axis).to(dtype) for axis in axes)


def _powers(count: int) -> Float[Tensor, "point power"]:
    """Powers of the points: each row evaluates a polynomial of so many coefficients there."""
    points = torch.tensor(POINTS, dtype=torch.float64)
    at_infinity = F.one_hot(torch.tensor([count - 1]), count)  # its highest coefficient alone
    return torch.cat([points[:, None] ** torch.arange(count), at_infinity])
