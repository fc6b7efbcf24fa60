"""What a run will roughly cost, before it starts, from the arithmetic of its network.

Plain Python and no torch: it is printed when Snakemake starts.
"""

import math
import shutil
import subprocess
from collections.abc import Mapping

from convprobe.job import ahead, machine
from convprobe.job.progress import duration
from convprobe.network import arithmetic, receptive_field
from convprobe.plan import study

# Multiply-adds a second of one core and of one GPU. The core's lie between what the published and
# the small network reached on 2 cores of an AMD EPYC with AVX-512 and bf16 instructions, torch
# 2.15: in training 75e9 and 105e9 (bf16), in evaluation 47e9 and 40e9 (fp32). That is low for cores
# with AMX: the published network trains at 270e9 there. The GPU's are half of what it reached on an
# H100, 9.9e12 and 57e12 in training (torch 2.11), for older cards are slower.
CORE_RATE = {"fp32": 45e9, "bf16": 90e9}
# Of a core in occlusion maps of the published network, which leave out what doesn't change (as
# above).
MAP_RATE = {"fp32": 115e9, "bf16": 195e9}
# How many times slower than in fp32 a core is in bf16 where it isn't made for it: the small
# network's training on one core of an AMD EPYC (Zen 3), torch 2.15.
SLOW_BF16 = 18
GPU_RATE = {"fp32": 5e12, "bf16": 30e12}
VARIANT = 0.29  # of a forward pass, see benchmarks/README.md
# Over the test images, beside the variants: maps, all filters' top images, predictions clean and
# ablated.
FILTER_PASSES = {"record_activations": 1, "rank_filters": 1}
ABLATION_PASSES = {"ablate_filters": 2}
JOB_SECONDS = 2.5  # to start Python, import torch, read the images
TAKEN_SECONDS = 0.4  # of a job whose result was computed early
OCCLUSION_JOBS = 10  # per probed checkpoint
FILTER_JOBS = 4  # likewise
ABLATION_JOBS = 4  # likewise
TRAINING_PASSES = 3  # forward, and backward twice: to the weights and to the input
SIDE = 32  # pixels, where only the images themselves say
CLASSES = 10  # of CIFAR-10 and the shapes; more make little difference
FLOAT = 4  # bytes
COMPRESSED = 0.6  # of maps after ReLU, by lzf
FILTER_BYTES = 20_000  # of a filter in the atlas, its pages and their vector copies
IN_ALL = "in all"
OTHERS = "others"  # the jobs of a stage that no rule is named for

Sizes = Mapping[str, int]  # how many images each split has
Rates = Mapping[str, float]  # by precision
Costs = dict[str, dict[str, float]]  # seconds by stage, which is a file in rules/, and rule
Counts = Mapping[str, int]  # of jobs, by rule
Stages = Mapping[str, str]  # by rule
Jobs = Mapping[str, tuple[int, int]]  # how many are due and how many there are, by rule


def device() -> tuple[str, str]:
    """What will compute: ("gpu", its name) or ("cpu", how many cores)."""
    if shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode == 0 and listed.stdout.strip():
            return "gpu", listed.stdout.splitlines()[0]
    return "cpu", f"{machine.usable_cores()} cores"


def seconds(config: dict, sizes: Sizes, kind: str, cores: int) -> dict[str, float]:
    """Rough seconds of a whole run from nothing, by stage; args as for `by_rule`."""
    costs = by_rule(config, sizes, kind, cores)
    total = {stage: sum(rules.values()) for stage, rules in costs.items()}
    return {
        "training": total["training"],
        "occlusion": total["occlusion"],
        "filters and ablation": total["filters"] + total["ablation"],
    }


