"""What larger studies would take: jobs, disk space, and hours on a simulated cluster.

    python benchmarks/scale.py

Each study is really planned by Snakemake; then its jobs, each of the predicted duration, are given
to GPUs as they become free. The durations are those of convprobe.plan.cost, whose GPU rates are low
guesses; what counts is how they grow. A user's own images are stand-ins: planning reads their names
alone.
"""

import heapq
import re
import sys
import tempfile
from pathlib import Path

import yaml
from planning import REPOSITORY, copy_checkout, snakemake

sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe.job.progress import duration
from convprobe.plan import config as configs
from convprobe.plan import cost, disk, study
from convprobe.plan.announcement import in_words
from convprobe.plan.cost import Setting

# Seconds from a job's submission to its start, and from its end until the scheduler notices it.
SUBMISSION = 10.0
GPUS = (1, 8, 64)
# Channels and pooling of each convolution.
VGG16 = [
    *[(64, 1), (64, 2)],
    *[(128, 1), (128, 2)],
    *[(256, 1), (256, 1), (256, 2)],
    *[(512, 1), (512, 1), (512, 2)] * 2,
]
IMAGENET_SIZES = {"train": 1_281_167, "test": 50_000}
STAND_INS = 1000  # images per split, in place of ImageNet's; no job is planned for each image
IMAGENET = {
    "name": "image-folder",
    "path": "pictures",
    "image_size": 224,
    "train_images": "all",
    "test_images": "all",
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
            "conv": [
                {"channels": width, "kernel": 3, "padding": 1, "pool": pool}
                for width, pool in VGG16
            ],
            "fc": [4096, 4096],
        },
        "filters": {"chosen": ["conv1/10", "conv13/100"]},
    },
}


def study_config(folder, change):
    """The checked config of a study."""
    base = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    merged = configs.merged(base, change)
    if merged["dataset"]["name"] == "image-folder":
        merged["dataset"]["path"] = str(folder / merged["dataset"]["path"])
    return configs.checked(merged, REPOSITORY / "schemas/config.schema.json")


def split_sizes(config):
    """How many images each split of a study really has."""
    if config["dataset"]["name"] == "image-folder":
        return IMAGENET_SIZES
    return study.split_sizes(config)


def put_stand_ins(folder):
    """Empty files where images are expected: planning doesn't open them."""
    for split in ("train", "test"):
        for number in range(STAND_INS):
            path = folder / split / f"class-{number % 10}" / f"{number:04d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def planned(folder, change):
    """How many jobs of each rule Snakemake plans for a study in a checkout."""
    (folder / "study.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    output = snakemake(folder, "--dry-run")
    table = output.rpartition("Job stats:")[2]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def makespan(durations, workers):
    """Seconds until all jobs are done, the longest first, each by the first worker to be free."""
    free = [0.0] * workers
    for seconds in sorted(durations, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + seconds + SUBMISSION)
    return max(free)


def simulated(config, jobs, gpus):
    """Seconds of the whole study: the runs' chains of epochs side by side, then all probes."""
    seconds = cost.seconds(Setting(config, split_sizes(config), "gpu", 4))
    runs = study.trained_runs(config)
    chains = [seconds["training"] / max(1, len(runs))] * len(runs)
    maps = [seconds["occlusion"] / jobs["map_occlusion"]] * jobs["map_occlusion"]
    others = [seconds["filters and ablation"] / 4] * 4  # record, rank, ablate, compare
    return makespan(chains, gpus) + makespan(maps + others, gpus)


def row(folder, name, change):
    """A study's row of the table."""
    config = study_config(folder, change)
    jobs = planned(folder, change)
    space = in_words(sum(disk.space(config, split_sizes(config)).values()))
    times = [duration(simulated(config, jobs, gpus)) for gpus in GPUS]
    return f"| {name} | {jobs['total']:,} | {space} | {' | '.join(times)} |"


def main():
    print("| study | jobs | on the disk | " + " | ".join(f"{gpus} GPUs" for gpus in GPUS) + " |")
    print("| --- | --- | --- |" + " --- |" * len(GPUS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_checkout(folder)
        put_stand_ins(folder / IMAGENET["path"])
        for study_name, change in STUDIES.items():
            print(row(folder, study_name, change), flush=True)


if __name__ == "__main__":
    main()
