"""What is traced computes what the module does, bit by bit; what can't be traced is one line."""

import types

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convprobe.errors import InputError
from convprobe.network import arithmetic, filter_layers, tracing
from convprobe.network.classifiers import FactoryNetwork, TracedNetwork
from convprobe.network.execution import Execution
from convprobe.network.graph import Graph
from convprobe.network.operators import Maps

SHAPE = (3, 13, 11)
BATCHES = (1, 2, 3, 8)


class Pooled(nn.Module):
    """Ends in the mean of each map and a linear layer, or what else is given.

    Attributes:
        parts: as they are given, by name.
    """

    def __init__(self, forward, width=4, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.fc = nn.Linear(width, 5)
        self.compute = types.MethodType(forward, self)

    def forward(self, images):
        maps = self.compute(images)
        return self.fc(maps.mean((2, 3)) if maps.ndim == 4 else maps.flatten(1))


def residual(self, images):
    maps = F.relu(self.stem(images), inplace=True)
    return F.relu_(self.norm(self.second(maps)).add_(self.shortcut(maps)))


def shuffled(self, images):
    maps = self.stem(images)
    number, channels, height, width = maps.shape
    maps = maps.view(number, 2, channels // 2, height, width).transpose(1, 2).contiguous()
    return maps.view(number, channels, height, width)


def split(self, images):
    maps = self.stem(images)
    number, channels, height, width = maps.shape
    halves = F.relu(maps.view(2 * number, channels // 2, height, width))  # no more one per image
    first, second = halves.view(maps.shape).chunk(2, dim=1)
    one, three = torch.split(torch.cat([second, first], 1), [1, 3], dim=1)
    return torch.cat([three[:, 1:], one, three[:, :1]], dim=1)


def convnext(self, images):
    maps = self.depthwise(self.stem(images)).permute(0, 2, 3, 1)
    maps = self.narrow(F.gelu(self.wide(self.norm(maps))))
    return maps.permute(0, 3, 1, 2) * self.scale


def gated(self, images):
    maps = self.stem(images)
    return maps * torch.sigmoid(self.gate(F.adaptive_avg_pool2d(maps, 1)))


def attentive(self, images):
    maps = self.stem(images).flatten(2).transpose(1, 2)
    return self.attention(maps, maps, maps, need_weights=False)[0].mean(1)


def pooled(self, images):
    maps = self.average(self.largest(self.stem(images)))
    return F.adaptive_max_pool2d(F.adaptive_avg_pool2d(maps, (3, 2)), 2)


MODULES = {
    "a residual block": lambda: Pooled(
        residual,
        stem=nn.Conv2d(3, 4, 3, padding=1),
        second=nn.Conv2d(4, 4, 3, stride=2, padding=1, bias=False),
        norm=nn.BatchNorm2d(4),
        shortcut=nn.Conv2d(4, 4, 1, stride=2),
    ),
    "a concatenation and dilations": lambda: Pooled(
        lambda self, images: torch.cat([images, self.wide(images), self.skewed(images)], dim=1),
        width=9,
        wide=nn.Conv2d(3, 4, 3, padding=2, dilation=2),
        skewed=nn.Conv2d(3, 2, (1, 5), padding="same", dilation=(1, 2)),
    ),
    "pools": lambda: Pooled(
        pooled,
        stem=nn.Conv2d(3, 4, 3, groups=1, padding="valid"),
        largest=nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
        average=nn.AvgPool2d((2, 3), 1, padding=1, count_include_pad=False),
    ),
    "a ConvNeXt block": lambda: Pooled(
        convnext,
        stem=nn.Conv2d(3, 4, 2, stride=2),
        depthwise=nn.Conv2d(4, 4, 7, padding=3, groups=4),
        norm=nn.LayerNorm(4),
        wide=nn.Linear(4, 8),
        narrow=nn.Linear(8, 4),
        scale=nn.Parameter(torch.rand(4, 1, 1)),
    ),
    "a shuffle of channels": lambda: Pooled(shuffled, stem=nn.Conv2d(3, 4, 3)),
    "parts of channels": lambda: Pooled(split, stem=nn.Conv2d(3, 4, 3)),
    "a gate": lambda: Pooled(gated, stem=nn.Conv2d(3, 4, 3), gate=nn.Conv2d(4, 4, 1)),
    "attention": lambda: Pooled(
        attentive,
        stem=nn.Conv2d(3, 4, 4, stride=4),
        attention=nn.MultiheadAttention(4, 2, batch_first=True),
    ),
    "functions, constants and a module twice": lambda: Pooled(
        lambda self, images: self.twice(self.twice(F.conv2d(images - self.mean, self.kernel))),
        mean=torch.rand(3, 1, 1),  # neither a parameter nor a buffer
        kernel=nn.Parameter(torch.rand(4, 3, 3, 3)),
        twice=nn.Sequential(nn.Conv2d(4, 4, 1), nn.PReLU(4), nn.Dropout2d(0.5), nn.Hardswish()),
    ),
}


@pytest.fixture(scope="module")
def traced():
    """A function: the module of a name and its graph, each traced once."""
    known = {}

    def trace(name):
        if name not in known:
            torch.manual_seed(0)
            module = MODULES[name]()
            state = {key: tensor.clone() for key, tensor in module.state_dict().items()}
            graph = tracing.trace(module, SHAPE)
            for key, tensor in module.state_dict().items():
                assert torch.equal(tensor, state[key]), f"{key} was changed by tracing"
            known[name] = module, Graph.from_json(graph.to_json())
        return known[name]

    return trace


@pytest.fixture
def _no_fast_path():
    """Attention has another way of its own, which isn't traced and rounds otherwise."""
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(True)


@pytest.mark.slow
@pytest.mark.usefixtures("_no_fast_path")
@pytest.mark.parametrize("name", MODULES)
def test_a_graph_computes_what_its_module_does_bit_by_bit(traced, name):
    module, graph = traced(name)
    # PyTorch cuts products of matrices otherwise for weights that learn.
    module.requires_grad_(False)
    network = TracedNetwork({"factory": "a:b"}, graph)
    network.load_state_dict(module.state_dict())
    assert not module.training
    for count in BATCHES:
        images = torch.rand(count, *SHAPE)
        with torch.inference_mode():
            results = Execution(graph, module).results(images, graph.nodes)
            assert torch.equal(results[graph.output], module(images))
            assert torch.equal(network(images), module(images))
        for node in graph.nodes.values():
            if node.shape is not None and torch.is_tensor(results[node.name]):
                assert results[node.name].shape == (count, *node.shape)
    assert (graph.image_shape, graph.classes) == (SHAPE, 5)


@pytest.mark.slow
def test_what_is_no_part_of_the_state_dict_is_kept_in_the_graph(traced):
    module, graph = traced("functions, constants and a module twice")
    assert graph.weights.keys() == module.state_dict().keys()
    ((constant, kept),) = graph.constants.items()
    assert "mean" in constant
    assert (kept["dtype"], kept["shape"]) == ("float32", [3, 1, 1])
    assert graph.tensor_shape(constant) == (3, 1, 1)


def test_nodes_have_the_paths_of_their_modules(traced):
    _, graph = traced("functions, constants and a module twice")
    layers = [node.layer for node in graph.nodes.values() if node.kind == "conv2d"]
    assert layers == ["", "twice.0", "twice.0"]


def test_a_multiply_add_is_counted_where_it_is_traced(traced):
    _, graph = traced("a ConvNeXt block")
    units = 6 * 5
    stem, depthwise, linear = 4 * 3 * 4, 4 * 49, 2 * 4 * 8
    assert arithmetic.forward(graph) == units * (stem + depthwise + linear) + 4 * 5
    _, graph = traced("functions, constants and a module twice")
    units = 11 * 9
    assert arithmetic.forward(graph) == units * (4 * 27 + 2 * 16) + 4 * 5


def test_maps_are_found_whatever_their_axes(traced):
    """Behind a permutation the height and the width come first."""
    _, graph = traced("a ConvNeXt block")
    maps = Maps(graph)
    axes = {node.kind: maps.axes[node.name] for node in graph.nodes.values()}
    assert axes["conv2d"] == axes["mul"] == (1, 2)
    assert axes["layer_norm"] == axes["gelu"] == (0, 1)
    assert axes["mean"] is None
    known = {node.kind for node in graph.nodes.values() if maps.is_known(node.name)}
    assert known == {"conv2d", "permute", "layer_norm", "linear", "gelu", "mul"}
    _, graph = traced("a shuffle of channels")
    assert Maps(graph).axes["transpose"] == (2, 3)


@pytest.mark.parametrize(
    ("compute", "is_known"),
    [
        (lambda maps, order: maps.flip(1), True),
        (lambda maps, order: maps.flip(-3), True),
        (lambda maps, order: maps.flip(1, 2), False),
        (lambda maps, order: maps.flip(3), False),
        (lambda maps, order: maps[:, order], True),
        (lambda maps, order: maps[:, :, order], False),
        (lambda maps, order: maps[:, order, order], False),
        (lambda maps, order: maps[:, order[:, None]], False),
        (lambda maps, order: maps.index_select(1, order), True),
        (lambda maps, order: maps.index_select(2, order), False),
        (lambda maps, order: maps[:, 1:, :, :], True),
        (lambda maps, order: maps[:, :, 1:], False),
    ],
)
def test_channels_in_another_order_stay_in_their_places(compute, is_known):
    module = Pooled(lambda self, images: compute(self.stem(images), self.order).flatten(1))
    module.stem = nn.Conv2d(3, 4, 3)
    module.register_buffer("order", torch.tensor([2, 0, 1]))
    with torch.no_grad():
        module.fc = nn.Linear(module.compute(torch.zeros(1, *SHAPE)).shape[1], 5)
    maps = Maps(tracing.trace(module, SHAPE))
    nodes = maps.graph.nodes.values()
    (changed,) = (node for node in nodes if node.inputs == ["conv2d"])
    later = [node.name for node in nodes if changed.name in node.inputs]
    names = [changed.name, *later] if changed.kind == "slice" else [changed.name]
    names = [name for name in names if maps.graph.nodes[name].kind not in ("view", "reshape")]
    assert all(maps.is_known(name) for name in names) == is_known


# What is refused


def of_data(self, images):
    return images if images.sum() > 0 else images * 2


REFUSED = {
    "control flow by data": (of_data, "can't be traced for any number of images ("),
    "a fixed number of images": (
        lambda self, images: images.reshape(2, -1),
        "can't be traced for any number of images (",
    ),
    "a number of images as Python's": (
        lambda self, images: images.reshape(len(images), -1),
        "can't be traced for any number of images (it takes their number for fixed, as by "
        "len(images): expected images.shape[0])",
    ),
    "chance": (
        lambda self, images: F.dropout(images),
        "gives an image other logits when it comes again, or beside another image, in evaluation: "
        "expected that they depend on the image alone",
    ),
    "normalisation by the batch": (
        lambda self, images: F.batch_norm(images, None, None, training=True),
        "gives an image other logits when it comes again, or beside another image, in evaluation: "
        "expected that they depend on the image alone",
    ),
    "a counter": (
        lambda self, images: images + 0 * self.count.add_(1),
        "changes count in evaluation, expected that it stays",
    ),
    "places in memory": (
        lambda self, images: images.contiguous().as_strided((2, 3, 13, 11), images.stride()),
        "as_strided is computed by as_strided, whose result depends on how images lie in memory",
    ),
    "another side": (
        lambda self, images: images[:, :, :-1],
        "can't compute images of shape (3, 13, 11) in evaluation (",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_traced_is_one_line(name, capfd):
    forward, expected = REFUSED[name]
    module = Pooled(forward, width=3 * 13 * 11)
    module.register_buffer("count", torch.zeros(1))
    module.forward = types.MethodType(lambda self, x: self.fc(self.compute(x).flatten(1)), module)
    check_refusal(module, expected)
    assert capfd.readouterr() == ("", "")


def check_refusal(module, expected):
    with pytest.raises(InputError) as refused:
        tracing.trace(module, SHAPE)
    assert str(refused.value).startswith(expected)
    assert "\n" not in str(refused.value)


class Giving(nn.Module):
    """Gives in training and in evaluation what is given."""

    def __init__(self, evaluated, trained):
        super().__init__()
        self.results = {True: trained, False: evaluated}

    def forward(self, images):
        return self.results[self.training]


LOGITS = torch.zeros(2, 5)


@pytest.mark.parametrize(
    ("evaluated", "trained", "given"),
    [
        (torch.zeros(2, 5, 1), LOGITS, "a tensor of shape (2, 5, 1) for 2 images in evaluation"),
        (torch.zeros(3, 5), LOGITS, "a tensor of shape (3, 5) for 2 images in evaluation"),
        ((LOGITS, LOGITS), LOGITS, "an object of type tuple for 2 images in evaluation"),
        (LOGITS, {"out": LOGITS}, "an object of type dict for 2 images in training"),
    ],
)
def test_an_output_that_is_not_of_images_and_classes_is_one_line(evaluated, trained, given):
    check_refusal(Giving(evaluated, trained), f"gives {given}, expected a tensor (image, class)")


def test_logits_that_do_not_come_from_the_image_are_one_line():
    check_refusal(Giving(LOGITS, LOGITS), "gives logits that aren't computed from the images, or")


class InAnyOrder(nn.Module):
    """Numbers that must lie side by side, of maps and of weights, and weights with five axes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.deep = nn.Conv3d(1, 2, (1, 3, 3))
        self.turn = nn.Parameter(torch.rand(4, 4, 4, 2))
        self.fc = nn.Linear(2 * 4 * 4 * 4, 3)

    def forward(self, x):
        pairs = self.conv(x).reshape(x.shape[0], 4, 10, 4, 2)[:, :, :4]
        turned = torch.view_as_complex(pairs.contiguous()) * torch.view_as_complex(self.turn)
        deep = self.deep(nn.functional.pad(turned.abs(), (1, 1, 1, 1)).unsqueeze(1))
        return self.fc(deep.flatten(1))


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_what_depends_on_the_order_in_memory_computes_the_same_in_any(order):
    torch.manual_seed(0)
    module = InAnyOrder().eval()
    graph = tracing.trace(module, (3, 12, 10))
    network = TracedNetwork({"factory": "none"}, graph).eval()
    network.load_state_dict(module.state_dict())
    images = torch.rand(3, 3, 12, 10)
    with torch.no_grad():
        expected = module(images)
        network.place("cpu", order)
        found = network(images.contiguous(memory_format=order))
    assert network.state_dict()["conv.weight"].is_contiguous(memory_format=order)
    torch.testing.assert_close(found, expected)


class ViewOfWeights(nn.Module):
    """Needs the numbers of its kernels side by side, and those of maps in no order."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        size = self.conv.weight.view(-1).norm()
        return self.fc(self.conv(x).mean((2, 3)) / size)


def test_a_module_that_views_its_weights_is_trained_in_the_order_that_it_needs():
    module = ViewOfWeights().eval()
    images = torch.rand(2, 3, 8, 8)
    expected = module(images)
    network = FactoryNetwork({"factory": "none"}, tracing.trace(module, (3, 8, 8)), module)
    network.place("cpu", network.memory_format)  # as training does
    torch.testing.assert_close(network(images), expected)


class Frozen(nn.Module):
    """Its convolutions are called where gradients are off."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        with torch.no_grad():
            maps = self.body(x)
        return self.fc(maps.mean((2, 3)))


def test_layers_have_their_names_also_where_gradients_are_off():
    assert list(filter_layers.of_graph(tracing.trace(Frozen(), (3, 8, 8)))) == ["body.0", "body.2"]


class Squeezed(nn.Module):
    """Takes all axes away that have one number."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x).mean((2, 3), keepdim=True).squeeze()


def test_a_single_image_keeps_its_axis():
    module = Squeezed().eval()
    execution = Execution(tracing.trace(module, (3, 8, 8)), module)
    images = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        assert execution.logits(images[:1]).shape == (1, 4)
        torch.testing.assert_close(execution.logits(images), module(images))


def rename(old, new):
    def hook(module, state, *others):
        state[new] = state.pop(old)

    return hook


class Hooked(nn.Module):
    """Its state dict has other names than its parameters."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3 * 13 * 11, 3)
        self.register_state_dict_post_hook(rename("fc.weight", "last.weight"))
        self.register_load_state_dict_pre_hook(rename("last.weight", "fc.weight"))

    def forward(self, x):
        return self.fc(x.flatten(1))


def test_weights_under_other_names_than_their_own_are_one_line():
    check_refusal(Hooked(), "holds fc.weight, which its state dict lacks: expected all weights")


def test_tracing_uses_up_no_random_numbers():
    module = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(3 * 13 * 11, 5))
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    tracing.trace(module, SHAPE)
    assert torch.equal(torch.rand(3), expected)
