"""The estimate that a run starts with."""

from pathlib import Path

import pytest
import yaml

from convprobe.job import machine
from convprobe.plan import config, cost

PUBLISHED = config.checked(
    yaml.safe_load(Path("config.yaml").read_text()), "schemas/config.schema.json"
)
SIZES = {"train": 50_000, "test": 10_000}


@pytest.fixture(autouse=True)
def quick_in_bf16(monkeypatch):
    """The same processor wherever the tests run."""
    monkeypatch.setattr(machine, "computes_bf16", lambda: True)


def test_a_core_that_is_slow_in_bf16_trains_long_in_it_alone(monkeypatch):
    quick = cost.seconds(PUBLISHED, SIZES, "cpu", 2)
    monkeypatch.setattr(machine, "computes_bf16", lambda: False)
    slow = cost.seconds(PUBLISHED, SIZES, "cpu", 2)
    assert slow["training"] > 10 * quick["training"]
    assert slow["occlusion"] == quick["occlusion"]
    assert cost.seconds(PUBLISHED, SIZES, "gpu", 2)["training"] < quick["training"]


def test_more_cores_cost_less_and_a_gpu_least():
    two, four = (sum(cost.seconds(PUBLISHED, SIZES, "cpu", cores).values()) for cores in (2, 4))
    assert 1.9 < two / four < 2
    assert sum(cost.seconds(PUBLISHED, SIZES, "gpu", 4).values()) < four / 20


def test_a_tenth_of_the_images_trains_in_a_tenth_of_the_time():
    few = {split: count // 10 for split, count in SIZES.items()}
    all_images, tenth = (
        cost.seconds(PUBLISHED, sizes, "cpu", 2)["training"] for sizes in (SIZES, few)
    )
    starts = 30 * 2 * cost.JOB_SECONDS
    assert all_images / 11 < tenth < all_images / 10 + starts


def test_windows_cost_what_they_change_on_a_cpu_and_the_same_on_a_gpu():
    def occlusion(kind, window):
        studied = {
            **PUBLISHED,
            "occlusion": {**PUBLISHED["occlusion"], "windows": [window], "images": 1000},
        }
        return cost.seconds(studied, SIZES, kind, 1)["occlusion"]

    assert occlusion("cpu", 9) > 1.4 * occlusion("cpu", 3)
    assert occlusion("gpu", 9) == occlusion("gpu", 3)


def test_checkpoints_with_their_momentum_are_most_of_the_disk():
    found = cost.disk(PUBLISHED, SIZES)
    assert found["training"] == pytest.approx(30 * 2 * 4 * 27.8e6 + 60_000 * 3072, rel=0.01)
    assert found["occlusion"] == 20 * 4 * 1024 * 11 * 4


def test_states_of_the_optimizer_that_do_not_stay_take_no_disk():
    checkpoint = 4 * 27.8e6
    everything = cost.disk(PUBLISHED, SIZES)["training"]
    training = {**PUBLISHED["training"], "keep_optimizer": "last"}
    raw = {**PUBLISHED["runs"]["raw"], "keep_optimizer": []}
    changed = {**PUBLISHED, "training": training, "runs": {**PUBLISHED["runs"], "raw": raw}}
    freed = everything - cost.disk(changed, SIZES)["training"]
    assert freed == pytest.approx((14 + 15) * checkpoint, rel=0.01)


@pytest.mark.parametrize("cores", [1, 64])
def test_the_start_fits_into_80_columns(cores):
    lines = f"convprobe: {cost.announcement(PUBLISHED, SIZES, cores)}".splitlines()
    assert max(map(len, lines)) < 80
    assert any(line.split()[:1] == ["training"] for line in lines)


@pytest.mark.parametrize(
    ("seconds", "words"), [(30, "30 s"), (600, "10 min"), (7200, "2.0 h"), (0.2, "1 s")]
)
def test_durations(seconds, words):
    assert cost.duration(seconds) == words


STAGES = {
    "prepare_images": "dataset",
    "train_epoch": "training",
    "plot_learning_curve": "training",
    "map_occlusion": "occlusion",
    "summarise_occlusion": "occlusion",
    "plot_occlusion_sheet": "occlusion",
}
COSTS = {
    "training": {"train_epoch": 3000.0},
    "occlusion": {"map_occlusion": 80.0, cost.OTHERS: 6.0},
}
COUNTS = {"train_epoch": 30, "map_occlusion": 4}


def test_one_job_takes_its_share_whether_or_not_the_plan_has_all_of_its_rule():
    jobs = {"train_epoch": (1, 2), "plot_learning_curve": (1, 1), "map_occlusion": (4, 4)}
    jobs |= {"summarise_occlusion": (1, 1), "plot_occlusion_sheet": (5, 5)}
    assert cost.of_one_job(COSTS, COUNTS, STAGES, jobs) == {
        "train_epoch": 100,
        "plot_learning_curve": 0,
        "map_occlusion": 20,
        "summarise_occlusion": 1,
        "plot_occlusion_sheet": 1,
    }
    alone = cost.of_one_job(COSTS, COUNTS, STAGES, {"summarise_occlusion": (1, 1)})
    assert alone == {"summarise_occlusion": cost.JOB_SECONDS}


def test_the_published_study_has_thirty_epochs_and_four_windows():
    counts = cost.job_counts(PUBLISHED, SIZES)
    assert counts["train_epoch"] == counts["evaluate_epoch"] == 30
    assert counts["map_occlusion"] == 4
    assert counts["rank_filters"] == counts["compare_ablations"] == 1
    every = {**PUBLISHED, "occlusion": {**PUBLISHED["occlusion"], "images": "all"}}
    assert cost.job_counts(every, SIZES)["map_occlusion"] == 4 * 10_000 / 200


def test_every_rule_with_a_time_of_its_own_has_a_number_of_jobs():
    timed = set()
    for rules in cost.by_rule(PUBLISHED, SIZES, "cpu", 2).values():
        timed |= set(rules) - {cost.OTHERS}
    assert timed == set(cost.job_counts(PUBLISHED, SIZES))


def test_what_is_due_is_listed_by_stage():
    jobs = {"prepare_images": (0, 1), "train_epoch": (3, 30), "plot_learning_curve": (2, 2)}
    one_job = {"prepare_images": 5.0, "train_epoch": 100.0, "plot_learning_curve": 0.0}
    assert cost.due(jobs, STAGES, one_job, timed=True, more=False).splitlines() == [
        "due: 5 of 33 jobs, about 5 min",
        "    training                5 min        5 of 32 jobs",
    ]
    assert cost.due(jobs, STAGES, one_job, timed=False, more=True).splitlines() == [
        "due: 5 of 33 jobs",
        "    training                             5 of 32 jobs",
        "    and the probes of the best epochs, once these are known",
    ]
