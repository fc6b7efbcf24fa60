"""What makes a module: a function of an installed package, or of a file of one's own."""

import sys

import pytest
import torch
from torch import nn

from convprobe.errors import InputError
from convprobe.network import factories

FILE = """
import torch.nn
import SIBLING

def build(width=4, classes=2):
    return torch.nn.Linear(width, SIBLING.doubled(classes))

def fails():
    raise ValueError("no such depth\\nand more")

def leaves():
    raise SystemExit("no licence")

def gives_a_class():
    return torch.nn.Linear
"""


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """A function: `network` of a factory in a file of one's own, which imports another one."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    sibling = f"sibling_of_{tmp_path.name}"
    (tmp_path / f"{sibling}.py").write_text("def doubled(number):\n    return 2 * number\n")
    (tmp_path / "my_network.py").write_text(FILE.replace("SIBLING", sibling))

    def network(function, **arguments):
        return {"factory": f"{tmp_path}/my_network.py:{function}", "arguments": arguments}

    return network


def test_a_function_of_a_package_is_called_with_the_arguments():
    module = factories.build(
        {"factory": "torch.nn:Linear", "arguments": {"in_features": 3, "out_features": 2}}
    )
    assert (module.in_features, module.out_features) == (3, 2)


def test_a_file_of_ones_own_may_import_its_neighbours(own_file):
    module = factories.build(own_file("build", classes=5))
    assert (module.in_features, module.out_features) == (4, 10)


def test_the_seed_decides_the_weights_and_nothing_else(own_file):
    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    first, again, other = (factories.build(own_file("build"), seed).weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_arguments_may_be_missing(own_file):
    network = own_file("build")
    del network["arguments"]
    assert isinstance(factories.build(network), nn.Linear)


def test_a_file_may_have_the_name_of_an_installed_module(tmp_path, own_file):
    (tmp_path / "json.py").write_text("import torch\n\ndef build():\n    return torch.nn.ReLU()\n")
    import json

    made = factories.build({"factory": f"{tmp_path}/json.py:build"})
    assert isinstance(made, nn.ReLU)
    assert sys.modules["json"] is json
    assert type(factories.build({"factory": f"{tmp_path}/json.py:build"})) is nn.ReLU


def test_a_file_that_failed_is_executed_anew(tmp_path, own_file):
    network = {"factory": f"{tmp_path}/half.py:build"}
    (tmp_path / "half.py").write_text("build = None\nraise KeyError('settings')\n")
    for _ in range(2):
        with pytest.raises(InputError, match=r"half\.py:build fails with KeyError: 'settings'$"):
            factories.build(network)


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        ("fails", "fails with ValueError: no such depth"),
        ("leaves", "fails with SystemExit: no licence"),
        ("gives_a_class", "makes a type, expected a torch.nn.Module"),
        ("leave", "fails with LookupError: there is no leave; did you mean leaves?"),
        ("missing", "fails with LookupError: there is no missing"),
    ],
)
def test_what_a_factory_does_wrong_is_one_line(own_file, factory, told):
    network = own_file(factory)
    with pytest.raises(InputError) as refused:
        factories.build(network)
    assert str(refused.value) == f"network.factory: {network['factory']} {told}"


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        (
            "no_such_package:build",
            "fails with ModuleNotFoundError: No module named 'no_such_package'",
        ),
        (
            "no_such_file.py:build",
            "fails with FileNotFoundError: [Errno 2] No such file or directory",
        ),
        ("torch.nn:Conv2d", "fails with TypeError: Conv2d.__init__() missing"),
    ],
)
def test_a_factory_that_cannot_be_called_is_one_line(factory, told, own_file):
    with pytest.raises(InputError) as refused:
        factories.build({"factory": factory, "arguments": {}})
    assert str(refused.value).startswith(f"network.factory: {factory} {told}")
    assert "\n" not in str(refused.value)
