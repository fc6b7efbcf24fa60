"""Starts jobs in processes that begin with what they import imported.

To import PyTorch, pandas and Matplotlib takes longer than most jobs of a small study. A job runs as
by `python SCRIPT`, in its own process, in which nothing of the workflow is imported before.
"""

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


class Script(NamedTuple):
    """What a job runs, and what surrounds it."""

    path: str
    folder: str
    environment: dict[str, str]
    output: str  # a file; what the job prints before it has a log is added to it
    size_limit: tuple[int, int]  # of any file written, in bytes: the soft and the hard one


def run(address: str, script: Script) -> int:
    """Run a script as a job; returns its exit status, negative if a signal ended it."""
    with connection.Client(address) as server:
        server.send(tuple(script))
        return server.recv()


def _next_script(listener: connection.Listener) -> Script:
    """Wait for scripts until the tests are over; returns in the process of a job alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for a job
    accepting = listener._listener._socket
    while accepting in connection.wait([accepting, sys.stdin]):
        with listener.accept() as caller:
            if os.fork():
                continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            script = Script(*caller.recv())
            job = os.fork()
            if not job:
                return script
            caller.send(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
            os._exit(0)
    sys.exit()


def _surround(script: Script) -> None:
    """Give this process what a process of the script's own would have."""
    os.chdir(script.folder)
    os.environ.clear()
    os.environ.update(script.environment)
    with open(os.devnull) as nothing, open(script.output, "ab") as file:
        for stream, opened in enumerate((nothing, file, file)):
            os.dup2(opened.fileno(), stream)
    resource.setrlimit(resource.RLIMIT_FSIZE, script.size_limit)
    sys.argv = [script.path]
    sys.path[0] = str(Path(script.path).parent)


def _run(path: str) -> int:
    """Run a script as the main program; returns its exit status."""
    try:
        runpy.run_path(path, run_name="__main__")
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
    script = _next_script(listener)
    _surround(script)
    status = _run(script.path)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)  # to take all imports down takes longer than many a job
