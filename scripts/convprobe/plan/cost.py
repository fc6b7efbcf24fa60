"""How long a run will roughly take, before it starts, from the arithmetic of its network.

Plain Python and no torch: it is printed when Snakemake starts.
"""

import contextlib
import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from convprobe.errors import InputError
from convprobe.job import compiler, machine, records, shared_process
from convprobe.network import arithmetic
from convprobe.plan import extent, rates, study
from convprobe.plan.extent import Counts
from convprobe.plan.rates import Took

# What is guessed where nothing was computed before (see `rates`): multiply-adds a second of one
# core and of one GPU. In float32 those of convolutions by tiles (see `tile_cost`): the published
# network reached 30e9 to 41e9 in training and 33e9 in evaluation on an AMD EPYC without AVX-512
# (Zen 3), torch 2.15; with it a core is faster. In bf16 the core's lie between what the published
# and the small network reached on 2 cores of an AMD EPYC with bf16 instructions, in training 75e9
# and 105e9, and on an Intel Xeon with AMX, 290e9 and 187e9. The GPU's are half of what it reached
# on an H100, 9.9e12 and 57e12 in training (torch 2.11), for older cards are slower.
CORE_RATE = {"fp32": 40e9, "bf16": 90e9}
AMX_RATE = CORE_RATE | {"bf16": 230e9}
# Of a core in occlusion maps of the published network, which leave out what doesn't change: 75e9 in
# fp32 on Zen 3, 115e9 and 195e9 with AVX-512 and bf16, 120e9 and 230e9 with AMX.
MAP_RATE = {"fp32": 95e9, "bf16": 195e9}
# What windows 3, 5, 7 and 9 take together, of what they take one by one: the published network,
# trained, on one core of an AMD EPYC (Zen 3).
TOGETHER = 0.63
# How many times slower than in fp32 a core is in bf16 where it isn't made for it: the small
# network's training on one core of an AMD EPYC (Zen 3), torch 2.15.
SLOW_BF16 = 18
GPU_RATE = {"fp32": 5e12, "bf16": 30e12}
JOB_SECONDS = 2.5  # to start Python, import torch, read the images
# On one core of a CPU. A job that is quick there leaves the other cores to others: it hardly takes
# more than a few times its start, for which more threads are of no use.
QUICK_SECONDS = 12
FIGURE_SECONDS = 1.5  # of another figure that the same job draws
TAKEN_SECONDS = 0.4  # of a job whose result was computed early

BETWEEN = 0.25  # seconds from the end of a job to the start of the next one
THREADS = 4  # of a job that computes, unless it is quick
# What takes time beside multiply-adds, and counts as so many of them, so that what a small network
# took tells something of a large one. Between what the demo's network took above the small and the
# published one's time for its multiply-adds, on one core and on two, of an AMD EPYC (Zen 3).
IMAGE = 2.5e6
POSITION = 8e6  # of a window, for each thread: Python itself, which one of them does at a time
COMPILED_POSITION = 1e6  # likewise, by compiled code
TRAINING_PASSES = 3  # forward, and backward twice: to the weights and to the input
VARIANT = 0.29  # of a forward pass, see benchmarks/README.md
PASSES = {  # over the images that are evaluated
    "evaluate_epoch": 1,
    "record_activations": 1,
    "rank_filters": 1,
    "ablate_filters": 2,  # clean and ablated
}

HIDDEN = ("", "-1")  # values of CUDA_VISIBLE_DEVICES with which jobs see no GPU

Known = Mapping[str, Took]  # what jobs took on this machine before, by kind of work


@dataclass(frozen=True)
class Setting:
    """What is run, and on what.

    Attributes:
        config: the checked config.
        counts: how many images each split has.
        device: `gpu` or `cpu`.
        cores: how many cores Snakemake may use, of those that there are.
        known: what jobs took here before.
    """

    config: dict
    counts: Counts
    device: str
    cores: int
    known: Known = field(default_factory=dict)


