"""What a run will roughly cost, before it starts, from the arithmetic of its network.

Plain Python and no torch: it is printed when Snakemake starts.
"""

import contextlib
import functools
import json
import math
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from convprobe.errors import InputError
from convprobe.job import compiler, machine, records, shared_process
from convprobe.job.progress import duration
from convprobe.network import arithmetic, filter_layers, graphs
from convprobe.network.filter_layers import split_name
from convprobe.network.graph import Graph
from convprobe.plan import rates, study
from convprobe.plan.rates import Took

# What is guessed where nothing was computed before (see `rates`): multiply-adds a second of one
# core and of one GPU. In float32 those of convolutions by tiles (see `tile_cost`): the published
# network reached 30e9 to 41e9 in training and 33e9 in evaluation on an AMD EPYC without AVX-512
# (Zen 3), torch 2.15; with it a core is faster. In bf16 the core's lie between what the published
# and the small network reached on 2 cores of an AMD EPYC with bf16 instructions, in training 75e9
# and 105e9. That is low for cores with AMX: the published network trains at 270e9 there. The GPU's
# are half of what it reached on an H100, 9.9e12 and 57e12 in training (torch 2.11), for older cards
# are slower.
CORE_RATE = {"fp32": 40e9, "bf16": 90e9}
# Of a core in occlusion maps of the published network, which leave out what doesn't change: 75e9 in
# fp32 on Zen 3, 115e9 and 195e9 with AVX-512 and bf16.
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
OF_RUN = ("train_epoch", "evaluate_epoch")
OF_FILTERS = ("record_activations", "rank_filters", "ablate_filters", "compare_ablations")
OF_PROBED = ("map_occlusion", *OF_FILTERS)
SIDE = 32  # pixels, where the images' own isn't known; doubled until the network takes it
MOST_DOUBLED = 7
CLASSES = 10  # of CIFAR-10 and the shapes; more make little difference
FLOAT = 4  # bytes
COMPRESSED = 0.6  # of maps after ReLU, by lzf
FILTER_BYTES = 25_000  # of a filter in the atlas, its pages and their vector copies
IN_ALL = "in all"
# The rows of the announcement, and the stages that each sums up, which are files in rules/.
ROWS = {
    "training": ("dataset", "training"),
    "occlusion": ("occlusion",),
    "filters and ablation": ("filters", "ablation"),
}

Sizes = Mapping[str, int]  # how many images each split has
Known = Mapping[str, Took]  # what jobs took on this machine before, by kind of work
Stages = Mapping[str, str]  # by rule
Jobs = Mapping[str, tuple[int, int]]  # how many are due and how many there are, by rule
NOTHING: Known = MappingProxyType({})


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
    if shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode == 0 and listed.stdout.strip():
            return "gpu", listed.stdout.splitlines()[0]
    return "cpu", f"{machine.usable_cores()} cores"


def computer(cores: int) -> str:
    """The name under which it is remembered what jobs took on this machine."""
    kind, name = device()
    return name if kind == "gpu" else f"{machine.processor()}, {min(cores, THREADS)} threads"


def network_size(config: dict) -> int:
    """Multiply-adds of one image's forward pass."""
    return arithmetic.forward(_graph(config))


def seconds(
    config: dict, sizes: Sizes, kind: str, cores: int, known: Known = NOTHING
) -> dict[str, float]:
    """Rough seconds of all jobs that compute, in a whole run from nothing; args as for `by_rule`.

    By rows of the announcement.
    """
    costs = by_rule(config, sizes, kind, cores, known)
    training = sum(costs[rule] for rule in OF_RUN)
    occlusion = costs["map_occlusion"]
    others = sum(costs[rule] for rule in OF_FILTERS)
    return dict(zip(ROWS, (training, occlusion, others), strict=True))


