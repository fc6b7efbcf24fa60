"""The estimate that a run starts with."""

from pathlib import Path

import pytest
import yaml

from convprobe import config, cost

PUBLISHED = config.checked(yaml.safe_load(Path("config.yaml").read_text()), "schemas/config.schema.json")


def test_multiply_adds_of_the_published_network_layer_by_layer():
    convolutions = 784 * 75 * 256 + 144 * 2304 * 1024 + 16 * 9216 * 2048 + 4 * 2048 * 2048
    assert cost.multiply_adds(PUBLISHED["network"], 32, 10) == convolutions + 2048 * 1024 + 1024 * 256 + 2560


def test_more_cores_cost_less_and_a_gpu_least():
    two, four = (sum(cost.seconds(PUBLISHED, "cpu", cores).values()) for cores in (2, 4))
    assert 1.9 < two / four < 2
    assert sum(cost.seconds(PUBLISHED, "gpu", 4).values()) < four / 20


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ({"training": 30}, "about 30 s from nothing (training 30 s)"),
        ({"training": 600, "occlusion": 7200}, "about 2.2 h from nothing (training 10 min, occlusion 2.0 h)"),
    ],
)
def test_words(stages, words):
    assert cost.words(stages) == words
