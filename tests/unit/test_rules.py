"""Rules, scripts, declared files and the tests' lists of them are complete."""

import re
import subprocess
import sys
from pathlib import Path

import edits
import pytest

from convprobe.dataset import outputs as dataset
from convprobe.report import outputs as reports
from convprobe.store.outputs import Output
from convprobe.training import outputs as training

REPOSITORY = Path(__file__).parents[2]
RULES = {path.name: path.read_text(encoding="utf-8") for path in REPOSITORY.glob("rules/*.smk")}
TEXT = "".join(RULES.values())
NAMES = re.findall(r"^ *(?:rule|checkpoint) (\w+):", TEXT, re.MULTILINE)
# Of CIFAR-10, of more images than the tiny study has, and asked for by name.
NOT_IN_THE_TINY_STUDY = {"download_dataset", "join_occlusion", "verify_results"}
# What the first of the rules' files, which is plain Python, asks of Snakemake.
INCLUDED = """
import sys
from pathlib import Path
from types import SimpleNamespace

rules = Path(sys.argv[1])
modifier = SimpleNamespace(path_modifier=None)
asked = SimpleNamespace(modifier=modifier, default_target=None, current_basedir=rules)
names = {"workflow": asked}
exec((rules / "home.smk").read_text(encoding="utf-8"), names)
print(names["convprobe"].__file__)
"""


def test_every_file_of_rules_is_included():
    snakefile = (REPOSITORY / "Snakefile").read_text(encoding="utf-8")
    assert set(re.findall(r'^include: "rules/(.*)"', snakefile, re.MULTILINE)) == set(RULES)


def test_every_rule_has_the_script_of_its_name():
    assert set(NAMES) == {path.stem for path in REPOSITORY.glob("scripts/*.py")}
    assert set(re.findall(r'"../scripts/(.*)\.py"', TEXT)) == set(NAMES)


@pytest.mark.parametrize("module", [dataset, training, reports, *reports.PROBES])
def test_every_declared_file_is_named_by_a_rule(module):
    declared = {name for name, value in vars(module).items() if isinstance(value, Output)}
    wing = "reports" if module is reports else module.__package__.rpartition(".")[2]
    assert declared <= set(re.findall(rf"\b{wing}\.(\w+)", TEXT))


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("plot_")])
def test_every_rule_that_draws_knows_whether_captions_are_wanted(name):
    _, _, rule = TEXT.partition(f"rule {name}:")
    settings = re.search(r"settings=(lambda wildcards: )?(\w+)\(", rule.partition("script:")[0])
    assert settings[2] == "drawing"
    script = (REPOSITORY / f"scripts/{name}.py").read_text(encoding="utf-8")
    assert 'style.drawn_from(snakemake.input, settings["captions"])' in script


def test_every_rule_stands_in_the_table_of_what_reruns():
    due = {job.partition(" ")[0] for edit in edits.EDITS for job in edit.due}
    assert due == set(NAMES) - NOT_IN_THE_TINY_STUDY


def test_a_folder_of_the_library_s_name_beside_an_importer_s_files_takes_nobody_s_place(tmp_path):
    """Snakemake starts jobs as a module of Python, which imports from the working folder first."""
    (tmp_path / "convprobe").mkdir()
    command = [sys.executable, "-c", INCLUDED, str(REPOSITORY / "rules")]
    imported = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert imported.stdout == f"{REPOSITORY / 'scripts/convprobe/__init__.py'}\n"
