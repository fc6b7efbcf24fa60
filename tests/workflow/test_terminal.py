"""What a run prints: on a terminal of 80 columns, and through a pipe."""

import os
import pty
import re
import subprocess
import termios

import pytest

pytestmark = pytest.mark.slow
MOVES = re.compile(r"\x1b\[\d*[AKJm]")
SNAKEMAKES_OWN = "Using workflow specific profile"  # printed before any workflow is read
SUMMARY = "results/tiny/normalised/epoch-01/occlusion/summary.csv"


def on_a_terminal(workflow, *arguments):
    """Exit status and lines of a run, as written: bars that are drawn again count again."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    environment = {**os.environ, "TERM": "xterm"}
    for size in ("COLUMNS", "LINES"):
        environment.pop(size, None)
    running = subprocess.Popen(
        workflow.command(*arguments), cwd=workflow.folder, env=environment,
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux's way to say that nobody has the terminal open any more
            break
        if not part:
            break
        written += part
    os.close(ours)
    lines = MOVES.sub("", written.decode()).splitlines()
    return running.wait(), [line for line in lines if not line.startswith(SNAKEMAKES_OWN)]


def test_a_whole_run_through_a_pipe_prints_few_lines(finished):
    lines = finished.output.splitlines()
    assert len(lines) < 60
    said = [line for line in lines if line.startswith("convprobe: ")]
    stages = ["dataset", "training", "occlusion", "filters", "ablation", "report"]
    ends = [line.split()[1] for line in said if " done: " in line]
    assert sorted(ends) == sorted(stages)
    assert re.fullmatch(r"convprobe: report done: 4 jobs in .*; (\d+) of \1 jobs in .*", said[-4])
    assert "\x1b" not in finished.output


def test_a_terminal_has_bars_and_no_line_is_wider_than_it(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    (workflow.folder / SUMMARY).unlink()
    status, lines = on_a_terminal(workflow)
    assert status == 0
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    assert any(re.fullmatch(r"    occlusion +\d+ s +1 of 4 jobs", line) for line in lines)
    bars = [line for line in lines if line.startswith("occlusion ")]
    # The first is drawn as the run begins or, if the job ends within that second, after it.
    assert all(re.fullmatch(r"occlusion (┄+ +0|━+ +1)/1 +\d+ s", bar) for bar in bars)
    assert "━" in bars[-1]
    assert "localrule" not in "\n".join(lines)
    assert lines[-2].startswith("convprobe: done. Open results/tiny/explorer.html")


def test_a_failed_job_has_its_whole_log_in_a_pipe_and_its_reason_on_a_terminal(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    evaluation = "results/tiny/raw/evaluation/epoch-01.json"
    (workflow.folder / evaluation).unlink()
    (workflow.folder / "results/tiny/raw/checkpoints/epoch-01.pth").write_bytes(b"nothing")
    piped = workflow.run(evaluation)
    log = "logs/tiny/raw/evaluation/epoch-01.log"
    assert piped.returncode == 1
    whole = (workflow.folder / log).read_text()
    assert f"Logfile {log}:" in piped.stdout
    assert whole.splitlines()[-1].startswith("error: ")
    for line in whole.splitlines()[1:]:
        assert line in piped.stdout
    status, lines = on_a_terminal(workflow, evaluation)
    assert status == 1
    assert "convprobe: evaluate_epoch failed; its log:" in " ".join(lines)
    assert f"    {log}:" in lines
    assert any(line.startswith("        error: results/tiny/raw/checkpoints") for line in lines)
    assert not any(line.startswith("Logfile") for line in lines)


def test_a_dry_run_says_why_each_job_is_due_and_announces_at_its_end(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    script = workflow.folder / "scripts/convprobe/occlusion/summary.py"
    script.write_text(f"{script.read_text()}\nADDED = 1\n")
    quiet = workflow.run("--dry-run", "--quiet", "rules").stdout
    assert quiet.count("convprobe: experiment tiny on the ") == 1
    planned = workflow.run("--dry-run")
    assert planned.returncode == 0
    listed, announced = planned.stdout.split("convprobe: experiment tiny on the ")
    assert re.search(r"reason: .*convprobe/occlusion/summary.py", listed)
    assert "in all" in announced
    assert re.search(r"convprobe: due: 5 of \d+ jobs, about", announced)
    assert re.search(r"    occlusion +\d+ s +1 of 4 jobs", announced)
    assert re.search(r"    report +\d+ s +4 of 4 jobs", announced)


def test_snakemakes_own_output_is_there_for_the_asking(finished, tmp_path):
    workflow = finished.copy(tmp_path / "convprobe")
    (workflow.folder / SUMMARY).unlink()
    asked = workflow.run("--printshellcmds", SUMMARY)
    assert "localrule summarise_occlusion:" in asked.stdout
    (workflow.folder / SUMMARY).unlink()
    quiet = workflow.run("--quiet", "all", SUMMARY)
    assert "jobs in" not in quiet.stdout
