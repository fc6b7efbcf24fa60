"""The estimate that a run starts with."""

from pathlib import Path

import pytest
import yaml

from convprobe import config, cost

PUBLISHED = config.checked(yaml.safe_load(Path("config.yaml").read_text()), "schemas/config.schema.json")


def test_more_cores_cost_less_and_a_gpu_least():
    two, four = (sum(cost.seconds(PUBLISHED, "cpu", cores).values()) for cores in (2, 4))
    assert 1.9 < two / four < 2
    assert sum(cost.seconds(PUBLISHED, "gpu", 4).values()) < four / 20


def test_windows_cost_what_they_change_on_a_cpu_and_the_same_on_a_gpu():
    def occlusion(kind, window):
        studied = {**PUBLISHED, "occlusion": {**PUBLISHED["occlusion"], "windows": [window], "images": 1000}}
        return cost.seconds(studied, kind, 1)["occlusion"]

    assert occlusion("cpu", 9) > 1.4 * occlusion("cpu", 3)
    assert occlusion("gpu", 9) == occlusion("gpu", 3)


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ({"training": 30}, "about 30 s from nothing (training 30 s)"),
        ({"training": 600, "occlusion": 7200}, "about 2.2 h from nothing (training 10 min, occlusion 2.0 h)"),
    ],
)
def test_words(stages, words):
    assert cost.words(stages) == words
