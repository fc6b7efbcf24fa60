"""Real runs of the workflow, each in a copy of the repository."""

import fcntl
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import preloaded
import pytest
from PIL import Image
from xdist.scheduler import LoadScopeScheduling

REPOSITORY = Path(__file__).parents[1]
# Of each run. Where several processes test, and each has a run, the threads of two jobs on one core
# would wait for one another for most of the time.
CORES = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2
OF_THE_DEMO = (
    "tests/workflow/test_demo.py",
    "tests/workflow/test_notebook.py",
    "tests/browser/",
)


class OneDemo(LoadScopeScheduling):
    """The tests of one file share a process, and all files whose tests need the demo share one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "demo" if file.startswith(OF_THE_DEMO) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneDemo:
    """Where tests run in several processes, a study is run anew in each of them."""
    config.option.loadscopereorder = False  # by the number of tests, which says little here
    return OneDemo(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole studies begin first: at the end no process shall wait long for another one's.

    The demo is the first one, beside which another process runs the study that most tests share.
    """

    def place(item: pytest.Item) -> tuple[bool, bool]:
        return item.nodeid.startswith("tests/unit/"), not item.nodeid.startswith(OF_THE_DEMO)

    items.sort(key=place)


# A complete study in seconds: two epochs of a tiny network on a few drawn shapes.
TINY = """
experiment: tiny
dataset: {name: shapes, train_images: 200, test_images: 40}
network: {conv: [{channels: 4, kernel: 5}, {channels: 6, kernel: 3}], fc: []}
training: {epochs: 2, optimizer: {learning_rate: 0.01}, schedule: constant, precision: fp32}
selection: {policy: fixed, epoch: 2}
occlusion: {windows: [3, 5], images: 5}
filters: {chosen: [conv1/1, conv2/5], top: 2}
ablation: {table_images: 40, random_controls: 2}
"""


# Files that name all others, and tell when they were made: no two runs give the same.
MADE_OF_ALL = ("manifest.json", "explorer.html", "ro-crate-metadata.json")


class Workflow:
    """A folder in which the workflow runs.

    Attributes:
        folder: its path.
        configs: config files, each merged over the one before and over config.yaml.
    """

    def __init__(self, folder, configs=("tiny.yaml",)):
        self.folder = folder
        self.configs = configs

    @classmethod
    def of_repository(cls, folder):
        """A copy of the repository's files, whether tracked or new, without its tests."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if name.startswith("tests/"):
                continue
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, place)
        return cls(folder)

    def copy(self, folder):
        """A copy with all results and Snakemake's memory; all dates are kept."""
        return Workflow(shutil.copytree(self.folder, folder), self.configs)

    def configure(self, text, name="tiny.yaml"):
        (self.folder / name).write_text(text, encoding="utf-8")
        return self

    def _arguments(self, arguments, configs):
        used = configs or self.configs
        return ["--cores", str(CORES), *arguments, "--configfile", *map(str, used)]

    def command(self, *arguments, configs=None):
        """Snakemake's command line.

        Args:
            arguments: targets and options.
            configs: in place of the workflow's own.
        """
        return [sys.executable, "-m", "snakemake", *self._arguments(arguments, configs)]

    def run(self, *arguments, configs=None, limit=None):
        """Run Snakemake; `stdout` holds both its output and its errors.

        Args:
            arguments, configs: as for `command`.
            limit: of the size of any file written, in KiB.
        """
        return preloaded.snakemake(self._arguments(arguments, configs), self.folder, limit)

    def start(self, *arguments):
        """Start Snakemake in a session of its own; returns the process, of multiprocessing."""
        return preloaded.start(self._arguments(arguments, None), self.folder)

    def log(self):
        """Snakemake's own log of its last run, which says of each job what a terminal doesn't."""
        return max(self.folder.glob(".snakemake/log/*.log")).read_text(encoding="utf-8")

    def files(self):
        """Paths of all results by their names in the experiment's folder; without digests."""
        (experiment,) = [path for path in (self.folder / "results").iterdir() if path.is_dir()]
        found = [path for path in experiment.rglob("[!.]*") if path.is_file()]
        return {path.relative_to(experiment).as_posix(): path for path in found}


# The same with a user's own images, and the first epoch probed.
PICTURES = """
dataset: {name: image-folder, path: pictures.zip, train_images: 120, test_images: 40}
selection: {epoch: 1}
"""


@pytest.fixture
def workflow(tmp_path):
    return Workflow.of_repository(tmp_path / "convprobe").configure(TINY)


@pytest.fixture(scope="session")
def make_workflow(tmp_path_factory):
    """A function that makes a fresh copy of the repository, each time in another folder."""
    return lambda: Workflow.of_repository(tmp_path_factory.mktemp("workflow") / "convprobe")


def draw_pictures(path):
    """Write an archive of drawn images in the form of a user's own."""
    from convprobe.dataset import shapes  # here, so that unit tests can have its types checked

    with zipfile.ZipFile(path, "w") as archive:
        for split, (name, count) in enumerate((("train", 120), ("test", 40))):
            pixels, labels, _ = shapes.draw(count, seed=(0, split))
            for index, (image, label) in enumerate(zip(pixels, labels, strict=True)):
                with archive.open(f"{name}/{shapes.CLASSES[label]}/{index:05d}.png", "w") as file:
                    Image.fromarray(image).save(file, "png")


@pytest.fixture(scope="session")
def finished(make_workflow, tmp_path_factory):
    """The tiny study of a user's own images, run once from nothing; tests work on copies of it.

    Of several processes that test, the first one runs it, and each has a copy.
    """
    own = tmp_path_factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    run = Workflow(common / "finished", ("tiny.yaml", "pictures.yaml", "edit.yaml"))
    output = common / "finished.txt"
    with open(common / "finished.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not run.folder.exists():
            output.write_text(run_the_tiny_study(make_workflow(), run), encoding="utf-8")
    workflow = run.copy(tmp_path_factory.mktemp("finished") / "convprobe")
    workflow.output = output.read_text(encoding="utf-8")
    workflow.first_log = workflow.log()
    return workflow


def run_the_tiny_study(workflow, place):
    """Run it and put it in place; returns what was printed."""
    workflow.configs = place.configs
    workflow.configure(TINY).configure(PICTURES, "pictures.yaml").configure("{}", "edit.yaml")
    draw_pictures(workflow.folder / "pictures.zip")
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-5000:]
    workflow.folder.rename(place.folder)
    return completed.stdout


@pytest.fixture(scope="session")
def demo(make_workflow):
    """The demo, run once from nothing."""
    finished = make_workflow()
    completed = finished.run(configs=["presets/demo.yaml"])
    assert completed.returncode == 0, completed.stdout[-5000:]
    finished.output = completed.stdout
    return finished
