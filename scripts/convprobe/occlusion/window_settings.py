"""How the maps of a window are made: what is asked of whoever computes and writes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WindowSettings:
    """How the maps of a window are made.

    Attributes:
        window: side in pixels, odd.
        fill: grey level of the window, 0 to 255.
        precision: `fp32` or `bf16`.
        stride: from one position to the next, in pixels.
    """

    window: int
    fill: int = 128
    precision: str = "fp32"
    stride: int = 1
