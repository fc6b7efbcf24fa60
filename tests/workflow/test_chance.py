"""The terminal, the card and the page all say when a network has learned nothing."""

import json

import pytest

from convprobe.report import explorer, reasons
from convprobe.store import tables

pytestmark = pytest.mark.slow


def test_accuracy_at_chance_is_reported_everywhere(finished):
    """The tiny study: two epochs on 120 images teach nothing."""
    files = finished.files()
    for run in ("normalised", "raw"):
        selection = json.loads(files[f"{run}/selection.json"].read_text())
        assert not selection["better_than_chance"], "otherwise the test shows nothing"
        said = " ".join(finished.output.split())
        accuracy = f"{selection['test_accuracy']:.1%}"
        assert f"warning: the accuracy of {run}, {accuracy} at epoch 1, can't be told" in said
    card = tables.read(files["reproduction.csv"])
    assert card["verdict"].iloc[0] == reasons.AT_CHANCE
    unlearned = f"{reasons.UNTESTED}the network's accuracy {reasons.AT_CHANCE}"
    assert (card["verdict"] == unlearned).sum() == 4  # the others have reasons of their own
    assert card["verdict"].iloc[1:].str.startswith(reasons.UNTESTED).all()
    page, _ = explorer.read(files["explorer.html"])
    assert "can't be told from chance" in page["probes"][0]["warning"]
    for window in page["probes"][0]["occlusion"]["windows"]:
        assert "It looks at the object" not in window["answer"]
    versions = json.loads(files["raw/training/epoch-02.json"].read_text())["versions"]
    assert page["curves"][0]["trained_by"] == [
        ", ".join(f"{name} {version}" for name, version in versions.items())
    ]
