"""Images that are not square: a plain network and a traced one, against brute force."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convprobe.ablation import passes
from convprobe.dataset.image_file import Images
from convprobe.network import arithmetic, filter_layers, reach, tracing
from convprobe.network.classifiers import TracedNetwork
from convprobe.network.execution import Execution
from convprobe.network.layers import Network, as_input
from convprobe.occlusion import window_file, windows
from convprobe.occlusion.boxes import ChangedBoxes
from convprobe.occlusion.window_settings import WindowSettings
from convprobe.store import hdf5

HEIGHT, WIDTH = 24, 40
CLASSES = ("ant", "bee", "cow")
NORMALISATION = {"mean": [0.5, 0.4, 0.45], "std": [0.2, 0.25, 0.22]}
# Incremental would compute it, were the images square.
PLAIN = {
    "conv": [
        {"channels": 6, "kernel": 5},
        {"channels": 8, "kernel": 3},
        {"channels": 5, "kernel": 1},
    ],
    "fc": [7],
}


class Joined(nn.Module):
    """Two ways that meet, of which one has a wide kernel; then all units of the maps count."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(6, 6, (3, 5), padding=(1, 2))
        self.last = nn.Linear(6 * 6 * 10, len(CLASSES))

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = F.max_pool2d(x + torch.relu(self.conv(x)), 2)
        return self.last(x.flatten(1))


def plain():
    torch.manual_seed(0)
    return Network(PLAIN, len(CLASSES), (HEIGHT, WIDTH), NORMALISATION).eval()


def traced():
    torch.manual_seed(0)
    module = Joined().eval()
    network = TracedNetwork({}, tracing.trace(module, (3, HEIGHT, WIDTH)), NORMALISATION)
    network.load_state_dict(module.state_dict())
    return network.eval()


