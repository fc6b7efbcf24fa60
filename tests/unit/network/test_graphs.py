"""The graph that a config's network has, from its layers or from the file of a factory's."""

import json

import pytest

from convprobe.network import chain, graphs

CHAIN = {"conv": [{"channels": 2, "kernel": 3}], "fc": []}
FACTORY = {"factory": "torchvision.models:resnet18", "arguments": {}}


def test_the_layers_of_a_config_are_a_graph_of_their_own():
    assert not graphs.is_traced(CHAIN)
    assert graphs.of(CHAIN, (8, 8), 3) == chain.graph(CHAIN, (8, 8), 3)
    assert graphs.of(CHAIN, (8, 8)).classes == graphs.UNKNOWN


def test_the_graph_of_a_factory_is_read_from_its_file(tmp_path):
    graph = chain.graph(CHAIN, (8, 8), 3)
    (tmp_path / "graph.json").write_text(graph.to_json())
    assert graphs.is_traced(FACTORY)
    assert graphs.of(FACTORY | {"graph": str(tmp_path / "graph.json")}, (8, 8)) == graph


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", "{}", '{"nodes": 3}', '{"nodes": ["image"]}', '{"nodes": [{"name": "a"}]}',
     '{"nodes": [{"surprise": 1}]}', b"\xff"],
)  # fmt: skip
def test_a_damaged_file_is_refused(tmp_path, content, refusal):
    path = tmp_path / "graph.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = refusal(path, graphs.read)
    assert told.startswith("is no graph of a network (")
    assert told.endswith("): delete it, and run Snakemake again")


def test_parts_of_another_form_are_refused(tmp_path, refusal):
    plain = json.loads(chain.graph(CHAIN, (8, 8), 3).to_json())
    for key in list(plain):
        (tmp_path / "graph.json").write_text(json.dumps(plain | {key: [[]]}))
        assert refusal(tmp_path / "graph.json", graphs.read)


def test_a_missing_file_is_refused(tmp_path, refusal):
    assert "No such file or directory" in refusal(tmp_path / "none.json", graphs.read)