class Work(NamedTuple):
    """What a job computes.

    Attributes:
        kind: its rule, and what makes jobs of one rule differ in speed.
        units: images, or positions of a window.
        each: multiply-adds of one.
        rate: multiply-adds a second, as guessed.
        is_quick: whether one core computes it, beside other jobs.
        is_shared: whether one process makes the results of the jobs that differ in windows alone.
    """

    kind: str
    units: int = 0
    each: float = 0.0
    rate: float = 1.0
    is_quick: bool = False
    is_shared: bool = False


@functools.cache
def device() -> tuple[str, str]:
    """What will compute: ("gpu", its name) or ("cpu", how many cores)."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") not in HIDDEN and shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode == 0 and listed.stdout.strip():
            return "gpu", listed.stdout.splitlines()[0]
    return "cpu", f"{machine.usable_cores()} cores"


def computer(cores: int) -> str:
    """The name under which it is remembered what jobs took on this machine."""
    kind, name = device()
    return name if kind == "gpu" else f"{machine.processor()}, {min(cores, THREADS)} threads"


def seconds(setting: Setting) -> dict[str, float]:
    """Rough seconds of all jobs that compute, in a whole run from nothing.

    By the rows of the announcement.
    """
    costs = by_rule(setting)
    training = sum(costs[rule] for rule in extent.OF_RUN)
    occlusion = costs["map_occlusion"]
    others = sum(costs[rule] for rule in extent.OF_FILTERS)
    return dict(zip(extent.ROWS, (training, occlusion, others), strict=True))


def by_rule(setting: Setting) -> dict[str, float]:
    """Rough seconds that all jobs of a rule that computes take in a whole run from nothing."""
    config, cores, known = setting.config, setting.cores, setting.known
    costs = dict.fromkeys((*extent.OF_RUN, *extent.OF_PROBED), 0.0)
    for run in study.trained_runs(config):
        for rule in extent.OF_RUN:
            job = work(setting, rule, {"run": run})
            epochs = study.run_training(config, run)["epochs"]
            taken = _seconds(job, epochs, known, _made_ahead(job, epochs, known))
            # The epochs of a run one after the other, but quick runs side by side.
            beside = len(study.trained_runs(config)) if rule == "train_epoch" else 1
            costs[rule] += taken / _side_by_side(job, cores, beside)
    windows = config["occlusion"]["windows"]
    for rule, count in extent.job_counts(config, setting.counts).items():
        if rule == "map_occlusion":
            of_window = count // len(windows)
            for number, window in enumerate(windows):
                job = work(setting, rule, {"window": window})
                made_ahead = of_window if number and job.is_shared else 0
                costs[rule] += _seconds(job, of_window, known, made_ahead)
        elif rule in extent.OF_PROBED:
            job = work(setting, rule, {})
            costs[rule] = _seconds(job, count, known) / _side_by_side(job, cores, count)
    return costs


def _side_by_side(job: Work, cores: int, count: int) -> int:
    """How many jobs of a kind run at a time, of so many."""
    return max(min(cores, count), 1) if job.is_quick else 1


def work(setting: Setting, rule: str, wildcards: Mapping) -> Work:
    """What a job computes: nothing that is counted, if its rule has no row of its own here.

    Args:
        wildcards: of the job, as far as they matter: the run that is trained, the window.
    """
    on_one_core = _work(replace(setting, cores=1), rule, wildcards)
    alike = len(setting.config["occlusion"]["windows"]) if on_one_core.is_shared else 1
    if setting.device == "cpu" and alike * _one(on_one_core, known={}) < QUICK_SECONDS:
        return on_one_core._replace(is_quick=True)
    return _work(setting, rule, wildcards)


def _work(setting: Setting, rule: str, wildcards: Mapping) -> Work:
    """What a job computes on all of the cores."""
    config, counts = setting.config, setting.counts
    if rule == "train_epoch":
        precision = study.run_training(config, wildcards["run"])["precision"]
        image = _image(config, setting.device, precision)
        rate = _rate(_core_rate(), setting, precision)
        return Work(f"{rule} {precision}", counts["train"], TRAINING_PASSES * image, rate)
    if rule == "map_occlusion":
        return _map(setting, int(wildcards["window"]))
    passes = {**PASSES, "compare_ablations": VARIANT * extent.variants(config)}.get(rule)
    if passes is None:
        return Work(rule)
    images = counts["test"]
    if rule == "evaluate_epoch":
        images += counts.get("validation", 0)
    image = _image(config, setting.device, "fp32")
    return Work(rule, images, passes * image, _rate(_core_rate(), setting, "fp32"))


def _image(config: dict, device: str, precision: str) -> float:
    """What takes as long as one image's forward pass, in multiply-adds."""
    if device == "cpu" and precision == "fp32":
        return arithmetic.forward_by_tiles(extent.graph(config)) + IMAGE
    return extent.network_size(config) + IMAGE


