"""Matrix products, and convolutions by them, for probes that compute many small ones on a CPU."""

import torch
from torch.nn import functional as F


def product(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """A matrix product (rows, columns) of (rows, inner) and (inner, columns).

    On a CPU PyTorch gives those of float32 to MKL, which on an AMD EPYC ran at less than half of
    oneDNN's rate (torch 2.15, one thread: 50 against 118 billion multiply-adds a second). The operator
    that reaches oneDNN is one of PyTorch's own, which another version may lack.
    """
    on_cpu = values.device.type == "cpu" and values.dtype == torch.float32
    if (
        on_cpu
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    ):
        return torch.ops.mkldnn._linear_pointwise(values, weight.t(), None, "none", [], "")
    return values @ weight


class Convolution:
    """A convolution without bias, of all or of some input channels."""

    def __init__(self, weight, stride=1, padding=0):
        """Lay out the weights (output channel, input channel, y, x)."""
        self.weight, self.stride, self.padding = weight, stride, padding
        by_product = weight.device.type == "cpu" and (stride, padding) == (1, 0)
        # Output channels innermost, as `product` takes them without a copy.
        self._rows = weight.permute(2, 3, 1, 0).contiguous() if by_product else None

    def __call__(self, maps, channels=slice(None)):
        """Convolve maps (image, channel, y, x), which are those of the given input channels."""
        if self._rows is None:
            return F.conv2d(
                maps, self.weight[:, channels], stride=self.stride, padding=self.padding
            )
        kernel, outputs = self.weight.shape[-1], len(self.weight)
        # Channels innermost, so that whole runs of memory are copied.
        windows = maps.permute(0, 2, 3, 1).contiguous().unfold(1, kernel, 1).unfold(2, kernel, 1)
        values = windows.permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(0, 2)
        found = product(values, self._rows[:, :, channels].reshape(-1, outputs))
        return found.view(*windows.shape[:3], outputs).permute(0, 3, 1, 2)
