"""What shows a run, where a terminal can't."""

import io
import sys
from types import SimpleNamespace

from convprobe.job import terminal


def test_a_letter_that_the_terminal_does_not_have_ends_no_run(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    asked = dict.fromkeys(["dryrun", "quiet", "verbose", "debug_dag", "printshellcmds"], False)
    terminal.attach(SimpleNamespace(**asked), main=True)
    print("20×20 pixels", end="")
    assert stream.buffer.getvalue() == b"20\\xd720 pixels"
