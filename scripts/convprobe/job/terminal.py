"""What a user sees of a run: bars on a terminal, and elsewhere a line now and then.

Snakemake prints ten lines per job, and one bar per rule with its plugin `rich`, which is more than
a terminal is high, shows no progress within a job, nothing at all through a pipe, and brings four
packages. This takes the place of Snakemake's own handler on its logger, and passes on to it what
it doesn't show itself: warnings, errors, a dry run's list. It reads how far long jobs are from
their logs, wherever they run, so that no other process writes between the bars.

Snakemake's log in `.snakemake/log` has all that it would have printed. `--verbose` and
`--printshellcmds` print it, `--quiet` neither of both.
"""

import contextlib
import io
import logging
import os
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable, Mapping
from typing import Any

from convprobe.job.progress import EMPTY, FULL, Progress

SNAKEMAKE = "snakemake.logging"  # its logger
OWN = "DefaultStreamHandler"  # its handler that prints
REPLACED = (
    "workflow_started",
    "resources_info",
    "run_info",
    "job_info",
    "group_info",
    "shellcmd",
    "job_started",
    "job_finished",
    "progress",
)  # events of which the bars or lines tell
# How messages begin that are of no use beside them.
CHATTER = (
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Complete log",
    "Config file",
    "DAG of jobs will be updated",
    "Elapsed time",
    "Execute ",
    "Group jobs: inactive",
    "Select jobs to execute",
    "Updating checkpoint dependencies",
    "Using shell",
)
DRY_RUN = "This was a dry-run"
WIDTH = 79
TICK_SECONDS = 0.5
UP, CLEAR_LINE, CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"

Plan = Callable[[], tuple[Mapping[int, str], Mapping[str, float]]]


