"""Whole convolutions: on a CPU in the fastest of three ways, all equal but for rounding."""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx
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
    channels_last = F.pad(maps, 4 * (padding,)).permute(0, 2, 3, 1)
    patches = Patches.apply(channels_last, weight.shape[-1], stride)
    weights = weight.permute(0, 2, 3, 1).flatten(1)  # in the order of the patches
    return F.linear(patches, weights, bias).permute(0, 3, 1, 2)


class Patches(torch.autograd.Function):
    """What a kernel sees at each of its places.

    PyTorch's own gradient would be as large as all images once more for each place in the kernel.
    """

    @staticmethod
    def forward(
        context: FunctionCtx, maps: Float[Tensor, "image y x channel"], kernel: int, stride: int
    ) -> Float[Tensor, "image convolved_y convolved_x value"]:
        """Cut the patches out, channels innermost."""
        context.shape = maps.shape
        context.places = _places(maps.shape, kernel, stride)
        return torch.cat([maps[place] for place in context.places], dim=-1)

    @staticmethod
    def backward(
        context: FunctionCtx, gradient: Float[Tensor, "image convolved_y convolved_x value"]
    ) -> tuple[Float[Tensor, "image y x channel"], None, None]:
        """Sum each pixel's gradient over its patches, in float32 or better."""
        kind = torch.promote_types(gradient.dtype, torch.float32)
        summed = gradient.new_zeros(context.shape, dtype=kind)
        parts = gradient.split(context.shape[-1], dim=-1)
        for place, part in zip(context.places, parts, strict=True):
            summed[place] += part
        return summed.to(gradient.dtype), None, None


def _places(shape: torch.Size, kernel: int, stride: int) -> list[tuple[slice, slice, slice]]:
    """Where each of the kernel's weights lies in maps, of all images at all of its places."""
    last_y, last_x = (side - kernel for side in shape[1:3])
    return [
        (slice(None), slice(y, y + last_y + 1, stride), slice(x, x + last_x + 1, stride))
        for y, x in itertools.product(range(kernel), repeat=2)
    ]
