"""What the stages of a finished experiment took and what was predicted: time, disk and memory.

    python benchmarks/stages.py --cores 2 presets/demo.yaml

Reads the logs and the results of the experiment; all its jobs must have run on this machine,
with that many cores.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe.job.progress import duration  # noqa: E402
from convprobe.plan import config as configs  # noqa: E402
from convprobe.plan import cost, disk, study  # noqa: E402
from convprobe.plan.announcement import in_words  # noqa: E402
from convprobe.plan.cost import Setting  # noqa: E402

STAGES = {
    "training": r"/(dataset|training|evaluation|checkpoints)/",
    "occlusion": r"/occlusion/",
    "filters and ablation": r"/(filters|ablation)/",
}
DONE = re.compile(r"done in ([\d.]+) s with ([\d.]+) GB of memory")


def stage_of(path):
    return next(
        (stage for stage, pattern in STAGES.items() if re.search(pattern, path.as_posix())), None
    )


def jobs(logs):
    """Yield (log, seconds, GB of memory) of each finished job."""
    for log in sorted(logs.rglob("*.log")):
        if done := DONE.search(log.read_text(encoding="utf-8")):
            yield log.relative_to(logs), *map(float, done.groups())


def kind(log):
    """A log's name without its run and epoch, which the jobs of one rule share."""
    return (
        re.sub(r"(^[^/]+/)?((epoch-\d+|weights)/)?", "", log.as_posix(), count=1)
        .strip("/")
        .removesuffix(".log")
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("configs", nargs="*", type=Path)
    arguments = parser.parse_args()
    read = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in [Path("config.yaml"), *arguments.configs]
    ]
    merged = read[0]
    for change in read[1:]:
        merged = configs.merged(merged, change)
    config = configs.checked(merged, REPOSITORY / "schemas/config.schema.json")
    logs, results = Path("logs", config["experiment"]), Path("results", config["experiment"])
    seconds, rules = defaultdict(float), defaultdict(list)
    for log, taken, memory in jobs(logs):
        seconds[stage_of("/" / log)] += taken
        rules[re.sub(r"\d+", "N", kind(log))].append((taken, memory))
    images = study.split_sizes(config)
    times = cost.seconds(Setting(config, images, "cpu", arguments.cores))
    sizes = disk.space(config, images)
    print("| stage | predicted | measured | disk predicted | measured |")
    print("| --- | --- | --- | --- | --- |")
    for stage in STAGES:
        files = [path for path in results.rglob("*") if path.is_file() and stage_of(path) == stage]
        taken = sum(path.stat().st_size for path in files)
        time = f"{duration(times[stage])} | {duration(seconds[stage])}"
        space = f"{in_words(sizes[stage])} | {in_words(taken)}"
        print(f"| {stage} | {time} | {space} |")
    print("\n| log | jobs | longest | most memory |\n| --- | --- | --- | --- |")
    for name, of_rule in sorted(rules.items()):
        longest, most = (max(values) for values in zip(*of_rule, strict=True))
        print(f"| {name} | {len(of_rule)} | {duration(longest)} | {most} GB |")


if __name__ == "__main__":
    main()
