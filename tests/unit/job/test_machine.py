"""What the machine gives a process."""

import os

import pytest

from convprobe.job import machine
from convprobe.plan import cost


def test_where_the_system_limits_no_process_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    assert machine.usable_cores() == os.cpu_count()
    assert cost.device()[1]


@pytest.mark.parametrize(
    ("text", "quick"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512bw avx512dq avx512vl\n", True),
        ("flags\t\t: fpu avx2 avx_ne_convert\n", True),
        ("flags\t\t: fpu avx2 avx512bw\n", False),
        ("Features\t: fp asimd bf16\n", True),
    ],
    ids=["AVX-512", "AVX-NE-CONVERT", "AVX2", "ARM"],
)
def test_bf16_needs_instructions_that_the_processor_names(monkeypatch, tmp_path, text, quick):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{text}")
    monkeypatch.setattr(machine, "CPU_INFO", str(tmp_path / "cpuinfo"))
    assert machine.computes_bf16() is quick