def _map(setting: Setting, window: int) -> Work:
    """The occlusion maps of one job.

    At every position the whole network, or only what changes, if that is less.
    """
    config = setting.config
    height, width = image_size = extent.image_size(config)
    precision = config["occlusion"]["precision"]
    images = min(extent.occluded(config, setting.counts["test"]), study.SHARD_IMAGES)
    positions = extent.positions(config)
    count = images * positions
    asked = (json.dumps(config["network"]), image_size, window, config["occlusion"]["stride"])
    if setting.device == "cpu":
        way, multiply_adds = _way(*asked, compiler.exists())
    else:
        way, multiply_adds = _way_on_gpu(*asked, precision)
    changes = multiply_adds / positions
    rate = _rate(_core_rate(), setting, precision)
    if way == "passes":
        image = _image(config, setting.device, precision)
        return Work(f"map_occlusion {precision}", count, image, rate)
    if way == "boxes":
        return Work(f"map_occlusion {precision} boxes", count, changes, rate)
    is_compiled = compiler.exists()
    # Without instructions for bf16 that takes as long as fp32.
    multiplied = precision if machine.has(machine.AVX512_BF16) or not is_compiled else "fp32"
    rate = _rate(MAP_RATE, setting, multiplied)
    if len(config["occlusion"]["windows"]) > 1:
        changes *= TOGETHER
    position = COMPILED_POSITION if is_compiled else POSITION * min(setting.cores, THREADS)
    changes += position * height * width / positions  # of all pixels
    name = f"map_occlusion {precision} changes"
    return Work(name, count, changes, rate, is_shared=True)


def _core_rate() -> Mapping[str, float]:
    return AMX_RATE if machine.has(machine.AMX) else CORE_RATE


def _rate(of_core: Mapping[str, float], setting: Setting, precision: str) -> float:
    """The multiply-adds a second that are guessed of a job."""
    if setting.device == "gpu":
        return GPU_RATE[precision]
    threads = min(setting.cores, THREADS)
    if precision == "bf16" and not machine.computes_bf16():
        return threads * of_core["fp32"] / SLOW_BF16
    return threads * of_core[precision]


def _took(kind: str, known: Known) -> Took:
    return known.get(kind, Took(JOB_SECONDS, TAKEN_SECONDS, 0))


def _one(job: Work, known: Known) -> float:
    """Seconds of what is computed."""
    return job.units * job.each / (_took(job.kind, known).rate or job.rate)


def _seconds(job: Work, count: int, known: Known, made_ahead: int = 0) -> float:
    """Seconds of all jobs of a kind, some of whose results were made ahead."""
    took = _took(job.kind, known)
    beside = (count - made_ahead) * took.start + made_ahead * took.taken
    return beside + count * (_one(job, known) + BETWEEN)


