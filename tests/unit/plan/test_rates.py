"""What jobs took on this machine, as the next run reads it."""

import json

import pytest

from convprobe.job import shared_process
from convprobe.plan import rates
from convprobe.plan.rates import Done, Took

# Three epochs of 10 images of 5 multiply-adds, by one process: 50 / 10 of them a second at first.
TRAINED = "device: abacus\n10/10 images, 1 a second, 0 s left\n"
TRAINED += "5/10 images, 2 a second, 2 s left\n10/10 images, 2 a second, 0 s left\n"
TRAINED += "10/10 images, 2 a second, 0 s left\n"


def test_rate_and_start_follow_from_the_log_and_the_seconds():
    jobs = [
        Done("train_epoch", 10, 5.0, 9.0, TRAINED),
        Done("train_epoch", 10, 5.0, 7.0, f"{shared_process.TAKEN}\n"),
        Done("train_epoch", 10, 5.0, 8.0, f"{shared_process.TAKEN}\n"),
        Done("plot_atlas", 0, 0.0, 2.0, ""),
        Done("plot_atlas", 0, 0.0, 4.0, ""),
    ]
    # 30 images in 10 + 5 + 5 s, so 10 in 6.67 s and 150 multiply-adds in 20 s.
    train = Took(start=9 - 20 / 3, taken=7.5 - 20 / 3, rate=7.5)
    found = rates.of_jobs(jobs)
    assert found["train_epoch"] == pytest.approx(train)
    assert found["plot_atlas"] == Took(start=3, taken=3, rate=0)


def test_the_last_shard_has_fewer_images_than_planned():
    log = "4/4 positions, 1 a second, 0 s left\n"
    found = rates.of_jobs([Done("map_occlusion", 8, 3.0, 10.0, log)])
    assert found["map_occlusion"] == pytest.approx((6, 6, 3))


def test_jobs_that_only_took_results_tell_nothing():
    assert not rates.of_jobs([Done("train_epoch", 10, 5.0, 7.0, f"{shared_process.TAKEN}\n")])


def test_jobs_that_hardly_computed_do_not_say_how_fast_long_ones_are():
    log = "10/10 images, 50 a second, 0 s left\n"
    assert rates.of_jobs([Done("train_epoch", 10, 5.0, 4.2, log)])["train_epoch"] == (4, 4, 0)


def test_what_is_written_is_read_for_the_same_machine_and_the_nearest_network(tmp_path):
    memory = tmp_path / "rates.json"
    small, large = Took(1, 2, 3), Took(4, 5, 6)
    rates.write(memory, "abacus", 10, {"train_epoch": small, "plot_atlas": small})
    rates.write(memory, "abacus", 1000, {"train_epoch": large})
    rates.write(memory, "slide rule", 10, {"train_epoch": Took(7, 8, 9)})
    assert rates.read(memory, "abacus", 90) == {"train_epoch": small, "plot_atlas": small}
    assert rates.read(memory, "abacus", 110) == {"train_epoch": large, "plot_atlas": small}
    assert not rates.read(memory, "astrolabe", 10)


def test_a_run_too_short_to_tell_a_rate_hides_none(tmp_path):
    memory = tmp_path / "rates.json"
    rates.write(memory, "abacus", 100, {"train_epoch": Took(2, 1, 50)})
    for _ in range(2):
        rates.write(memory, "abacus", 100, {"train_epoch": Took(4, 1, 0)})
        rates.write(memory, "abacus", 130, {"train_epoch": Took(9, 1, 0)})
    assert rates.read(memory, "abacus", 130) == {"train_epoch": Took(4, 1, 50)}


def test_a_run_beside_other_work_is_outvoted_and_in_time_forgotten(tmp_path):
    memory = tmp_path / "rates.json"

    def after(*speeds):
        for speed in speeds:
            rates.write(memory, "abacus", 10, {"train_epoch": Took(10 / speed, 1, speed)})
        return rates.read(memory, "abacus", 10)["train_epoch"]

    assert after(2, 50, 40) == (0.25, 1, 40)
    assert after(90, 90, 90) == pytest.approx((10 / 90, 1, 90)), "of 50, 40 and three of 90"


@pytest.mark.parametrize(
    "text",
    [
        '{"abacus": {"train_epoch": {"10": [1,',
        "[]",
        '{"abacus": 1}',
        '{"abacus": {"train_epoch": {"10": [[1, 2]]}}}',
        '{"abacus": {"train_epoch": {"ten": [[1, 2, 3]]}}}',
        '{"abacus": {"train_epoch": {"0": [[1, 2, 3]]}}}',
        '{"abacus": {"train_epoch": {"10": [[1, 2, "quick"]]}}}',
        '{"abacus": {"train_epoch": {"10": [[1, -2, 3]]}}}',
        '{"abacus": {"train_epoch": {"10": [[1, 2, NaN]]}}}',
        '{"abacus": {"train_epoch": {}}}',
        '{"abacus": {"train_epoch": {"10": []}}}',
        '{"abacus": {"train_epoch": {"10": [1, 2, 3]}}}',
    ],
)
def test_a_broken_or_foreign_file_is_ignored_and_made_anew(tmp_path, text):
    memory = tmp_path / "rates.json"
    memory.write_text(text)
    assert not rates.read(memory, "abacus", 10)
    rates.write(memory, "abacus", 10, {"plot_atlas": Took(1, 2, 0)})
    assert rates.read(memory, "abacus", 10) == {"plot_atlas": (1, 2, 0)}
    assert list(json.loads(memory.read_text())) == ["abacus"]
