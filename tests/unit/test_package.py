"""What the repository says of itself: its version, what it needs, and how it is cited."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LIBRARY = PROJECT["project"]["dependencies"]
WORKFLOW = LIBRARY + PROJECT["project"]["optional-dependencies"]["workflow"]
CLUSTER = WORKFLOW + PROJECT["project"]["optional-dependencies"]["cluster"]
# What each lock is made for.
LOCKS = {
    "requirements.txt": WORKFLOW,
    "requirements-cluster.txt": CLUSTER,
    "requirements-dev.txt": CLUSTER + PROJECT["dependency-groups"]["dev"],
}
NAME = r"[A-Za-z0-9][\w.-]*"


def text(lock: str) -> str:
    return (ROOT / lock).read_text(encoding="utf-8")


def pinned(lock: str) -> dict[str, str]:
    """The versions that a lock names."""
    return dict(re.findall(rf"^({NAME})==(\S+)", text(lock), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_the_project_asks_for(lock):
    """After an edit of pyproject.toml, `make lock`."""
    asked = {re.match(NAME, line)[0] for line in LOCKS[lock]} - {"convprobe"}
    assert asked <= set(pinned(lock))
    for name in asked:
        lowest = [re.search(r">=([\d.]+)", line) for line in LOCKS[lock] if line.startswith(name)]
        for bound in filter(None, lowest):
            assert numbers(pinned(lock)[name]) >= numbers(bound[1]), name


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_digest_of_every_file_and_names_no_place(lock):
    entries = re.split(r"\n(?=\w)", text(lock).partition("make lock\n")[2])
    assert len(entries) == len(pinned(lock)) > 50
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text(lock)
    assert not re.search("^--", text(lock), re.MULTILINE)


def test_all_locks_pin_the_same():
    everything = pinned("requirements-dev.txt")
    for lock in LOCKS:
        assert pinned(lock).items() <= everything.items()


def test_an_unreleased_version_stands_under_that_word_in_the_changelog():
    version = PROJECT["project"]["version"]
    headings = re.findall(r"^## \[?([^\]\s]+)", text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == ("Unreleased" if "dev" in version else version)


def test_the_citation_names_the_licence_and_both_sources():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == PROJECT["project"]["license"] == text("LICENSE").split()[0]
    cited = [
        (source["authors"][0]["family-names"], source["year"]) for source in citation["references"]
    ]
    assert cited == [("Raman", 2018), ("Krizhevsky", 2009)]
