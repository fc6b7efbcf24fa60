"""The published network, and the arithmetic of receptive fields."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from convprobe.errors import InputError
from convprobe.network import chain, filter_layers, layers
from convprobe.network.layers import Network, as_input
from convprobe.occlusion import windows

PUBLISHED = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["network"]
NETWORKS = [
    {"conv": [{"channels": 3, "kernel": 3}], "fc": []},
    {"conv": [{"channels": 2, "kernel": 5}, {"channels": 3, "kernel": 2}], "fc": [4]},
    {
        "conv": [
            {"channels": 3, "kernel": 4},
            {"channels": 2, "kernel": 1},
            {"channels": 4, "kernel": 3},
        ],
        "fc": [5],
    },
]


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    return Network(PUBLISHED, classes=10, image_size=(32, 32))


def test_published_network_has_the_published_weights(published):
    shapes = {
        name: tuple(weight.shape)
        for name, weight in published.state_dict().items()
        if name.endswith("weight")
    }
    assert shapes == {
        "conv1.weight": (256, 3, 5, 5),
        "conv2.weight": (1024, 256, 3, 3),
        "conv3.weight": (2048, 1024, 3, 3),
        "conv4.weight": (2048, 2048, 1, 1),
        "fc1.weight": (1024, 2048),
        "fc2.weight": (256, 1024),
        "fc3.weight": (10, 256),
    }


def test_published_network_has_the_published_maps_and_learns_from_one_image(published):
    image = torch.rand(1, 3, 32, 32)
    maps = {name: tuple(values.shape[1:]) for name, values in published.pooled_maps(image)}
    assert maps == {
        "conv1": (256, 14, 14),
        "conv2": (1024, 6, 6),
        "conv3": (2048, 2, 2),
        "conv4": (2048, 1, 1),
    }
    torch.nn.functional.cross_entropy(published(image), torch.tensor([3])).backward()
    assert all(
        weight.grad is not None and weight.grad.isfinite().all()
        for weight in published.parameters()
    )


@pytest.mark.slow
def test_published_network_makes_one_occlusion_map(published):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    maps, _ = windows.sweep(published.eval(), pixels, window=5)
    assert maps.shape == (1, 32, 32, 10)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)


def test_state_dict_holds_weights_only_and_normalisation_is_applied_inside():
    settings = NETWORKS[0]
    plain = Network(settings, classes=2, image_size=(8, 8))
    normalising = Network(
        settings,
        classes=2,
        image_size=(8, 8),
        normalisation={"mean": [0.5, 0.25, 0], "std": [0.5, 0.25, 2]},
    )
    normalising.load_state_dict(plain.state_dict())
    assert list(plain.state_dict()) == ["conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias"]
    images = torch.rand(2, 3, 8, 8)
    by_hand = torch.stack([images[:, 0] * 2 - 1, images[:, 1] * 4 - 1, images[:, 2] / 2], dim=1)
    torch.testing.assert_close(normalising(images), plain(by_hand))


def test_pixels_become_channels_first_in_the_unit_interval():
    pixels = torch.zeros(1, 2, 3, 3, dtype=torch.uint8)
    pixels[0, 1, 2] = torch.tensor([255, 51, 0])
    assert as_input(pixels)[0, :, 1, 2].tolist() == pytest.approx([1, 0.2, 0])
    assert as_input(pixels).shape == (1, 3, 2, 3)


def test_receptive_fields_of_the_published_network():
    found = filter_layers.of_graph(chain.graph(PUBLISHED, (32, 32), 10))
    sizes = {name: layer.fields.y.grid.size for name, layer in found.items()}
    assert sizes == {"conv1": 6, "conv2": 12, "conv3": 24, "conv4": 32}
    assert {name: layer.shape for name, layer in found.items()} == {
        "conv1": (14, 14),
        "conv2": (6, 6),
        "conv3": (2, 2),
        "conv4": (1, 1),
    }
    fields = found["conv2"].fields
    assert (fields.y.seen[1], fields.x.seen[5]) == ((4, 16), (20, 32))


def draw_settings(seed, side=24):
    """A random network that leaves something of the image."""
    draw, conv = np.random.default_rng(seed), []
    while len(conv) < 3 and side > 5:
        kernel = int(draw.integers(1, 6))
        stage = {
            "channels": int(draw.integers(4, 8)),
            "kernel": kernel,
            "pool": int(draw.integers(1, 4)),
        }
        stage |= {"padding": int(draw.integers(0, kernel)), "stride": int(draw.integers(1, 4))}
        left = ((side + 2 * stage["padding"] - kernel) // stage["stride"] + 1) // stage["pool"]
        if left:
            conv.append(stage | {"batch_norm": bool(draw.integers(2))})
            side = left
    return {"conv": conv, "fc": []}


# Pooling drops a row of the first two maps, and padding takes its place: below it nothing is seen.
DROPPING = {
    "conv": [
        {"channels": 4, "kernel": 3},
        {"channels": 4, "kernel": 1},
        {"channels": 4, "kernel": 2, "padding": 1},
    ],
    "fc": [],
}


def changed_units(network, side):
    """By brute force, which units a pixel changes: by layer, bool (pixel y, x, unit y, x)."""
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(1, 3, side, side, generator=draw, dtype=torch.float64).repeat(
        1 + side**2, 1, 1, 1
    )
    for pixel in range(side**2):
        images[1 + pixel].flatten(1)[:, pixel] += 1e6
    with torch.no_grad():
        maps = dict(network.pooled_maps(images))
    changed = {name: (values[1:] - values[0]).abs().amax(1) > 1e-6 for name, values in maps.items()}
    return {name: units.view(side, side, *units.shape[1:]) for name, units in changed.items()}


@pytest.mark.parametrize(
    ("settings", "side"),
    [
        *((settings, 24) for settings in NETWORKS),
        (DROPPING, 9),
        *((draw_settings(seed, side), side) for seed in range(40) for side in [9 + seed % 12]),
    ],
    ids=str,
)
def test_receptive_fields_are_exact(settings, side):
    """The box holds all pixels that change a unit, and no more; it is clipped at the border."""
    torch.manual_seed(0)
    network = Network(settings, classes=2, image_size=(side, side)).double().eval()
    with torch.no_grad():
        missed = changed_units(network, side)
        for weight in network.parameters():
            weight.abs_().add_(0.1)  # so that nothing hides that a pixel became brighter
    changed = changed_units(network, side)
    for name, layer in filter_layers.of_graph(network.graph).items():
        assert layer.shape == changed[name].shape[2:]
        size = layer.fields.y.grid.size
        for y, x in np.ndindex(changed[name].shape[2:]):
            rows, columns = (changed[name][:, :, y, x].any(axis).nonzero() for axis in (1, 0))
            top, bottom = layer.fields.y.seen[y]
            left, right = layer.fields.x.seen[x]
            assert (top, bottom) == (int(rows.min()), int(rows.max()) + 1)
            assert (left, right) == (int(columns.min()), int(columns.max()) + 1)
            assert max(bottom - top, right - left) <= size
            missed[name][top:bottom, left:right, y, x] = False
        assert not missed[name].any(), (
            "with the weights as they were drawn, a pixel beyond the box changes the unit"
        )


def widened(settings):
    """So many filters that small batches train by products, and no batch normalisation."""
    conv = [
        stage | {"channels": 40 * stage["channels"], "batch_norm": False}
        for stage in settings["conv"]
    ]
    return settings | {"conv": conv}


def by_pytorch(maps, weight, bias, stride, padding, images):
    return torch.nn.functional.conv2d(maps, weight, bias, stride, padding)


def gradients(network, images):
    network.zero_grad()
    images = images.clone().requires_grad_()
    logits = network(images)
    torch.nn.functional.cross_entropy(logits, torch.arange(len(images)) % 2).backward()
    return [logits.detach(), images.grad, *(weight.grad.clone() for weight in network.parameters())]


@pytest.mark.slow
@pytest.mark.parametrize("settings", [*NETWORKS, *map(draw_settings, range(12))], ids=str)
@pytest.mark.parametrize("count", [1, 6])
def test_in_training_a_network_has_the_gradients_of_pytorchs_convolutions(
    settings, count, monkeypatch
):
    torch.manual_seed(0)
    network = Network(widened(settings), classes=2, image_size=(24, 24)).double()
    images = torch.rand(count, 3, 24, 24, dtype=torch.float64)
    trained = gradients(network.train(), images)
    monkeypatch.setattr(layers, "convolved", by_pytorch)
    for found, expected in zip(trained, gradients(network, images), strict=True):
        torch.testing.assert_close(found, expected)


def test_in_bfloat16_training_sums_gradients_about_as_exactly_as_pytorchs_convolution():
    torch.manual_seed(0)
    network = Network(
        {"conv": [{"channels": 64, "kernel": 1}, {"channels": 512, "kernel": 3}], "fc": []},
        2,
        (16, 16),
    )
    maps, gradient = torch.rand(16, 64, 6, 6).bfloat16(), torch.randn(16, 512, 4, 4).bfloat16()

    def error(*, training):
        given = maps.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            network.train(training).convolved(1, given).backward(gradient)
        return (given.grad - exact).norm() / exact.norm()

    exact = maps.float().requires_grad_()
    network.conv2(exact).backward(gradient.float())
    exact = exact.grad
    assert 0 < error(training=True) < 1.4 * error(training=False)


def test_a_network_that_leaves_nothing_of_the_image_names_the_layer():
    with pytest.raises(
        InputError, match=r"network\.conv\[3\] is a 3×3 convolution .* its input is 2×2"
    ):
        chain.graph(
            {"conv": [{"channels": 1, "kernel": k} for k in (5, 3, 3, 3)], "fc": []},
            (32, 32),
            classes=2,
        )
