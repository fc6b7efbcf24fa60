"""Whatever stops a run, the same command finishes it, with the files of an undisturbed run.

Each test draws the moment of its fault from a seed. CONVPROBE_FAULTS sets the number of tests, in
place of one per rule.
"""

import ast
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py
import psutil
import pytest
from conftest import MADE_OF_ALL

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
SCRIPTS = REPOSITORY / "scripts"
# Rules on which no fault is tried, and why.
LEFT_OUT = {
    "all": "makes no file",
    "verify_results": "makes no file",
    # It is a rule only where CIFAR-10 is asked for and not there.
    "download_dataset": "needs the network; tests/unit/dataset/test_download.py cuts it off",
}


def rules_of_the_workflow() -> list[str]:
    """The names of the rules, which a test compares with Snakemake's own list."""
    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "rules").glob("*.smk")]
    named = [
        name
        for text in texts
        for name in re.findall(r"^ *(?:rule|checkpoint) (\w+):$", text, re.MULTILINE)
    ]
    return sorted(set(named) - set(LEFT_OUT))


RULES = rules_of_the_workflow()
FAULTS = int(os.environ.get("CONVPROBE_FAULTS", len(RULES)))
# Roughly how long a job of the tiny study takes, by whether it imports torch.
JOB_SECONDS = {True: 3.0, False: 1.0}


def uses_torch(rule: str) -> bool:
    """Whether a job of the rule loads PyTorch, in its script or in a module imported from there."""
    script = ast.parse((SCRIPTS / f"{rule}.py").read_text(encoding="utf-8"))
    waiting, seen = list(imported(ast.walk(script))), set()
    while waiting:
        name = waiting.pop()
        if name.partition(".")[0] in ("torch", "torchvision"):
            return True
        module = SCRIPTS / f"{name.replace('.', '/')}.py"
        if name not in seen and module.is_file():
            seen.add(name)
            # An import inside a function is only made when that is called.
            waiting += imported(ast.parse(module.read_text(encoding="utf-8")).body)
    return False


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names of the modules that import statements may load."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


RUN = "normalised"
PROBED = f"{RUN}/epoch-01"
# What only some studies have: shards, a second probed epoch, weights from elsewhere, states of the
# optimizer that are not kept, several seeds.
BRANCHED = """
training: {keep_optimizer: last}
occlusion: {images: 3}
runs: {own: {weights: own.pth}, several: {epochs: 1, seeds: [0, 1]}}
studied: [normalised, normalised/epoch-2, own]
compared: [raw, several]
"""
BRANCHES = (
    f"results/tiny/{RUN}/through-training.png",
    f"results/tiny/{RUN}/checkpoints/discarded.json",
    "results/tiny/own/checkpoints/weights.pth",
    "results/tiny/learning-curve-several.png",
    "results/tiny/map-agreement.csv",
)


@pytest.fixture(scope="session")
def branched(finished, tmp_path_factory):
    """The tiny study with more branches, run only as far as the rules that others lack."""
    workflow = finished.copy(tmp_path_factory.mktemp("branched") / "convprobe").configure(
        BRANCHED, name="edit.yaml"
    )
    config = workflow.folder / "scripts/convprobe/plan/study.py"
    config.write_text(re.sub(r"SHARD_IMAGES = \d+", "SHARD_IMAGES = 2", config.read_text()))
    shutil.copy2(workflow.files()[f"{RUN}/checkpoints/epoch-02.pth"], workflow.folder / "own.pth")
    completed = workflow.run(*BRANCHES)
    assert completed.returncode == 0, completed.stdout[-5000:]
    return workflow


@pytest.fixture(scope="session")
def jobs(finished, branched):
    """For each rule a study, and the files that one job of the rule makes there.

    The files are relative to the experiment's folder.
    """
    made = {rule: (branched, files) for rule, files in last_jobs(branched, *BRANCHES).items()}
    return made | {rule: (finished, files) for rule, files in last_jobs(finished).items()}


