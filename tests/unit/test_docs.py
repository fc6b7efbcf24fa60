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
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
# Which test runs a command of the pages, or one that differs in nothing but its size.
TRIED = {
    "make demo": "tests/workflow/test_demo.py",
    ". .venv/bin/activate": "tests/unit/test_makefile.py",
    "snakemake --cores 4 --configfile presets/small.yaml mine.yaml": "tests/workflow/test_variants.py",
    "snakemake --cores 4 --resources gpu=1": "tests/workflow/test_cifar10.py",
    "snakemake --workflow-profile profiles/slurm --configfile presets/demo.yaml": (
        "tests/cluster/test_slurm.py"
    ),
}


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_can_be_read_at_once():
    assert len(text(ROOT / "README.md").split()) <= 1500


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
