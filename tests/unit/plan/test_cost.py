"""The estimate that a run starts with."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from convprobe.job import compiler, machine, records
from convprobe.job.progress import duration
from convprobe.network import arithmetic, chain, reach
from convprobe.plan import announcement, config, cost, disk, extent, rates
from convprobe.plan.cost import Setting
from convprobe.plan.rates import Took

PUBLISHED = config.checked(
    yaml.safe_load(Path("config.yaml").read_text()), "schemas/config.schema.json"
)
RULE_THREADS = re.compile(
    r"^rule (\w+):\n(?:(?: .*)?\n)*?    threads: cores_of\(\"(\w+)\"\)$", re.MULTILINE
)
COUNTS = {"train": 50_000, "test": 10_000}
SLOW_IN_BF16 = "avx2 fma"
QUICK_IN_BF16 = f"{SLOW_IN_BF16} avx512bw avx512dq avx512vl avx512_bf16"


@pytest.fixture(autouse=True)
def processor(monkeypatch, tmp_path):
    """Set the processor's instructions; the same ones wherever the tests run."""
    told = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "CPU_INFO", str(told))

    def has(instructions):
        told.write_text(f"flags\t\t: {instructions}\n")

    has(QUICK_IN_BF16)
    return has


def test_a_core_with_amx_trains_quickly_in_bf16_alone(processor):
    """The published network trained 3.1 times as fast there as without it: 290 and 92 billion."""
    in_fp32 = PUBLISHED | {"training": PUBLISHED["training"] | {"precision": "fp32"}}
    settings = [Setting(config, COUNTS, "cpu", 2) for config in (PUBLISHED, in_fp32)]
    without = [cost.seconds(setting) for setting in settings]
    processor(f"{QUICK_IN_BF16} amx_bf16")
    found = [cost.seconds(setting) for setting in settings]
    assert 2 < without[0]["training"] / found[0]["training"] < 3.5
    assert without[1] == found[1]


def test_a_core_that_is_slow_in_bf16_trains_long_in_it_alone(processor):
    quick = cost.seconds(Setting(PUBLISHED, COUNTS, "cpu", 2))
    processor(SLOW_IN_BF16)
    slow = cost.seconds(Setting(PUBLISHED, COUNTS, "cpu", 2))
    assert slow["training"] > 10 * quick["training"]
    assert slow["occlusion"] == quick["occlusion"]
    assert cost.seconds(Setting(PUBLISHED, COUNTS, "gpu", 2))["training"] < quick["training"]


def test_maps_in_bf16_cost_less_where_the_processor_multiplies_it(processor):
    def occlusion(precision):
        settings = PUBLISHED["occlusion"] | {"precision": precision, "images": 1000}
        return cost.seconds(Setting(PUBLISHED | {"occlusion": settings}, COUNTS, "cpu", 2))[
            "occlusion"
        ]

    assert occlusion("bf16") < 0.7 * occlusion("fp32")
    processor(SLOW_IN_BF16)
    assert occlusion("bf16") == occlusion("fp32")


