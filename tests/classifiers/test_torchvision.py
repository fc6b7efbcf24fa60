"""The probes of torchvision's classifiers, against the modules themselves.

Their weights are random: exactness doesn't depend on them, and nothing has to be downloaded.
"""

import contextlib
import copy
import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models
from torchvision.transforms import functional as transforms

from convprobe.ablation import passes
from convprobe.dataset.image_file import Images
from convprobe.filters import activations, ranking, top_patches
from convprobe.network import filter_layers, tracing
from convprobe.network.classifiers import TracedNetwork
from convprobe.occlusion import windows
from convprobe.occlusion.boxes import ChangedBoxes

pytestmark = pytest.mark.slow
CLASSES = ("ant", "bee", "cow", "dog", "eel")
NORMALISATION = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}
FILL = 90
SPREAD = 0.5  # of the logits over the images
SIDES = (64, 224)
IMAGES = {64: 4, 224: 2}
# Size and stride of windows by the side of the images; the large ones reach over all borders.
WINDOWS = {"small": {64: (9, 21), 224: (9, 74)}, "large": {64: (25, 21), 224: (79, 74)}}
# By side the rows, and the columns, that a window hides: at all borders, and in between at places
# that no stride has in common.
HIDDEN = {
    64: ([(0, 9), (13, 22), (55, 64)], [(0, 5), (30, 39), (62, 64)]),
    224: ([(0, 9), (101, 110), (215, 224)], [(0, 5), (58, 67), (222, 224)]),
}
# By network some of its layers, and whose result their maps are: the path of a module, and which
# call of it where it is called more than once.
MAPS = {
    "resnet18": {
        "conv1": ("maxpool", 1),
        "layer1.0.conv1": ("layer1.0.relu", 1),
        "layer2.0.conv2": ("layer2.0.bn2", 1),
        "layer2.0.downsample.0": ("layer2.0.downsample.1", 1),
        "layer4.1.conv1": ("layer4.1.relu", 1),
    },
    "resnet50": {
        "conv1": ("maxpool", 1),
        "layer1.0.conv2": ("layer1.0.relu", 2),
        "layer2.1.conv3": ("layer2.1.bn3", 1),
        "layer3.0.downsample.0": ("layer3.0.downsample.1", 1),
        "layer4.2.conv2": ("layer4.2.relu", 2),
    },
    "vgg16_bn": {
        "features.0": ("features.2", 1),
        "features.10": ("features.13", 1),
        "features.24": ("features.26", 1),
        "features.40": ("avgpool", 1),
    },
    "densenet121": {
        "features.conv0": ("features.pool0", 1),
        "features.denseblock1.denselayer2.conv1": ("features.denseblock1.denselayer2.relu2", 1),
        "features.transition1.conv": ("features.transition1.pool", 1),
        "features.denseblock3.denselayer5.conv2": ("features.denseblock3.denselayer5.conv2", 1),
        "features.denseblock4.denselayer16.conv1": ("features.denseblock4.denselayer16.relu2", 1),
    },
    "mobilenet_v2": {
        "features.0.0": ("features.0.2", 1),
        "features.2.conv.1.0": ("features.2.conv.1.2", 1),  # one channel of another map each
        "features.6.conv.2": ("features.6.conv.3", 1),
        "features.14.conv.0.0": ("features.14.conv.0.2", 1),
        "features.18.0": ("features.18", 1),
    },
    "googlenet": {
        "conv1.conv": ("maxpool1", 1),
        "conv2.conv": ("conv2", 1),
        "inception3a.branch2.1.conv": ("inception3a.branch2.1", 1),
        "inception4c.branch4.1.conv": ("inception4c.branch4.1", 1),
        "inception5b.branch1.conv": ("inception5b.branch1", 1),
    },
    "convnext_tiny": {
        "features.0.0": ("features.0.0", 1),
        "features.1.0.block.0": ("features.1.0.block.0", 1),
        "features.2.1": ("features.2.1", 1),
        "features.7.2.block.0": ("features.7.2.block.0", 1),
    },
    # It has no other convolution than that which embeds the patches.
    "vit_b_16": {"conv_proj": ("conv_proj", 1)},
}
# What follows a map where it is no module: the pooling before the last layer.
POOLED = {("mobilenet_v2", "features.18.0")}