def by_rule(config: dict, sizes: Sizes, kind: str, cores: int) -> Costs:
    """Rough seconds that all jobs of a rule take in a whole run from nothing.

    Args:
        config: the checked config.
        sizes: how many images each split has.
        kind: `gpu` or `cpu`.
        cores: how many cores Snakemake may use.
    """
    image = _seconds_per_image(config, kind, cores)
    maps = 0.0
    for window in config["occlusion"]["windows"]:
        maps += _map(config, window, image, kind, cores)
    occlusion = {"map_occlusion": maps * _occluded(config, sizes["test"])}
    one_pass = image["fp32"] * sizes["test"]
    filters = {rule: passes * one_pass for rule, passes in FILTER_PASSES.items()}
    ablation = {rule: passes * one_pass for rule, passes in ABLATION_PASSES.items()}
    ablation["compare_ablations"] = VARIANT * _variants(config) * one_pass
    studied = _studied(config)
    return {
        "training": _training(config, sizes, image),
        "occlusion": _of_all(studied, occlusion, OCCLUSION_JOBS),
        "filters": _of_all(studied, filters, FILTER_JOBS),
        "ablation": _of_all(studied, ablation, ABLATION_JOBS),
    }


def _of_all(studied: int, rules: dict[str, float], jobs: int) -> dict[str, float]:
    """Seconds of all probed checkpoints, from those of one without what starting its jobs takes."""
    one = {**rules, OTHERS: jobs * JOB_SECONDS}
    return {rule: studied * time for rule, time in one.items()}


def of_one_job(costs: Costs, counts: Counts, stages: Stages, jobs: Jobs) -> dict[str, float]:
    """Rough seconds of one job, by rule; none for those whose time isn't counted.

    Args:
        costs: of all jobs, by `by_rule`.
        counts: how many those are, by `job_counts`.
        stages: of all rules.
        jobs: of a plan.
    """
    others = {}  # how many jobs of a stage are of rules without a time of their own
    for rule, (_, count) in jobs.items():
        if rule not in counts:
            others[stages[rule]] = others.get(stages[rule], 0) + count
    times = {}
    for rule in jobs:
        stage = stages[rule]
        if rule in counts:
            times[rule] = costs[stage][rule] / counts[rule]
        else:
            # Where few are asked for, those of the whole run can't be told from the plan.
            share = costs.get(stage, {}).get(OTHERS, 0) / others[stage]
            times[rule] = min(share, JOB_SECONDS)
    return times


def job_counts(config: dict, sizes: Sizes) -> dict[str, int]:
    """How many jobs of each rule with a time of its own a whole run has."""
    epochs = sum(study.run_training(config, run)["epochs"] for run in study.trained_runs(config))
    shards = math.ceil(_occluded(config, sizes["test"]) / study.SHARD_IMAGES)
    studied = _studied(config)
    probes = (*FILTER_PASSES, *ABLATION_PASSES, "compare_ablations")
    return {
        "train_epoch": epochs,
        "evaluate_epoch": epochs,
        "map_occlusion": studied * len(config["occlusion"]["windows"]) * shards,
        **dict.fromkeys(probes, studied),
    }


def _side(config: dict) -> int:
    return study.image_side(config) or SIDE


def _seconds_per_image(config: dict, kind: str, cores: int) -> Rates:
    """Seconds of a forward pass of one image."""
    work = arithmetic.forward(config["network"], _side(config), CLASSES)
    if kind == "gpu":
        return {precision: work / rate for precision, rate in GPU_RATE.items()}
    return {precision: work / (rate * cores) for precision, rate in _of_core(CORE_RATE).items()}


def _of_core(rates: Rates) -> Rates:
    """Rates of this machine's cores."""
    if machine.computes_bf16():
        return rates
    return {**rates, "bf16": rates["fp32"] / SLOW_BF16}


def _variants(config: dict) -> int:
    """How many networks with filters switched off are compared."""
    filters = len(config["filters"]["chosen"])
    layers = len(config["network"]["conv"])
    return filters + layers + config["ablation"]["random_controls"]