def test_a_gpu_that_jobs_do_not_see_does_not_count(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho abacus\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for visible, kind in (("0", "gpu"), ("", "cpu"), ("-1", "cpu")):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert cost.device.__wrapped__()[0] == kind
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert cost.device.__wrapped__() == ("gpu", "abacus")


def test_more_cores_cost_less_and_a_gpu_least():
    two, four = (
        sum(cost.seconds(Setting(PUBLISHED, COUNTS, "cpu", cores)).values()) for cores in (2, 4)
    )
    assert 1.9 < two / four < 2
    assert sum(cost.seconds(Setting(PUBLISHED, COUNTS, "gpu", 4)).values()) < four / 20


def test_a_tenth_of_the_images_trains_in_a_tenth_of_the_time():
    few = {split: count // 10 for split, count in COUNTS.items()}
    all_images, tenth = (
        cost.seconds(Setting(PUBLISHED, sizes, "cpu", 1))["training"] for sizes in (COUNTS, few)
    )
    starts = 30 * 2 * (cost.JOB_SECONDS + cost.BETWEEN)
    assert all_images / 11 < tenth < all_images / 10 + starts


def test_windows_cost_what_they_change_on_a_cpu_and_the_same_on_a_gpu():
    def occlusion(kind, window, precision="fp32"):
        asked = {"windows": [window], "images": 1000, "precision": precision}
        studied = {**PUBLISHED, "occlusion": {**PUBLISHED["occlusion"], **asked}}
        return cost.seconds(Setting(studied, COUNTS, kind, 1))["occlusion"]

    assert occlusion("cpu", 9) > 1.4 * occlusion("cpu", 3)
    # There small boxes take as long as passes.
    assert occlusion("gpu", 9) == pytest.approx(occlusion("gpu", 3), rel=0.05)
    assert occlusion("gpu", 9, "bf16") == occlusion("gpu", 3, "bf16")


def test_a_stride_saves_passes_and_on_a_cpu_only_where_they_become_fewer_than_the_changes(
    monkeypatch,
):
    def position(kind, stride, precision="fp32"):
        asked = {"stride": stride, "precision": precision}
        config = {**PUBLISHED, "occlusion": {**PUBLISHED["occlusion"], **asked}}
        return cost.work(Setting(config, COUNTS, kind, 1), "map_occlusion", {"window": 3})

    every, third = position("gpu", 1, "bf16"), position("gpu", 3, "bf16")
    assert (every.units, third.units) == (20 * 32**2, 20 * 11**2)
    assert third.each == every.each
    # The changes of a whole map are 93 billion multiply-adds, a pass is a quarter of one by tiles.
    # By compiled code its multiply-adds take half as long.
    for there_is_a_compiler, most in ((False, 1), (True, 2)):
        monkeypatch.setattr(compiler, "exists", lambda found=there_is_a_compiler: found)
        works = {stride: position("cpu", stride) for stride in (1, 2, 3)}
        kept = [stride for stride, work in works.items() if work.is_shared]
        assert kept == list(range(1, most + 1))
        assert works[3].units * works[3].each < works[1].units * works[1].each


def test_checkpoints_with_their_momentum_are_most_of_the_disk():
    found = disk.space(PUBLISHED, COUNTS)
    assert found["training"] == pytest.approx(30 * 2 * 4 * 27.8e6 + 60_000 * 3072, rel=0.01)
    assert found["occlusion"] == 20 * 4 * 1024 * 11 * 4
    strided = {**PUBLISHED, "occlusion": {**PUBLISHED["occlusion"], "stride": 8}}
    assert disk.space(strided, COUNTS)["occlusion"] == 20 * 4 * 4**2 * 11 * 4


def test_the_selected_epoch_counts_once_where_it_is_named_too():
    named = {**PUBLISHED, "studied": ["normalised", "normalised/epoch-13", "normalised/epoch-05"]}
    once = {**PUBLISHED, "studied": ["normalised", "normalised/epoch-05"]}
    assert disk.space(named, COUNTS) == disk.space(once, COUNTS)


def test_states_of_the_optimizer_that_do_not_stay_take_no_disk():
    checkpoint = 4 * 27.8e6
    everything = disk.space(PUBLISHED, COUNTS)["training"]
    training = {**PUBLISHED["training"], "keep_optimizer": "last"}
    raw = {**PUBLISHED["runs"]["raw"], "keep_optimizer": []}
    changed = {**PUBLISHED, "training": training, "runs": {**PUBLISHED["runs"], "raw": raw}}
    freed = everything - disk.space(changed, COUNTS)["training"]
    assert freed == pytest.approx((14 + 15) * checkpoint, rel=0.01)


@pytest.mark.parametrize("cores", [1, 64])
def test_the_start_fits_into_80_columns(cores):
    words = announcement.of_run(Setting(PUBLISHED, COUNTS, cost.device()[0], cores), {}, STAGES, {})
    lines = f"convprobe: {words}".splitlines()
    assert max(map(len, lines)) < 80
    assert any(line.split()[:1] == ["training"] for line in lines)


@pytest.mark.parametrize(
    ("seconds", "words"), [(30, "30 s"), (600, "10 min"), (7200, "2.0 h"), (0.2, "1 s")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


STAGES = {
    "prepare_images": "dataset",
    "train_epoch": "training",
    "plot_learning_curve": "training",
    "map_occlusion": "occlusion",
    "summarise_occlusion": "occlusion",
    "plot_occlusion_sheets": "occlusion",
}
TOOK = {
    "train_epoch fp32": Took(start=10, taken=1, rate=3e9),
    "train_epoch bf16": Took(start=10, taken=1, rate=6e9),
    "evaluate_epoch": Took(start=5, taken=1, rate=1e9),
    "map_occlusion bf16": Took(start=4, taken=4, rate=2e9),
    "summarise_occlusion": Took(start=3, taken=3, rate=0),
}


def test_one_job_takes_what_jobs_took_before(monkeypatch):
    """A network of 1e9 multiply-adds an image, and no time beside them and what is started."""
    monkeypatch.setattr(extent, "network_size", lambda config: 1e9)
    monkeypatch.setattr(cost, "IMAGE", 0)
    monkeypatch.setattr(cost, "BETWEEN", 0)
    run = {"precision": "fp32", "epochs": 5}
    runs = {"normalised": run, "raw": {**run, "precision": "bf16"}}
    studied = {**PUBLISHED, "runs": runs, "occlusion": {**PUBLISHED["occlusion"], "windows": [3]}}
    studied["occlusion"] |= {"images": 2, "precision": "bf16"}
    sizes = {"train": 60, "test": 30}
    rules = ["train_epoch", "evaluate_epoch", "map_occlusion", "summarise_occlusion"]
    one_job = cost.of_one_job(Setting(studied, sizes, "gpu", 2, TOOK), rules, {})
    # 60 s of computing are not quick, 30 s are: one process starts, the others take.
    assert one_job["train_epoch"] == pytest.approx((5 * (10 + 60) + (10 + 4 * 1 + 5 * 30)) / 10)
    # Neither are evaluations of 30 s, which is more than four times 5 s.
    assert one_job["evaluate_epoch"] == pytest.approx(5 + 30)
    assert one_job["map_occlusion"] == pytest.approx(4 + 2 * 1024 / 2)
    assert one_job["summarise_occlusion"] == 3 / 2, "two at a time on two cores"


def test_a_job_that_draws_many_figures_takes_longer_unless_it_is_known_how_long():
    def seconds(figures, known):
        found = cost.of_one_job(
            Setting(PUBLISHED, COUNTS, "cpu", 2, known), ["plot_atlas"], figures
        )
        return found["plot_atlas"]

    many = {"plot_atlas": 57}
    assert seconds(many, {}) - seconds({}, {}) == pytest.approx(56 * cost.FIGURE_SECONDS / 2)
    known = {"plot_atlas": Took(start=90, taken=90, rate=0)}
    assert seconds(many, known) == pytest.approx((90 + cost.BETWEEN) / 2)


def test_an_estimate_is_a_guess_until_this_machine_trained_and_mapped():
    def last_line(known):
        return announcement.of_run(
            Setting(PUBLISHED, COUNTS, cost.device()[0], 2, known), {}, STAGES, {}
        ).splitlines()[-1]

    kinds = {cost.work(Setting(PUBLISHED, COUNTS, "cpu", 2), "map_occlusion", {"window": 3}).kind}
    for run in PUBLISHED["runs"]:
        kinds.add(cost.work(Setting(PUBLISHED, COUNTS, "cpu", 2), "train_epoch", {"run": run}).kind)
    known = dict.fromkeys(kinds, Took(1, 1, 1e9))
    assert "a guess" in last_line({})
    assert "a guess" in last_line(dict(list(known.items())[1:]))
    if cost.device()[0] == "cpu":
        assert "a guess" not in last_line(known)


def test_the_whole_run_has_all_that_computes_and_the_other_jobs_of_the_plan(monkeypatch):
    monkeypatch.setattr(cost, "device", lambda: ("gpu", "abacus"))
    times = cost.seconds(Setting(PUBLISHED, COUNTS, "gpu", 2))
    one_job = {"train_epoch": 9e9, "plot_learning_curve": 3600.0, "write_manifest": 7200.0}
    jobs = {"train_epoch": (0, 2), "plot_learning_curve": (0, 2), "write_manifest": (0, 1)}
    stages = {**STAGES, "write_manifest": "report"}
    words = announcement.of_run(
        Setting(PUBLISHED, COUNTS, cost.device()[0], 2), jobs, stages, one_job
    )
    assert f"training {duration(times['training'] + 7200):>20}" in words
    assert f"in all {duration(sum(times.values()) + 2 * 7200):>22}" in words


def test_what_a_run_took_on_a_made_up_machine_is_known_to_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "computer", lambda cores: "abacus")
    output, log = tmp_path / "window-3.h5", tmp_path / "window-3.log"
    records.beside(output).write_text(json.dumps({"seconds": 25.0}))
    log.write_text("device: abacus\n20480/20480 positions, 1024 a second, 0 s left\n")
    memory = tmp_path / "rates.json"
    job = ("map_occlusion", {"window": "3"}, str(output), str(log))
    cost.remember(str(memory), Setting(PUBLISHED, COUNTS, cost.device()[0], 2), [job])
    known = rates.read(memory, "abacus", extent.network_size(PUBLISHED))
    (kind,) = known
    work = cost.work(
        Setting(PUBLISHED, COUNTS, cost.device()[0], 2), "map_occlusion", {"window": 3}
    )
    assert kind == work.kind
    assert known[kind] == pytest.approx((5, 5, work.each * 1024))


def test_a_job_without_a_record_does_not_end_a_run(tmp_path):
    memory = tmp_path / "rates.json"
    lost = ("plot_atlas", {}, str(tmp_path / "none.png"), str(tmp_path / "none.log"))
    cost.remember(str(memory), Setting(PUBLISHED, COUNTS, cost.device()[0], 2), [lost])
    assert not memory.exists()


def test_jobs_of_an_earlier_run_are_not_counted_again(tmp_path):
    memory, log = tmp_path / "rates.json", tmp_path / "one.log"
    log.touch()
    for name, written in (("earlier.png", 100), ("now.png", 300)):
        record = records.beside(tmp_path / name)
        record.write_text(json.dumps({"seconds": float(written)}))
        os.utime(record, (written, written))
    jobs = [
        ("plot_atlas", {}, str(tmp_path / name), str(log)) for name in ("earlier.png", "now.png")
    ]
    cost.remember(str(memory), Setting(PUBLISHED, COUNTS, cost.device()[0], 2), jobs, since=200)
    known = rates.read(memory, cost.computer(2), extent.network_size(PUBLISHED))
    assert known == {"plot_atlas": (300, 300, 0)}


def test_the_published_study_has_thirty_epochs_and_four_windows():
    counts = extent.job_counts(PUBLISHED, COUNTS)
    assert counts["train_epoch"] == counts["evaluate_epoch"] == 30
    assert counts["map_occlusion"] == 4
    assert counts["rank_filters"] == counts["compare_ablations"] == 1
    every = {**PUBLISHED, "occlusion": {**PUBLISHED["occlusion"], "images": "all"}}
    assert extent.job_counts(every, COUNTS)["map_occlusion"] == 4 * 10_000 / 200


def test_every_rule_that_computes_has_a_number_of_jobs_and_asks_for_its_cores():
    costs = cost.by_rule(Setting(PUBLISHED, COUNTS, "cpu", 2))
    assert set(costs) == set(extent.job_counts(PUBLISHED, COUNTS))
    text = "".join(path.read_text() for path in Path("rules").glob("*.smk"))
    assert dict(RULE_THREADS.findall(text)) == {rule: rule for rule in costs}


def test_quick_jobs_have_one_core_and_run_side_by_side():
    few = {split: count // 1000 for split, count in COUNTS.items()}

    def training(sizes, kind, cores):
        return cost.work(Setting(PUBLISHED, sizes, kind, cores), "train_epoch", {"run": "raw"})

    assert training(few, "cpu", 4) == training(few, "cpu", 1)
    assert training(few, "cpu", 4).is_quick
    assert not training(few, "gpu", 4).is_quick
    assert not training(COUNTS, "cpu", 4).is_quick
    one, two, four = (cost.by_rule(Setting(PUBLISHED, few, "cpu", cores)) for cores in (1, 2, 4))
    assert two["train_epoch"] == four["train_epoch"] == one["train_epoch"] / 2  # two runs
    assert four["evaluate_epoch"] == one["evaluate_epoch"]  # one process makes many


def test_what_is_due_is_listed_by_stage():
    jobs = {"prepare_images": (0, 1), "train_epoch": (3, 30), "plot_learning_curve": (2, 2)}
    one_job = {"prepare_images": 5.0, "train_epoch": 100.0, "plot_learning_curve": 0.0}
    assert announcement.due(jobs, STAGES, one_job, timed=True, more=False).splitlines() == [
        "due: 5 of 33 jobs, about 5 min",
        "    training                5 min        5 of 32 jobs",
    ]
    assert announcement.due(jobs, STAGES, one_job, timed=False, more=True).splitlines() == [
        "due: 5 of 33 jobs",
        "    training                             5 of 32 jobs",
        "    and the probes of the best epochs, once these are known",
    ]


def test_a_traced_network_counts_by_its_graph(tmp_path):
    """The graph of the published network in a file costs what its layers do, but for occlusion."""
    path = tmp_path / "graph.json"
    graph = chain.graph(PUBLISHED["network"], (32, 32), 10)
    path.write_text(graph.to_json())
    network = {"factory": "a:b", "arguments": {}, "graph": str(path)}
    traced = {**PUBLISHED, "network": network}
    assert extent.network_size(traced) == extent.network_size(PUBLISHED)
    assert disk.space(traced, COUNTS) == disk.space(PUBLISHED, COUNTS)
    layers, of_graph = (cost.seconds(Setting(one, COUNTS, "cpu", 2)) for one in (PUBLISHED, traced))
    for part in ("training", "filters and ablation"):
        assert of_graph[part] == pytest.approx(layers[part])


def test_a_network_without_filters_costs_no_probe_of_them(tmp_path):
    path = tmp_path / "graph.json"
    path.write_text(chain.graph({"conv": [], "fc": [8]}, (32, 32), 10).to_json())
    network = {"factory": "a:b", "arguments": {}, "graph": str(path)}
    config = {**PUBLISHED, "network": network, "filters": {"chosen": [], "top": 5}}
    counts = extent.job_counts(config, COUNTS)
    assert counts["map_occlusion"] == 4
    assert {counts[rule] for rule in extent.OF_FILTERS} == {0}
    assert cost.seconds(Setting(config, COUNTS, "cpu", 2))["filters and ablation"] == 0
    assert disk.space(config, COUNTS)["filters and ablation"] == 0
    assert "filters" not in announcement.of_run(
        Setting(config, COUNTS, cost.device()[0], 2), {}, STAGES, {}
    )


def test_images_of_unknown_size_are_taken_to_be_large_enough():
    conv = [{"channels": 4, "kernel": 5}] * 4  # leaves nothing of 32 × 32 pixels
    dataset = {"name": "image-folder", "path": "mine"}
    network = {"conv": conv, "fc": [], "dropout": 0.0}
    filters = {"chosen": ["conv1/0"], "top": 5}
    config = {**PUBLISHED, "dataset": dataset, "network": network, "filters": filters}
    graph = chain.graph(network, (128, 128), 10)
    assert extent.network_size(config) == arithmetic.forward(graph)
    assert disk.space(config, COUNTS)["training"] > 0


@pytest.mark.parametrize(
    "dataset", [{"image_size": [24, 40]}, {}], ids=["scaled to a size", "taken as they are"]
)
def test_images_that_are_not_square_count_by_height_and_width(dataset):
    network = {"conv": [{"channels": 256, "kernel": 5}] * 2, "fc": [], "dropout": 0.0}
    config = {
        **PUBLISHED,
        "dataset": {"name": "image-folder", "path": "mine", **dataset},
        "network": network,
        "filters": {"chosen": ["conv1/0"], "top": 5},
    }
    if not dataset:
        config["image_size"] = [24, 40]
    graph = chain.graph(network, (24, 40), 10)
    assert extent.network_size(config) == arithmetic.forward(graph)
    job = cost.work(Setting(config, COUNTS, "cpu", 1), "map_occlusion", {"window": 3})
    assert job.units == 20 * 24 * 40
    # As the job chooses: it can't put units of such images into states.
    way, _ = reach.cheapest(network, graph, (24, 40), 3, 1)
    assert (way, job.kind) == ("boxes", "map_occlusion fp32 boxes")
    covered = [reach.hidden(24, 3, 1), reach.hidden(40, 3, 1)]
    of_image = reach.Reach(graph).multiply_adds(covered)
    assert job.units * job.each == pytest.approx(20 * of_image)
    images = sum(COUNTS.values()) * 24 * 40 * 3
    without = disk.space(config, dict.fromkeys(COUNTS, 0))["training"]
    assert disk.space(config, COUNTS)["training"] == without + images