class Case:
    """A network for images of one side, as torchvision makes it and as it is traced.

    Attributes:
        module: torchvision's, in evaluation mode.
        network: the traced one, with the same weights.
        images: drawn ones.
        places: by layer the path and the call of MAPS.
        pooled: layers whose maps are pooled by no module.
    """

    def __init__(self, name: str, side: int) -> None:
        torch.manual_seed(0)
        self.images = drawn_images(side, IMAGES[side])
        self.module = built(name, side)
        randomise(self.module, self.inputs())
        graph = tracing.trace(self.module, (3, side, side))
        self.network = TracedNetwork({"factory": name}, graph, NORMALISATION).eval()
        self.network.load_state_dict(self.module.state_dict())
        self.places = MAPS[name]
        self.pooled = {layer for network, layer in POOLED if network == name}

    def inputs(self, pixels=None):
        """Pixels, or those of the images, as the module takes them."""
        pixels = self.images.pixels if pixels is None else pixels
        scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        return transforms.normalize(scaled, **NORMALISATION)

    @torch.no_grad()
    def logits(self, hooks=None):
        """What the module gives for the images.

        Args:
            hooks: as of `hooked`.
        """
        with hooked(self.module, hooks or {}):
            return self.module(self.inputs())

    def maps_of(self, module, inputs):
        """Each layer's maps in a module of the same structure."""
        found = {}
        hooks = {}
        for layer, place in self.places.items():

            def keep(result, layer=layer):
                pooled = result.mean((2, 3), keepdim=True)
                # What comes next may add to it in place.
                found[layer] = pooled if layer in self.pooled else result.clone()

            hooks[place] = keep
        with hooked(module, hooks):
            module(inputs)
        return found


