"""What a run will roughly cost, before it starts, from the arithmetic of its network.

Plain Python and no torch: it is told in the second in which Snakemake starts.
"""

import shutil
import subprocess

from convprobe.job import ahead, machine
from convprobe.network import arithmetic, receptive_field
from convprobe.plan import config as configs

# Multiply-adds a second of one core and of one GPU. The core's lie between what the published and the
# small network reached on 2 cores of an AMD EPYC with AVX-512 and bf16 instructions, torch 2.15: in
# training 75e9 and 105e9 (bf16), in evaluation 47e9 and 40e9 (fp32). That is low for cores with AMX: the
# published network trains at 270e9 there. The GPU's are guesses, low for cards since 2020.
CORE_RATE = {"fp32": 45e9, "bf16": 90e9}
# Of a core in occlusion maps of the published network, which leave out what doesn't change (as above).
MAP_RATE = {"fp32": 115e9, "bf16": 195e9}
GPU_RATE = {"fp32": 5e12, "bf16": 30e12}
VARIANT = 0.29  # of a forward pass, see benchmarks/README.md
JOB_SECONDS = 2.5  # to start Python, import torch, read the images
TAKEN_SECONDS = 0.4  # of a job that takes what was made ahead
TRAINING_PASSES = 3  # forward, and backward twice: to the weights and to the input
CLASSES = 10  # of CIFAR-10 and the shapes; more make little difference
FLOAT = 4  # bytes
COMPRESSED = 0.6  # of maps after ReLU, by lzf
FILTER_BYTES = 20_000  # of a filter in the atlas, its pages and their vector copies


def device():
    """What will compute, as (kind, words): ("gpu", its name) or ("cpu", how many cores)."""
    if shutil.which("nvidia-smi"):
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=False,
        )
        if listed.returncode == 0 and listed.stdout.strip():
            return "gpu", listed.stdout.splitlines()[0]
    return "cpu", f"{machine.usable_cores()} cores"


def seconds(config: dict, sizes: dict[str, int], kind: str, cores: int) -> dict[str, float]:
    """Rough seconds of a whole run from nothing, by stage.

    Args:
        config: the checked config.
        sizes: how many images each split has.
        kind: `gpu` or `cpu`.
        cores: how many cores Snakemake may use.
    """
    side = configs.image_side(config) or 32
    work = arithmetic.forward(config["network"], side, CLASSES)
    rates = (
        GPU_RATE
        if kind == "gpu"
        else {precision: rate * cores for precision, rate in CORE_RATE.items()}
    )
    image = {precision: work / rate for precision, rate in rates.items()}  # seconds
    tested = sizes["test"]
    studied = _studied(config)
    compared = (
        len(config["filters"]["chosen"])
        + len(config["network"]["conv"])
        + config["ablation"]["random_controls"]
    )
    # The maps, all filters' top images, two predictions, and variants at what one costs of a forward pass.
    passes = 4 + VARIANT * compared
    maps = sum(
        _map(config, side, window, image, kind, cores) for window in config["occlusion"]["windows"]
    )
    return {
        "training": sum(
            _training(config, sizes, run, image) for run in configs.trained_runs(config)
        ),
        "occlusion": studied * (maps * _occluded(config, tested) + 10 * JOB_SECONDS),
        "filters and ablation": studied * (image["fp32"] * tested * passes + 8 * JOB_SECONDS),
    }


def _map(config, side, window, image, kind, cores):
    """Seconds of one image's occlusion map: at every position, or on a CPU by what changes if that is less."""
    precision = config["occlusion"]["precision"]
    everywhere = image[precision] * side**2
    if kind == "gpu":
        return everywhere
    changes = arithmetic.occlusion_map(config["network"], side, CLASSES, window) / (
        MAP_RATE[precision] * cores
    )
    return min(everywhere, changes)


def _training(config: dict, sizes: dict[str, int], run: str, image: dict[str, float]) -> float:
    """Seconds of all epochs of one run, each with its evaluation."""
    settings = configs.run_training(config, run)
    epochs = settings["epochs"]
    trained = TRAINING_PASSES * sizes["train"] * image[settings["precision"]]
    evaluated = (sizes["test"] + sizes.get("validation", 0)) * image["fp32"]
    return sum(epochs * one + _starts(one, epochs) for one in (trained, evaluated))


def _starts(one, count):
    """Seconds to start the jobs of `count` results of which one takes so long: quick ones are made by one process."""
    processes = 1 if one < ahead.STARTS * JOB_SECONDS else count
    return processes * JOB_SECONDS + (count - processes) * TAKEN_SECONDS


def _occluded(config, tested):
    images = config["occlusion"]["images"]
    return tested if images == "all" else images if isinstance(images, int) else len(images)


def disk(config: dict, sizes: dict[str, int]) -> dict[str, float]:
    """Rough bytes that a whole run leaves on the disk, by stage."""
    side, classes = configs.image_side(config) or 32, CLASSES
    tested, network = sizes["test"], config["network"]
    checkpoint = FLOAT * arithmetic.weights(network, side, classes)
    trained = configs.trained_runs(config)
    epochs = sum(configs.run_training(config, run)["epochs"] for run in trained)
    imported = len(configs.built_runs(config)) - len(trained)
    studied = _studied(config)
    maps = (
        len(config["occlusion"]["windows"])
        * _occluded(config, tested)
        * side**2
        * (classes + 1)
        * FLOAT
    )
    sides = receptive_field.pooled_sides(network, side)
    chosen = sum(sides[name.split("/")[0]] ** 2 for name in config["filters"]["chosen"])
    filters = sum(conv["channels"] for conv in network["conv"])
    return {
        # Each epoch's weights and momentum, weights from elsewhere, and the images.
        "training": (2 * epochs + imported) * checkpoint + sum(sizes.values()) * side**2 * 3,
        "occlusion": studied * maps,
        "filters and ablation": studied
        * (chosen * tested * FLOAT * COMPRESSED + filters * FILTER_BYTES),
    }


def _studied(config):
    """How many checkpoints are probed."""
    return sum(1 + len(configs.studied_epochs(config, run)) for run in configs.studied_runs(config))


def announcement(config: dict, sizes: dict[str, int], cores: int) -> str:
    """The experiment, the device, and what the whole run will roughly cost on it, in lines of up to 79 characters."""
    kind, name = device()
    times, sizes = seconds(config, sizes, kind, cores), disk(config, sizes)
    rows = [
        ("in all", sum(times.values()), sum(sizes.values())),
        *((stage, times[stage], sizes[stage]) for stage in times),
    ]
    return "\n".join(
        [
            f"experiment {config['experiment']} on the {kind.upper()} ({name}); about, from nothing:",
            *(
                f"    {stage:<21} {duration(time):>7} {size(space):>8} on the disk"
                for stage, time, space in rows
            ),
            "    What is there and up to date isn't made again; --dry-run lists what is due.",
        ]
    )


def duration(value):
    """Seconds in words."""
    if value < 90:
        return f"{max(value, 1):.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


def size(value):
    """Bytes in words."""
    return f"{value / 1e6:.0f} MB" if value < 1e9 else f"{value / 1e9:.1f} GB"
