"""Occlusion maps against counting by hand, brute force and Captum."""

import numpy as np
import pytest
import torch
from captum.attr import Occlusion

from convprobe.errors import InputError
from convprobe.network.layers import Network, as_input
from convprobe.occlusion import windows
from convprobe.occlusion.incremental import Incremental


class GreyCounter(torch.nn.Module):
    """Logits: the number of grey pixels of an image, and 0."""

    def forward(self, images):
        grey = torch.isclose(images, torch.tensor(128 / 255)).all(dim=1).sum(dim=(1, 2)).float()
        return torch.stack([grey, torch.zeros_like(grey)], dim=1)


def test_the_border_hides_only_the_part_of_the_window_inside_the_image():
    white = np.full((1, 5, 5, 3), 255, dtype=np.uint8)
    maps, _ = windows.sweep(GreyCounter(), white, window=3)
    counts = np.log(maps[0, :, :, 0] / maps[0, :, :, 1])  # the softmax of (n, 0), undone
    expected = [[4, 6, 6, 6, 4], [6, 9, 9, 9, 6], [6, 9, 9, 9, 6], [6, 9, 9, 9, 6], [4, 6, 6, 6, 4]]
    np.testing.assert_allclose(counts, expected, rtol=1e-3)


def test_any_module_may_take_its_images_in_rows_by_a_view(pixels):
    """As PyTorch's own tutorials do; pixels lie with the channels innermost."""

    class Viewing(torch.nn.Module):
        def forward(self, images):
            return images.view(len(images), -1)[:, :2]

    _, clean = windows.sweep(Viewing(), pixels, window=3, stride=11)
    red = torch.from_numpy(pixels[:, 0, :2, 0] / 255)
    np.testing.assert_allclose(clean, red.softmax(1), atol=1e-6)


def test_each_position_equals_covering_the_image_by_hand(network, pixels):
    maps, clean = windows.sweep(network, pixels, window=5, fill=77)
    for image, y, x in ((0, 0, 0), (0, 5, 6), (1, 10, 3), (1, 2, 10)):
        covered = pixels[image].copy()
        covered[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = 77
        logits = network(as_input(torch.from_numpy(covered)[None]))
        np.testing.assert_allclose(maps[image, y, x], logits.softmax(1)[0].detach(), atol=1e-6)
    logits = network(as_input(torch.from_numpy(pixels)))
    np.testing.assert_allclose(clean, logits.softmax(1).detach(), atol=1e-6)


@pytest.mark.parametrize("way", ["boxes", "passes"])
def test_where_the_window_hides_its_own_grey_alone_nothing_changes(way, monkeypatch):
    """Bit by bit: else rounding would put these positions in an order."""
    torch.manual_seed(0)
    stages = [{"channels": 32, "kernel": 3, "padding": 1, "batch_norm": True}]
    network = Network({"conv": stages, "fc": [16]}, 3, (16, 16)).eval()
    monkeypatch.setattr(windows, "_way", lambda *_: way)
    pixels = np.full((2, 16, 16, 3), 40, dtype=np.uint8)
    pixels[0, 4:9, 6:11] = np.random.default_rng(0).integers(256, size=(5, 5, 3))
    pixels[1, 3, 3, 1] = 41
    maps, clean = windows.sweep(network, pixels, window=3, fill=40)
    changed = (maps != clean[:, None, None]).any(-1)
    assert not changed[0, :3].any()
    assert not changed[0, :, 12:].any()
    assert changed[0, 3:10, 5:12].all()
    assert np.argwhere(changed[1]).tolist() == [[y, x] for y in (2, 3, 4) for x in (2, 3, 4)]


def test_grey_is_normalised_as_the_image_is(network):
    seen = []

    class Watching(Network):
        def pooled_maps(self, images):
            seen.append((images - self.mean) / self.std)
            return super().pooled_maps(images)

    normalisation = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.25]}
    watching = Watching(network.settings, 3, (11, 11), normalisation).eval()
    windows.sweep(watching, np.zeros((1, 11, 11, 3), dtype=np.uint8), window=1, fill=128)
    # (128 / 255 - mean) / std by hand, at the covered pixel of the first position; before it comes
    # the image itself.
    assert seen[0][1, :, 0, 0].tolist() == pytest.approx([0.0098, 0.3399, 0.8078], abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 7, 121, 1000])
