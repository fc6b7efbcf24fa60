"""The pages for users: short where they must be, their links lead somewhere, their commands run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "results/README.md",
    ROOT / "benchmarks/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
SHELL = re.compile(r"(?P<before>[^\n]*)\n\n```sh\n(?P<lines>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
# Which test runs a command of the pages, in a smaller form where it would take long.
TRIED = {
    "make demo": "tests/workflow/test_demo.py",
    "python3 -m venv .venv": "tests/unit/test_makefile.py",
    "pip install -r requirements.txt": "tests/unit/test_makefile.py",
    "snakemake --cores all --configfile presets/demo.yaml": "tests/workflow/test_demo.py",
    "snakemake --cores 4 --configfile presets/small.yaml mine.yaml": (
        "tests/workflow/test_variants.py"
    ),
    "pip install -r requirements-cluster.txt": "tests/unit/test_makefile.py",
    "snakemake --workflow-profile profiles/slurm --configfile presets/demo.yaml": (
        "tests/cluster/test_slurm.py"
    ),
    "snakemake --cores 2 --workflow-profile ../convprobe/profiles/default copy_maps": (
        "tests/workflow/test_module.py"
    ),
}
# Why no test runs the others.
NOT_TRIED = {
    "xdg-open results/demo/explorer.html": "opens a window",
    ". .venv/bin/activate": "is of the shell",
    ". ../convprobe/.venv/bin/activate": "likewise",
    "snakemake --cores 4 --resources gpu=1": "takes a GPU or hours, and the download",
    "snakemake --workflow-profile profiles/slurm": "the same, on a cluster",
}
# What is told there was run, but as a measurement.
MEASURED = ("results.md", "scale.md", "benchmarks/README.md")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_can_be_read_at_once():
    assert len(re.findall(r"\w+", text(ROOT / "README.md"))) <= 1500


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for match in LINK.finditer(text(page)):
        link = match[1] or match[2]
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_index_names_every_page():
    index = text(ROOT / "docs/README.md")
    for page in (ROOT / "docs").iterdir():
        if page.suffix in (".md", ".ipynb") and page.name != "README.md":
            assert f"]({page.name})" in index, page.name


def commands(page: Path) -> list[str]:
    """The commands of a page for a shell, but for those that it says are not tried."""
    found = []
    for block in SHELL.finditer(text(page)):
        if "not tried" in block["before"]:
            continue
        lines = block["lines"].replace("\\\n", " ").splitlines()
        found += [line.partition(" #")[0].strip() for line in lines]
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_is_run_by_a_test_or_known_not_to_be(page):
    if name(page).endswith(MEASURED):
        pytest.skip("its commands were run to measure")
    for command in commands(page):
        assert command in TRIED or command in NOT_TRIED, command
    assert all((ROOT / test).is_file() for test in TRIED.values())
