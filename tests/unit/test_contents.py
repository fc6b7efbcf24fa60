"""The digest of a data set: changed by what is in its files, and by nothing else."""

import os
import shutil

import pytest

from convprobe import contents
from convprobe.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for name, text in {"train/cat/0.png": "one", "train/dog/0.png": "two", "test/cat/1.png": "six"}.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(text)
    return tmp_path / "data"


@pytest.fixture
def digest(tmp_path):
    return lambda path: contents.digest(path, tmp_path / "memory.json")


def test_a_copy_with_other_dates_in_another_place_is_the_same(folder, digest, tmp_path):
    before = digest(folder)
    shutil.copytree(folder, tmp_path / "copied", copy_function=shutil.copyfile)
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    assert digest(tmp_path / "copied") == digest(folder) == before


@pytest.mark.parametrize("date", [None, (1e9, 1e9)], ids=["new date", "old date"])
def test_an_image_edited_in_place_counts_whatever_its_date(folder, digest, date):
    before = digest(folder)
    (folder / "train/dog/0.png").write_text("owt")  # as long as it was
    os.utime(folder / "train/dog/0.png", date)
    assert digest(folder) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "train/dog/1.png").write_text("two"),
        lambda folder: (folder / "train/dog/0.png").unlink(),
        lambda folder: (folder / "train/dog/0.png").rename(folder / "train/dog/2.png"),
        lambda folder: (folder / "train/dog").rename(folder / "train/fox"),
    ],
    ids=["added", "removed", "renamed", "class renamed"],
)
def test_the_set_of_files_and_their_names_count(folder, digest, change):
    before = digest(folder)
    change(folder)
    assert digest(folder) != before


def test_an_archive_is_known_by_its_bytes(tmp_path, digest):
    for name, text in (("a.zip", "x"), ("b.zip", "x"), ("c.zip", "y")):
        (tmp_path / name).write_text(text)
    assert digest(tmp_path / "a.zip") == digest(tmp_path / "b.zip") != digest(tmp_path / "c.zip")


def test_files_are_read_again_only_when_a_size_or_date_changed(folder, digest):
    before = digest(folder)
    path = folder / "train/dog/0.png"
    dates = path.stat()
    path.write_text("owt")
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    assert digest(folder) == before


def test_a_damaged_memory_is_made_anew(folder, digest, tmp_path):
    before = digest(folder)
    (tmp_path / "memory.json").write_text("{")
    assert digest(folder) == before


def test_a_link_to_nothing_is_named(folder, digest):
    (folder / "train/dog/9.png").symlink_to("nowhere")
    digest(folder)  # it is no file
    with pytest.raises(InputError, match=r"missing: can't be read: No such file"):
        digest(folder / "missing")
