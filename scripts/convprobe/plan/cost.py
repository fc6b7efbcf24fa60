"""What a run will roughly cost, before it starts, from the arithmetic of its network.

Plain Python and no torch: it is printed when Snakemake starts.
"""

import shutil
import subprocess
from collections.abc import Mapping

from convprobe.job import ahead, machine
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
GPU_RATE = {"fp32": 5e12, "bf16": 30e12}
VARIANT = 0.29  # of a forward pass, see benchmarks/README.md
PASSES = 4  # over the test images, beside the variants: maps, all filters' top images, predictions
JOB_SECONDS = 2.5  # to start Python, import torch, read the images
TAKEN_SECONDS = 0.4  # of a job whose result was computed early
OCCLUSION_JOBS = 10  # per probed checkpoint
FILTER_JOBS = 8  # of filters and ablation, likewise
TRAINING_PASSES = 3  # forward, and backward twice: to the weights and to the input
SIDE = 32  # pixels, where only the images themselves say
CLASSES = 10  # of CIFAR-10 and the shapes; more make little difference
FLOAT = 4  # bytes
COMPRESSED = 0.6  # of maps after ReLU, by lzf
FILTER_BYTES = 20_000  # of a filter in the atlas, its pages and their vector copies
IN_ALL = "in all"

Sizes = Mapping[str, int]  # how many images each split has
Rates = Mapping[str, float]  # by precision


def device() -> tuple[str, str]:
    """What will compute: ("gpu", its name) or ("cpu", how many cores)."""
    if shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode == 0 and listed.stdout.strip():
            return "gpu", listed.stdout.splitlines()[0]
    return "cpu", f"{machine.usable_cores()} cores"


def seconds(config: dict, sizes: Sizes, kind: str, cores: int) -> dict[str, float]:
    """Rough seconds of a whole run from nothing, by stage.

    Args:
        config: the checked config.
        sizes: how many images each split has.
        kind: `gpu` or `cpu`.
        cores: how many cores Snakemake may use.
    """
    image = _seconds_per_image(config, kind, cores)
    training = 0.0
    for run in study.trained_runs(config):
        training += _training(config, sizes, run, image)
    maps = 0.0
    for window in config["occlusion"]["windows"]:
        maps += _map(config, window, image, kind, cores)
    tested = sizes["test"]
    occlusion = maps * _occluded(config, tested) + OCCLUSION_JOBS * JOB_SECONDS
    passes = PASSES + VARIANT * _variants(config)
    filters = image["fp32"] * tested * passes + FILTER_JOBS * JOB_SECONDS
    studied = _studied(config)
    return {
        "training": training,
        "occlusion": studied * occlusion,
        "filters and ablation": studied * filters,
    }


def _side(config: dict) -> int:
    return study.image_side(config) or SIDE


def _seconds_per_image(config: dict, kind: str, cores: int) -> Rates:
    """Seconds of a forward pass of one image."""
    work = arithmetic.forward(config["network"], _side(config), CLASSES)
    if kind == "gpu":
        return {precision: work / rate for precision, rate in GPU_RATE.items()}
    return {precision: work / (rate * cores) for precision, rate in CORE_RATE.items()}


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
    return min(everywhere, work / (MAP_RATE[precision] * cores))


def _training(config: dict, sizes: Sizes, run: str, image: Rates) -> float:
    """Seconds of all epochs of one run, each with its evaluation."""
    settings = study.run_training(config, run)
    epochs = settings["epochs"]
    trained = TRAINING_PASSES * sizes["train"] * image[settings["precision"]]
    evaluated = (sizes["test"] + sizes.get("validation", 0)) * image["fp32"]
    starts = _starts(trained, epochs) + _starts(evaluated, epochs)
    return epochs * (trained + evaluated) + starts


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
    epochs = sum(study.run_training(config, run)["epochs"] for run in trained)
    checkpoints = (2 * epochs + imported) * checkpoint  # an epoch's weights and momentum
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

    In lines of up to 79 characters; args as for `seconds`.
    """
    kind, name = device()
    times = seconds(config, sizes, kind, cores)
    spaces = disk(config, sizes)
    experiment = config["experiment"]
    lines = [f"experiment {experiment} on the {kind.upper()} ({name}); about, from nothing:"]
    lines.append(_row(IN_ALL, sum(times.values()), sum(spaces.values())))
    for stage, time in times.items():
        lines.append(_row(stage, time, spaces[stage]))
    lines.append("    Up-to-date results are not computed again; --dry-run lists what is due.")
    return "\n".join(lines)


def _row(stage: str, time: float, space: float) -> str:
    return f"    {stage:<21} {duration(time):>7} {size(space):>8} on the disk"


def duration(value: float) -> str:
    """Seconds in words."""
    if value < 90:
        return f"{max(value, 1):.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


def size(value: float) -> str:
    """Bytes in words."""
    return f"{value / 1e6:.0f} MB" if value < 1e9 else f"{value / 1e9:.1f} GB"
