"""How the library is built: imports go downwards, and a Snakefile never reaches PyTorch."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import architecture
import pytest

from convprobe.plan.fingerprint import fingerprint

SCRIPTS = Path(__file__).parents[2] / "scripts"
LIBRARY = SCRIPTS / "convprobe"
FLOORS = reversed(architecture.FLOORS)  # from the ground up
FLOOR = {name: number for number, (names, _) in enumerate(FLOORS) for name in names}
SLOW = (
    "torch",
    "torchvision",
    "pandas",
    "scipy",
    "matplotlib",
    "h5py",
)  # seconds, or most of one, to import
CALLED = {"PIL": "pillow", "fontTools": "fonttools", "yaml": "pyyaml"}  # by those who install them
MODULES = [path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py"]


def imported(path: Path, at_start: bool = False) -> set[str]:
    """Names of the modules that a file imports, with their packages; or only those at its start."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body if at_start else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part(name: str) -> str:
    """The wing, or the module that stands alone, of `convprobe.…`."""
    return name.split(".")[1]


def part_of(path: Path) -> str:
    return path.relative_to(LIBRARY).with_suffix("").parts[0]


def test_every_part_of_the_library_has_its_floor():
    assert {part_of(path) for path in MODULES} == set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_go_downwards_only(path):
    own = part_of(path)
    above = {
        name
        for name in imported(path)
        if name.startswith("convprobe.") and part(name) != own and FLOOR[part(name)] >= FLOOR[own]
    }
    assert not above, f"{own} stands below or beside them"


@pytest.mark.parametrize("path", sorted((LIBRARY / "job").glob("*.py")), ids=lambda path: path.stem)
def test_what_surrounds_a_job_computes_nothing(path):
    """The fingerprint leaves these modules out."""
    assert not {name.split(".")[0] for name in imported(path)} & {*SLOW, "numpy"}


# What packages offer to a notebook, by the module that it comes from.
OFFERED = {"convprobe.occlusion": ("sweep", "convprobe.occlusion.windows")}
OFFER = """
def __getattr__(name: str) -> object:
    if name == "{0}":
        from {1} import {0}

        return {0}
    raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
"""


def test_packages_load_nothing_of_their_own():
    """The fingerprint follows imports: what a package loads would make every module of it stale.

    What it offers is loaded when it is asked for, and has no other code, for that has no digest.
    """
    for path in LIBRARY.rglob("__init__.py"):
        package = ".".join(path.parent.relative_to(SCRIPTS).parts)
        offered = OFFER.format(*OFFERED[package]) if package in OFFERED else ""
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree):
            del tree.body[0]
        assert ast.dump(tree) == ast.dump(ast.parse(offered)), path


def test_every_library_that_is_imported_is_installed_with_the_package():
    project = tomllib.loads((SCRIPTS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    installed = {re.match(r"[\w-]+", line)[0] for line in project["project"]["dependencies"]}
    names = {name.split(".")[0] for path in MODULES for name in imported(path)}
    names -= sys.stdlib_module_names | {"convprobe"}
    names -= {"pydantic", "pydantic_core"}  # for `make generate`
    assert {CALLED.get(name, name) for name in names} == installed


def reached(path: Path, seen: set[Path]) -> set[str]:
    """All that importing a file imports, as far as our own modules import it at their start."""
    seen.add(path)
    found = set()
    for name in imported(path, at_start=True):
        found.add(name)
        for place in (
            SCRIPTS / name.replace(".", "/"),
            SCRIPTS / name.rpartition(".")[0].replace(".", "/"),
        ):
            file = place.with_suffix(".py")
            if name.startswith("convprobe.") and file.is_file() and file not in seen:
                found |= reached(file, seen)
    return found


@pytest.mark.parametrize(
    "path", sorted((LIBRARY / "plan").glob("*.py")), ids=lambda path: path.stem
)
def test_what_a_snakefile_needs_imports_nothing_slow(path):
    assert not {name.split(".")[0] for name in reached(path, set())} & set(SLOW)


# Who may read the declarations of files: what makes no result.
READERS = {"outputs.py", "checks.py", "verification.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_nothing_that_makes_a_result_imports_a_declaration_of_files(path):
    declarations = {name for name in imported(path) if "outputs" in name.split(".")}
    assert not declarations or path.name in READERS


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_another_word_in_a_declaration_makes_no_result_stale(path):
    if path.stem == "verify_results":  # makes none
        return
    assert not [name for name in fingerprint(path) if Path(name).stem in ("outputs", "checks")]


@pytest.mark.parametrize(
    "path", sorted(LIBRARY.glob("*/outputs.py")), ids=lambda path: path.parent.name
)
def test_declarations_are_read_at_every_start_and_import_nothing_slow(path):
    assert not {name.split(".")[0] for name in reached(path, set())} & set(SLOW)
