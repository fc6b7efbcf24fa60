"""A network that a factory makes: where it is found, what its code is, and its graph."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from convprobe.errors import InputError
from convprobe.network import filter_layers, graphs
from convprobe.plan import traced_networks

pytestmark = pytest.mark.usefixtures("empty_folder")

NETWORK = """
import blocks
from torch import nn

def build(classes=2, width=3):
    # Without batch normalisation.
    return nn.Sequential(
        blocks.first(width), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, classes)
    )
"""
BLOCKS = """
from torch import nn

def first(width):
    return nn.Conv2d(3, width, 3)
"""


@pytest.fixture
def network_file():
    Path("blocks.py").write_text(BLOCKS)
    Path("mynet.py").write_text(NETWORK)
    return Path("mynet.py")


def mistake(function, *arguments, **keywords):
    with pytest.raises(InputError) as refused:
        function(*arguments, **keywords)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_file_is_found_beside_the_config_file_and_then_in_the_working_folder(network_file):
    assert traced_networks.located("mynet.py:build", "elsewhere") == "mynet.py:build"
    Path("elsewhere").mkdir()
    Path("elsewhere/mynet.py").touch()
    assert traced_networks.located("mynet.py:build", "elsewhere") == "elsewhere/mynet.py:build"
    assert traced_networks.located(f"{network_file.resolve()}:build") == "mynet.py:build"


def test_what_is_not_there_is_said():
    assert mistake(traced_networks.located, "mynet.py:build") == (
        "is mynet.py:build: no file mynet.py is there, expected it beside the config file or in "
        "the working folder"
    )
    assert mistake(traced_networks.located, "nowhere.models:build") == (
        "is nowhere.models:build, but no package nowhere is installed: expected one that is, or a "
        "file as in mynet.py:build"
    )


def edited(path, old, new):
    """The code of the factory once a file is edited, in a folder of its own."""
    folder = Path("edited", old.strip()[:9] or "none")
    folder.mkdir(parents=True)
    for file in Path().glob("*.py"):
        text = file.read_text()
        if file.name == path:
            assert old in text
            text = text.replace(old, new)
        (folder / file.name).write_text(text)
    return traced_networks.code(f"{folder}/mynet.py:build")


@pytest.mark.slow
def test_the_code_is_that_of_the_file_and_of_its_local_imports(network_file):
    before = traced_networks.code("mynet.py:build")
    assert list(before) == ["blocks.py", "mynet.py"]
    assert edited("mynet.py", "# Without batch", "# With or without batch") == before
    assert edited("mynet.py", "width=3", "width=4")["mynet.py"] != before["mynet.py"]
    after = edited("blocks.py", "width, 3", "width, 5")
    assert after["blocks.py"] != before["blocks.py"]
    assert after["mynet.py"] == before["mynet.py"]


def test_of_installed_packages_the_version_counts():
    expected = {"torchvision": metadata.version("torchvision")}
    assert traced_networks.code("torchvision.models:resnet18") == expected
    Path("mynet.py").write_text(
        "import json, torch\nfrom torchvision.models import vgg11 as build\n"
    )
    assert traced_networks.code("mynet.py:build")["torchvision"] == expected["torchvision"]
    assert "torch" not in traced_networks.code("mynet.py:build")


def test_a_package_that_is_imported_from_a_folder_counts_by_its_code(monkeypatch, tmp_path):
    (tmp_path / "own_nets").mkdir()
    (tmp_path / "own_nets/__init__.py").touch()
    (tmp_path / "own_nets/small.py").write_text(BLOCKS)
    monkeypatch.syspath_prepend(tmp_path)
    assert list(traced_networks.code("own_nets.small:first")) == [
        "own_nets/__init__.py", "own_nets/small.py",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["mynet.py", "blocks.py"])
def test_a_file_that_is_not_python_is_named_with_its_line(network_file, name):
    Path(name).write_text("import torch\n\ndef build(:\n")
    assert mistake(traced_networks.code, f"{network_file}:build").startswith(
        f"is mynet.py:build, but {name} is not Python: line 3: "
    )


def test_code_that_is_nested_too_deeply_is_one_line(network_file):
    Path("blocks.py").write_text(f"first = {'1+' * 5000}1\n")
    assert mistake(traced_networks.code, f"{network_file}:build") == (
        "is mynet.py:build, whose code is nested too deeply to be read"
    )


@pytest.mark.parametrize(
    "content", ["\ufeff{}".encode(), "# -*- coding: latin-1 -*-\n# größer\n{}".encode("latin-1")]
)
def test_a_file_may_have_any_encoding_that_python_reads(network_file, content):
    before = traced_networks.code(f"{network_file}:build")
    network_file.write_bytes(content.replace(b"{}", NETWORK.encode()))
    traced_networks.fingerprint._read.cache_clear()
    assert traced_networks.code(f"{network_file}:build") == before


def test_what_lies_beside_in_another_language_is_compiled_code_of_the_module(network_file):
    Path("mynet.cpp").write_text("int one() { return 1; }\n")
    assert "mynet.cpp" in traced_networks.code(f"{network_file}:build")


def ask(network="mynet.py:build", image_size=(8, 8), **arguments):
    return traced_networks.describe(
        {"factory": network, "arguments": arguments}, image_size, "kept"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("preloaded_tracer")
def test_a_graph_is_made_once_and_again_after_an_edit(network_file, capfd):
    path = ask(classes=5)
    assert re.fullmatch(r"kept/networks/\w{16}\.json", path)
    graph = graphs.read(path)
    assert (graph.classes, graph.image_shape) == (5, (3, 8, 8))
    assert [layer.channels for layer in filter_layers.of_graph(graph).values()] == [3]
    said = "convprobe: mynet.py:build is traced, once …\n"
    assert capfd.readouterr().err == said

    assert ask(classes=5) == path
    assert capfd.readouterr().err == ""

    Path(path).unlink()
    assert ask(classes=5) == path
    assert capfd.readouterr().err == said
    assert json.loads(Path(path).read_text())["nodes"]


FAILING = {
    "raise KeyError('depth')": "network.factory: mynet.py:build fails with KeyError: 'depth'",
    "return 3": "network.factory: mynet.py:build makes a int, expected a torch.nn.Module",
    "os._exit(7)": "network.factory: mynet.py:build ends its process with 7",
}


@pytest.mark.slow
@pytest.mark.parametrize("body", FAILING)
def test_a_factory_that_fails_is_one_line(body):
    noise = r"os.write(1, b'noise \xff')"  # no text
    Path("mynet.py").write_text(f"import os\n\ndef build():\n    {noise}\n    {body}\n")
    assert mistake(ask) == FAILING[body]


@pytest.mark.slow
@pytest.mark.usefixtures("preloaded_tracer")
def test_a_graph_that_cannot_be_kept_is_one_line(network_file):
    Path("kept").touch()  # where the folder would be
    assert re.fullmatch(
        r"kept/networks/\w{16}\.json: can't be written: Not a directory", mistake(ask)
    )


RANDOM = """
import torch
from torch import nn

