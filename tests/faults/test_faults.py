"""Whatever stops a run, the same command finishes it, and its files are those of an undisturbed run.

Each test draws its moment from a seed. CONVPROBE_FAULTS asks for more tests than the usual number.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import h5py
import psutil
import pytest

pytestmark = pytest.mark.slow
FAULTS = int(os.environ.get("CONVPROBE_FAULTS", "25"))
# About how long a job of the tiny study lasts, by whether it imports torch.
JOB_SECONDS = {True: 3.0, False: 1.0}
USES_TORCH = {
    "train_epoch", "evaluate_epoch", "map_occlusion", "record_activations", "find_top_images", "ablate_filters",
    "compare_ablations",
}  # fmt: skip

# The outputs of one job of every rule.
RUN = "normalised"
PROBED = f"{RUN}/epoch-01"
STAGES = {
    "prepare_images": ["dataset/images.h5"],
    "measure_normalisation": ["dataset/normalisation.json"],
    "train_epoch": [
        f"{RUN}/checkpoints/epoch-02.pth", f"{RUN}/checkpoints/epoch-02.optimizer.pth", f"{RUN}/training/epoch-02.json",
    ],
    "evaluate_epoch": [f"{RUN}/evaluation/epoch-02.json"],
    "tabulate_learning_curve": [f"{RUN}/learning-curve.csv"],
    "select_epoch": [f"{RUN}/selection.json"],
    "plot_learning_curve": [f"{RUN}/learning-curve.png"],
    "map_occlusion": [f"{PROBED}/occlusion/window-3.h5"],
    "summarise_occlusion": [f"{PROBED}/occlusion/summary.csv"],
    "plot_occlusion_sheet": [f"{PROBED}/occlusion/sheet-1.png"],
    "record_activations": [f"{PROBED}/filters/activations.h5"],
    "find_top_images": [f"{PROBED}/filters/top-images.csv"],
    "cut_patches": [f"{PROBED}/filters/patches.h5"],
    "plot_top_patches": [f"{PROBED}/filters/top-patches.png"],
    "ablate_filters": [f"{PROBED}/ablation/predictions.csv"],
    "compare_ablations": [f"{PROBED}/ablation/accuracy.csv"],
    "tabulate_confusion": [
        f"{PROBED}/ablation/{name}.csv" for name in ("confusion-before", "confusion-after", "class-pairs")
    ],
    "list_first_images": [f"{PROBED}/ablation/first-images.csv"],
    "plot_confusion": [f"{PROBED}/ablation/confusion.{kind}" for kind in ("png", "svg", "txt")],
    "write_reproduction_card": ["reproduction.csv"],
    "write_explorer": ["explorer.html"],
}  # fmt: skip


def contents(workflow):
    """The bytes of every result by its name; files that are still being written are none."""
    return {name: path.read_bytes() for name, path in workflow.files().items() if ".partial-" not in name}


def start(workflow, *targets):
    """Start Snakemake in a process group of its own."""
    return subprocess.Popen(
        workflow.command(*targets), cwd=workflow.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def job_of(snakemake, rule, deadline=30.0):
    """The process of a rule's script, once there is one; None if Snakemake ends before."""
    end = time.monotonic() + deadline
    while time.monotonic() < end and snakemake.poll() is None:
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(snakemake.pid).children(recursive=True):
                if any(argument.endswith(f".{rule}.py") for argument in process.cmdline()):
                    return process
        time.sleep(0.02)
    return None


def finish(workflow, *targets):
    """The same command again, unlocked first where Snakemake asks for it."""
    completed = workflow.run(*targets)
    if "--unlock" in completed.stdout:
        assert workflow.run("--unlock").returncode == 0
        completed = workflow.run(*targets)
    assert completed.returncode == 0, completed.stdout[-3000:]


def kill_job(snakemake, job):
    if job is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            job.kill()


def signal_all(number):
    """To the whole process group, as a terminal sends it."""
    return lambda snakemake, job: os.killpg(snakemake.pid, number)


def terminate(snakemake, job):
    """To Snakemake alone, as a service manager sends it; it lets its jobs end."""
    snakemake.terminate()


SIGNALS = {
    "SIGKILL to the job": kill_job,
    "SIGKILL to all": signal_all(signal.SIGKILL),
    "SIGTERM to Snakemake": terminate,
    "SIGINT to all": signal_all(signal.SIGINT),
    "SIGHUP to all": signal_all(signal.SIGHUP),
}
LIMITS = ("full disk", "limit of a file's size")