def test_the_batch_does_not_change_the_maps(network, pixels, batch):
    whole = windows.sweep(network, pixels, window=3)
    for found, expected in zip(
        windows.sweep(network, pixels, window=3, batch=batch), whole, strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_no_more_images_are_computed_at_a_time_than_asked_for(pixels):
    class Counting(GreyCounter):
        most = 0

        def forward(self, images):
            self.most = max(self.most, len(images))
            return super().forward(images)

    counting = Counting()
    windows.sweep(counting, pixels.repeat(4, axis=0), window=3, batch=3)
    assert counting.most == 3


@pytest.mark.parametrize("window", [3, 5])
def test_captum_averages_what_the_maps_hold(network, pixels, window):
    """Captum gives each pixel the mean drop over the windows that cover it.

    On an image padded by half a window, each of Captum's windows is one of ours, clipped or not, so
    that its attribution of a pixel is a box mean of clean minus mapped confidence.
    """
    half, side, label = window // 2, pixels.shape[1], 1
    grey = 128 / 255

    def confidence(padded):
        return network(padded[:, :, half : half + side, half : half + side]).softmax(1)[:, label]

    image = as_input(torch.from_numpy(pixels[:1]))
    padded = torch.nn.functional.pad(image, (half,) * 4, value=grey)
    captum = Occlusion(confidence).attribute(
        padded, sliding_window_shapes=(3, window, window), baselines=grey
    )
    captum = captum[0, 0, half : half + side, half : half + side].detach().numpy()

    maps, clean = windows.sweep(network, pixels[:1], window)
    drop = np.float64(clean[0, label]) - maps[0, :, :, label]
    for y, x in np.ndindex(side, side):
        covering = drop[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1]
        assert captum[y, x] == pytest.approx(covering.mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("window", "words"),
    [(4, "is 4 pixels wide, .* expected an odd side"), (13, "is 13 pixels wide, .* 11×11")],
)
def test_a_window_that_fits_no_pixel_is_refused(network, pixels, window, words):
    with pytest.raises(InputError, match=words):
        windows.sweep(network, pixels, window)


def test_the_stride_counts_from_the_middle_of_the_first_block():
    white = np.full((1, 5, 7, 3), 255, dtype=np.uint8)
    maps, _ = windows.sweep(GreyCounter(), white, window=3, stride=3)
    counts = np.log(maps[0, :, :, 0] / maps[0, :, :, 1])  # as above
    # Rows 1 and 4, of which the last is at the border; columns 1 and 4.
    np.testing.assert_allclose(counts, [[9, 9], [6, 6]], rtol=1e-3)


class FromElsewhere(torch.nn.Module):
    """A network of which nothing is known but what it gives."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images)


def draw_network(seed, **stage):
    torch.manual_seed(seed)
    conv = [{"channels": 4, "kernel": 3, **stage}, {"channels": 6, "kernel": 2}]
    network = Network({"conv": conv, "fc": [8]}, classes=3, image_size=(11, 11)).eval()
    for weight in network.parameters():
        weight.data *= 3
    return network


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 8, 11])
@pytest.mark.parametrize(
    "network",
    [
        draw_network(0),
        draw_network(1, padding=1, stride=2, pool=1),
        draw_network(2, batch_norm=True),
        FromElsewhere(draw_network(3)),
    ],
    ids=["plain", "padded", "batch_norm", "elsewhere"],
)
def test_with_a_stride_every_so_many_values_of_the_whole_map_are_there(network, pixels, stride):
    whole, clean_of_whole = windows.sweep(network, pixels, window=3)
    maps, clean = windows.sweep(network, pixels, window=3, stride=stride)
    np.testing.assert_allclose(
        maps, whole[:, stride // 2 :: stride, stride // 2 :: stride], atol=1e-6
    )
    np.testing.assert_allclose(clean, clean_of_whole, atol=1e-6)


@pytest.mark.parametrize("stages", [1, 3], ids=["states", "passes"])
def test_images_may_be_mirrored_views(stages):
    """As an image whose red and blue change places."""
    torch.manual_seed(0)
    stage = {"channels": 8, "kernel": 3, "pool": 1, "padding": 1}
    conv = [{"channels": 8, "kernel": 3}] if stages == 1 else [stage] * stages
    network = Network({"conv": conv, "fc": []}, 3, (12, 12)).eval()
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 12, 3), dtype=np.uint8)
    mirrored = images[..., ::-1]
    expected, _ = windows.sweep(network, mirrored.copy(), 3)
    found, _ = windows.sweep(network, mirrored, 3)
    np.testing.assert_array_equal(found, expected)


def test_only_as_many_passes_are_made_as_there_are_positions(pixels):
    class Counting(GreyCounter):
        seen = 0

        def forward(self, images):
            self.seen += len(images)
            return super().forward(images)

    counting = Counting()
    windows.sweep(counting, pixels, window=3, stride=4)
    assert counting.seen == 2 * (1 + 3 * 3)  # each image as it is, and at 2, 6 and 10


def test_only_changes_are_computed_while_that_is_less_than_the_passes_that_are_left():
    """Under every position the units' states, under few of them the boxes that change, or all."""
    network = {"conv": [{"channels": 96, "kernel": 3}, {"channels": 96, "kernel": 3}], "fc": []}
    wide = Network(network, classes=3, image_size=(32, 32)).eval()
    chosen = [windows._way(wide, (32, 32), 3, stride, "fp32") for stride in (1, 4, 16)]
    assert chosen == ["states", "boxes", "passes"]


@pytest.mark.parametrize(("stride", "image_side"), [(2, 32), (3, 32), (5, 23)])
def test_both_ways_keep_the_same_positions(stride, image_side):
    torch.manual_seed(0)
    network = {"conv": [{"channels": 8, "kernel": 3}, {"channels": 8, "kernel": 2}], "fc": []}
    built = Network(network, classes=3, image_size=(image_side, image_side)).eval()
    images = np.random.default_rng(0).integers(0, 256, (1, image_side, image_side, 3), np.uint8)
    (by_changes,), _ = Incremental(built, image_side, [3], stride=stride)(images[0], fill=0)
    by_passes, _ = windows.sweep(FromElsewhere(built), images, 3, 0, stride=stride)
    np.testing.assert_allclose(by_changes, by_passes[0], atol=1e-6)


@pytest.mark.parametrize("stride", [0, 12])
def test_a_stride_that_leaves_no_position_is_refused(network, pixels, stride):
    words = f"the stride is {stride}, but the images are 11×11: expected 1 to 11"
    with pytest.raises(InputError, match=words):
        windows.sweep(network, pixels, 3, stride=stride)