def attach(settings: Any, main: bool) -> "Terminal":
    """What shows the run; it takes the place of Snakemake's own handler unless told otherwise.

    Args:
        settings: Snakemake's output settings.
        main: whether this process is the one that plans and starts jobs.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # No run ends for a letter that its terminal doesn't have, as of a class in an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    logger = logging.getLogger(SNAKEMAKE)
    terminal = Terminal(settings.dryrun, {str(kind) for kind in settings.quiet or ()})
    asked = settings.verbose or settings.debug_dag or settings.printshellcmds
    for handler in list(logger.handlers):
        if handler.name == OWN and main and not asked:
            logger.removeHandler(handler)
            terminal.printer = handler
            logger.addHandler(terminal)
    return terminal


class Terminal(logging.Handler):
    """Follows the events on Snakemake's logger.

    Attributes:
        printer: Snakemake's own handler; none where this one shows nothing.
        progress: of the run, once `begin` has been called.
    """

    printer: logging.StreamHandler

    def __init__(self, dryrun: bool, quiet: set[str]) -> None:
        super().__init__()
        self.dryrun = dryrun
        self.quiet = quiet
        self.bars = _is_terminal()
        self.progress: Progress | None = None
        self.drawn = 0  # lines of bars above the cursor
        self.broken = False  # whether an error has ended the bars or lines
        self.total = -1  # jobs, when the plan was last asked for
        self.announced = False  # in a dry run
        self.closed = threading.Event()

    def begin(self, stages: Mapping[str, str], plan: Plan, announce: Callable[[], None]) -> None:
        """Say what is to be followed.

        Args:
            stages: of all rules, in the order in which they are shown.
            plan: gives the jobs to do, with their rules, and the rough seconds of one, by rule.
            announce: prints the announcement; called in a dry run, at its end.
        """
        self.stages = stages
        self.plan = plan
        self.announce = announce

    def emit(self, record: logging.LogRecord) -> None:
        if not self.broken:
            try:
                self._show(record)
                return
            except Exception as error:  # a run doesn't end for what shows it
                self.broken = True
                self.closed.set()
                with contextlib.suppress(OSError, ValueError):  # the terminal may be closed
                    self.printer.stream.write(f"convprobe: no more bars or lines: {error!r}\n")
        self.printer.handle(record)

    def _show(self, record: logging.LogRecord) -> None:
        """Show what an event or a message says, or pass it on."""
        event = getattr(record, "event", None)
        words = record.getMessage() if event is None else ""
        if self.dryrun:
            self._print_plan(record, event, words)
            return
        line = self._follow(record, event)
        if line and not self.bars:
            self._say(line)
        if event in REPLACED or (record.levelno <= logging.INFO and words.startswith(CHATTER)):
            return
        if self.bars and "\nCalledProcessError" in record.getMessage():
            return  # a script's exit status; why it failed is in its log
        self._clear()
        if event == "job_error" and self.bars:
            self._say(_failed(record))
        else:
            self.printer.handle(record)

    def close(self) -> None:
        """Draw the bars a last time; called before the closing words."""
        with self.lock:
            if self.progress and self.drawn and not self.closed.is_set():
                self.progress.closed = True
                self._draw()
            self.closed.set()
        super().close()

    def _print_plan(self, record: logging.LogRecord, event: str | None, words: str) -> None:
        """Pass a dry run's list on, and announce the run at its end; `--quiet` has no list."""
        if event != "workflow_started":
            self.printer.handle(record)
        is_end = words.startswith(DRY_RUN) or (event == "run_info" and self.quiet)
        if is_end and not self.announced:
            self.announced = True
            self.announce()

    def _follow(self, record: Any, event: str | None) -> str | None:
        """Note what an event says; returns a line to be printed where there are no bars."""
        if event == "job_info":
            progress = self._begun()
            if not progress.knows(record.rule_name):  # a checkpoint has added it
                progress.plan(*self.plan())
            progress.started(record.jobid, record.rule_name, next(iter(record.log), ""))
        elif self.progress is None:
            return None
        elif event == "job_finished":
            return self.progress.ended(record.job_id)
        elif event == "job_error":
            self.progress.ended(record.jobid, well=False)
        elif event == "progress" and record.total != self.total:
            self.total = record.total  # likewise
            self.progress.plan(*self.plan())
        return None

    def _begun(self) -> Progress:
        """The progress of the run, which begins with its first job."""
        if self.progress is None:
            self.progress = Progress(self.stages)
            self.progress.plan(*self.plan())
            if not self.quiet & {"all", "progress"}:
                threading.Thread(target=self._tick, daemon=True).start()
        return self.progress

    def _tick(self) -> None:
        """Draw the bars anew, or say how far the run is, again and again until it ends."""
        while not self.closed.wait(TICK_SECONDS):
            with self.lock:
                if self.closed.is_set():
                    return
                if self.bars:
                    self._draw()
                else:
                    line = self.progress.line()
                    if line:
                        self._say(line)

    def _clear(self) -> None:
        """Clear the bars, so that other lines take their place; they are drawn again below."""
        if self.drawn:
            self.printer.stream.write(UP.format(self.drawn) + CLEAR_BELOW)
        self.drawn = 0

    def _draw(self) -> None:
        """Draw the bars over those drawn before, with one write; the cursor rests below them."""
        columns, rows = shutil.get_terminal_size()
        lines = self.progress.bars(min(columns - 1, WIDTH), rows - 1)
        up = UP.format(self.drawn) if self.drawn else ""
        text = "".join(f"{line}{CLEAR_LINE}\n" for line in lines)
        if not (self.printer.stream.encoding or "").lower().startswith("utf"):
            text = text.replace(FULL, "=").replace(EMPTY, ".")
        self.printer.stream.write(f"{up}{text}{CLEAR_BELOW}")
        self.printer.stream.flush()
        self.drawn = len(lines)

    def _say(self, line: str) -> None:
        if self.quiet & {"all", "progress"}:
            return
        words = f"convprobe: {line}"
        kept = textwrap.fill(words, WIDTH, subsequent_indent="    ", break_long_words=False)
        self.printer.stream.write(f"{kept}\n")
        self.printer.stream.flush()


def _failed(record: Any) -> str:
    return f"{record.rule_name} failed; its log: {', '.join(record.log) or 'none'}"


def _is_terminal() -> bool:
    """Whether both streams are a terminal on which the cursor can be moved."""
    moves = os.environ.get("TERM", "dumb") != "dumb"
    return moves and sys.stdout.isatty() and sys.stderr.isatty()
