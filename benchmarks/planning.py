"""How long Snakemake takes to plan a study, to see that nothing is to be done, and the digests of the code alone.

Run from the repository: `python benchmarks/planning.py`. The files are stand-ins, recorded as made by
the present code and settings; planning reads Snakemake's memory and dates, not what is in them. Told are processor
seconds, which other work on the machine changes little; on an idle one they are the seconds that pass.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))
REPEATS = 5
LONG = 60  # seconds
MANY_RUNS = 40
# The published study, with all its images, with a hundred times as many, and one of many trainings.
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


def snakemake(folder, *arguments):
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "4",
        *arguments,
        "--configfile",
        "study.yaml",
    ]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def finished_study(folder, config):
    """Stand-ins for all files of a study, which Snakemake then records as made; how many jobs that is."""
    for name in ("Snakefile", "config.yaml", "rules", "scripts", "schemas", "profiles", "report"):
        place = REPOSITORY / name
        shutil.copytree(place, folder / name) if place.is_dir() else shutil.copy(
            place, folder / name
        )
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
    """Median and range of the processor seconds of the processes that a call starts; a long one is made once."""
    taken = []
    while len(taken) < REPEATS and sum(taken) < LONG:
        before = os.times()
        what()
        after = os.times()
        taken.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return f"median {statistics.median(taken):.3f} s, {min(taken):.3f} to {max(taken):.3f}, n = {len(taken)}"


def fingerprints():
    code = "from convprobe.plan.fingerprint import fingerprint; import sys, time; start = time.process_time(); "
    code += "[fingerprint(script) for script in sys.argv[1:]]; print(time.process_time() - start)"
    scripts = sorted(map(str, (REPOSITORY / "scripts").glob("*.py")))
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, *scripts],
            cwd=REPOSITORY / "scripts",
            check=True,
            capture_output=True,
        )
        for _ in range(REPEATS)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def main():
    print(
        f"digests of all scripts: median {1000 * fingerprints():.1f} ms, n = {REPEATS}", flush=True
    )
    for name, config in STUDIES.items():
        with tempfile.TemporaryDirectory() as folder:
            jobs = finished_study(Path(folder), config)
            assert "Nothing to be done" in snakemake(folder, "--dry-run")
            print(f"{name}, {jobs} jobs:", flush=True)
            for what, options in (
                ("nothing to be done", ()),
                ("planned from nothing", ("--forceall",)),
            ):
                told = seconds(
                    lambda options=options: snakemake(
                        folder, "--dry-run", "--quiet", "all", *options
                    )
                )
                print(f"    {what}: {told}", flush=True)


if __name__ == "__main__":
    main()
