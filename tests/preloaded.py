"""Snakemake's command line in a process that begins with Snakemake imported.

To import it takes as long as a dry run of a small study, and tests start it hundreds of times. Its
jobs, and the process that traces a network, begin with their imports too, unless a test is about
what ends these processes.
"""

import atexit
import functools
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
from multiprocessing import connection, forkserver
from pathlib import Path
from unittest import mock

import job_server

REPOSITORY = Path(__file__).parents[1]
# What a plan imports beside it, some of it only when it gets there.
OF_PLANS = [
    "docutils.core", "fastjsonschema", "jaxtyping", "jsonschema", "nbformat", "PIL.JpegImagePlugin",
    "smart_open", "snakemake.profiles", "snakemake.report.html_reporter", "snakemake.storage",
]  # fmt: skip
# To start a process also asks those of other threads whether they have ended, and of two that ask
# for an exit status at once, one finds it gone and takes it for 255.
STATUS = threading.Lock()


def _is_of_tests(path):
    """Whether a place to import from is this repository's: a run has a copy of the library."""
    return Path(path).is_relative_to(REPOSITORY) and "site-packages" not in path


@functools.cache
def _server():
    """Starts processes that begin with Snakemake imported."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__, "snakemake_with_plugins", *OF_PLANS])
    # It imports what it finds of these, and isn't told itself where this folder's modules lie.
    with mock.patch.dict(os.environ, PYTHONPATH=str(Path(__file__).parent)):
        forkserver.ensure_running()
    return server


@functools.cache
def _job_server():
    """Address of this process's server of jobs, which ends with it."""
    address = str(Path(tempfile.mkdtemp()) / "jobs")
    server = subprocess.Popen(
        [sys.executable, job_server.__file__, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(server.communicate)
    server.stdout.readline()
    return address


def _run_by(address, command, environment, given, output, errors):
    """Run a program of Python's by a server; returns its exit status."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    streams = (given, output, errors)
    program = job_server.Program(command, str(Path.cwd()), dict(environment), *streams, limit)
    return job_server.run(address, program)


def _run_jobs_by(address, output):
    """Let Snakemake run the scripts of this process's jobs by a server."""
    from snakemake.script import PythonScript

    def execute_script(self, path, edit=False):
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(self.threads))
        status = _run_by(address, [path], os.environ | threads, os.devnull, output, output)
        if status:
            raise subprocess.CalledProcessError(status, path)

    PythonScript.execute_script = execute_script


def running_modules_by(address=None):
    """What takes the place of `subprocess.run`: by a server, if it is to run a Python module.

    Args:
        address: of the server; this process's own, if it isn't given.
    """
    address = address or _job_server()
    run_itself = subprocess.run

    def run(command, **options):
        python, *rest = command
        if [python, *rest[:2]] != [sys.executable, "-P", "-m"]:
            return run_itself(command, **options)
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("given", "output", "errors")]
            streams[0].write_text(options["input"], encoding="utf-8")
            status = _run_by(address, rest[1:], options["env"], *map(str, streams))
            printed = (
                stream.read_text(encoding="utf-8", errors="replace") for stream in streams[1:]
            )
            return subprocess.CompletedProcess(command, status, *printed)

    return run


def _snakemake(arguments, folder, output, environment, limit, jobs):
    from snakemake import cli  # not where tests run, which don't need it

    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [folder, *(path for path in sys.path if not _is_of_tests(path))]
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * limit,) * 2)
    with open(output, "wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    if jobs:
        _run_jobs_by(jobs, output)
        subprocess.run = running_modules_by(jobs)
    sys.argv = ["snakemake", *arguments]
    try:
        cli.main(arguments)
    finally:
        atexit._run_exitfuncs()  # a process of multiprocessing leaves them out


def start(arguments, folder):
    """Start `python -m snakemake` in a session of its own; its jobs are processes as a user's are.

    Returns:
        the process, of multiprocessing.
    """
    given = (list(arguments), str(folder), os.devnull, dict(os.environ), None, None)
    process = _server().Process(target=_snakemake, args=given)
    process.start()
    return process


def snakemake(arguments, folder, limit=None):
    """Run `python -m snakemake` with these arguments.

    Args:
        limit: of the size of any file written, in KiB.

    Returns:
        as of subprocess.run; `stdout` has the errors too.
    """
    with tempfile.NamedTemporaryFile() as output:
        environment = dict(os.environ)
        given = (list(arguments), str(folder), output.name, environment, limit, _job_server())
        process = _server().Process(target=_snakemake, args=given)
        with STATUS:
            process.start()
        connection.wait([process.sentinel])
        with STATUS:
            process.join()
        printed = output.read().decode()
    return subprocess.CompletedProcess(arguments, process.exitcode, printed)
