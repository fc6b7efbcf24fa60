"""Weights from elsewhere: what is taken, and what is refused in which words."""

import json
import pickle
import zipfile

import pytest
import torch
import torchvision

from convprobe.errors import InputError
from convprobe.network import checkpoints, tracing, weights
from convprobe.network.layers import Network
from convprobe.network.normalisation import RAW

SETTINGS = {"conv": [{"channels": 3, "kernel": 3}], "fc": [4]}
CLASSES = ("cat", "dog")
NORMALISING = {"conv": [{"channels": 3, "kernel": 3, "batch_norm": True}], "fc": []}
MEASURED = {"mean": [0.5, 0.25, 0.75], "std": [0.2, 0.3, 0.1]}


@pytest.fixture
def state():
    torch.manual_seed(0)
    return Network(SETTINGS, classes=2, image_size=(8, 8)).state_dict()


def read(path, settings=SETTINGS, given=None):
    return weights.read(path, settings, CLASSES, (8, 8), MEASURED, given)


def refusal(path, settings=SETTINGS):
    """The lines of the refusal, without the path that each begins with."""
    with pytest.raises(InputError) as refused:
        read(path, settings)
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]


@pytest.mark.parametrize(
    "wrap", [dict, lambda state: {"model": state, "epoch": 3}, lambda state: {"state_dict": state}]
)
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize(
    "dtype",
    [
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
        torch.float8_e4m3fn,
        torch.float8_e5m2,
    ],
)
def test_a_state_dict_is_taken_however_it_is_wrapped(tmp_path, state, wrap, prefix, dtype):
    torch.save(
        wrap({prefix + name: tensor.to(dtype) for name, tensor in state.items()}),
        tmp_path / "a.pth",
    )
    checkpoint = read(tmp_path / "a.pth")
    for name, tensor in checkpoint.network.state_dict().items():
        assert torch.equal(tensor, state[name].to(dtype).float())
    assert (checkpoint.classes, checkpoint.epoch, checkpoint.normalisation) == (
        CLASSES,
        0,
        MEASURED,
    )


def test_a_file_in_pytorch_s_older_form_is_taken(tmp_path, state):
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read(tmp_path / "a.pth").network.fc1.weight, state["fc1.weight"])


def save_own(path, classes=CLASSES, normalisation=RAW):
    network = Network(SETTINGS, len(classes), (8, 8), normalisation)
    checkpoints.save(
        path, checkpoints.Checkpoint(network, SETTINGS, classes, (8, 8), normalisation, epoch=7)
    )
    return network


def test_a_checkpoint_of_this_workflow_keeps_what_its_weights_were_trained_with(tmp_path):
    theirs, given = (
        {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]},
        {"mean": [0.0] * 3, "std": [2.0] * 3},
    )
    network = save_own(tmp_path / "a.pth", normalisation=theirs)
    images = torch.rand(2, 3, 8, 8)
    checkpoint = read(tmp_path / "a.pth")
    assert (checkpoint.normalisation, checkpoint.epoch) == (theirs, 0)
    assert torch.equal(checkpoint.network(images), network(images))
    assert read(tmp_path / "a.pth", given=given).normalisation == given


def test_a_checkpoint_of_an_older_version_of_this_workflow_is_accepted(tmp_path):
    """It stated no version, and at first not its training either."""
    network = save_own(tmp_path / "a.pth")
    values = torch.load(tmp_path / "a.pth")
    del values["format_version"], values["training"]
    torch.save(values, tmp_path / "a.pth")
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(read(tmp_path / "a.pth").network(images), network(images))


def test_a_checkpoint_of_this_workflow_with_other_classes_is_refused(tmp_path):
    save_own(tmp_path / "a.pth", classes=("dog", "cat"))
    assert refusal(tmp_path / "a.pth") == [
        "has the classes ['dog', 'cat'], expected ['cat', 'dog']"
    ]


def test_a_checkpoint_of_this_workflow_that_walks_in_other_steps_is_refused(tmp_path):
    """All its weights have the expected shapes."""
    save_own(tmp_path / "a.pth")
    (conv, *others) = SETTINGS["conv"]
    settings = SETTINGS | {"conv": [conv | {"stride": 2, "pool": 1}, *others]}
    assert refusal(tmp_path / "a.pth", settings) == [
        "has conv1 with stride 1, expected 2",
        "has conv1 with pool 2, expected 1",
    ]