def drawn_faults():
    """Kind, rule and seed of each test: kinds and rules in turn, another kind for a rule each time round."""
    kinds = [*SIGNALS, *LIMITS]
    rules = list(STAGES)
    random.Random(0).shuffle(rules)
    turns = [number + number // len(rules) for number in range(FAULTS)]
    return [(kinds[turns[number] % len(kinds)], rules[number % len(rules)], number) for number in range(FAULTS)]


@pytest.mark.parametrize(("kind", "rule", "seed"), drawn_faults())
def test_after_a_fault_the_same_command_makes_the_same_files(finished, tmp_path, kind, rule, seed):
    workflow = finished.copy(tmp_path / "convprobe")
    undisturbed = contents(workflow)
    for name in STAGES[rule]:
        workflow.files()[name].unlink()
    targets = [f"results/tiny/{name}" for name in STAGES[rule]]
    draw = random.Random(seed)
    if kind in SIGNALS:
        interrupt(workflow, targets, rule, SIGNALS[kind], draw.uniform(0, JOB_SECONDS[rule in USES_TORCH]))
    else:
        largest = max(STAGES[rule], key=lambda name: len(undisturbed[name]))
        space = run_out_of_space(workflow, targets, kind, draw.randrange(1 + len(undisturbed[largest]) // 1024))
        assert len(undisturbed[largest]) <= space * 1024 or largest not in workflow.files()
    # No half file counts as a result.
    for name, content in contents(workflow).items():
        assert content == undisturbed[name], name
    finish(workflow, *targets)
    assert contents(workflow) == undisturbed
    assert not [name for name in workflow.files() if ".partial-" in name]


def interrupt(workflow, targets, rule, fault, delay):
    snakemake = start(workflow, *targets)
    job = job_of(snakemake, rule)
    time.sleep(delay)
    if snakemake.poll() is None:
        fault(snakemake, job)
    snakemake.wait(timeout=60)


def run_out_of_space(workflow, targets, kind, kibibytes):
    """Run where nothing larger can be written; returns how large that was in the end, in KiB."""
    if kind == "full disk":
        space = max(kibibytes, 4)  # the log needs some
        run_on_a_full_disk(workflow, targets, space)
    else:
        space = max(kibibytes, 16)  # Snakemake's own files need some
        assert workflow.run(*targets, limit=space).returncode in (0, 1)
    return space


def run_on_a_full_disk(workflow, targets, kibibytes):
    """Run with each folder of the targets on a file system of its own, with that much space left."""
    if subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this system lets no user mount a file system of his own")
    folders = " ".join(sorted({str(Path(target).parent) for target in targets}))
    script = f"""
    set -e
    for folder in {folders}; do
        cp -a "$folder" "$folder.kept"
        mount -t tmpfs -o size=64m tmpfs "$folder"
        cp -a "$folder.kept/." "$folder"
        dd if=/dev/zero of="$folder/.filling" bs=1k count=$((64 * 1024)) status=none 2>/dev/null || true
        truncate --size=-{kibibytes}K "$folder/.filling"
    done
    "$@" || true
    for folder in {folders}; do
        rm "$folder/.filling"
        rm -rf "$folder.kept"
        cp -a "$folder" "$folder.kept"
        umount "$folder"
        rm -rf "$folder"
        mv "$folder.kept" "$folder"
    done
    """
    command = [*NAMESPACE, "bash", "-c", script, "bash", *workflow.command(*targets)]
    ran = subprocess.run(command, cwd=workflow.folder, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]


NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def test_a_run_killed_again_and_again_elsewhere_gives_the_same_bytes(finished, tmp_path, make_workflow):
    """From nothing, in another folder: everything is killed at random moments, and started anew."""
    workflow = make_workflow()
    workflow.configs = finished.configs
    for name in (*finished.configs, "pictures.zip"):
        shutil.copy2(finished.folder / name, workflow.folder / name)
    draw = random.Random(0)
    kills = 0
    for _ in range(6):
        snakemake = start(workflow)
        try:
            snakemake.wait(timeout=draw.uniform(3, 15))
        except subprocess.TimeoutExpired:
            os.killpg(snakemake.pid, signal.SIGKILL)
            snakemake.wait()
            kills += 1
        workflow.run("--unlock")
    assert kills >= 3
    finish(workflow)
    assert contents(workflow) == contents(finished)


def test_an_orphan_does_not_overwrite_what_a_newer_job_made(finished, tmp_path):
    """A job outlives its Snakemake, the settings change, a new run ends first."""
    workflow = finished.copy(tmp_path / "convprobe")
    target = f"results/tiny/{PROBED}/occlusion/window-3.h5"
    workflow.configure("occlusion: {fill: 0}", name="edit.yaml")
    snakemake = start(workflow, target)
    orphan = job_of(snakemake, "map_occlusion")
    log = workflow.folder / f"logs/tiny/{PROBED}/occlusion/window-3.log"
    while not log.exists():  # Snakemake removed the old one
        time.sleep(0.01)
    orphan.suspend()
    snakemake.kill()
    snakemake.wait()
    workflow.configure("occlusion: {fill: 200}", name="edit.yaml")
    finish(workflow, target)
    newer = (workflow.folder / target).read_bytes()
    orphan.resume()
    psutil.wait_procs([orphan], timeout=60)
    assert not orphan.is_running()
    assert (workflow.folder / target).read_bytes() == newer
    with h5py.File(workflow.folder / target) as file:
        assert file.attrs["fill"] == 200
    assert not workflow.run("--dry-run", target).stdout.count("rule map_occlusion")
