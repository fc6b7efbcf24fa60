"""Checkpoints are read whole, or refused in one line, and nothing in them is executed."""

import dataclasses
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from convprobe.network import chain, checkpoints
from convprobe.network.classifiers import FactoryNetwork
from convprobe.network.layers import Network
from convprobe.store import files

SETTINGS = {"conv": [{"channels": 2, "kernel": 3}], "fc": [4]}
PLAIN = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}


def checkpoint():
    network = Network(SETTINGS, classes=2, image_size=(8, 8))
    return checkpoints.Checkpoint(network, SETTINGS, ("cat", "dog"), (8, 8), PLAIN, epoch=3)


def test_what_is_written_is_read_again(tmp_path):
    before = checkpoint()
    checkpoints.save(tmp_path / "a.pth", before)
    after = checkpoints.load(tmp_path / "a.pth")
    assert (after.settings, after.classes, after.image_size) == (SETTINGS, ("cat", "dog"), (8, 8))
    assert (after.normalisation, after.epoch, after.network.training) == (PLAIN, 3, False)
    assert after.training is None
    expected = before.network.state_dict()
    for name, weights in after.network.state_dict().items():
        assert torch.equal(weights, expected[name])


def test_equal_values_give_equal_bytes_under_any_name(tmp_path):
    same = checkpoint()
    for name in ("one", "another-name"):
        checkpoints.save(tmp_path / f"{name}.pth", same)
    assert files.sha256(tmp_path / "one.pth") == files.sha256(tmp_path / "another-name.pth")


def test_a_file_that_is_not_there_is_named(tmp_path, refusal):
    assert "No such file or directory" in refusal(tmp_path / "a.pth", checkpoints.load)


@pytest.mark.parametrize("version", [2, 1, None])
def test_a_checkpoint_of_an_older_version_is_refused(tmp_path, refusal, version):
    values = values_of(tmp_path)
    assert values.pop("format_version") == 3
    if version:
        values["format_version"] = version
    checkpoints.save_tensors(tmp_path / "a.pth", values)
    found = f"has format version {version}" if version else "has no format version"
    advice = "expected 3: delete it and run again"
    assert refusal(tmp_path / "a.pth", checkpoints.load) == f"{found}, {advice}"


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_checkpoint_is_refused(tmp_path, share, refusal):
    path = tmp_path / "a.pth"
    checkpoints.save(path, checkpoint())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refusal(path, checkpoints.load).startswith("damaged or not a checkpoint (")


@pytest.mark.parametrize(
    "content", [b"no checkpoint", b"\x80\x02]q", b"}}a", b"h\x05.", b"\x80\x84", bytes(1000)]
)
def test_garbage_for_a_checkpoint_is_refused(tmp_path, content, refusal):
    (tmp_path / "a.pth").write_bytes(content)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith("damaged or not a checkpoint (")


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("form", ["pickle", "PyTorch's"])
def test_a_payload_in_a_checkpoint_is_refused_and_not_executed(tmp_path, form, refusal):
    path, executed = tmp_path / "a.pth", tmp_path / "executed"
    if form == "pickle":
        path.write_bytes(pickle.dumps({"weights": Payload(executed)}))
    else:
        torch.save({"weights": Payload(executed)}, path)
        assert zipfile.is_zipfile(path)
    assert refusal(path, checkpoints.load).startswith("damaged or not a checkpoint (")
    assert not executed.exists()
    torch.load(path, weights_only=False) if form != "pickle" else pickle.loads(path.read_bytes())
    assert executed.exists()  # the payload works where it is let


def values_of(tmp_path):
    checkpoints.save(tmp_path / "good.pth", checkpoint())
    return checkpoints.load_tensors(tmp_path / "good.pth")


def test_a_checkpoint_with_a_weight_that_is_no_number_is_refused(tmp_path, refusal):
    values = values_of(tmp_path)
    next(iter(values["weights"].values())).view(-1)[0] = float("nan")
    checkpoints.save_tensors(tmp_path / "a.pth", values)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "has weights that are not finite"
    )


