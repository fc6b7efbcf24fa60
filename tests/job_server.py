"""Starts programs in processes that begin with what they import imported.

To import PyTorch, pandas and Matplotlib takes longer than most jobs of a small study, or than to
trace a network. A program runs as by `python`, in its own process, in which nothing of the workflow
is imported before.
"""

import contextlib
import gc
import importlib
import os
import resource
import runpy
import signal
import socket
import sys
import traceback
from multiprocessing import connection
from pathlib import Path
from typing import NamedTuple

IMPORTED_BY_JOBS = [
    "fontTools.subset", "h5py", "jaxtyping", "jsonschema", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg", "matplotlib.figure", "matplotlib.image", "pandas",
    "pandas.io.formats.csvs", "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.Image",
    "PIL.JpegImagePlugin", "PIL.PpmImagePlugin", "psutil", "scipy.stats", "snakemake.io",
    "snakemake.iocontainers", "snakemake.logging", "tomllib", "torch", "torch.export",
    "torch.utils.serialization", "xml.etree.ElementTree",
]  # fmt: skip


class Program(NamedTuple):
    """What is run, and what surrounds it."""

    command: list[str]  # of Python: a script, or `-m`, a module and its arguments
    folder: str
    environment: dict[str, str]
    given: str  # a file, its standard input
    output: str  # a file; what it prints is added to it
    errors: str  # likewise
    size_limit: tuple[int, int]  # of any file written, in bytes: the soft and the hard one


def run(address: str, program: Program) -> int:
    """Run a program; returns its exit status, negative if a signal ended it."""
    with connection.Client(address) as server:
        server.send(tuple(program))
        return server.recv()


def _next_program(listener: connection.Listener) -> Program:
    """Wait for programs until the tests are over; returns in the process of one alone.

    One process starts all and waits for all: to copy it, with all that is imported, takes longer
    than many a job.
    """
    accepting = listener._listener._socket
    ended, ending = socket.socketpair()
    ending.setblocking(False)
    signal.set_wakeup_fd(ending.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # for the wakeup
    callers = {}
    while sys.stdin not in (ready := connection.wait([accepting, sys.stdin, ended])):
        if ended in ready:
            ended.recv(4096)
            _tell_ends(callers)
        if accepting in ready:
            caller = listener.accept()
            try:
                program = Program(*caller.recv())
            except (EOFError, OSError):  # its caller is gone
                continue
            process = os.fork()
            if not process:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return program
            callers[process] = caller
    sys.exit()


def _tell_ends(callers: dict[int, connection.Connection]) -> None:
    """Send the exit status of each process that has ended to its caller."""
    while callers:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        with callers.pop(process) as caller, contextlib.suppress(OSError):  # it may be gone
            caller.send(os.waitstatus_to_exitcode(status))


def _surround(program: Program) -> None:
    """Give this process what a process of the program's own would have."""
    os.chdir(program.folder)
    os.environ.clear()
    os.environ.update(program.environment)
    with (
        open(program.given, "rb") as given,
        open(program.output, "ab") as output,
        open(program.errors, "ab") as errors,
    ):
        for stream, file in enumerate((given, output, errors)):
            os.dup2(file.fileno(), stream)
    resource.setrlimit(resource.RLIMIT_FSIZE, program.size_limit)


def _run(command: list[str]) -> int:
    """Run a script or a module as the main program; returns its exit status."""
    try:
        match command:
            case ["-m", module, *arguments]:
                sys.argv = [module, *arguments]
                sys.path[:1] = os.environ["PYTHONPATH"].split(os.pathsep)
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            case [script]:
                sys.argv = [script]
                sys.path[0] = str(Path(script).parent)
                runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if not isinstance(end.code, str):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    for name in IMPORTED_BY_JOBS:
        importlib.import_module(name)
    listener = connection.Listener(sys.argv[1], "AF_UNIX", backlog=socket.SOMAXCONN)
    gc.freeze()  # collecting garbage would copy what is shared
    print("ready", flush=True)
    program = _next_program(listener)
    _surround(program)
    status = _run(program.command)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)  # to take all imports down takes longer than many a job
