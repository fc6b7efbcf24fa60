"""The page of a large study stays small by holding less; its time is benchmarks/explorer.py's."""

import large_study
import pytest

from convprobe.report import explorer, packing

pytestmark = pytest.mark.slow
MOST_BYTES = 6_000_000


def test_the_page_of_a_large_study_stays_small(tmp_path):
    """10,000 test images of 224 pixels, 1,000 classes, 60 layers of 28,800 filters."""
    settings = large_study.write(tmp_path)
    data = explorer.collect(tmp_path, settings)
    assert len(explorer.page("Large", packing.plain(data)).encode()) < MOST_BYTES
    (probe,) = data["probes"]
    assert len(probe["occlusion"]["indices"]) == large_study.OCCLUDED
    assert {len(classes) for classes in probe["occlusion"]["map_classes"]} == {12}
    assert len(probe["filters"]["layers"]) == 60
    assert sum(layer["channels"] for layer in probe["filters"]["layers"]) == 28_800
    assert len(probe["ablation"]["confusion"]["labels"]) == 30