@pytest.mark.parametrize("deviation", [0.0, -1.0])
def test_a_normalisation_by_nothing_is_the_files_mistake(tmp_path, deviation):
    save_own(tmp_path / "a.pth")
    wrong = {"mean": [0.0] * 3, "std": [1.0, deviation, 1.0]}
    torch.save(torch.load(tmp_path / "a.pth") | {"normalisation": wrong}, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == [f"has the normalisation {wrong}, expected std above 0"]


@pytest.mark.parametrize(
    "wrong", [None, 3, {"mean": [0.0] * 3}, {"mean": [0.0] * 3, "std": [1.0, torch.nan, 1.0]}]
)
def test_a_checkpoint_of_this_workflow_with_a_damaged_normalisation_is_refused(tmp_path, wrong):
    save_own(tmp_path / "a.pth")
    torch.save(torch.load(tmp_path / "a.pth") | {"normalisation": wrong}, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == [
        f"has the normalisation {wrong}, expected mean and std of three channels"
    ]


def edited(**changes):
    return lambda state: {**{k: v for k, v in state.items() if changes.get(k, 0) is not None},
                          **{k: v for k, v in changes.items() if v is not None}}  # fmt: skip


WRONG = {
    "missing": (edited(**{"fc2.bias": None}), ["fc2.bias is missing, expected shape (2,)"]),
    "shape": (
        edited(**{"conv1.weight": torch.zeros(3, 1, 3, 3), "fc1.bias": torch.zeros(9)}),
        [
            "conv1.weight has shape (3, 1, 3, 3), expected (3, 3, 3, 3)",
            "fc1.bias has shape (9,), expected (4,)",
        ],
    ),
    "unknown": (
        lambda state: {"b": torch.zeros(1, 2), **state, "a\nb": torch.zeros(3)},
        [
            "b of shape (1, 2) is unknown, expected only conv1.weight … fc2.bias",
            r"'a\nb' of shape (3,) is unknown, expected only conv1.weight … fc2.bias",
        ],
    ),
    "another form": (
        lambda state: {
            f"{number}.weight": tensor for number, tensor in enumerate(list(state.values())[:2])
        },
        [
            "seems to be another network (2 tensors, 0.weight … 1.weight), expected 6 tensors, "
            "conv1.weight … fc2.bias, or their shapes in their order: 1.weight of shape (3,) "
            "stands in the place of conv1.bias of shape (3,)",
        ],
    ),
    "claims to be huge": (
        edited(**{"fc2.bias": torch.zeros(1).expand(10**12)}),
        ["fc2.bias has shape (1000000000000,), expected (2,)"],
    ),
    "complex": (
        edited(**{"fc2.bias": torch.zeros(2, dtype=torch.complex64)}),
        ["fc2.bias holds torch.complex64, expected floating-point numbers"],
    ),
    "sparse": (
        edited(**{"fc2.bias": torch.zeros(2).to_sparse()}),
        ["fc2.bias is stored as torch.sparse_coo on cpu, expected plain numbers"],
    ),
    "without numbers": (
        edited(**{"fc2.bias": torch.zeros(2, device="meta")}),
        ["fc2.bias is stored as torch.strided on meta, expected plain numbers"],
    ),
    "too large": (
        edited(**{"fc2.bias": torch.tensor([1e300, 0], dtype=torch.float64)}),
        ["fc2.bias holds values that are not finite in torch.float32"],
    ),
    "whole numbers": (
        edited(**{"fc2.bias": torch.zeros(2, dtype=torch.int64)}),
        ["fc2.bias holds torch.int64, expected floating-point numbers"],
    ),
    "no number": (
        edited(**{"fc2.bias": torch.tensor([0, torch.nan])}),
        ["fc2.bias holds values that are not finite in torch.float32"],
    ),
    "infinite": (
        edited(**{"fc2.bias": torch.tensor([0, torch.inf], dtype=torch.float16)}),
        ["fc2.bias holds values that are not finite in torch.float32"],
    ),
    "two": (
        lambda state: {1: state, "1": state},
        ["holds 2 state dicts (1, 1), expected one (names and tensors)"],
    ),
    "two levels down": (
        lambda state: {"a": {"b": state}},
        ["holds 0 state dicts, expected one (names and tensors)"],
    ),
    "none": (lambda state: [1, 2], ["holds 0 state dicts, expected one (names and tensors)"]),
    "empty": (lambda state: {}, ["holds 0 state dicts, expected one (names and tensors)"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_told_found_beside_expected(tmp_path, state, case):
    change, lines = WRONG[case]
    path = tmp_path / "a.pth"
    torch.save(change(dict(state)), path)
    assert refusal(path) == lines


OTHER_NAMES = {  # as torchvision's VGG, a tutorial's and a compiled network have them
    "features": ["features.0", "features.1", "classifier.0", "classifier.3"],
    "blocks": ["layer1.0", "layer1.1", "fc1", "fc2"],
    "compiled": ["_orig_mod.conv1", "_orig_mod.norm1", "_orig_mod.fc1", "_orig_mod.fc2"],
}
WITH_NORM = {"conv": [{"channels": 3, "kernel": 3, "batch_norm": True}], "fc": [4]}


def under_other_names(state, layers):
    """The state of a network WITH_NORM, its layers called otherwise."""
    names = dict(zip(("conv1", "norm1", "fc1", "fc2"), layers, strict=True))
    parts = ((name.split("."), tensor) for name, tensor in state.items())
    return {f"{names[layer]}.{kind}": tensor for (layer, kind), tensor in parts}


@pytest.mark.parametrize("style", OTHER_NAMES)
def test_the_same_layers_under_other_names_are_taken_and_the_log_says_which(
    tmp_path, capsys, style
):
    network = Network(WITH_NORM, classes=2, image_size=(8, 8)).eval()
    network.norm1.running_mean.normal_()
    torch.save(under_other_names(network.state_dict(), OTHER_NAMES[style]), tmp_path / "a.pth")
    images = torch.rand(2, 3, 8, 8)
    taken = read(tmp_path / "a.pth", WITH_NORM, given=RAW).network.eval()
    assert torch.equal(taken(images), network(images))
    lines = capsys.readouterr().out.splitlines()
    assert f"{OTHER_NAMES[style][1]}.running_mean is read as norm1.running_mean" in lines
    assert all(line.split(" is read as ")[0] != line.split(" is read as ")[1] for line in lines)


def test_names_of_the_network_are_never_taken_for_others(tmp_path):
    """Two layers of one shape, in the file in the other order."""
    settings = {"conv": [{"channels": 3, "kernel": 3, "pool": 1}] * 2, "fc": []}
    state = Network(settings, classes=2, image_size=(8, 8)).state_dict()
    names = [
        f"{layer}.{kind}" for layer in ("conv2", "conv1", "fc1") for kind in ("weight", "bias")
    ]
    turned = {name: state[name] for name in names}
    torch.save(turned, tmp_path / "a.pth")
    assert torch.equal(
        read(tmp_path / "a.pth", settings).network.conv2.weight, state["conv2.weight"]
    )


def test_a_plain_network_of_other_shapes_is_told_in_one_line(tmp_path):
    state = Network(
        {"conv": [{"channels": 3, "kernel": 5}], "fc": [4]}, classes=2, image_size=(8, 8)
    ).state_dict()
    layers = ("features.0", "classifier.0", "classifier.2")
    names = [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    torch.save(dict(zip(names, state.values(), strict=True)), tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == [
        "seems to be another network (6 tensors, features.0.weight … classifier.2.bias), "
        "expected 6 tensors, conv1.weight … fc2.bias, or their shapes in their order: "
        "features.0.weight of shape (3, 3, 5, 5) stands in "
        "the place of conv1.weight of shape (3, 3, 3, 3)"
    ]


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_a_residual_network_is_told_in_one_line(tmp_path, prefix):
    state = torchvision.models.resnet18().state_dict()
    torch.save({prefix + name: tensor for name, tensor in state.items()}, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == [
        f"seems to be a residual network (102 tensors, {prefix}conv1.weight … {prefix}fc.bias), "
        "expected a plain one "
        "(6 tensors, conv1.weight … fc2.bias)"
    ]


def test_a_residual_network_of_the_same_shapes_is_another_network(tmp_path, state):
    names = [
        "layer1.0.conv1.weight",
        "layer1.0.conv1.bias",
        "a.weight",
        "a.bias",
        "fc.weight",
        "fc.bias",
    ]
    torch.save(dict(zip(names, state.values(), strict=True)), tmp_path / "a.pth")
    (line,) = refusal(tmp_path / "a.pth")
    assert line.startswith("seems to be a residual network (")


def test_what_batch_normalisation_counts_does_not_matter_its_variances_do(tmp_path):
    state = Network(NORMALISING, classes=2, image_size=(8, 8)).state_dict()
    torch.save({**state, "norm1.num_batches_tracked": torch.zeros(3)}, tmp_path / "a.pth")
    assert torch.equal(
        read(tmp_path / "a.pth", NORMALISING).network.fc1.weight, state["fc1.weight"]
    )
    torch.save({**state, "norm1.running_var": torch.tensor([1, -1.0, 1])}, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth", NORMALISING) == [
        "norm1.running_var holds negative values, expected variances"
    ]
    torch.save({**state, "norm1.running_mean": torch.tensor([1, torch.nan, 1])}, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth", NORMALISING) == [
        "norm1.running_mean holds values that are not finite in torch.float32"
    ]


class Payload:
    def __reduce__(self):
        return (open, ("executed", "w"))


@pytest.mark.parametrize(
    "save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))]
)
def test_nothing_in_the_file_is_executed(tmp_path, monkeypatch, save):
    monkeypatch.chdir(tmp_path)
    save({"conv1.weight": Payload()}, tmp_path / "a.pth")
    (line,) = refusal(tmp_path / "a.pth")
    assert line.startswith("damaged or not a checkpoint (")
    assert line.endswith(
        "): expected a state dict, as torch.save(network.state_dict(), path) writes it"
    )
    assert "weights_only" not in line, "PyTorch's advice to load it anyhow"
    assert not (tmp_path / "executed").exists()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the payload's file, opened on purpose
def test_the_payload_of_these_tests_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Payload()))
    assert (tmp_path / "executed").exists()


def test_what_else_a_file_holds_is_named(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == [
        "damaged or not a checkpoint (holds torch.nn.modules.linear.Linear, expected plain values "
        "and tensors): it seems to be a whole pickled module, expected a state dict, as "
        "torch.save(network.state_dict(), path) writes it"
    ]


@pytest.mark.filterwarnings("ignore:`torch.jit")  # of a category that depends on the version
def test_a_torchscript_archive_is_named(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == [
        "seems to be a TorchScript archive, which holds code: expected a state dict, as "
        "torch.save(torch.jit.load(path).state_dict(), other_path) writes it"
    ]


def save_safetensors(path, state, metadata=None):
    """As the format's authors describe it."""
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    names |= {torch.int64: "I64", torch.bool: "BOOL"}
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in state.items():
        content = bytes(tensor.contiguous().reshape(-1).view(torch.uint8).tolist())
        offsets = [len(data), len(data) + len(content)]
        header[name] = {
            "dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets,
        }  # fmt: skip
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_safetensors_file_is_taken(tmp_path, state, dtype):
    path = tmp_path / "a.safetensors"
    stored = {name: tensor.to(dtype) for name, tensor in state.items()}
    save_safetensors(path, stored, {"format": "pt"})
    found = read(path).network.state_dict()
    assert all(torch.equal(found[name], stored[name].float()) for name in state)


def header(**changes):
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}
    return {"fc2.bias": entry}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (header(data_offsets=[0, 16]), "bytes 0 to 16 of 8 hold no torch.float32 of shape [2]"),
        (header(shape=[3]), "bytes 0 to 8 of 8 hold no torch.float32 of shape [3]"),
        (header(shape=[-2], data_offsets=[8, 0]), "-2 is no size"),
        (header(data_offsets=[8, 0]), "bytes 8 to 0 of 8 hold no torch.float32 of shape [2]"),
        (header(dtype="F4"), "'F4'"),
        (header(shape=None), "a tensor has the shape None"),
        ({"fc2.bias": {}}, "'dtype'"),
        (header() | {"fc1.bias": header()["fc2.bias"]}, "its tensors share bytes"),
        (header(shape=[0, 10**20], data_offsets=[0, 0]), ""),
        ({"fc2.bias": 3}, "a tensor is described by 3"),
    ],
)
def test_a_damaged_safetensors_file_is_refused(tmp_path, content, told):
    path = tmp_path / "a.safetensors"
    text = json.dumps(content).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
    (line,) = refusal(path)
    assert line.startswith(f"damaged or not a safetensors file ({told}")
    assert line.endswith("as safetensors.torch.save_file(network.state_dict(), path) writes it")


def test_a_safetensors_file_whose_header_has_no_end_is_refused(tmp_path, state):
    path = tmp_path / "a.safetensors"
    path.write_bytes((40).to_bytes(8, "little") + b"{" * 48)
    (line,) = refusal(path)
    assert line.startswith("damaged or not a safetensors file (")


@pytest.mark.parametrize("cut", [0, 1, 9, 300, 900])
@pytest.mark.parametrize("older", [False, True])
def test_a_pickled_module_that_is_cut_off_is_told_in_one_line(tmp_path, cut, older):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "a.pth", _use_new_zipfile_serialization=not older)
    content = (tmp_path / "a.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(content[:cut])
    (line,) = refusal(tmp_path / "a.pth")
    assert line.startswith("damaged or not a checkpoint (")


def test_a_file_that_unpacks_to_far_more_is_refused_unread(tmp_path, state):
    plain, bomb = tmp_path / "plain.pth", tmp_path / "bomb.pth"
    torch.save({**state, "fc2.bias": torch.zeros(10**7)}, plain)
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in source.namelist():
            packed.writestr(name, source.read(name))
    (line,) = refusal(bomb)
    assert line.startswith("damaged or not a checkpoint (unpacks to 4000")
    assert f", expected no more than the {bomb.stat().st_size} that it has)" in line


# A network that a factory makes


class Counted(torch.nn.Module):
    """A convolution, batch normalisation, and buffers of whole numbers and of truth values."""

    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.head = torch.nn.Linear(4, 2)
        self.register_buffer("order", torch.tensor([1, 0, 3, 2]))
        self.register_buffer("shown", torch.tensor([True, False, True, True]))

    def forward(self, images):
        maps = self.norm(self.stem(images)).relu()
        return self.head(maps.mean((2, 3))[:, self.order] * self.shown)


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """The config's `network`, and the module with weights of its own."""
    torch.manual_seed(1)
    module = Counted()
    module.norm.running_mean.normal_()
    path = tmp_path_factory.mktemp("graph") / "graph.json"
    path.write_text(tracing.trace(module, (3, 8, 8)).to_json())
    module.order.copy_(torch.tensor([3, 2, 1, 0]))
    return {"factory": "a.py:Counted", "arguments": {}, "graph": str(path)}, module.eval()


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_state_dict_of_a_factory_s_network_is_taken_under_its_own_names(
    tmp_path, counted, suffix
):
    settings, module = counted
    path = tmp_path / f"a.{suffix}"
    if suffix == "pth":
        torch.save({"model": module.state_dict()}, path)
    else:
        save_safetensors(path, module.state_dict())
    found = read(path, settings, given=RAW)
    images = torch.rand(2, 3, 8, 8)
    with torch.inference_mode():
        assert torch.allclose(found.network.eval()(images), module(images), atol=1e-6)
    assert found.network.state_dict()["order"].tolist() == [3, 2, 1, 0]
    checkpoints.save(tmp_path / "b.pth", found)
    assert checkpoints.load(tmp_path / "b.pth").settings == settings


class Wrapped(torch.nn.Module):
    """All its names begin as those of a parallel network do, and one weight is complex."""

    def __init__(self):
        super().__init__()
        self.module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))
        self.module.turn = torch.nn.Parameter(torch.rand(2, dtype=torch.complex64))

    def forward(self, images):
        return (self.module(images) * self.module.turn).real


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_network_s_own_names_may_begin_as_those_of_a_parallel_one(tmp_path, prefix):
    module = Wrapped().eval()
    graph = tmp_path / "graph.json"
    graph.write_text(tracing.trace(module, (3, 8, 8)).to_json())
    settings = {"factory": "a.py:Wrapped", "arguments": {}, "graph": str(graph)}
    state = {prefix + name: tensor for name, tensor in module.state_dict().items()}
    torch.save(state, tmp_path / "a.pth")
    found = read(tmp_path / "a.pth", settings, given=RAW)
    images = torch.rand(2, 3, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(found.network.eval()(images), module(images))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"order": torch.rand(4)}, "order holds torch.float32, expected whole numbers"),
        (
            {"stem.bias": torch.ones(4, dtype=torch.int64)},
            "stem.bias holds torch.int64, expected floating-point numbers",
        ),
        ({"head.weight": torch.rand(3, 4)}, "head.weight has shape (3, 4), expected (2, 4)"),
        ({"fc.bias": torch.rand(2)}, "fc.bias of shape (2,) is unknown, expected only order … "),
    ],
)
def test_what_does_not_fit_a_factory_s_network_is_told(tmp_path, counted, change, told):
    settings, module = counted
    torch.save(module.state_dict() | change, tmp_path / "a.pth")
    (line,) = refusal(tmp_path / "a.pth", settings)
    assert line.startswith(told)


def test_weights_of_another_network_than_the_factory_s_are_told_in_one_line(tmp_path, counted):
    settings, _ = counted
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "a.pth")
    (line,) = refusal(tmp_path / "a.pth", settings)
    assert line.startswith(
        "seems to be another network (102 tensors, conv1.weight … fc.bias), expected 10 tensors, "
    )
    assert "plain" not in line


def test_the_same_shapes_under_other_names_are_not_taken_for_a_factory_s(tmp_path, counted):
    settings, module = counted
    state = {f"net.{name}": tensor for name, tensor in module.state_dict().items()}
    torch.save(state, tmp_path / "a.pth")
    (line,) = refusal(tmp_path / "a.pth", settings)
    assert line.startswith("seems to be another network (")