def test_so_is_one_whose_batch_normalisation_has_a_mean_that_is_no_number(tmp_path, refusal):
    network = Network(
        {"conv": [{"channels": 2, "kernel": 3, "batch_norm": True}], "fc": []},
        classes=2,
        image_size=(8, 8),
    )
    network.norm1.running_mean[1] = float("inf")
    same = checkpoints.Checkpoint(network, network.settings, ("cat", "dog"), (8, 8), PLAIN, epoch=3)
    checkpoints.save(tmp_path / "a.pth", same)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "has weights that are not finite"
    )


@pytest.mark.parametrize(
    "key", ["weights", "network", "classes", "image_size", "normalisation", "epoch"]
)
@pytest.mark.parametrize("value", ["missing", None, [], "text", {}], ids=str)
def test_a_checkpoint_with_a_wrong_part_is_refused(tmp_path, key, value, refusal):
    values = values_of(tmp_path)
    if value == "missing":
        del values[key]
    else:
        values[key] = value
    checkpoints.save_tensors(tmp_path / "a.pth", values)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "not a checkpoint of this workflow ("
    )


@pytest.mark.parametrize("weights", ["one missing", "another shape", "one too many"])
def test_weights_that_do_not_fit_their_network_are_refused(tmp_path, weights, refusal):
    values = values_of(tmp_path)
    if weights == "one missing":
        del values["weights"]["fc1.bias"]
    elif weights == "another shape":
        values["weights"]["fc1.bias"] = torch.zeros(5)
    else:
        values["weights"]["fc9.bias"] = torch.zeros(5)
    checkpoints.save_tensors(tmp_path / "a.pth", values)
    told = refusal(tmp_path / "a.pth", checkpoints.load)
    assert told.startswith("not a checkpoint of this workflow (")
    assert ("fc9.bias" if weights == "one too many" else "fc1.bias") in told


@pytest.mark.parametrize("value", [None, 3, [1], "text"], ids=str)
def test_a_checkpoint_that_is_no_mapping_is_refused(tmp_path, value, refusal):
    checkpoints.save_tensors(tmp_path / "a.pth", value)
    assert refusal(tmp_path / "a.pth", checkpoints.load).startswith(
        "not a checkpoint of this workflow ("
    )


# Networks that a factory makes

FACTORY = {"factory": "mynet.py:build", "arguments": {}}


def traced_checkpoint(operator="aten.relu.default"):
    """Of a graph whose second last node is computed by an operator."""
    graph = chain.graph(SETTINGS, image_size=(8, 8), classes=2)
    nodes = dict(graph.nodes)
    nodes["fc1-relu"] = dataclasses.replace(nodes["fc1-relu"], operator=operator)
    network = Network(SETTINGS, classes=2, image_size=(8, 8))
    # As loaded, it would be refused already.
    traced = FactoryNetwork(FACTORY, dataclasses.replace(graph, nodes=nodes), network)
    return checkpoints.Checkpoint(traced, FACTORY, ("cat", "dog"), (8, 8), PLAIN, epoch=3)


def test_a_network_of_a_factory_is_read_without_its_code(tmp_path):
    before = traced_checkpoint()
    checkpoints.save(tmp_path / "a.pth", before)
    after = checkpoints.load(tmp_path / "a.pth")
    assert after.settings == FACTORY
    assert after.network.graph == before.network.graph
    images = torch.rand(3, 3, 8, 8)
    before.network.eval()
    with torch.inference_mode():
        torch.testing.assert_close(after.network(images), before.network(images))


def test_a_graph_in_a_checkpoint_that_does_more_than_compute_is_refused(tmp_path, refusal):
    checkpoints.save(tmp_path / "a.pth", traced_checkpoint("aten.from_file.default"))
    told = refusal(tmp_path / "a.pth", checkpoints.load)
    assert told.startswith(
        "not a checkpoint of this workflow (fc1-relu in fc1-relu is computed by "
        "aten.from_file.default, expected"
    )
