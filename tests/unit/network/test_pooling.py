"""Max pooling in parts gives PyTorch's own values."""

import pytest
import torch
from torch.nn import functional as F

from convprobe.network import pooling


@pytest.mark.parametrize("shape", [(3, 5, 8, 8), (2, 4, 9, 7), (1, 3, 2, 2), (2, 3, 3, 2)])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "walk",
    [
        ([2, 2],),
        ([2, 2], [2, 2]),
        ([1, 2],),
        ([2, 1], []),
        ([1, 1],),
        ([2, 2], [1, 1]),
        ([2, 2], [1, 2], [1, 1]),
        ([2, 2], [2, 2], [0, 0], [1, 1], True),
        ([2, 2], [2, 2], [0, 0], [1, 1]),
    ],
)
def test_largest_values_are_those_of_pytorch(shape, memory, walk):
    torch.manual_seed(0)
    maps = torch.randn(shape).contiguous(memory_format=memory)
    maps[0, 0, 0, 0] = float("nan")
    maps[0, 1] = -torch.inf
    expected = F.max_pool2d(maps, *walk)
    found = pooling.max_pool2d(maps, *walk)
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


def test_gradients_are_those_of_pytorch():
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 4, 4, requires_grad=True)
    weights = torch.randn(2, 3, 2, 2)
    of_pytorch, of_ours = (
        torch.autograd.grad((pool(maps, [2, 2]) * weights).sum(), maps)
        for pool in (F.max_pool2d, pooling.max_pool2d)
    )
    torch.testing.assert_close(of_ours, of_pytorch, rtol=0, atol=0)
