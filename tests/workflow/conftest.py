"""Real runs of the workflow, each in a copy of the repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# A complete study in seconds: two epochs of a tiny network on a few drawn shapes.
TINY = """
experiment: tiny
dataset: {name: shapes, train_images: 200, test_images: 40}
network: {conv: [{channels: 4, kernel: 5}, {channels: 6, kernel: 3}], fc: []}
training: {epochs: 2, precision: fp32}
selection: {policy: fixed, epoch: 2}
occlusion: {windows: [3, 5], images: 5}
filters: {chosen: [conv1/1, conv2/5], top: 2}
ablation: {table_images: 40, random_controls: 2}
"""


class Workflow:
    """A copy of the repository in which the workflow runs."""

    def __init__(self, folder):
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY, check=True, capture_output=True, text=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, place)

    def configure(self, text, name="tiny.yaml"):
        (self.folder / name).write_text(text, encoding="utf-8")
        return self

    def run(self, *arguments, configs=("tiny.yaml",), limit="unlimited"):
        """Run Snakemake; its output, both streams together, is in `stdout`.

        Args:
            arguments: targets and options.
            configs: config files, each merged over the one before and over config.yaml.
            limit: of the size of any file written, in KiB.
        """
        command = [sys.executable, "-m", "snakemake", *arguments, "--cores", "2", "--configfile", *configs]
        return subprocess.run(
            ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "bash", *command], cwd=self.folder, check=False,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def files(self):
        """Paths of all results, relative to the experiment's folder."""
        (experiment,) = [path for path in (self.folder / "results").iterdir() if path.is_dir()]
        return {path.relative_to(experiment).as_posix(): path for path in experiment.rglob("*") if path.is_file()}


@pytest.fixture
def workflow(tmp_path):
    return Workflow(tmp_path / "convprobe").configure(TINY)


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo, run once from nothing."""
    finished = Workflow(tmp_path_factory.mktemp("demo") / "convprobe")
    completed = finished.run(configs=["presets/demo.yaml"])
    assert completed.returncode == 0, completed.stdout[-5000:]
    finished.output = completed.stdout
    return finished