@contextlib.contextmanager
def hooked(module, hooks):
    """Within the block, functions see results inside of a module, and may give others.

    Args:
        hooks: functions of a result, by path and call.
    """
    calls = Counter()
    handles = []
    for path in {path for path, _ in hooks}:

        def hook(module, given, result, path=path):
            calls[path] += 1
            change = hooks.get((path, calls[path]))
            return change(result) if change else None

        handles.append(module.get_submodule(path).register_forward_hook(hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def built(name, side):
    """A network of torchvision's, without auxiliary classifiers."""
    options = {
        "googlenet": {"aux_logits": False, "init_weights": False},
        "vit_b_16": {"image_size": side},
    }
    build = getattr(models, name)
    return build(num_classes=len(CLASSES), **options.get(name, {})).eval()


def drawn_images(side, count):
    """Images of large spots of all colours under noise, so that networks see them as different."""
    random = np.random.default_rng(side)
    spots = torch.from_numpy(random.uniform(-60, 316, (count, 3, 5, 5)))
    noise = torch.from_numpy(random.normal(0, 25, (count, 3, side, side)))
    pixels = (F.interpolate(spots, side, mode="bicubic") + noise).clamp(0, 255)
    pixels = pixels.byte().permute(0, 2, 3, 1).contiguous().numpy()
    labels = random.integers(len(CLASSES), size=count)
    return Images(pixels, labels, CLASSES, np.arange(count))


@torch.no_grad()
def randomise(module, inputs):
    """Give a module weights and statistics with which its logits tell the images apart."""
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # statistics are those of the last batch
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.3)
    if norms:
        module.train()(inputs)
        module.eval()
    for norm in norms:
        deviation = norm.running_var.sqrt()
        norm.running_mean += 0.3 * deviation * torch.randn_like(deviation)
        norm.running_var *= torch.rand_like(deviation) + 0.5
    for name, weight in module.named_parameters():
        if name.endswith("layer_scale"):  # as good as 0 before a training
            nn.init.uniform_(weight, 0.2, 0.6)
    *_, head = (layer for layer in module.modules() if isinstance(layer, nn.Linear))
    nn.init.normal_(head.weight)  # that of a transformer is 0 before a training
    nn.init.zeros_(head.bias)
    # Less than after a training: such deep networks make much of what is rounded.
    head.weight *= SPREAD / module(inputs).std(0).mean()
    head.bias -= module(inputs).mean(0)


CASES = list(itertools.product(MAPS, SIDES))


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    return Case(*request.param)


def agree(found, expected, tolerance, name):
    """Compare numbers; their largest difference is printed, which pytest shows with -rP."""
    found, expected = (np.asarray(numbers) for numbers in (found, expected))
    assert found.shape == expected.shape, name
    difference = np.abs(found - expected).max()
    print(f"{name}: {difference:.1e}")
    assert difference <= tolerance, name


@torch.no_grad()
def probabilities(case, pixels):
    return case.module(case.inputs(pixels)).softmax(1).numpy()


def probabilities_without(case, image, rows, columns):
    """By a pass of the module for each place of the window: (row, column, class)."""
    found = []
    for top, bottom in rows:
        covered = np.stack([image] * len(columns))
        for position, (left, right) in zip(covered, columns, strict=True):
            position[top:bottom, left:right] = FILL
        found.append(probabilities(case, covered))
    return np.stack(found)


@pytest.mark.parametrize("kind", ["small", "large"])
def test_occlusion_maps_are_what_the_module_predicts(case, kind):
    side = case.network.image_size[0]
    size, stride = WINDOWS[kind][side]
    image = case.images.pixels[0]
    maps, clean = windows.sweep(case.network, image[None], size, FILL, stride=stride)
    half = size // 2
    centres = range(stride // 2, side, stride)
    hidden = [(max(0, centre - half), centre + half + 1) for centre in centres]
    expected = probabilities_without(case, image, hidden, hidden)
    agree(maps[0], expected, 1e-5, f"{kind} windows")
    agree(clean, probabilities(case, image[None]), 1e-5, "no window")
    assert np.abs(expected - clean).max() > 1e-3, "or the test could not fail"


def test_occlusion_by_changed_boxes_is_what_the_module_predicts(case):
    rows, columns = HIDDEN[case.network.image_size[0]]
    image = case.images.pixels[1]
    maps, clean = ChangedBoxes(case.network, [rows, columns])(image, FILL)
    expected = probabilities_without(case, image, rows, columns)
    agree(maps, expected, 1e-5, "boxes")
    agree(clean[None], probabilities(case, image[None]), 1e-5, "no window")
    assert np.abs(expected - clean).max() > 1e-3, "or the test could not fail"


def test_each_convolution_is_a_layer_in_the_order_in_which_they_are_computed(case):
    computed = []
    paths = [path for path, layer in case.module.named_modules() if isinstance(layer, nn.Conv2d)]
    case.logits({(path, 1): lambda _, path=path: computed.append(path) for path in paths})
    assert list(filter_layers.of_graph(case.network.graph)) == computed
    assert sorted(computed) == sorted(paths)


@pytest.fixture(scope="module")
def maps(case):
    with torch.no_grad():
        return case.maps_of(case.module, case.inputs())


def test_recorded_maps_are_what_hooks_see(case, maps):
    chosen = [f"{layer}/{channel}" for layer in maps for channel in range(maps[layer].shape[1])]
    (recorded,) = activations.record(case.network, case.images, chosen)
    for layer, expected in maps.items():
        found = [recorded[f"{layer}/{channel}"] for channel in range(expected.shape[1])]
        scale = expected.abs().max().item()
        agree(np.stack(found, axis=1) / scale, expected / scale, 1e-5, layer)
        assert (expected.std() / scale) > 1e-3, "or the test could not fail"


def test_top_images_are_those_of_what_hooks_see(case, maps):
    """Rounding may decide between two that are as good as equal: either will do."""
    table = ranking.top_images(case.network, case.images, top=1)
    for layer, of_layer in maps.items():
        rows = table[table["layer"] == layer]
        channels = np.arange(of_layer.shape[1])
        assert rows["channel"].tolist() == channels.tolist()
        norms = torch.linalg.matrix_norm(of_layer.double()).numpy()
        scale = norms.max()
        image, y, x = (rows[name].to_numpy() for name in ("image", "peak_y", "peak_x"))
        agree(rows["response"] / scale, norms.max(0) / scale, 1e-5, f"responses of {layer}")
        agree(norms[image, channels] / scale, norms.max(0) / scale, 1e-5, f"images of {layer}")
        of_images = of_layer.numpy()[image, channels]
        highest = of_images.max((1, 2))
        agree(of_images[channels, y, x] / scale, highest / scale, 1e-5, f"peaks of {layer}")


def opened(module):
    """A copy that lets each unit depend on all that it reads, by however little.

    Weights are positive, as are all maps: nothing cancels out, and no ReLU hides anything.
    """
    copied = copy.deepcopy(module).double().requires_grad_(False)
    for path, layer in list(copied.named_modules()):
        if isinstance(layer, nn.Conv2d):
            layer.weight.uniform_(0.1, 1).div_(layer.weight.sum((1, 2, 3), keepdim=True))
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()  # the statistics too
        elif isinstance(layer, nn.ReLU6):
            copied.set_submodule(path, nn.Identity())
        elif isinstance(layer, nn.MaxPool2d):
            settings = (layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode)
            copied.set_submodule(path, nn.AvgPool2d(*settings))
    return copied


def test_a_box_is_where_the_gradient_of_its_unit_is_not_0(case):
    side = case.network.image_size[0]
    random = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, side, side, dtype=torch.float64, generator=random).requires_grad_()
    of_image = case.maps_of(opened(case.module), image)
    layers = filter_layers.of_graph(case.network.graph)
    for layer, of_layer in of_image.items():
        _, _, height, width = of_layer.shape
        for y, x in {(0, width - 1), (height // 2, width // 3), (height - 1, 0)}:
            unit = of_layer[0, 1, y, x]
            (gradient,) = torch.autograd.grad(unit, image, retain_graph=True)
            rows, columns = gradient[0].abs().sum(0).nonzero(as_tuple=True)
            seen = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
            box = top_patches.clipped_box(layers[layer].fields, y, x)
            assert [int(edge) for edge in seen] == list(box[:4]), (layer, y, x)


def logits_without(case, maps, filters, mode):
    """Of the module, each filter's map changed by a hook."""
    hooks = {}
    for name in filters:
        layer, channel = filter_layers.split_name(name)
        place = case.places[layer]
        if mode == "weights-only":
            place = (layer, 1)
        bias = case.module.get_submodule(layer).bias

        def change(result, layer=layer, channel=channel, bias=bias):
            changed = result.clone()
            changed[:, channel] = 0
            if mode == "weights-only" and bias is not None:
                changed[:, channel] = bias[channel]
            if mode == "mean":
                changed[:, channel] = maps[layer][:, channel].mean(0)
            return changed

        hooks[place] = change
    return case.logits(hooks)


@pytest.mark.parametrize("mode", ["zero", "weights-only", "mean"])
def test_without_filters_it_predicts_as_a_module_does_that_hooks_change(case, maps, mode):
    """Of each layer the filter whose maps differ most, alone and together.

    Of large images, which take long, alone in one mode only.
    """
    chosen = []
    for layer, of_layer in maps.items():
        channel = int(of_layer.var(0).mean((1, 2)).argmax())
        chosen.append(f"{layer}/{channel}")
    variants = [chosen]
    if mode == "zero" or case.network.image_size[0] == min(SIDES):
        variants += [[name] for name in chosen]
    found = passes.predict(case.network, [[], *variants], case.images, mode)
    clean = case.logits()
    agree(found[0], clean, 1e-4, "clean")
    for logits, names in zip(found[1:], variants, strict=True):
        expected = logits_without(case, maps, names, mode)
        agree(logits, expected, 1e-4, " ".join(names))
        assert (expected - clean).abs().max() > 1e-3, "or the test could not fail"
