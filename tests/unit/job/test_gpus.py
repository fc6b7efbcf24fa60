"""A GPU of its own for each job: the GPUs are pretended, the locks that they share are real."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convprobe.job import gpus

JOB = """
import sys, time
from convprobe.job import gpus
place = gpus.claim(["one", "two"], folder=sys.argv[1], wait=0.02)
print(place, flush=True)
time.sleep(float(sys.argv[2]))
"""
# What devices.choose asks of torch, with two devices that are only names.
TORCH = """
import types

uuids = ["one", "two"]
backends = types.SimpleNamespace(cudnn=types.SimpleNamespace())
set_num_threads = lambda threads: None
device = lambda kind, place: f"{kind}:{place}"
cuda = types.SimpleNamespace(
    is_available=lambda: True,
    device_count=lambda: len(uuids),
    get_device_properties=lambda place: types.SimpleNamespace(uuid=uuids[place], name="pretended"),
    set_device=lambda place: None,
)
"""
SNAKEFILE = """
rule all:
    input: expand("{number}.txt", number=range(4))

rule compute:
    output: "{number}.txt"
    log: "{number}.log"
    resources: gpu=1
    script: "compute.py"
"""
# The first two wait for each other: each has a device while the other has one.
COMPUTE = """
import time
from pathlib import Path
from convprobe.job import runtime
from convprobe.network import devices

with runtime.job(snakemake.log[0]):
    device, begin = devices.choose(threads=1), time.monotonic()
    Path(snakemake.output[0]).with_suffix(".begun").touch()
    while len(list(Path().glob("*.begun"))) < 2 and time.monotonic() < begin + 60:
        time.sleep(0.02)
    assert len(list(Path().glob("*.begun"))) >= 2, "nobody else has a device"
    Path(snakemake.output[0]).write_text(f"{device} {begin} {time.monotonic()}")
"""


@pytest.fixture
def start(tmp_path):
    """A function that starts a job which holds a GPU for some seconds; all end with the test."""
    jobs = []

    def started(seconds=60, at_a_time=2):
        command = [sys.executable, "-c", JOB, str(tmp_path / "locks"), str(seconds)]
        environment = os.environ | {gpus.JOBS: str(at_a_time)}
        options = {"stdout": subprocess.PIPE, "text": True, "cwd": "scripts", "env": environment}
        jobs.append(subprocess.Popen(command, **options))
        return jobs[-1]

    yield started
    for job in jobs:
        job.kill()
        job.communicate()


def test_two_jobs_have_two_gpus(start):
    assert {start().stdout.readline().strip() for _ in range(2)} == {"0", "1"}


@pytest.mark.slow
def test_a_third_job_waits_until_one_is_free(start):
    first, second = start(seconds=1.5), start()
    taken = first.stdout.readline().strip()
    second.stdout.readline()
    third = start()
    assert third.stdout.readline().strip() == "all 2 GPUs are taken: waiting for one"
    assert third.stdout.readline().strip() == taken
    assert first.wait() == 0


@pytest.mark.slow
def test_more_jobs_at_a_time_than_gpus_share_them_evenly(start):
    """Five at a time make three on each of two: the seventh waits."""
    jobs = [start(at_a_time=5) for _ in range(2)]
    places = [job.stdout.readline().strip() for job in jobs]
    assert set(places) == {"0", "1"}
    places += [start(at_a_time=5).stdout.readline().strip() for _ in range(4)]
    assert places.count("0") == 3
    assert start(at_a_time=5).stdout.readline().startswith("all 2 GPUs are taken")


@pytest.mark.slow
def test_jobs_that_begin_at_the_same_time_share_the_gpus_evenly(tmp_path):
    """Four processes that claim at once, of eight that may, 60 times: two on each of two GPUs."""
    script = """
import multiprocessing, sys
from convprobe.job import gpus

def claim(folder, barrier, places, done):
    barrier.wait()
    places.put(gpus.claim(["one", "two"], folder=folder))
    done.wait()

for number in range(60):
    forked = multiprocessing.get_context("fork")
    barrier, places, done = forked.Barrier(4), forked.SimpleQueue(), forked.Event()
    given = (f"{sys.argv[1]}/{number}", barrier, places, done)
    jobs = [forked.Process(target=claim, args=given) for _ in range(4)]
    for job in jobs:
        job.start()
    print(sum(places.get() for _ in jobs))
    done.set()
    for job in jobs:
        job.join()
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    environment = os.environ | {gpus.JOBS: "8"}
    run = subprocess.run(command, cwd="scripts", env=environment, capture_output=True, text=True)
    assert run.stdout.split() == ["2"] * 60, run.stderr


@pytest.mark.slow
def test_a_job_takes_the_gpu_that_fewest_jobs_have(start):
    """Two on each; both of the first GPU end: the next two jobs take their places."""
    jobs = {}
    for _ in range(4):
        job = start(at_a_time=6)
        jobs.setdefault(job.stdout.readline().strip(), []).append(job)
    for job in jobs["0"]:
        job.kill()
        job.wait()
    assert [start(at_a_time=6).stdout.readline().strip() for _ in range(2)] == ["0", "0"]


def test_where_no_gpu_is_counted_a_job_takes_one_all_the_same(start):
    assert start(at_a_time=0).stdout.readline().strip() in ("0", "1")


def test_the_gpu_of_a_job_that_is_killed_is_free_at_once(start):
    first, second = start(), start()
    taken = first.stdout.readline().strip()
    second.stdout.readline()
    first.kill()
    first.wait()
    assert start().stdout.readline().strip() == taken


@pytest.mark.slow
def test_no_gpu_is_ever_held_twice(start, tmp_path):
    """Twenty jobs, two GPUs: the times between claim and end never overlap on one GPU."""
    script = JOB.replace("print(place, flush=True)", "print(place, time.monotonic(), flush=True)")
    script += "print(time.monotonic(), flush=True)\n"
    command = [sys.executable, "-c", script, str(tmp_path / "locks"), "0.05"]
    jobs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="scripts")
        for _ in range(20)
    ]
    spans = {"0": [], "1": []}
    for job in jobs:
        *_, claimed, ended = job.communicate()[0].splitlines()
        place, begin = claimed.split()
        spans[place].append((float(begin), float(ended)))
    assert sum(map(len, spans.values())) == 20
    assert not shared(spans)


def shared(spans):
    """Whether two of the (begin, end) of one device overlap."""
    return any(
        end > begin
        for held in spans.values()
        for (_, end), (begin, _) in itertools.pairwise(sorted(held))
    )


@pytest.mark.slow
def test_with_two_gpus_snakemake_gives_two_jobs_at_a_time_one_each(tmp_path):
    for name, text in {"torch.py": TORCH, "Snakefile": SNAKEFILE, "compute.py": COMPUTE}.items():
        (tmp_path / name).write_text(text)
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": f"{tmp_path}:{Path('scripts').resolve()}",
    }
    command = [sys.executable, "-m", "snakemake", "--cores", "4", "--resources", "gpu=2"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    spans = {"cuda:0": [], "cuda:1": []}
    for number in range(4):
        device, begin, end = (tmp_path / f"{number}.txt").read_text().split()
        spans[device].append((float(begin), float(end)))
    assert all(spans.values())
    assert not shared(spans)
