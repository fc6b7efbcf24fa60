"""A real SLURM for the tests: one node on the loopback address, with one pretended GPU."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
PORTS = {"slurmctld": 16817, "slurmd": 16818}
CONFIG = """
ClusterName=convprobe
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=15
SlurmctldPort={slurmctld}
SlurmdPort={slurmd}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MinJobAge=3600
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=16000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Cluster:
    """Commands to a running SLURM."""

    def __init__(self, folder):
        self.folder = folder
        self.host = socket.gethostname().partition(".")[0]
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def ask(self, *command):
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def running(self, rule):
        """Numbers of the running jobs of a rule or group."""
        lines = self.ask("squeue", "--noheader", "--states=running", "--format=%i %k").splitlines()
        return [line.split()[0] for line in lines if rule in line]

    def memory(self, number):
        """The memory that a job has asked for, as `4000M`."""
        return self.ask(
            "squeue", "--noheader", "--states=all", f"--jobs={number}", "--format=%m"
        ).strip()

    def wait_for(self, rule, deadline=120):
        """Wait until a job of a rule or group runs."""
        end = time.monotonic() + deadline
        while not self.running(rule):
            if time.monotonic() > end:
                raise TimeoutError(f"no job of {rule} has started: {self.ask('squeue')}")
            time.sleep(0.3)

    def set_node(self, state):
        self.ask("scontrol", "update", f"nodename={self.host}", f"state={state}", "reason=a test")


def obstacle():
    """Why SLURM can't be started here, or None."""
    if os.getuid() != 0 or not all(shutil.which(daemon) for daemon in DAEMONS):
        return (
            "SLURM can't be started: expected slurm-wlm and munge to be installed, and to be root"
        )
    if Path("/etc/slurm/slurm.conf").exists():
        return "/etc/slurm is configured already, and an existing SLURM is left alone"
    return None


@contextlib.contextmanager
def started():
    """Yield a running Cluster, and remove all of it at the end."""
    # Not in a temporary folder: nobody else may have write permission above munge's socket.
    folder = Path("/run/convprobe-slurm")
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.ExitStack() as stop:
        stop.callback(shutil.rmtree, folder)
        yield _start(folder, stop)


def _start(folder, stop):
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    cluster = Cluster(folder)
    (folder / "slurm.conf").write_text(CONFIG.format(folder=folder, host=cluster.host, **PORTS))
    # A harmless device stands for the GPU: SLURM counts it, and nothing opens it.
    (folder / "gres.conf").write_text(f"NodeName={cluster.host} Name=gpu Count=1 File=/dev/null\n")
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o600)
    Path("/etc/slurm").mkdir(exist_ok=True)
    for name in ("slurm.conf", "gres.conf"):
        # The job's own step looks there: Snakemake's plugin takes SLURM_CONF from its environment.
        link = Path("/etc/slurm") / name
        link.symlink_to(folder / name)
        stop.callback(link.unlink)
    munge = [
        f"--{name}={folder}/munge.{end}"
        for name, end in (("socket", "socket"), ("pid-file", "pid"), ("seed-file", "seed"))
    ]
    commands = {
        "munged": [
            "munged",
            "--foreground",
            "--force",
            f"--key-file={folder}/munge.key",
            f"--log-file={folder}/munge.log",
            *munge,
        ],
        "slurmctld": ["slurmctld", "-D", "-f", folder / "slurm.conf"],
        "slurmd": ["slurmd", "-D", "-f", folder / "slurm.conf"],
    }
    for daemon in DAEMONS:
        process = subprocess.Popen(
            commands[daemon],
            env=cluster.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stop.callback(process.wait)
        stop.callback(process.terminate)
        if daemon == "munged":
            _wait_until((folder / "munge.socket").exists, folder)
    _wait_until(lambda: "idle" in cluster.ask("sinfo", "--noheader", "--format=%t"), folder)
    return cluster


def _wait_until(ready, folder, deadline=30):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        with contextlib.suppress(subprocess.CalledProcessError):
            if ready():
                return
        time.sleep(0.1)
    raise TimeoutError("".join(path.read_text()[-2000:] for path in folder.glob("*.log")))
