"""How long Snakemake takes to plan a study, or to see that it is up to date; the code's digests.

    python benchmarks/planning.py

The results are stand-ins, recorded as made by the present code and settings; planning reads
Snakemake's memory and dates, not what is in them. Times are processor seconds, which other work on
the machine hardly changes; on an idle machine they are the seconds that pass.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))
REPEATS = 5
LONG = 60  # seconds
MANY_RUNS = 40
# The published study; with maps of all its images, and of 100 times as many; and of many trainings.
STUDIES = {
    "published study": "",
    "maps of all 10,000 test images": "occlusion: {images: all}",
    "maps of a million images": "\n".join(
        [
            "dataset: {name: shapes, train_images: 50000, test_images: 1000000}",
            "occlusion: {images: all}",
        ]
    ),
    f"{MANY_RUNS} trainings of 24 epochs": "\n".join(
        [
            "training: {epochs: 24}",
            f"runs: {{{', '.join(f'seed-{seed}: {{seed: {seed}}}' for seed in range(MANY_RUNS))}}}",
            f"compared: [{', '.join(f'seed-{seed}' for seed in range(MANY_RUNS))}]",
        ]
    ),
}
# What a checkout needs for the workflow to run in it.
WORKFLOW = ("Snakefile", "config.yaml", "rules", "scripts", "schemas", "profiles", "report")


def snakemake(folder, *arguments):
    """What Snakemake prints in a copied checkout that has a `study.yaml`."""
    command = [sys.executable, "-m", "snakemake", "--cores", "4", *arguments]
    command += ["--configfile", "study.yaml"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def copy_checkout(folder):
    """The workflow runs only inside a checkout, where its results go too."""
    for name in WORKFLOW:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)


def finished_study(folder, config):
    """Make stand-ins for all files of a study, recorded as made by Snakemake; how many jobs."""
    copy_checkout(folder)
    (folder / "study.yaml").write_text(config or "{}", encoding="utf-8")
    (folder / "resources/cifar10").mkdir(parents=True)
    planned = snakemake(folder, "--dry-run")
    for outputs in re.findall(r"^    output: (.*)$", planned, re.MULTILINE):
        for output in outputs.split(", "):
            (folder / output).parent.mkdir(parents=True, exist_ok=True)
            (folder / output).write_text("{}", encoding="utf-8")
    snakemake(folder, "--touch")
    return int(re.findall(r"^total +(\d+)", planned, re.MULTILINE)[0])


def seconds(what):
    """Median and range of the processor seconds of the processes that a call starts.

    The call is repeated until that takes too long.
    """
    taken = []
    while len(taken) < REPEATS and sum(taken) < LONG:
        start = os.times()
        what()
        end = os.times()
        user = end.children_user - start.children_user
        system = end.children_system - start.children_system
        taken.append(user + system)
    spread = f"{min(taken):.3f} to {max(taken):.3f}, n = {len(taken)}"
    return f"median {statistics.median(taken):.3f} s, {spread}"


DIGESTS = """
import sys
import time

from convprobe.plan.fingerprint import fingerprint

start = time.process_time()
for script in sys.argv[1:]:
    fingerprint(script)
print(time.process_time() - start)
"""


def digest_seconds():
    """Median processor seconds for the digests of all scripts, each time in a new process."""
    folder = REPOSITORY / "scripts"
    command = [sys.executable, "-c", DIGESTS, *sorted(map(str, folder.glob("*.py")))]
    taken = []
    for _ in range(REPEATS):
        ran = subprocess.run(command, cwd=folder, check=True, capture_output=True)
        taken.append(float(ran.stdout))
    return statistics.median(taken)


def main():
    digests = f"median {1000 * digest_seconds():.1f} ms, n = {REPEATS}"
    print(f"digests of all scripts: {digests}", flush=True)
    for name, config in STUDIES.items():
        with tempfile.TemporaryDirectory() as folder:
            jobs = finished_study(Path(folder), config)
            assert "Nothing to be done" in snakemake(folder, "--dry-run")
            print(f"{name}, {jobs} jobs:", flush=True)
            plan = partial(snakemake, folder, "--dry-run", "--quiet", "all")
            print(f"    nothing to be done: {seconds(plan)}", flush=True)
            from_nothing = seconds(partial(plan, "--forceall"))
            print(f"    planned from nothing: {from_nothing}", flush=True)


if __name__ == "__main__":
    main()