def by_rule(
    config: dict, sizes: Sizes, kind: str, cores: int, known: Known = NOTHING
) -> dict[str, float]:
    """Rough seconds that all jobs of a rule that computes take in a whole run from nothing.

    Args:
        config: the checked config.
        sizes: how many images each split has.
        kind: `gpu` or `cpu`.
        cores: how many cores Snakemake may use, of those that there are.
        known: what jobs took here before.
    """
    costs = dict.fromkeys((*OF_RUN, *OF_PROBED), 0.0)
    for run in study.trained_runs(config):
        for rule in OF_RUN:
            job = work(config, sizes, kind, cores, rule, {"run": run})
            epochs = study.run_training(config, run)["epochs"]
            taken = _seconds(job, epochs, known, _made_ahead(job, epochs, known))
            # The epochs of a run one after the other, but quick runs side by side.
            beside = len(study.trained_runs(config)) if rule == "train_epoch" else 1
            costs[rule] += taken / _side_by_side(job, cores, beside)
    windows = config["occlusion"]["windows"]
    for rule, count in job_counts(config, sizes).items():
        if rule == "map_occlusion":
            of_window = count // len(windows)
            for number, window in enumerate(windows):
                job = work(config, sizes, kind, cores, rule, {"window": window})
                made_ahead = of_window if number and job.is_shared else 0
                costs[rule] += _seconds(job, of_window, known, made_ahead)
        elif rule in OF_PROBED:
            job = work(config, sizes, kind, cores, rule, {})
            costs[rule] = _seconds(job, count, known) / _side_by_side(job, cores, count)
    return costs


def _side_by_side(job: Work, cores: int, count: int) -> int:
    """How many jobs of a kind run at a time, of so many."""
    return max(min(cores, count), 1) if job.is_quick else 1


def work(config: dict, sizes: Sizes, kind: str, cores: int, rule: str, wildcards: Mapping) -> Work:
    """What a job computes: nothing that is counted, if its rule has no row of its own here.

    Args:
        config, sizes, kind, cores: as for `by_rule`.
        wildcards: of the job, as far as they matter: the run that is trained, the window.
    """
    on_one_core = _work(config, sizes, kind, 1, rule, wildcards)
    alike = len(config["occlusion"]["windows"]) if on_one_core.is_shared else 1
    if kind == "cpu" and alike * _one(on_one_core, NOTHING) < QUICK_SECONDS:
        return on_one_core._replace(is_quick=True)
    return _work(config, sizes, kind, cores, rule, wildcards)


def _work(config: dict, sizes: Sizes, kind: str, cores: int, rule: str, wildcards: Mapping) -> Work:
    """What a job computes on so many cores."""
    if rule == "train_epoch":
        precision = study.run_training(config, wildcards["run"])["precision"]
        image = _image(config, kind, precision)
        rate = _rate(CORE_RATE, kind, cores, precision)
        return Work(f"{rule} {precision}", sizes["train"], TRAINING_PASSES * image, rate)
    if rule == "map_occlusion":
        return _map(config, sizes, kind, cores, int(wildcards["window"]))
    passes = {**PASSES, "compare_ablations": VARIANT * _variants(config)}.get(rule)
    if passes is None:
        return Work(rule)
    validated = sizes.get("validation", 0) if rule == "evaluate_epoch" else 0
    rate = _rate(CORE_RATE, kind, cores, "fp32")
    return Work(rule, sizes["test"] + validated, passes * _image(config, kind, "fp32"), rate)


def _image(config: dict, kind: str, precision: str) -> float:
    """What takes as long as one image's forward pass, in multiply-adds."""
    if kind == "cpu" and precision == "fp32":
        return arithmetic.forward_by_tiles(_graph(config)) + IMAGE
    return network_size(config) + IMAGE