def last_jobs(workflow, *targets) -> dict[str, list[str]]:
    """The files of each rule's last job: of the last epoch, after which none is computed early."""
    by_log = defaultdict(lambda: defaultdict(list))
    for line in workflow.run(*targets, "--summary").stdout.splitlines():
        match line.split("\t"):
            case [path, _, rule, log, _, _] if path.startswith("results/tiny/"):
                by_log[rule][log].append(path.removeprefix("results/tiny/"))
    return {rule: files[max(files)] for rule, files in by_log.items()}


def test_a_fault_is_tried_on_every_rule(jobs, branched):
    listed = branched.run("--list-rules").stdout.split()
    rules = {word for word in listed if (SCRIPTS / f"{word}.py").is_file()}
    assert rules == set(RULES) | {"verify_results"}
    assert set(jobs) == set(RULES)


def contents(workflow):
    """The bytes of every result by its name, without files that are still being written."""
    return {
        name: path.read_bytes()
        for name, path in workflow.files().items()
        if ".partial-" not in name
    }


def job_of(snakemake, rule, deadline=30.0):
    """The process of a rule's script, once there is one; None if Snakemake ends first."""
    end = time.monotonic() + deadline
    while time.monotonic() < end and snakemake.is_alive():
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(snakemake.pid).children(recursive=True):
                if any(argument.endswith(f".{rule}.py") for argument in process.cmdline()):
                    return process
        time.sleep(0.02)
    return None


def finish(workflow, *targets):
    """Run the same command again, after unlocking the folder if Snakemake couldn't do so itself."""
    if any((workflow.folder / ".snakemake").glob("locks/*")):
        assert workflow.run("--unlock").returncode == 0
    completed = workflow.run(*targets)
    assert completed.returncode == 0, completed.stdout[-3000:]


def wait_for(snakemake):
    snakemake.join(60)
    assert not snakemake.is_alive()


def kill_job(snakemake, job):
    with contextlib.suppress(psutil.NoSuchProcess):
        job.kill()


def signal_all(number):
    """A signal to the whole process group, as a terminal sends it."""
    return lambda snakemake, job: os.killpg(snakemake.pid, number)