@pytest.fixture(scope="module", params=[plain, traced], ids=lambda kind: kind.__name__)
def network(request):
    return request.param()


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).integers(0, 256, (3, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Images(pixels, np.arange(3), CLASSES, np.arange(3))


@torch.inference_mode()
def covered_one_by_one(network, image, window, stride, fill):
    """The probabilities with the window at each position, each by a forward pass of its own."""
    rows = range(stride // 2, HEIGHT, stride)
    columns = range(stride // 2, WIDTH, stride)
    half = window // 2
    found = []
    for y in rows:
        for x in columns:
            covered = image.copy()
            covered[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = fill
            found.append(network(as_input(torch.from_numpy(covered[None]))).softmax(1)[0])
    return torch.stack(found).view(len(rows), len(columns), -1).numpy()


@pytest.mark.slow
@pytest.mark.parametrize(("window", "stride"), [(5, 1), (9, 7), (9, 24)])
def test_maps_are_those_of_a_forward_pass_at_every_position(network, images, window, stride):
    expected = covered_one_by_one(network, images.pixels[0], window, stride, fill=90)
    maps, _ = windows.sweep(network, images.pixels[:1], window, 90, stride=stride)
    np.testing.assert_allclose(maps[0], expected, rtol=0, atol=1e-6)
    hidden = [reach.hidden(side, window, stride) for side in (HEIGHT, WIDTH)]
    by_boxes, _ = ChangedBoxes(network, hidden)(images.pixels[0], fill=90)
    np.testing.assert_allclose(by_boxes, expected, rtol=0, atol=1e-6)
    assert np.ptp(expected, axis=(0, 1)).max() > 1e-3  # the window does change something


def test_boxes_or_passes_are_chosen_and_never_states():
    chosen = set()
    for channels in (4, 256):
        settings = {"conv": [{"channels": channels, "kernel": 3}] * 2, "fc": []}
        network = Network(settings, 2, (HEIGHT, WIDTH))
        ways = [
            reach.cheapest(settings, network.graph, (HEIGHT, WIDTH), window, 1).name
            for window in (3, 23)
        ]
        chosen |= set(ways)
        square = Network(settings, 2, (HEIGHT, HEIGHT)).graph
        if channels == 256:
            assert reach.cheapest(settings, square, (HEIGHT, HEIGHT), 3, 1).name == "states"
    assert chosen == {"boxes", "passes"}


def test_a_window_file_has_the_rows_and_the_columns_of_the_positions(tmp_path, network, images):
    path = tmp_path / "window-5.h5"
    maps, clean = windows.sweep(network, images.pixels, 5, stride=7)
    settings = WindowSettings(5, stride=7)
    window_file.write(path, maps, clean, images, settings, "0" * 64)
    window_file.join(tmp_path / "joined.h5", [path])
    for name in ("window-5.h5", "joined.h5"):
        with hdf5.open_complete(tmp_path / name) as file:
            assert file["y"][:].tolist() == [3, 10, 17]
            assert file["x"][:].tolist() == [3, 10, 17, 24, 31, 38]
            np.testing.assert_array_equal(file["probability"][:], maps)


def test_receptive_fields_are_where_gradients_are_not_0(network):
    """Of noisy images, for a maximum has a gradient at one place alone."""
    double = copy.deepcopy(network).double()
    noise = torch.rand(60, 3, HEIGHT, WIDTH, dtype=torch.float64, requires_grad=True)
    layers = filter_layers.of_graph(network.graph)
    execution = Execution(network.graph, double)
    found = execution.results(double.normalised(noise), [layer.map for layer in layers.values()])
    for layer in layers.values():
        maps = found[layer.map]
        assert layer.shape == tuple(maps.shape[2:])
        height, width = layer.shape
        for y, x in [(0, 0), (height - 1, width - 1), (0, width - 1), (height // 2, width // 2)]:
            unit = maps[:, :, y, x].square().sum()
            (gradient,) = torch.autograd.grad(unit, noise, retain_graph=True)
            rows, columns = gradient.abs().sum((0, 1)).nonzero(as_tuple=True)
            assert layer.fields.y.seen[y] == (int(rows.min()), int(rows.max()) + 1)
            assert layer.fields.x.seen[x] == (int(columns.min()), int(columns.max()) + 1)


def test_a_filter_that_is_switched_off_is_one_without_weights(network, images):
    """Of a layer whose maps end with ReLU and pooling, which leave 0 as it is."""
    layer = "conv2" if "conv2.weight" in network.state_dict() else "conv"
    without = copy.deepcopy(network)
    for part in ("weight", "bias"):
        without.state_dict()[f"{layer}.{part}"][[1, 3]] = 0
    with torch.no_grad():
        expected = without(as_input(torch.from_numpy(images.pixels)))
    clean, ablated = passes.predict(network, [[], [f"{layer}/1", f"{layer}/3"]], images)
    torch.testing.assert_close(ablated, expected)
    assert (clean - ablated).abs().max() > 1e-3


def test_the_work_of_a_pass_counts_every_unit_of_the_maps():
    # 20×36 places of 5×5×3 weights for each of 6 filters; 10×18 are pooled, and so on.
    convolutions = 20 * 36 * 6 * 75 + 8 * 16 * 8 * 54 + 4 * 8 * 5 * 8
    connected = 2 * 4 * 5 * 7 + 7 * 3
    assert arithmetic.forward(plain().graph) == convolutions + connected
    assert len(plain().fc1.weight[0]) == 2 * 4 * 5


def test_in_training_gradients_are_those_of_convolutions():
    """Small batches of many filters are trained by products of matrices."""
    torch.manual_seed(0)
    wide = {"conv": [{"channels": 400, "kernel": 3, "stride": 2, "padding": 1}], "fc": []}
    network = Network(wide, len(CLASSES), (HEIGHT, WIDTH)).double()
    images = torch.rand(2, 3, HEIGHT, WIDTH, dtype=torch.float64)
    gradients = []
    for training in (True, False):  # of so many that are evaluated no product is made
        network.train(training).zero_grad()
        F.cross_entropy(network(images), torch.tensor([0, 2])).backward()
        gradients.append([weight.grad.clone() for weight in network.parameters()])
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected)
