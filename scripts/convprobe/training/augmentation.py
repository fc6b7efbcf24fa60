"""Random flips and shifts of training images."""

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional as F

CROP_MARGIN = 4  # pixels by which a random crop may be shifted


def augment(
    pixels: UInt8[Tensor, "image y x channel"], augmentation: str, random: torch.Generator
) -> UInt8[Tensor, "image y x channel"]:
    """Randomly flip, or flip and shift, each image.

    Args:
        augmentation: `none`, `flip` (left to right, with probability one half) or `flip-crop`
            (also shifted by up to CROP_MARGIN pixels, black beyond the image's edge).
        random: on the CPU.
    """
    if augmentation == "none":
        return pixels
    pixels = _flipped(pixels, random)
    if augmentation == "flip":
        return pixels
    return _shifted(pixels, random)


def _flipped(
    pixels: UInt8[Tensor, "image y x channel"], random: torch.Generator
) -> UInt8[Tensor, "image y x channel"]:
    is_flipped = torch.rand(len(pixels), generator=random) < 0.5
    is_flipped = is_flipped.to(pixels.device).view(-1, 1, 1, 1)
    return torch.where(is_flipped, pixels.flip(2), pixels)


def _shifted(
    pixels: UInt8[Tensor, "image y x channel"], random: torch.Generator
) -> UInt8[Tensor, "image y x channel"]:
    count, height, width = pixels.shape[:3]
    shifts = torch.randint(2 * CROP_MARGIN + 1, (2, count, 1), generator=random)
    shift_y, shift_x = shifts.to(pixels.device)
    margins = (CROP_MARGIN,) * 4
    padded = F.pad(pixels, (0, 0, *margins))
    row = torch.arange(height, device=pixels.device)
    column = torch.arange(width, device=pixels.device)
    image = torch.arange(count, device=pixels.device)[:, None, None]
    y = (shift_y + row)[:, :, None]
    x = (shift_x + column)[:, None, :]
    return padded[image, y, x]