def terminate(snakemake, job):
    """SIGTERM to Snakemake alone, as a service manager sends it; it lets its jobs finish."""
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
    """Kind, rule and seed of each test: kinds and rules in turn, each round paired differently."""
    kinds = [*SIGNALS, *LIMITS]
    rules = random.Random(0).sample(RULES, len(RULES))
    turns = [number + number // len(rules) for number in range(FAULTS)]
    return [
        (kinds[turns[number] % len(kinds)], rules[number % len(rules)], number)
        for number in range(FAULTS)
    ]


@pytest.mark.parametrize(("kind", "rule", "seed"), drawn_faults())
def test_after_a_fault_the_same_command_makes_the_same_files(jobs, tmp_path, kind, rule, seed):
    study, names = jobs[rule]
    workflow = study.copy(tmp_path / "convprobe")
    undisturbed = contents(workflow)
    for name in names:
        workflow.files()[name].unlink()
    targets = [f"results/tiny/{name}" for name in names]
    draw = random.Random(seed)
    if kind in SIGNALS:
        interrupt(
            workflow, targets, rule, SIGNALS[kind], draw.uniform(0, JOB_SECONDS[uses_torch(rule)])
        )
    else:
        largest = max(names, key=lambda name: len(undisturbed[name]))
        kibibytes = draw.randrange(1 + len(undisturbed[largest]) // 1024)
        space = run_out_of_space(workflow, targets, kind, kibibytes)
        started = re.search(rf"(rule|checkpoint) {rule}:", workflow.log())
        assert started, f"no job of {rule} was started"
        assert len(undisturbed[largest]) <= space * 1024 or largest not in workflow.files()
    # No partial file counts as a result.
    for name, content in contents(workflow).items():
        assert content == undisturbed[name], name
    finish(workflow, *targets)
    assert contents(workflow) == undisturbed
    assert not [name for name in workflow.files() if ".partial-" in name]


def interrupt(workflow, targets, rule, fault, delay):
    snakemake = workflow.start(*targets)
    job = job_of(snakemake, rule)
    assert job is not None, f"no job of {rule} was started"
    time.sleep(delay)
    if snakemake.is_alive():
        fault(snakemake, job)
    wait_for(snakemake)


def run_out_of_space(workflow, targets, kind, kibibytes):
    """Run where no larger file, or no more in all, can be written.

    Returns:
        the limit that was set in the end, in KiB.
    """
    if kind == "full disk":
        space = max(kibibytes, 4)  # the log needs some
        run_on_a_full_disk(workflow, targets, space)
        return space
    space = max(kibibytes, 16)  # Snakemake's own files need some
    assert workflow.run(*targets, limit=space).returncode in (0, 1)
    return space


def run_on_a_full_disk(workflow, targets, kibibytes):
    """Run with each folder of the targets on a file system of its own with so much free space."""
    if subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("users may not mount file systems on this system")
    folders = " ".join(sorted({str(Path(target).parent) for target in targets}))
    script = f"""
    set -e
    for folder in {folders}; do
        cp -a "$folder" "$folder.kept"
        mount -t tmpfs -o size=64m tmpfs "$folder"
        cp -a "$folder.kept/." "$folder"
        dd if=/dev/zero of="$folder/.filling" bs=1k count=$((64 * 1024)) status=none \\
            2>/dev/null || true
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


def test_a_run_in_another_folder_that_is_killed_repeatedly_gives_the_same_bytes(
    finished, tmp_path, make_workflow
):
    """Every process is killed at random moments, and the command is repeated."""
    workflow = make_workflow()
    workflow.configs = finished.configs
    for name in (*finished.configs, "pictures.zip"):
        shutil.copy2(finished.folder / name, workflow.folder / name)
    draw = random.Random(0)
    kills = 0
    for _ in range(5):
        snakemake = workflow.start()
        snakemake.join(draw.uniform(2, 8))
        if snakemake.is_alive():
            os.killpg(snakemake.pid, signal.SIGKILL)
            wait_for(snakemake)
            kills += 1
        workflow.run("--unlock")
    assert kills >= 3
    finish(workflow)
    here, there = contents(workflow), contents(finished)
    for name in MADE_OF_ALL:
        del here[name], there[name]
    assert here == there


def test_a_failed_job_is_due_again_where_what_it_would_replace_was_put_back(finished, tmp_path):
    """The system kills it, as where memory is short, after the images have been changed."""
    workflow = finished.copy(tmp_path / "convprobe")
    target = "results/tiny/dataset/training-images.h5"
    workflow.configure("dataset: {train_images: 100}", name="edit.yaml")
    snakemake = workflow.start(target)
    job_of(snakemake, "prepare_images").kill()
    wait_for(snakemake)
    with h5py.File(workflow.folder / target) as file:
        assert len(file["train/labels"]) == 120, "it was put back"
    finish(workflow, target)
    with h5py.File(workflow.folder / target) as file:
        assert len(file["train/labels"]) == 100


def test_an_orphan_does_not_overwrite_what_a_newer_job_made(finished, tmp_path):
    """A job outlives its Snakemake, the settings change, and a new run finishes first."""
    workflow = finished.copy(tmp_path / "convprobe")
    target = f"results/tiny/{PROBED}/occlusion/window-3.h5"
    workflow.configure("occlusion: {fill: 0}", name="edit.yaml")
    snakemake = workflow.start(target)
    orphan = job_of(snakemake, "map_occlusion")
    # Once it has claimed its log, and doesn't hold what it shares with the newer one's process.
    while not any("libtorch" in part.path for part in orphan.memory_maps()):
        time.sleep(0.01)
    orphan.suspend()
    snakemake.kill()
    wait_for(snakemake)
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
