"""What a job records of its results."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"

# A job as Snakemake starts it: `snakemake` stands in the script that is run.
JOB = """
import sys, time
from pathlib import Path
from snakemake.iocontainers import InputFiles, OutputFiles, Params, Wildcards
from convprobe.job import shared_process, runtime
from convprobe.store import files

class snakemake:
    rule = "train_epoch"
    wildcards = Wildcards(fromdict={"run": "a", "epoch": sys.argv[1]})
    params = Params(["train_epoch.py 0123", "own net.py:build 4567"])
    input = InputFiles(["mine/images.h5"])
    output = OutputFiles([f"results/a/{sys.argv[1]}.json", f"results/b/{sys.argv[1]}.json"])

with runtime.job(f"logs/{sys.argv[1]}.log"):
    outputs = dict(zip(("one", "other"), snakemake.output))
    with shared_process.shelf("results/a", [], []) as shelf:
        if not shelf.take(outputs):
            print("device: abacus", flush=True)
            numbers = shared_process.while_quick(iter(range(2)))
            for path in outputs.values():
                files.write_json(path, next(numbers) if path == outputs["one"] else 0)
            next(numbers)
            time.sleep(1.2)
            with shelf.adding(shelf.place()) as folder:
                for name in outputs:
                    files.write_json(folder / name, 1)
"""


def run(folder, epoch):
    subprocess.run(
        [sys.executable, "-c", JOB, epoch], cwd=folder, env={"PYTHONPATH": str(SCRIPTS)}, check=True
    )
    return json.loads((folder / f"results/a/.{epoch}.json.job.json").read_text())


@pytest.mark.slow
def test_a_job_records_what_it_made_of_what_and_where(tmp_path):
    begun = time.time()
    record = run(tmp_path, "01")
    assert record["rule"] == "train_epoch"
    assert record["wildcards"] == {"run": "a", "epoch": "01"}
    assert record["device"] == "abacus"
    assert record["code"] == {"train_epoch.py": "0123", "own net.py:build": "4567"}
    assert record["inputs"] == ["../../mine/images.h5"]
    zero = hashlib.sha256(b"0\n").hexdigest()
    assert record["outputs"] == {"01.json": zero, "../b/01.json": zero}
    # 1.2 seconds went into another job's; the system tells a start to a fraction of a second.
    assert 0 < record["seconds"] <= time.time() - begun - 0.7
    assert record["environment"]["versions"]["Python"] == sys.version.split()[0]


@pytest.mark.slow
def test_what_is_made_ahead_is_recorded_for_the_job_that_takes_it(tmp_path):
    first = run(tmp_path, "01")
    second = run(tmp_path, "02")
    assert second["device"] == "abacus", "which the second job didn't look for"
    assert second["seconds"] >= 1.2
    assert second["started"] >= first["started"]
    assert second["wildcards"] == {"run": "a", "epoch": "02"}
