"""Where this workflow's own files lie, whether Snakemake runs it or another workflow imports it.

Included first: the library can be imported after it.
"""

import importlib.util
import os
import posixpath
import sys
import tarfile
import tempfile
from pathlib import Path

# What is read at its place.
LIBRARY = ["config.yaml", "pyproject.toml", "schemas", "scripts", "report"]
UNPACKED = ".unpacked"

# Snakemake changes both while it reads this workflow for another one: what is put before the paths
# of rules, and the target of a command that names none, so far.
PREFIX = workflow.modifier.path_modifier
EARLIER_TARGET = workflow.default_target


def home() -> Path:
    """The folder of the Snakefile, also where Snakemake takes it from a hosted repository."""
    rules_folder = workflow.current_basedir
    if isinstance(rules_folder, os.PathLike):
        return Path(rules_folder).parent
    if not hasattr(rules_folder, "hosted_repo"):
        expected = "expected the path of a checkout, github(...) or gitlab(...)"
        sys.exit(f"{rules_folder}: the library can't be imported from there: {expected}")
    folder = Path(workflow.source_path("../config.yaml")).parent
    if not (folder / UNPACKED).exists():
        unpack_library(rules_folder, folder)
    return folder


def unpack_library(rules_folder, folder: Path) -> None:
    """Put the library beside the single files that Snakemake has in its cache of a repository.

    Several jobs may do so at a time, so each file comes to its place whole.
    """
    version = f"{rules_folder.ref}:{posixpath.dirname(rules_folder.path)}"
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        with tempfile.TemporaryFile(dir=beside) as file:
            rules_folder.hosted_repo.repo.archive(file, version, path=LIBRARY)
            file.seek(0)
            with tarfile.open(fileobj=file) as archive:
                archive.extractall(beside, filter="data")
        for path in filter(Path.is_file, Path(beside).rglob("*")):
            place = folder / path.relative_to(beside)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    (folder / UNPACKED).touch()


HOME = home()

# Snakemake puts the scripts' folder behind what is installed, so a job would compute with this.
# A mere folder of that name, as a checkout's own, has no origin and takes nobody's place.
installed = importlib.util.find_spec("convprobe")
if installed and installed.origin and "convprobe" not in sys.modules:
    folder = Path(installed.origin).parent
    if folder.parent != HOME / "scripts":
        advice = "expected the workflow's own alone: pip uninstall convprobe"
        sys.exit(f"{folder}: another convprobe is installed and would take its place, {advice}")

sys.path.insert(0, f"{HOME}/scripts")

import convprobe

if Path(convprobe.__file__).parents[1] != HOME / "scripts":
    other = Path(convprobe.__file__).parents[2]
    sys.exit(f"{HOME}: {other} is imported too, expected one version of convprobe in a workflow")


def placed(path: str) -> str:
    """Where a file of a rule lies: below the prefix that an importer gives, if any.

    Snakemake puts it before the paths in rules; this is for all others.
    """
    return PREFIX.replace_prefix(path)