def _map(config: dict, sizes: Sizes, kind: str, cores: int, window: int) -> Work:
    """The occlusion maps of one job.

    At every position the whole network, or only what changes, if that is less.
    """
    height, width = image_size = _image_size(config)
    precision = config["occlusion"]["precision"]
    images = min(_occluded(config, sizes["test"]), study.SHARD_IMAGES)
    positions = _positions(config)
    count = images * positions
    asked = (json.dumps(config["network"]), image_size, window, config["occlusion"]["stride"])
    if kind == "cpu":
        way, multiply_adds = _way(*asked, _is_compiled(precision))
    else:
        way, multiply_adds = _way_on_gpu(*asked, precision)
    changes = multiply_adds / positions
    rate = _rate(CORE_RATE, kind, cores, precision)
    if way == "passes":
        return Work(f"map_occlusion {precision}", count, _image(config, kind, precision), rate)
    if way == "boxes":
        return Work(f"map_occlusion {precision} boxes", count, changes, rate)
    is_compiled = _is_compiled(precision)
    # Without instructions for bf16 that takes as long as fp32.
    multiplied = precision if machine.has(machine.AVX512_BF16) or not is_compiled else "fp32"
    rate = _rate(MAP_RATE, kind, cores, multiplied)
    if len(config["occlusion"]["windows"]) > 1:
        changes *= TOGETHER
    position = COMPILED_POSITION if is_compiled else POSITION * min(cores, THREADS)
    changes += position * height * width / positions  # of all pixels
    name = f"map_occlusion {precision} changes"
    return Work(name, count, changes, rate, is_shared=True)


def _rate(of_core: Mapping[str, float], kind: str, cores: int, precision: str) -> float:
    """The multiply-adds a second that are guessed of a job."""
    if kind == "gpu":
        return GPU_RATE[precision]
    threads = min(cores, THREADS)
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
    config: dict,
    sizes: Sizes,
    kind: str,
    cores: int,
    rules: Iterable[str],
    figures: Mapping[str, int],
    known: Known = NOTHING,
) -> dict[str, float]:
    """Rough seconds by which one job of each rule makes a run longer.

    A job that computes for long has all cores for itself. The others run side by side.

    Args:
        config, sizes, kind, cores, known: as for `by_rule`.
        rules: all.
        figures: how many a job draws, by rule, where these are several.
    """
    costs = by_rule(config, sizes, kind, cores, known)
    counts = job_counts(config, sizes)
    times = {}
    for rule in rules:
        if rule in counts:
            times[rule] = costs[rule] / max(counts[rule], 1)
        else:
            start = _took(rule, known).start
            if rule not in known:
                start += FIGURE_SECONDS * max(figures.get(rule, 1) - 1, 0)
            times[rule] = (start + BETWEEN) / cores
    return times


def job_counts(config: dict, sizes: Sizes) -> dict[str, int]:
    """How many jobs of each rule that computes a whole run has."""
    epochs = sum(study.run_training(config, run)["epochs"] for run in study.trained_runs(config))
    shards = math.ceil(_occluded(config, sizes["test"]) / study.SHARD_IMAGES)
    counts = dict.fromkeys(OF_RUN, epochs) | dict.fromkeys(OF_PROBED, _studied(config))
    counts["map_occlusion"] *= len(config["occlusion"]["windows"]) * shards
    if not study.has_filters(config):
        counts |= dict.fromkeys(OF_FILTERS, 0)
    return counts


def is_measured(config: dict, sizes: Sizes, kind: str, cores: int, known: Known) -> bool:
    """Whether this machine has run each kind of job before of which a run has much."""
    kinds = set()
    for run in study.trained_runs(config):
        kinds.add(work(config, sizes, kind, cores, "train_epoch", {"run": run}).kind)
    for window in config["occlusion"]["windows"]:
        kinds.add(work(config, sizes, kind, cores, "map_occlusion", {"window": window}).kind)
    return all(_took(kind, known).rate for kind in kinds)


def remember(
    memory: str,
    config: dict,
    sizes: Sizes,
    cores: int,
    jobs: Iterable[tuple[str, Mapping[str, str], str, str]],
    since: float = 0,
) -> None:
    """Remember what the jobs that finished took on this machine.

    Args:
        memory: the file of what is known, see `rates`.
        config, sizes, cores: as for `by_rule`.
        jobs: their rules, wildcards, first outputs and logs.
        since: when the run began, in seconds since the epoch; older jobs don't count.
    """
    kind, _ = device()
    found = []
    # A run isn't lost for the estimate of the next one.
    with contextlib.suppress(OSError, InputError, LookupError, ValueError, ArithmeticError):
        for rule, wildcards, output, log in jobs:
            record = records.beside(Path(output))
            if not record.is_file() or record.stat().st_mtime < since:
                continue
            job = work(config, sizes, kind, cores, rule, wildcards)
            found.append(rates.Done(job.kind, job.units, job.each, *rates.told(record, log)))
        if found:
            rates.write(memory, computer(cores), network_size(config), rates.of_jobs(found))


