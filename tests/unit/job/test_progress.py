"""How far a run is, with a clock that the test sets."""

import itertools

import pytest

from convprobe.job import progress, progress_line, runtime

STAGES = {"train": "training", "evaluate": "training", "sweep": "occlusion", "draw": "report"}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def begun(**due):
    """A run of which so many jobs per rule are due; one of `sweep` takes 10 s, another 20 s."""
    clock = Clock()
    run = progress.Progress(STAGES, clock)
    jobs = enumerate((rule for rule, count in due.items() for _ in range(count)), 1)
    run.plan(dict(jobs), {"train": 20.0, "evaluate": 20.0, "sweep": 10.0, "draw": 0.0})
    return run, clock


def test_a_stage_is_done_with_the_last_of_its_jobs_and_says_how_long_it_took():
    run, clock = begun(train=1, evaluate=1, sweep=2)
    run.started(1, "train", "")
    clock.now += 40
    assert run.ended(1) is None
    clock.now += 5  # between two jobs
    run.started(2, "evaluate", "")
    run.started(3, "sweep", "")
    clock.now += 15
    # 40 of 60 s of work took 60 s: the other 20 s will take 30.
    assert run.ended(2) == "training done: 2 jobs in 60 s; 2 of 4 jobs, about 30 s left"
    clock.now += 60
    assert run.ended(3) is None
    run.started(4, "sweep", "")
    assert run.ended(4) == "occlusion done: 2 jobs in 75 s; 4 of 4 jobs in 2 min"


def test_until_enough_is_done_the_time_left_is_the_estimate():
    run, clock = begun(train=1, sweep=2)
    clock.now += 500
    assert run.in_all() == "0 of 3 jobs, about 40 s left"


def test_where_no_time_is_known_none_is_left():
    run, _ = begun(draw=2)
    run.started(1, "draw", "")
    assert run.ended(1) is None
    assert run.in_all() == "1 of 2 jobs, about 1 s left"


def test_a_failed_job_and_a_job_that_was_not_counted_finish_no_stage():
    run, _ = begun(train=1)
    run.started(1, "train", "")
    assert run.ended(1, well=False) is None
    run.started(0, "all", "")
    assert run.ended(0) is None
    assert run.in_all() == "0 of 1 jobs, about 20 s left"


def test_jobs_that_a_checkpoint_adds_are_counted_from_then_on():
    run, _ = begun(train=1)
    run.started(1, "train", "")
    run.ended(1)
    assert not run.knows("sweep")
    run.plan({2: "sweep", 3: "sweep", 4: "sweep", 0: "all"}, run.one_job)  # not the finished one
    assert run.knows("sweep")
    assert run.in_all().startswith("1 of 4 jobs")
    run.plan({1: "train", 2: "sweep", 3: "sweep", 4: "sweep"}, run.one_job)
    assert run.in_all().startswith("1 of 4 jobs")


def test_lines_come_after_half_a_minute_and_then_ever_more_rarely():
    run, clock = begun(train=1)
    said = []
    for second in range(4 * 3600):
        clock.now = run.start + second
        if run.line():
            said.append(second)
    assert said[:3] == [30, 60, 90]
    pauses = [after - before for before, after in itertools.pairwise(said)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 600
    assert len(said) < 60


def test_a_long_job_is_shown_as_its_log_says(tmp_path, monkeypatch, capsys):
    """The line is one that a job has printed itself."""
    monkeypatch.setattr(runtime, "LOG_SECONDS", -1)
    monkeypatch.chdir(tmp_path)
    batches = runtime.Job().progress([range(300), range(500)], 800, "images")
    next(batches), next(batches)
    log = tmp_path / "logs/demo/raw/epoch-01.log"
    log.parent.mkdir(parents=True)
    log.write_text("started\n300/800 images, 2.5 a second, 200 s left\n")
    printed = capsys.readouterr().out
    assert progress_line.LINE.match(printed), printed
    run, _ = begun(train=1)
    run.started(1, "train", "logs/demo/raw/epoch-01.log")
    shown = "raw/epoch-01: 300/800 images, 3 min left"
    assert run.long_jobs() == [shown]
    assert f"  {shown}" in run.bars(79, 20)
    log.write_text(f"{log.read_text()}800/800 images, 2.5 a second, 0 s left\n")
    assert run.long_jobs() == []


def test_a_log_that_is_not_there_or_says_something_else_shows_nothing(tmp_path):
    assert progress.last_progress(str(tmp_path / "none.log")) == ""
    (tmp_path / "a.log").write_text("error: 300/800 images\n")
    assert progress.last_progress(str(tmp_path / "a.log")) == ""
    (tmp_path / "a.log").write_text("")
    assert progress.last_progress(str(tmp_path / "a.log")) == ""


@pytest.mark.parametrize("width", [40, 79])
def test_bars_fill_the_width_in_the_order_of_the_stages(width):
    run, clock = begun(train=2, sweep=100000)
    run.started(1, "train", "")
    clock.now += 30
    run.ended(1)
    training, occlusion, whole = run.bars(width, 20)
    assert len(training) == len(occlusion) == width
    assert training.startswith("training  ━")
    assert occlusion.startswith("occlusion ┄")
    assert abs(training.count("━") - training.count("┄")) <= 1
    assert training.split()[-3:] == ["1/2", "30", "s"]
    assert whole == f"1 of 100002 jobs, about {progress.duration(1000020.0)} left"[:width]


def test_where_there_is_little_height_the_whole_remains():
    run, _ = begun(train=1, sweep=1, draw=1)
    assert run.bars(79, 1) == ["0 of 3 jobs, about 30 s left"]
    assert len(run.bars(79, 3)) == 3
