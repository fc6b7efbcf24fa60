"""Whole convolutions: on a CPU in the fastest of three ways, all equal but for rounding."""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from convprobe.network import tile_cost, winograd

# Above this ratio PyTorch's convolution trains faster on a CPU than a product of matrices. Below it
# PyTorch takes long over the many weights, however small the maps are (benchmarks/training.py).
PATCHES_PER_FILTER = 4
# For so many images the way is chosen in evaluation, where the size of a batch must not decide it.
EVALUATED = 500


def convolved(
    maps: Float[Tensor, "image channel y x"],
    weight: Float[Tensor, "output channel kernel kernel"],
    bias: Float[Tensor, " output"] | None,
    stride: int = 1,
    padding: int = 0,
    images: int = EVALUATED,
    kept: winograd.Kept | None = None,
) -> Float[Tensor, "image output convolved_y convolved_x"]:
    """What comes out of a convolution, as PyTorch's but for rounding.

    Args:
        images: the way is the fastest one for so many.
        kept: as for `winograd.convolved`.
    """
    if maps.device.type == "cpu":
        outputs, inputs, kernel, _ = weight.shape
        height, width = ((side + 2 * padding - kernel) // stride + 1 for side in maps.shape[-2:])
        is_full = maps.dtype in (torch.float32, torch.float64)
        is_full &= not torch.is_autocast_enabled("cpu")
        has_tiles = is_full and kernel == tile_cost.KERNEL and stride == 1
        if has_tiles and tile_cost.pays(inputs, outputs, height, width, images):
            return winograd.convolved(maps, weight, bias, padding, kept)
        if images * height * width <= PATCHES_PER_FILTER * outputs:
            return as_product(maps, weight, bias, stride, padding)
    return F.conv2d(maps, weight, bias, stride, padding)


def as_product(
    maps: Float[Tensor, "image channel y x"],
    weight: Float[Tensor, "output channel kernel kernel"],
    bias: Float[Tensor, " output"] | None,
    stride: int,
    padding: int,
) -> Float[Tensor, "image output convolved_y convolved_x"]:
    """A convolution as a product of two matrices, patches and weights.

    Source: Chellapilla et al. 2006, section 3.
    """
    # In float32 or better: a pixel's gradient is summed over its patches before it is rounded.
    precise = maps.to(torch.promote_types(maps.dtype, torch.float32))
    padded = F.pad(precise, 4 * (padding,))
    kernel = weight.shape[-1]
    last_y, last_x = (side - kernel for side in padded.shape[-2:])
    columns = []
    for y, x in itertools.product(range(kernel), repeat=2):
        shifted = padded[..., y : y + last_y + 1 : stride, x : x + last_x + 1 : stride]
        columns.append(shifted.to(maps.dtype).permute(0, 2, 3, 1))
    patches = torch.cat(columns, dim=-1)
    weights = weight.permute(0, 2, 3, 1).flatten(1)  # in the order of the patches
    return F.linear(patches, weights, bias).permute(0, 3, 1, 2)