def _image_size(config: dict) -> tuple[int, int]:
    _, height, width = _graph(config).image_shape
    return height, width


def _graph(config: dict) -> Graph:
    """The graph, for images of the least usual side where theirs isn't known."""
    return _graph_of(json.dumps(config["network"]), study.image_size(config))


@functools.cache
def _graph_of(network: str, image_size: tuple[int, int] | None) -> Graph:
    """The graph of a network in the form of JSON."""
    settings = json.loads(network)
    if image_size or graphs.is_traced(settings):
        return graphs.of(settings, image_size or (SIDE, SIDE), CLASSES)
    for doubled in range(MOST_DOUBLED):
        with contextlib.suppress(InputError):  # for the network shrinks it to nothing
            return graphs.of(settings, (SIDE * 2**doubled,) * 2, CLASSES)
    return graphs.of(settings, (SIDE * 2**MOST_DOUBLED,) * 2, CLASSES)


@functools.cache
def _way(
    network: str, image_size: tuple[int, int], window: int, stride: int, is_compiled: bool
) -> tuple[str, float]:
    """How a window's map is computed on a CPU, and the multiply-adds of one image's.

    Args:
        is_compiled: whether states of units are computed by compiled code.
    """
    from convprobe.network import reach  # here, because jobs read the plan too, without NumPy

    graph = _graph_of(network, image_size)
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
        _graph_of(network, image_size), image_size, window, stride, precision
    )


def _is_compiled(precision: str) -> bool:
    """Whether there is what `occlusion/sparse` needs, where that is the fastest."""
    return not (precision == "bf16" and machine.has(machine.AMX)) and compiler.exists()


def maps_by_compiled_code(config: dict) -> bool:
    """Whether a CPU can compute all occlusion maps by what `occlusion/sparse` compiles."""
    network, stride = json.dumps(config["network"]), config["occlusion"]["stride"]
    is_compiled = _is_compiled(config["occlusion"]["precision"])
    ways = {
        _way(network, _image_size(config), window, stride, is_compiled)[0]
        for window in config["occlusion"]["windows"]
    }
    return ways == {"states"} and is_compiled


def _positions(config: dict) -> int:
    """At how many positions a window is put on an image."""
    stride = config["occlusion"]["stride"]
    return math.prod(len(arithmetic.centres(side, stride)) for side in _image_size(config))


def _variants(config: dict) -> int:
    """How many networks with filters switched off are compared."""
    filters = len(config["filters"]["chosen"])
    layers = len(study.filter_channels(config))
    return filters + layers + config["ablation"]["random_controls"]


def _occluded(config: dict, tested: int) -> int:
    """How many images are occluded."""
    images = config["occlusion"]["images"]
    if images == "all":
        return tested
    return images if isinstance(images, int) else len(images)


def disk(config: dict, sizes: Sizes) -> dict[str, float]:
    """Rough bytes that a whole run leaves on the disk, by stage; args as for `seconds`."""
    height, width = _image_size(config)
    graph = _graph(config)
    checkpoint = FLOAT * arithmetic.weights(graph)
    trained = study.trained_runs(config)
    imported = len(study.built_runs(config)) - len(trained)
    epochs = 0
    discarded = 0
    for run in trained:
        epochs += study.run_training(config, run)["epochs"]
        discarded += len(study.discarded_states(config, run))
    checkpoints = (2 * epochs - discarded + imported) * checkpoint  # weights and momentum
    images = sum(sizes.values()) * height * width * 3
    maps = len(config["occlusion"]["windows"]) * _occluded(config, sizes["test"])
    layers = filter_layers.of_graph(graph)
    chosen = 0  # values of the maps of one image
    for name in config["filters"]["chosen"]:
        layer, _ = split_name(name)
        chosen += math.prod(layers[layer].shape)
    activations = chosen * sizes["test"] * FLOAT * COMPRESSED
    atlas = sum(study.filter_channels(config).values()) * FILTER_BYTES
    studied = _studied(config)
    return {
        "training": checkpoints + images,
        "occlusion": studied * maps * _positions(config) * (CLASSES + 1) * FLOAT,
        "filters and ablation": studied * (activations + atlas),
    }


