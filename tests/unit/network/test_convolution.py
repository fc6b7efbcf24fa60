"""Convolutions in whichever way is the fastest."""

import pytest
import torch
from torch.nn import functional as F

from convprobe.network import convolution, winograd
from convprobe.network.convolution import as_product, convolved

TILES, PRODUCT, SUMS = "tiles", "product", "sums"


@pytest.fixture
def ways(monkeypatch):
    """The ways that are taken, in their order."""
    taken = []

    def recording(module, function, way):
        original = getattr(module, function)

        def recorded(*given):
            taken.append(way)
            return original(*given)

        monkeypatch.setattr(module, function, recorded)

    recording(winograd, "convolved", TILES)
    recording(convolution, "as_product", PRODUCT)
    recording(convolution.F, "conv2d", SUMS)
    return taken


def given(images, inputs, outputs, kernel, side, dtype=torch.float64):
    torch.manual_seed(0)
    weight = torch.randn(outputs, inputs, kernel, kernel, dtype=dtype)
    return (
        torch.randn(images, inputs, side, side, dtype=dtype),
        weight,
        torch.randn(outputs, dtype=dtype),
    )


CASES = [
    # inputs, outputs, kernel, side, stride, padding, the way for 2 images and for many
    (64, 256, 3, 30, 1, 0, TILES, TILES),
    (64, 256, 3, 14, 1, 0, PRODUCT, TILES),  # for few images a weight's way takes longer
    (128, 128, 3, 8, 1, 1, PRODUCT, TILES),
    (128, 128, 3, 8, 2, 1, PRODUCT, SUMS),  # tiles have stride 1
    (64, 256, 5, 14, 1, 0, PRODUCT, SUMS),
    (32, 256, 1, 4, 1, 0, PRODUCT, SUMS),
    (32, 900, 1, 1, 1, 0, PRODUCT, PRODUCT),
    (4, 8, 3, 14, 1, 1, SUMS, SUMS),  # so few channels that tiles don't pay
]


@pytest.mark.parametrize(
    ("inputs", "outputs", "kernel", "side", "stride", "padding", "of_few", "of_many"), CASES
)
def test_each_way_gives_what_pytorch_does(
    inputs, outputs, kernel, side, stride, padding, of_few, of_many, ways
):
    maps, weight, bias = given(2, inputs, outputs, kernel, side)
    few = convolved(maps, weight, bias, stride, padding, images=2)
    assert ways == [of_few]
    many = convolved(maps, weight, bias, stride, padding)
    assert ways == [of_few, of_many]
    expected = F.conv2d(maps, weight, bias, stride, padding)
    torch.testing.assert_close(few, expected)
    torch.testing.assert_close(many, expected)
    without = convolved(maps, weight, None, stride, padding)
    torch.testing.assert_close(without, expected - bias.view(-1, 1, 1))


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 2), (2, 1), (3, 0)])
@pytest.mark.parametrize("kernel", [1, 3, 4])
def test_a_product_has_the_gradients_of_pytorchs_convolution(kernel, stride, padding):
    maps, weight, bias = given(2, 3, 5, kernel, 9)
    parameters = [tensor.requires_grad_() for tensor in (maps, weight, bias)]
    walk = (stride, padding)
    found = as_product(*parameters, *walk)
    upstream = torch.randn(found.shape, dtype=found.dtype)
    expected = torch.autograd.grad(F.conv2d(*parameters, *walk), parameters, upstream)
    for gradient, same in zip(
        torch.autograd.grad(found, parameters, upstream), expected, strict=True
    ):
        torch.testing.assert_close(gradient, same)


def test_a_gradient_in_bfloat16_is_rounded_once():
    maps, weight, bias = given(4, 64, 32, 3, 9, torch.bfloat16)
    maps.requires_grad_()
    found = as_product(maps, weight, bias, 1, 0)
    (gradient,) = torch.autograd.grad(found.sum(), maps)
    of_places = F.conv_transpose2d(torch.ones(found.shape), weight.float())
    assert (gradient.float() - of_places).abs().max() <= of_places.abs().max() / 2**8


def test_in_evaluation_the_size_of_a_batch_decides_nothing(ways):
    for inputs, outputs, kernel, side in ((64, 256, 3, 14), (32, 900, 1, 1), (8, 600, 3, 5)):
        maps, weight, bias = given(7, inputs, outputs, kernel, side)
        together = convolved(maps, weight, bias)
        alone = torch.cat([convolved(image[None], weight, bias) for image in maps])
        torch.testing.assert_close(together, alone, rtol=0, atol=1e-11)
        assert len(set(ways)) == 1
        ways.clear()


def test_equal_images_of_a_batch_have_equal_results():
    """Else two of them would be ranked by rounding."""
    maps, weight, bias = given(1, 64, 256, 3, 14, torch.float32)
    for count in (2, 13, 40):
        found = convolved(maps.expand(count, -1, -1, -1), weight, bias)
        assert (found == found[:1]).all()


def test_in_bfloat16_there_are_no_tiles(ways):
    maps, weight, bias = given(2, 64, 256, 3, 14, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        convolved(maps, weight, bias)
    convolved(maps.bfloat16(), weight.bfloat16(), bias.bfloat16())
    assert ways == [SUMS, SUMS]
