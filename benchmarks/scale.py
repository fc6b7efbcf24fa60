"""What larger studies would take: jobs, bytes, and hours on a cluster, by a simulation with stand-in jobs.

    python benchmarks/scale.py

Each study is planned by Snakemake as it is; then its jobs, each of the predicted duration, are given to GPUs as they
become free. The durations are those of convprobe.cost, whose rates of a GPU are low guesses; what counts is how
they grow.
"""

import heapq
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe.plan import config as configs  # noqa: E402
from convprobe.plan import cost, study  # noqa: E402

SUBMISSION = (
    10.0  # seconds from a job's submission to its start and from its end to its being noticed
)
GPUS = (1, 8, 64)
VGG16 = [
    (64, 1),
    (64, 2),
    (128, 1),
    (128, 2),
    *[(256, 1)] * 2,
    (256, 2),
    *[(512, 1), (512, 1), (512, 2)] * 2,
]
IMAGENET = {
    "name": "image-folder",
    "path": str(REPOSITORY / "docs"),  # something that is there: planning doesn't look into it
    "image_size": 224,
    "train_images": 1_281_167,
    "test_images": 50_000,
}
STUDIES = {
    "the published study": {},
    "maps of all 10,000 test images": {"occlusion": {"images": "all"}},
    "maps of a million images": {
        "dataset": {"name": "shapes", "train_images": 50_000, "test_images": 1_000_000},
        "occlusion": {"images": "all"},
    },
    "a thousand filters": {"filters": {"chosen": [f"conv3/{channel}" for channel in range(1000)]}},
    "VGG-16 on ImageNet, 20 images": {
        "dataset": IMAGENET,
        "network": {
            "conv": [{"channels": width, "kernel": 3, "padding": 1, "pool": pool} for width, pool in VGG16],
            "fc": [4096, 4096],
        },
        "filters": {"chosen": ["conv1/10", "conv13/100"]},
    },
}  # fmt: skip


def study_config(change):
    base = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    return configs.checked(configs.merged(base, change), REPOSITORY / "schemas/config.schema.json")


def planned(change):
    """How many jobs of each rule Snakemake plans."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(yaml.safe_dump(change), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            REPOSITORY / "Snakefile",
            "--directory",
            folder,
        ]
        command += ["--cores", "4", "--dry-run", "--configfile", REPOSITORY / "config.yaml", file]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    table = told.rpartition("Job stats:")[2]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def makespan(durations, workers):
    """Seconds until all jobs are done, each given to the worker that is free first, the longest first."""
    free = [0.0] * workers
    for duration in sorted(durations, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + duration + SUBMISSION)
    return max(free)


def simulated(config, jobs, gpus):
    """Seconds of the whole study: the runs' chains of epochs side by side, then all probes."""
    seconds = cost.seconds(config, study.split_sizes(config), "gpu", 4)
    runs = study.trained_runs(config)
    chains = [seconds["training"] / max(1, len(runs))] * len(runs)
    maps = [seconds["occlusion"] / jobs["map_occlusion"]] * jobs["map_occlusion"]
    others = [seconds["filters and ablation"] / 4] * 4  # record, rank, ablate, compare
    return makespan(chains, gpus) + makespan(maps + others, gpus)


def main():
    print("| study | jobs | on the disk | " + " | ".join(f"{gpus} GPUs" for gpus in GPUS) + " |")
    print("| --- | --- | --- |" + " --- |" * len(GPUS))
    for name, change in STUDIES.items():
        config, jobs = study_config(change), planned(change)
        space = sum(cost.disk(config, study.split_sizes(config)).values())
        hours = [cost.duration(simulated(config, jobs, gpus)) for gpus in GPUS]
        print(
            f"| {name} | {jobs['total']:,} | {cost.size(space)} | {' | '.join(hours)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
