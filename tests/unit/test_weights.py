"""Weights from elsewhere: what is taken, and what is refused in which words."""

import pickle

import pytest
import torch

from convprobe import weights
from convprobe.errors import InputError
from convprobe.network import RAW, Network

SETTINGS = {"conv": [{"channels": 3, "kernel": 3}], "fc": [4]}
CLASSES = ("cat", "dog")
NAMES = "conv1.weight, conv1.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias"


@pytest.fixture
def state():
    torch.manual_seed(0)
    return Network(SETTINGS, classes=2, side=8).state_dict()


def read(path):
    return weights.read(path, SETTINGS, CLASSES, 8, RAW)


@pytest.mark.parametrize(
    "wrap", [dict, lambda state: {"model": state, "epoch": 3}, lambda state: {"state_dict": state}]
)
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_state_dict_is_taken_however_it_is_wrapped(tmp_path, state, wrap, prefix, dtype):
    torch.save(wrap({prefix + name: tensor.to(dtype) for name, tensor in state.items()}), tmp_path / "a.pth")
    checkpoint = read(tmp_path / "a.pth")
    for name, tensor in checkpoint.network.state_dict().items():
        assert torch.equal(tensor, state[name].to(dtype).float())
    assert (checkpoint.classes, checkpoint.epoch, checkpoint.normalisation) == (CLASSES, 0, RAW)


def edited(**changes):
    return lambda state: {**{k: v for k, v in state.items() if changes.get(k, 0) is not None},
                          **{k: v for k, v in changes.items() if v is not None}}  # fmt: skip


WRONG = {
    "missing": (edited(**{"fc2.bias": None}), ["fc2.bias is missing, expected shape (2,)"]),
    "shape": (
        edited(**{"conv1.weight": torch.zeros(3, 1, 3, 3), "fc1.bias": torch.zeros(9)}),
        ["conv1.weight has shape (3, 1, 3, 3), expected (3, 3, 3, 3)", "fc1.bias has shape (9,), expected (4,)"],
    ),
    "unknown": (edited(extra=torch.zeros(1)), [f"extra is unknown, expected only {NAMES}"]),
    "whole numbers": (
        edited(**{"fc2.bias": torch.zeros(2, dtype=torch.int64)}),
        ["fc2.bias holds torch.int64, expected floating-point numbers"],
    ),
    "not finite": (edited(**{"fc2.bias": torch.tensor([0, torch.nan])}), ["fc2.bias holds values that are not finite"]),
    "two": (lambda state: {"a": state, "b": state}, ["holds 2 state dicts, expected one (names and tensors)"]),
    "none": (lambda state: [1, 2], ["holds 0 state dicts, expected one (names and tensors)"]),
    "empty": (lambda state: {}, ["holds 0 state dicts, expected one (names and tensors)"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_told_found_beside_expected(tmp_path, state, case):
    change, lines = WRONG[case]
    path = tmp_path / "a.pth"
    torch.save(change(dict(state)), path)
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value).splitlines() == [f"{path}: {line}" for line in lines]


class Payload:
    def __reduce__(self):
        return (open, ("executed", "w"))


@pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_nothing_in_the_file_is_executed(tmp_path, monkeypatch, save):
    monkeypatch.chdir(tmp_path)
    save({"conv1.weight": Payload()}, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"^[^\n]*expected a state dict[^\n]*$"):
        read(tmp_path / "a.pth")
    assert not (tmp_path / "executed").exists()
