"""A GPU of its own for each job, with pretended ones: what is shared is the locks, and those are real."""

import itertools
import subprocess
import sys

import pytest

JOB = """
import sys, time
from convprobe import gpus
place = gpus.claim(["one", "two"], folder=sys.argv[1], wait=0.02)
print(place, flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def start(tmp_path):
    """A function that starts a job which holds a GPU for some seconds; the jobs' processes are ended at the end."""
    jobs = []

    def started(seconds=60):
        command = [sys.executable, "-c", JOB, str(tmp_path / "locks"), str(seconds)]
        jobs.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="scripts"))
        return jobs[-1]

    yield started
    for job in jobs:
        job.kill()
        job.communicate()


def test_two_jobs_have_two_gpus(start):
    assert {start().stdout.readline().strip() for _ in range(2)} == {"0", "1"}


def test_a_third_job_waits_until_one_is_free(start):
    first, second = start(seconds=1.5), start()
    taken = first.stdout.readline().strip()
    second.stdout.readline()
    third = start()
    assert third.stdout.readline().strip() == "all 2 GPUs are taken: waiting for one"
    assert third.stdout.readline().strip() == taken
    assert first.wait() == 0


def test_the_gpu_of_a_job_that_is_killed_is_free_at_once(start):
    first, second = start(), start()
    taken = first.stdout.readline().strip()
    second.stdout.readline()
    first.kill()
    first.wait()
    assert start().stdout.readline().strip() == taken


def test_no_gpu_is_ever_held_twice(start, tmp_path):
    """Twenty jobs, two GPUs: the times between claim and end never overlap on one GPU."""
    script = JOB.replace("print(place, flush=True)", "print(place, time.monotonic(), flush=True)")
    script += "print(time.monotonic(), flush=True)\n"
    command = [sys.executable, "-c", script, str(tmp_path / "locks"), "0.05"]
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="scripts") for _ in range(20)]
    spans = {"0": [], "1": []}
    for job in jobs:
        *_, claimed, ended = job.communicate()[0].splitlines()
        place, begin = claimed.split()
        spans[place].append((float(begin), float(ended)))
    assert sum(map(len, spans.values())) == 20
    for held in spans.values():
        held.sort()
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(held))