def _map(config: dict, window: int, image: Rates, kind: str, cores: int) -> float:
    """Seconds of one image's occlusion map.

    At every position the whole network, or on a CPU only what changes, if that is less.
    """
    side = _side(config)
    precision = config["occlusion"]["precision"]
    everywhere = image[precision] * side**2
    if kind == "gpu":
        return everywhere
    work = arithmetic.occlusion_map(config["network"], side, CLASSES, window)
    return min(everywhere, work / (_of_core(MAP_RATE)[precision] * cores))


def _training(config: dict, sizes: Sizes, image: Rates) -> dict[str, float]:
    """Seconds of all epochs of all trained runs, and of their evaluation."""
    training = 0.0
    evaluation = 0.0
    evaluated = (sizes["test"] + sizes.get("validation", 0)) * image["fp32"]
    for run in study.trained_runs(config):
        settings = study.run_training(config, run)
        epochs = settings["epochs"]
        trained = TRAINING_PASSES * sizes["train"] * image[settings["precision"]]
        training += epochs * trained + _starts(trained, epochs)
        evaluation += epochs * evaluated + _starts(evaluated, epochs)
    return {"train_epoch": training, "evaluate_epoch": evaluation}


def _starts(one: float, count: int) -> float:
    """Seconds to start the jobs of `count` results; quick ones are made by one process.

    Args:
        one: seconds that one result takes.
        count: how many there are.
    """
    processes = 1 if one < ahead.STARTS * JOB_SECONDS else count
    return processes * JOB_SECONDS + (count - processes) * TAKEN_SECONDS


def _occluded(config: dict, tested: int) -> int:
    """How many images are occluded."""
    images = config["occlusion"]["images"]
    if images == "all":
        return tested
    return images if isinstance(images, int) else len(images)


def disk(config: dict, sizes: Sizes) -> dict[str, float]:
    """Rough bytes that a whole run leaves on the disk, by stage; args as for `seconds`."""
    side = _side(config)
    network = config["network"]
    checkpoint = FLOAT * arithmetic.weights(network, side, CLASSES)
    trained = study.trained_runs(config)
    imported = len(study.built_runs(config)) - len(trained)
    epochs = 0
    discarded = 0
    for run in trained:
        epochs += study.run_training(config, run)["epochs"]
        discarded += len(study.discarded_states(config, run))
    checkpoints = (2 * epochs - discarded + imported) * checkpoint  # weights and momentum
    images = sum(sizes.values()) * side**2 * 3
    maps = len(config["occlusion"]["windows"]) * _occluded(config, sizes["test"])
    sides = receptive_field.pooled_sides(network, side)
    chosen = 0  # values of the maps of one image
    for name in config["filters"]["chosen"]:
        layer, _ = receptive_field.split_name(name)
        chosen += sides[layer] ** 2
    activations = chosen * sizes["test"] * FLOAT * COMPRESSED
    atlas = sum(conv["channels"] for conv in network["conv"]) * FILTER_BYTES
    studied = _studied(config)
    return {
        "training": checkpoints + images,
        "occlusion": studied * maps * side**2 * (CLASSES + 1) * FLOAT,
        "filters and ablation": studied * (activations + atlas),
    }


def _studied(config: dict) -> int:
    """How many checkpoints are probed."""
    count = 0
    for run in study.studied_runs(config):
        count += 1 + len(study.studied_epochs(config, run))
    return count


def announcement(config: dict, sizes: Sizes, cores: int) -> str:
    """The experiment, the device, and what the whole run will roughly cost on it.

    In lines of up to 79 characters; args as for `by_rule`.
    """
    kind, name = device()
    times = seconds(config, sizes, kind, cores)
    spaces = disk(config, sizes)
    experiment = config["experiment"]
    lines = [f"experiment {experiment} on the {kind.upper()} ({name}); about, from nothing:"]
    lines.append(_row(IN_ALL, sum(times.values()), sum(spaces.values())))
    for stage, time in times.items():
        lines.append(_row(stage, time, spaces[stage]))
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
