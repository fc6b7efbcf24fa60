"""Matrix products on whatever PyTorch offers."""

import types

import numpy as np
import pytest
import torch

from convprobe.job import machine
from convprobe.network import matrix


@pytest.fixture(params=["with the operator", "without it", "without AVX-512", "by Intel"])
def _operator(request, monkeypatch):
    monkeypatch.setattr(machine, "is_intel", lambda: request.param == "by Intel")
    capability = "AVX2" if request.param == "without AVX-512" else "AVX512"
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    if request.param == "without it":
        monkeypatch.setattr(torch.ops, "mkldnn", types.SimpleNamespace())


@pytest.mark.usefixtures("_operator")
def test_products_are_right_with_and_without_the_operator_of_its_own():
    random = np.random.default_rng(0)
    values, weight = random.normal(size=(17, 300)), random.normal(size=(300, 5))
    found = matrix.product(
        torch.tensor(values, dtype=torch.float32), torch.tensor(weight, dtype=torch.float32)
    )
    np.testing.assert_allclose(found, values @ weight, atol=1e-4)


@pytest.mark.usefixtures("_operator")
def test_several_products_are_those_of_their_matrices():
    random = np.random.default_rng(0)
    values, weights = random.normal(size=(4, 17, 30)), random.normal(size=(4, 30, 5))
    found = matrix.products(
        torch.tensor(values, dtype=torch.float32), torch.tensor(weights, dtype=torch.float32)
    )
    np.testing.assert_allclose(found, values @ weights, atol=1e-4)


@pytest.mark.usefixtures("_operator")
def test_convolutions_by_products_are_those_of_pytorch():
    torch.manual_seed(0)
    maps, weight = torch.randn(3, 6, 9, 9), torch.randn(4, 6, 3, 3)
    expected = torch.nn.functional.conv2d(maps.double(), weight.double())
    torch.testing.assert_close(
        matrix.ProductConvolution(weight)(maps).double(), expected, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    "walk",
    [
        {},
        {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1]},
        {"stride": [2, 1], "padding": [0, 1]},
        {"dilation": 2},
        {"padding": "same"},
        {"padding": "valid"},
    ],
)
def test_convolutions_walk_as_those_of_pytorch_do(walk):
    torch.manual_seed(0)
    maps, weight = torch.randn(3, 6, 9, 8), torch.randn(4, 6, 3, 1)
    convolution = matrix.ProductConvolution(weight, **walk)
    expected = torch.nn.functional.conv2d(maps.double(), weight.double(), **walk)
    torch.testing.assert_close(convolution(maps).double(), expected, atol=1e-4, rtol=0)
    some = torch.nn.functional.conv2d(maps[:, [1, 4]], weight[:, [1, 4]], **walk)
    torch.testing.assert_close(convolution(maps[:, [1, 4]], [1, 4]), some, atol=1e-4, rtol=0)
