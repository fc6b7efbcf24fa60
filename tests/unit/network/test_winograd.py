"""Convolutions by tiles against the sums that they stand for."""

import pytest
import torch
from torch.nn import functional as F

from convprobe.network import winograd


def test_ones_on_a_slope_give_sums_counted_by_hand():
    maps = torch.arange(36.0).view(1, 1, 6, 6)  # of 3×3 pixels: 9 times the middle one
    found = winograd.convolved(maps, torch.ones(1, 1, 3, 3), torch.tensor([0.5]))
    rows = [[63.5, 72.5, 81.5, 90.5], [117.5, 126.5, 135.5, 144.5]]
    rows += [[171.5, 180.5, 189.5, 198.5], [225.5, 234.5, 243.5, 252.5]]
    torch.testing.assert_close(found, torch.tensor([[rows]]), rtol=0, atol=1e-4)


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("size", [(3, 3), (6, 6), (7, 9), (14, 14), (5, 18)])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_results_and_gradients_are_those_of_the_sums(padding, size, memory):
    torch.manual_seed(0)
    shapes = ((2, 4, *size), (5, 4, 3, 3), (5,))
    given = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    given[:2] = [tensor.contiguous(memory_format=memory) for tensor in given[:2]]
    given = [tensor.requires_grad_() for tensor in given]
    found, expected = winograd.convolved(*given, padding), F.conv2d(*given, padding=padding)
    torch.testing.assert_close(found, expected)
    gradient = torch.randn_like(expected)
    of_tiles, of_sums = (torch.autograd.grad(maps, given, gradient) for maps in (found, expected))
    for one, other in zip(of_tiles, of_sums, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
def test_either_library_gives_the_gradients_of_the_sums(capability, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    torch.manual_seed(0)
    shapes = ((3, 24, 14, 14), (36, 24, 3, 3), (36,))
    given = [torch.randn(shape, requires_grad=True) for shape in shapes]
    exact = [tensor.detach().double().requires_grad_() for tensor in given]
    found, expected = winograd.convolved(*given), F.conv2d(*exact)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-4)
    gradient = torch.randn_like(found)
    by_tiles = torch.autograd.grad(found, given, gradient)
    by_sums = torch.autograd.grad(expected, exact, gradient.double())
    for one, other in zip(by_tiles, by_sums, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=0, atol=1e-5 * other.abs().max())


@pytest.mark.parametrize("largest", [1, 7000, 10**9])
def test_the_memory_that_is_taken_changes_nothing(largest, monkeypatch):
    torch.manual_seed(0)
    shapes = ((7, 4, 9, 10), (5, 4, 3, 3), (5,))
    maps, weight, bias = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    monkeypatch.setattr(winograd, "LARGEST", largest)
    with torch.no_grad():
        found = winograd.convolved(maps, weight, bias, 1)
    torch.testing.assert_close(found, F.conv2d(maps, weight, bias, padding=1))


def test_values_of_a_weight_are_kept_for_that_weight_alone():
    maps = torch.randn(2, 4, 6, 6, dtype=torch.float64)
    kept = {}
    for weight in 2 * [*torch.randn(2, 5, 4, 3, 3, dtype=torch.float64)]:
        found = winograd.convolved(maps, weight, None, kept=kept)
        torch.testing.assert_close(found, F.conv2d(maps, weight))
    assert len(kept) == 2


def test_after_an_evaluation_training_goes_on():
    maps, weight = torch.randn(1, 2, 6, 6), torch.randn(3, 2, 3, 3, requires_grad=True)
    winograd.transforms.cache_clear()
    with torch.inference_mode():
        winograd.convolved(maps, weight, None)
    winograd.convolved(maps, weight, None).sum().backward()
    assert weight.grad.shape == weight.shape


def test_what_needs_no_gradient_gets_none():
    maps = torch.randn(1, 2, 6, 6)
    weight, bias = torch.randn(3, 2, 3, 3, requires_grad=True), torch.zeros(3)
    winograd.convolved(maps, weight, bias).sum().backward()
    assert maps.grad is None
    assert weight.grad.shape == weight.shape
    winograd.convolved(maps.requires_grad_(), weight.detach(), bias).sum().backward()
    assert maps.grad.shape == maps.shape


def test_float32_is_more_exact_than_adding_product_after_product():
    """How exact PyTorch's own convolution is depends on how many sums the processor adds up."""
    torch.manual_seed(0)
    maps = torch.rand(2, 1024, 6, 6)
    weight, bias = torch.randn(64, 1024, 3, 3) / 96, torch.zeros(64)
    exact = F.conv2d(maps.double(), weight.double())
    factors = F.unfold(maps, 3).transpose(1, 2)
    sums = torch.zeros(2, 16, 64)
    for number, of_outputs in enumerate(weight.flatten(1).t()):
        sums += factors[..., number, None] * of_outputs
    one_by_one = sums.transpose(1, 2).reshape(exact.shape)
    errors = [
        (found - exact).square().mean().sqrt()
        for found in (winograd.convolved(maps, weight, bias), one_by_one)
    ]
    assert 0 < errors[0] < errors[1]
