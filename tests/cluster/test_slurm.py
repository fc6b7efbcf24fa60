"""The study through SLURM: same results, one GPU job at a time, recovery by the same command."""

import contextlib
import datetime
import itertools
import os
import re
import subprocess
import sys
import time

import pytest
import slurm
from conftest import MADE_OF_ALL, TINY

pytestmark = pytest.mark.slow
# A preset. CI runs the tiny study, `make test-cluster` the demo.
STUDY = os.environ.get("CONVPROBE_CLUSTER_STUDY")
# Of the tiny study all submitted jobs, and its tables. Figures are made where Snakemake runs, as
# without a cluster.
FILTERS = "results/tiny/normalised/epoch-02/filters"
TARGETS = (
    []
    if STUDY
    else ["results/tiny/reproduction.csv", f"{FILTERS}/patches.h5", f"{FILTERS}/all-top-images.csv"]
)
GPU_RULES = (
    "training",
    "evaluation",
    "occlusion/window",
    "activations",
    "all-top-images",
    "predictions",
    "variants",
)
# Sums depend on the number of threads.
ONE_THREAD = ("--max-threads", "1")


@pytest.fixture(scope="module")
def cluster():
    if reason := slurm.obstacle():
        pytest.skip(reason)
    with contextlib.ExitStack() as stop:
        try:
            cluster = stop.enter_context(slurm.started())
        except TimeoutError as error:
            pytest.skip(f"SLURM doesn't start here: {error}")
        yield cluster


@pytest.fixture
def start(cluster):
    """A function that starts Snakemake on the study; all are terminated at the end."""
    running = []

    def started(workflow, *options):
        arguments = [*TARGETS, *options, *ONE_THREAD, "--configfile", *workflow.configs]
        command = [sys.executable, "-m", "snakemake", *arguments]
        with open(workflow.folder / "output.txt", "a") as output:
            running.append(
                subprocess.Popen(
                    command,
                    cwd=workflow.folder,
                    env=cluster.environment,
                    stdout=output,
                    stderr=output,
                )
            )
        return running[-1]

    yield started
    for process in running:
        process.terminate()
        process.wait()


# Snakemake looks for finished jobs after 2 s, 12 s, 22 s …
SUBMITTING = (
    "--workflow-profile",
    "profiles/slurm",
    "--slurm-init-seconds-before-status-checks",
    "2",
)


def said(workflow):
    return (workflow.folder / "output.txt").read_text()[-5000:]


def gpu_times(workflow):
    """Start, end, log and seconds of each GPU job, from its log."""
    spans = []
    for log in (workflow.folder / "logs").rglob("*.log"):
        text = log.read_text()
        if re.search("|".join(GPU_RULES), str(log)) and "device: " in text:
            begin = datetime.datetime.fromisoformat(text.split()[1])
            end = datetime.datetime.fromtimestamp(log.stat().st_mtime, datetime.UTC)
            seconds = float(re.search(r"done in ([\d.]+) s", text)[1])
            spans.append((begin, end, log, seconds))
    return sorted(spans)


@pytest.fixture
def studies(make_workflow):
    """Two copies of the study: one for the cluster, one for this machine alone."""
    copies = make_workflow(), make_workflow()
    for workflow in copies:
        workflow.configure(TINY)
        workflow.configs = (STUDY or "tiny.yaml",)
    return copies


def cancel_training_until_it_is_given_up(running, cluster):
    """Cancel every training job, retries too; returns the memory that each had asked for."""
    asked = {}
    while running.poll() is None:
        for number in cluster.running("training"):
            asked[number] = cluster.memory(number)
            cluster.ask("scancel", number)
        time.sleep(0.3)
    return list(asked.values())


def contents(workflow):
    files = workflow.files().items()
    return {name: path.read_bytes() for name, path in files if name not in MADE_OF_ALL}


def test_killed_jobs_and_a_lost_node_are_recovered_by_the_same_command_and_the_gpu_is_never_shared(
    cluster, studies, start
):
    workflow, local = studies
    beside = start(local, "--cores", "1")
    first = start(workflow, *SUBMITTING)
    asked = cancel_training_until_it_is_given_up(first, cluster)
    assert first.returncode != 0
    memory = sorted(int(megabytes.removesuffix("M")) for megabytes in asked)
    first = memory[0]
    assert memory == [first, first, 2 * first, 2 * first]  # two runs, each retried once
    again = start(workflow, *SUBMITTING)
    cluster.wait_for("training")
    cluster.set_node("down")
    cluster.set_node("resume")
    assert again.wait() == 0, said(workflow)
    assert beside.wait() == 0, said(local)
    assert contents(workflow) == contents(local)
    assert "Nothing to be done" in workflow.run(*TARGETS, "--dry-run").stdout
    spans = gpu_times(workflow)
    # A training and an evaluation of each run, all maps in one, and three more probes.
    # The variants' job makes the predictions as well, if it begins before theirs.
    assert len(spans) >= 8
    for (_, end, first, _), (begin, _, second, _) in itertools.pairwise(spans):
        assert end <= begin, f"{first} and {second} ran on one GPU at the same time"
