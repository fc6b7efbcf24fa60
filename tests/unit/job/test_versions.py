"""What a checkout, a tarball and an installed library say of their version."""

import subprocess

import pytest

from convprobe.job import versions


@pytest.fixture
def unpacked(tmp_path):
    """The workflow's folder, as from a tarball: within another repository, and none of its own."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "Another repository")
    folder = tmp_path / "convprobe"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    return folder


def git(folder, *arguments):
    name = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", *name, *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_tarball_says_what_the_project_says(unpacked):
    assert versions.own(unpacked) == "1.2.3"


def test_a_checkout_says_its_commit_and_whether_its_files_differ(unpacked):
    git(unpacked, "init", "--quiet")
    git(unpacked, "add", "--all")
    git(unpacked, "commit", "--quiet", "--message", "All")
    git(unpacked, "tag", "a-name")
    commit = git(unpacked, "rev-parse", "--short=7", "HEAD")
    assert versions.own(unpacked) == f"1.2.3+{commit}"
    with open(unpacked / "pyproject.toml", "a") as project:
        project.write("# another line\n")
    assert versions.own(unpacked) == f"1.2.3+{commit}.dirty"


def test_a_checkout_without_git_says_what_the_project_says(unpacked, monkeypatch):
    git(unpacked, "init", "--quiet")
    monkeypatch.setenv("PATH", "")
    assert versions.own(unpacked) == "1.2.3"


def test_an_installed_library_says_what_was_installed(tmp_path, monkeypatch):
    metadata = tmp_path / "convprobe-3.2.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: convprobe\nVersion: 3.2.1\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert versions.own(tmp_path) == "3.2.1"
