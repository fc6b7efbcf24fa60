"""The study through SLURM: the same results, one GPU job at a time, and the same command after an accident."""

import contextlib
import datetime
import itertools
import os
import re
import subprocess
import sys

import pytest
import slurm
from conftest import TINY

pytestmark = pytest.mark.slow
# A preset for the first test; CI takes the tiny study, `make test-cluster` the demo.
STUDY = os.environ.get("CONVPROBE_CLUSTER_STUDY")
GPU_RULES = ("training", "evaluation", "occlusion/window", "activations", "all-top-images", "predictions", "variants")
ONE_THREAD = ("--max-threads", "1")  # as many jobs as there are cores; sums depend on the number of threads


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


def submitted(workflow, cluster):
    """A running Snakemake that submits to the cluster."""
    options = ["--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "2", *ONE_THREAD]
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", *options]
    with open(workflow.folder / "output.txt", "a") as output:
        return subprocess.Popen(
            [*command, "--configfile", *workflow.configs], cwd=workflow.folder, env=cluster.environment,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip


def said(workflow):
    return (workflow.folder / "output.txt").read_text()[-5000:]


def gpu_times(workflow):
    """When each GPU job began and ended, from its log."""
    spans = []
    for log in (workflow.folder / "logs").rglob("*.log"):
        text = log.read_text()
        if re.search("|".join(GPU_RULES), str(log)) and "device: " in text:
            begun = datetime.datetime.fromisoformat(text.split()[1])
            seconds = float(re.search(r"done in ([\d.]+) s", text)[1])
            spans.append((begun, datetime.datetime.fromtimestamp(log.stat().st_mtime, datetime.UTC), log, seconds))
    return sorted(spans)


@pytest.fixture(scope="module")
def local(make_workflow):
    """The same study without a cluster."""
    workflow = make_workflow()
    workflow.configs = study(workflow)
    completed = workflow.run(*ONE_THREAD)
    assert completed.returncode == 0, completed.stdout[-3000:]
    return {name: path.read_bytes() for name, path in workflow.files().items()}


def study(workflow):
    if STUDY:
        return (STUDY,)
    workflow.configure(TINY)
    return ("tiny.yaml",)


def test_the_study_comes_out_the_same_and_the_gpu_is_never_shared(make_workflow, cluster, local):
    workflow = make_workflow()
    workflow.configs = study(workflow)
    assert submitted(workflow, cluster).wait() == 0, said(workflow)
    assert {name: path.read_bytes() for name, path in workflow.files().items()} == local
    output = (workflow.folder / "output.txt").read_text()
    assert output.count("Group job training (") == 2  # one submission a run
    spans = gpu_times(workflow)
    assert len(spans) > 10
    for (_, end, first, _), (begin, _, second, _) in itertools.pairwise(spans):
        assert end <= begin, f"{first} and {second} ran on one GPU at the same time"


def test_a_job_killed_and_a_node_gone_down_are_recovered_by_the_same_command(make_workflow, cluster):
    workflow = make_workflow().configure(TINY)
    first = submitted(workflow, cluster)
    cluster.ask("scancel", cluster.wait_for("training"))
    assert first.wait() != 0
    second = submitted(workflow, cluster)
    cluster.wait_for("training")
    cluster.set_node("down")
    cluster.set_node("resume")
    if second.wait() != 0:
        assert submitted(workflow, cluster).wait() == 0, said(workflow)
    assert workflow.run("verify_results").returncode == 0
    assert "Nothing to be done" in workflow.run("--dry-run").stdout