def _studied(config: dict) -> int:
    """How many checkpoints are probed."""
    count = 0
    selection = config["selection"]
    for run in study.studied_runs(config):
        epochs = study.studied_epochs(config, run)
        is_among_them = selection["policy"] == "fixed" and selection["epoch"] in epochs
        count += len(epochs) + (not is_among_them)
    return count


def announcement(
    config: dict,
    sizes: Sizes,
    cores: int,
    jobs: Jobs,
    stages: Stages,
    one_job: Mapping[str, float],
    known: Known = NOTHING,
) -> str:
    """The experiment, the device, and what the whole run will roughly cost on it.

    In lines of up to 79 characters.

    Args:
        config, sizes, cores, known: as for `by_rule`.
        jobs, stages, one_job: as for `due`.
    """
    kind, name = device()
    times = seconds(config, sizes, kind, cores, known)
    in_all = sum(times.values())
    computing = job_counts(config, sizes)
    # What computes is known of the whole study; of the figures and tables those that are planned.
    for rule, (_, count) in jobs.items():
        if rule not in computing:
            in_all += count * one_job[rule]
            for row, summed in ROWS.items():
                times[row] += count * one_job[rule] if stages[rule] in summed else 0
    spaces = disk(config, sizes)
    experiment = config["experiment"]
    lines = [f"experiment {experiment} on the {kind.upper()} ({name}); about, from nothing:"]
    lines.append(_row(IN_ALL, in_all, sum(spaces.values())))
    for row, time in times.items():
        if time or spaces[row]:
            lines.append(_row(row, time, spaces[row]))
    if is_measured(config, sizes, kind, cores, known):
        lines.append("    by what earlier runs took on this machine")
    else:
        lines.append("    a guess: this machine has not computed all of that before")
    return "\n".join(lines)


def due(jobs: Jobs, stages: Stages, one_job: Mapping[str, float], timed: bool, more: bool) -> str:
    """What is due of a plan, by stage, in lines of up to 79 characters.

    Args:
        jobs: of the plan.
        stages: of all rules, in the order in which they are listed.
        one_job: seconds of a job, by rule.
        timed: whether it is known what the jobs will run on, and so about how long they take.
        more: whether there will be more jobs once the probed epochs are chosen.
    """
    counts = {stage: [0, 0, 0.0] for stage in stages.values()}
    for rule, (waiting, count) in jobs.items():
        stage = counts[stages[rule]]
        stage[0] += waiting
        stage[1] += count
        stage[2] += waiting * one_job[rule]
    waiting, count, time = map(sum, zip(*counts.values(), strict=True))
    about = f", about {duration(time)}" if timed else ""
    lines = [f"due: {waiting} of {count} jobs{about}"]
    for stage, (waiting, count, time) in counts.items():
        if waiting:
            words = duration(time) if timed and time else ""
            lines.append(f"    {stage:<21} {words:>7} {waiting:>8} of {count} jobs")
    if more:
        lines.append("    and the probes of the best epochs, once these are known")
    return "\n".join(lines)


def _row(stage: str, time: float, space: float) -> str:
    return f"    {stage:<21} {duration(time):>7} {size(space):>8} on the disk"


def size(value: float) -> str:
    """Bytes in words."""
    return f"{value / 1e6:.0f} MB" if value < 1e9 else f"{value / 1e9:.1f} GB"