def _made_ahead(job: Work, count: int, known: Known) -> int:
    """How many of so many results are made ahead: if they are quick, one process makes all."""
    quick = _one(job, known) < shared_process.STARTS * _took(job.kind, known).start
    return count - 1 if quick and count else 0


def of_one_job(
    setting: Setting, rules: Iterable[str], figures: Mapping[str, int]
) -> dict[str, float]:
    """Rough seconds by which one job of each rule makes a run longer.

    A job that computes for long has all cores for itself. The others run side by side.

    Args:
        rules: all.
        figures: how many a job draws, by rule, where these are several.
    """
    costs = by_rule(setting)
    jobs = extent.job_counts(setting.config, setting.counts)
    times = {}
    for rule in rules:
        if rule in jobs:
            times[rule] = costs[rule] / max(jobs[rule], 1)
        else:
            start = _took(rule, setting.known).start
            if rule not in setting.known:
                start += FIGURE_SECONDS * max(figures.get(rule, 1) - 1, 0)
            times[rule] = (start + BETWEEN) / setting.cores
    return times


def is_measured(setting: Setting) -> bool:
    """Whether this machine has run each kind of job before of which a run has much."""
    config = setting.config
    asked = [("train_epoch", {"run": run}) for run in study.trained_runs(config)]
    asked += [("map_occlusion", {"window": window}) for window in config["occlusion"]["windows"]]
    kinds = {work(setting, rule, wildcards).kind for rule, wildcards in asked}
    return all(_took(kind, setting.known).rate for kind in kinds)


def remember(
    memory: str,
    setting: Setting,
    jobs: Iterable[tuple[str, Mapping[str, str], str, str]],
    since: float = 0,
) -> None:
    """Remember what the jobs that finished took on this machine.

    Args:
        memory: the file of what is known, see `rates`.
        jobs: their rules, wildcards, first outputs and logs.
        since: when the run began, in seconds since the epoch; older jobs don't count.
    """
    done = []
    # A run isn't lost for the estimate of the next one.
    with contextlib.suppress(OSError, InputError, LookupError, ValueError, ArithmeticError):
        for rule, wildcards, output, log in jobs:
            record = records.beside(Path(output))
            if not record.is_file() or record.stat().st_mtime < since:
                continue
            job = work(setting, rule, wildcards)
            done.append(rates.Done(job.kind, job.units, job.each, *rates.told(record, log)))
        if done:
            size = extent.network_size(setting.config)
            rates.write(memory, computer(setting.cores), size, rates.of_jobs(done))


@functools.cache
def _way(
    network: str, image_size: tuple[int, int], window: int, stride: int, is_compiled: bool
) -> tuple[str, float]:
    """How a window's map is computed on a CPU, and the multiply-adds of one image's.

    Args:
        is_compiled: whether states of units are computed by compiled code.
    """
    from convprobe.network import reach  # here, because jobs read the plan too, without NumPy

    graph = extent.graph_of(network, image_size)
    asked = (json.loads(network), graph, image_size, window, stride)
    if is_compiled:
        return reach.cheapest(*asked, arithmetic.COMPILED_CALL, arithmetic.COMPILED_RATE)
    return reach.cheapest(*asked)


@functools.cache
def _way_on_gpu(
    network: str, image_size: tuple[int, int], window: int, stride: int, precision: str
) -> tuple[str, float]:
    """As `_way`, on a GPU."""
    from convprobe.network import reach  # here, for the same reason

    return reach.cheapest_on_gpu(
        extent.graph_of(network, image_size), image_size, window, stride, precision
    )


def maps_by_compiled_code(config: dict) -> bool:
    """Whether a CPU can compute all occlusion maps by what `occlusion/sparse` compiles."""
    network, stride = json.dumps(config["network"]), config["occlusion"]["stride"]
    is_compiled = compiler.exists()
    ways = {
        _way(network, extent.image_size(config), window, stride, is_compiled)[0]
        for window in config["occlusion"]["windows"]
    }
    return ways == {"states"} and is_compiled
