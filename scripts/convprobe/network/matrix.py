"""Matrix products, and convolutions by them, for probes that compute many small ones on a CPU."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.backends import cpu
from torch.nn import functional as F

from convprobe.job import machine


def product(
    values: Float[Tensor, "row inner"], weight: Float[Tensor, "inner column"]
) -> Float[Tensor, "row column"]:
    """A matrix product, the same for any number of threads.

    On a CPU PyTorch gives products of float32 to MKL, whose sums depend on the threads, and which
    on an AMD EPYC with AVX-512 reached less than half of oneDNN's rate (torch 2.15, one thread: 50
    against 118 billion multiply-adds a second). The operator that reaches oneDNN is one of
    PyTorch's own, which another version may lack.
    """
    if _is_by_onednn(values):
        return torch.ops.mkldnn._linear_pointwise(values, weight.t(), None, "none", [], "")
    return values @ weight


def products(
    values: Float[Tensor, "product row inner"], weights: Float[Tensor, "product inner column"]
) -> Float[Tensor, "product row column"]:
    """As many matrix products, by the fastest library.

    That is MKL, also with AVX-512 on Intel's processors: there 36 products took 0.6 to 0.96 of the
    time (torch 2.15, one thread, 100 to 1800 rows), for oneDNN's have to be put together.
    """
    is_slow_by_mkl = "AVX512" in cpu.get_cpu_capability() and not machine.is_intel()
    if is_slow_by_mkl and _is_by_onednn(values):
        pairs = zip(values, weights, strict=True)
        return torch.stack([product(rows, weight) for rows, weight in pairs])
    return torch.bmm(values, weights)


def _is_by_onednn(values: Float[Tensor, "*shape"]) -> bool:
    is_float32_on_cpu = values.device.type == "cpu" and values.dtype == torch.float32
    has_operator = torch.backends.mkldnn.is_available() and hasattr(
        torch.ops.mkldnn, "_linear_pointwise"
    )
    return is_float32_on_cpu and has_operator


class ProductConvolution:
    """A convolution without bias, of all or of some input channels."""

    def __init__(
        self,
        weight: Float[Tensor, "output input y x"],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
    ) -> None:
        """Prepare the weights.

        Args:
            stride, padding, dilation: as PyTorch takes them.
        """
        self.weight = weight
        self.walk = {"stride": stride, "padding": padding, "dilation": dilation}
        self._rows = None
        is_plain = _only(1, stride) and _only(0, padding) and _only(1, dilation)
        if weight.device.type == "cpu" and is_plain:
            # Output channels innermost, as `product` takes them without a copy.
            self._rows = weight.permute(2, 3, 1, 0).contiguous()

    def __call__(
        self,
        maps: Float[Tensor, "image channel y x"],
        channels: slice | list[int] = slice(None),
    ) -> Float[Tensor, "image output convolved_y convolved_x"]:
        """Convolve maps, which are those of the given input channels."""
        if self._rows is None:
            return F.conv2d(maps, self.weight[:, channels], **self.walk)
        height, width = self.weight.shape[2:]
        outputs = len(self.weight)
        # Channels innermost, so that whole runs of memory are copied.
        windows = maps.permute(0, 2, 3, 1).contiguous().unfold(1, height, 1).unfold(2, width, 1)
        values = windows.permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(0, 2)
        weights = self._rows[:, :, channels].reshape(-1, outputs)
        convolved = product(values, weights).view(*windows.shape[:3], outputs)
        return convolved.permute(0, 3, 1, 2)


def _only(number: int, setting: int | Sequence[int] | str) -> bool:
    """Whether a setting is this number along both axes."""
    if isinstance(setting, int | str):
        return setting == number
    return set(setting) == {number}