class Noisy(nn.Module):
    def __init__(self, persistent):
        super().__init__()
        self.register_buffer("noise", torch.randn(3, 1, 1), persistent=persistent)
        self.head = nn.Linear(3 * 8 * 8, 2)

    def forward(self, images):
        return self.head((images + self.noise).flatten(1))
"""


@pytest.mark.slow
@pytest.mark.usefixtures("preloaded_tracer")
def test_what_no_checkpoint_would_hold_may_not_be_drawn_at_random():
    """Each process would draw it anew: what is probed would not be what was trained."""
    Path("mynet.py").write_text(RANDOM)
    line = mistake(ask, "mynet.py:Noisy", (8, 8), persistent=False)
    assert "draws noise at random, which is no part of its state dict: expected a" in line
    assert ask("mynet.py:Noisy", persistent=True)


DRAWN = """
import random

import numpy as np
import torch
from torch import nn

DRAWS = {
    "torch": lambda: torch.rand(()).item(),
    "python": random.random,
    "numpy": np.random.random,
}

class Sloped(nn.Sequential):
    def __init__(self, of):
        slope = DRAWS[of]()
        super().__init__(nn.Flatten(), nn.Linear(3 * 8 * 8, 2), nn.LeakyReLU(slope))
"""


@pytest.mark.slow
@pytest.mark.usefixtures("preloaded_tracer")
@pytest.mark.parametrize("of", ["torch", "python", "numpy"])
def test_what_is_computed_may_not_be_drawn_at_random_either(of):
    """A checkpoint of another seed's network would be computed with this one's slope."""
    Path("mynet.py").write_text(DRAWN)
    line = mistake(ask, "mynet.py:Sloped", (8, 8), of=of)
    assert "mynet.py:Sloped makes networks that differ in more than their weights if" in line


@pytest.mark.slow
@pytest.mark.usefixtures("preloaded_tracer")
def test_what_cannot_be_traced_is_one_line(network_file):
    line = mistake(ask, "mynet.py:build", (9, 9))
    assert line.startswith(
        "network.factory: mynet.py:build can't compute images of shape (3, 9, 9)"
    )
