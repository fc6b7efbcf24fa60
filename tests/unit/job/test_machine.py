"""What the machine gives a process."""

import os

from convprobe.job import machine
from convprobe.plan import cost


def test_where_the_system_limits_no_process_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    assert machine.usable_cores() == os.cpu_count()
    assert cost.device()[1]
