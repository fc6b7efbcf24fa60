"""How far a run is: its jobs by stage, what the long ones say in their logs, and the time left."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from convprobe.job import progress_line

SHOWN_JOBS = 3  # of those that are running, the ones whose logs say how far they are
TAIL = 400  # bytes at the end of a log in which its last line of progress lies
NAME_WIDTH = 10
ENOUGH = 0.05  # of a run, after which the time that it took says more than the estimate
# Between two lines where there are no bars: a tenth of the time so far, within these bounds.
SECONDS = (30, 600)
FULL, EMPTY = "━", "┄"

Clock = Callable[[], float]


class StageJobs:
    """The jobs of one stage.

    Attributes:
        due: how many there are to do, finished ones among them.
        done: how many are finished.
        running: how many are running.
        start, end: when the first was started and the last one finished.
    """

    def __init__(self) -> None:
        self.due = 0
        self.done = 0
        self.running = 0
        self.start: float | None = None
        self.end = 0.0

    def seconds(self, now: float) -> float:
        """From the first job's start to now, or to the last one's end if none is running."""
        if self.start is None:
            return 0.0
        return (now if self.running else self.end) - self.start


class Progress:
    """How far a run is, told by the starts and ends of its jobs.

    Args:
        stages: of all rules, in the order in which they are shown; jobs of others don't count.
        clock: seconds since some time.
    """

    def __init__(self, stages: Mapping[str, str], clock: Clock = time.monotonic) -> None:
        self.of_rule = stages
        self.stages = {stage: StageJobs() for stage in stages.values()}
        self.clock = clock
        self.start = clock()
        self.said = self.start
        self.closed = False  # whether the run has ended
        self.one_job: Mapping[str, float] = {}
        self.due: Mapping[str, int] = {}
        self.finished: dict[int, str] = {}  # rule by job
        self.running: dict[int, tuple[str, str]] = {}  # rule and log, by job

    def plan(self, jobs: Mapping[int, str], one_job: Mapping[str, float]) -> None:
        """Set which jobs there are to do, by their rules, and the rough seconds of one.

        Those that are known to be finished may be missing, as after a checkpoint.
        """
        self.due = Counter(
            rule for rule in {**jobs, **self.finished}.values() if rule in self.of_rule
        )
        self.one_job = one_job
        for stage in self.stages.values():
            stage.due = 0
        for rule, count in self.due.items():
            self.stages[self.of_rule[rule]].due += count

    def started(self, job: int, rule: str, log: str) -> None:
        if rule not in self.of_rule or job in self.running:
            return
        stage = self.stages[self.of_rule[rule]]
        if stage.start is None:
            stage.start = self.clock()
        stage.running += 1
        self.running[job] = rule, log

    def ended(self, job: int, well: bool = True) -> str | None:
        """Note the end of a job; returns a line if that was its stage's last one."""
        if job not in self.running:
            return None
        rule, _ = self.running.pop(job)
        name = self.of_rule[rule]
        stage = self.stages[name]
        stage.running -= 1
        stage.end = self.clock()
        if not well:
            return None
        stage.done += 1
        self.finished[job] = rule
        if stage.done < stage.due:
            return None
        took = duration(stage.seconds(stage.end))
        jobs = "1 job" if stage.done == 1 else f"{stage.done} jobs"
        return f"{name} done: {jobs} in {took}; {self.in_all()}"

    def left(self) -> float:
        """Rough seconds until the end."""
        total = sum(count * self.one_job.get(rule, 0) for rule, count in self.due.items())
        done = sum(self.one_job.get(rule, 0) for rule in self.finished.values())
        if done <= ENOUGH * total:  # or if none of the jobs' times is known
            return total - done
        return (self.clock() - self.start) * (total - done) / done

    def in_all(self) -> str:
        """In words, how many jobs are done, and how long the others will take."""
        done = sum(stage.done for stage in self.stages.values())
        due = sum(stage.due for stage in self.stages.values())
        if done >= due:
            return f"{done} of {due} jobs in {duration(self.clock() - self.start)}"
        if self.closed:
            return f"stopped at {done} of {due} jobs"
        return f"{done} of {due} jobs, about {duration(self.left())} left"

    def knows(self, rule: str) -> bool:
        """Whether jobs of a rule are due, by the plan so far."""
        return bool(self.due.get(rule)) or rule not in self.of_rule

    def line(self) -> str | None:
        """A line where there are no bars, if it is time for one."""
        now = self.clock()
        least, most = SECONDS
        if now - self.said < min(max((now - self.start) / 10, least), most):
            return None
        self.said = now
        long = self.long_jobs()
        return "; ".join([self.in_all(), *long[:1]])

    def long_jobs(self) -> list[str]:
        """How far the running jobs are whose logs say it."""
        lines = []
        for _, log in self.running.values():
            said = last_progress(log)
            if said:
                lines.append(f"{'/'.join(Path(log).with_suffix('').parts[2:])}: {said}")
        return lines

    def bars(self, width: int, height: int) -> list[str]:
        """A bar for each stage that has jobs, the long jobs, and the whole in words.

        Args:
            width: of a line, at most.
            height: how many lines there may be, at least one.
        """
        lines = [
            _bar(name, stage, self.clock(), width)
            for name, stage in self.stages.items()
            if stage.due
        ]
        lines += [f"  {words}" for words in self.long_jobs()[:SHOWN_JOBS]]
        lines = lines[: height - 1]
        lines.append(self.in_all())
        return [line[:width] for line in lines]


def _bar(name: str, stage: StageJobs, now: float, width: int) -> str:
    took = duration(stage.seconds(now)) if stage.start is not None else ""
    words = f"{f'{stage.done}/{stage.due}':>9} {took:>7}"
    length = max(width - NAME_WIDTH - len(words) - 1, 0)
    full = length * min(stage.done, stage.due) // stage.due
    return f"{name:<{NAME_WIDTH}}{FULL * full}{EMPTY * (length - full)} {words}"


def last_progress(log: str) -> str:
    """What a job's log said last about how far it is; nothing if it doesn't, or is done."""
    try:
        with open(log, "rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - TAIL, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    *_, last = ["", *text.splitlines()]
    for line in progress_line.lines(last):
        if line.left:
            return f"{line.so_far}, {duration(line.left)} left"
    return ""


def duration(value: float) -> str:
    """Seconds in words."""
    if value < 90:
        return f"{max(value, 1):.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"
