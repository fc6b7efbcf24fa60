"""The digest of a data set: changed by what is in its files, and by nothing else."""

import os
import shutil

import pytest
from own_images import draw

from convprobe.errors import InputError
from convprobe.plan import contents


@pytest.fixture
def folder(tmp_path):
    for name, text in {
        "train/cat/0.png": "one",
        "train/dog/0.png": "two",
        "test/cat/1.png": "six",
    }.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(text)
    return tmp_path / "data"


@pytest.fixture
def digest(tmp_path):
    return lambda path, **split: contents.images(path, tmp_path / "memory.json", **split).digest


def test_labels_are_found_anew_by_another_version_of_what_finds_them(folder, tmp_path, monkeypatch):
    memory = tmp_path / "memory.json"
    before = contents.images(folder, memory)
    memory.write_text(memory.read_text().replace('"cat"', '"remembered"'))
    assert contents.images(folder, memory) != before
    monkeypatch.setattr(contents, "CODE", ["another version"])
    assert contents.images(folder, memory) == before


def test_a_copy_with_other_dates_in_another_place_is_the_same(folder, digest, tmp_path):
    before = digest(folder)
    shutil.copytree(folder, tmp_path / "copied", copy_function=shutil.copyfile)
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    assert digest(tmp_path / "copied") == digest(folder) == before
    assert digest(folder.rename(tmp_path / "moved")) == before


@pytest.mark.parametrize(
    "date", [None, (1e9, 1e9), "as it was"], ids=["new date", "old date", "the date it had"]
)
def test_an_image_edited_in_place_counts_whatever_its_date(folder, digest, date):
    path = folder / "train/dog/0.png"
    before, status = digest(folder), path.stat()
    path.write_text("owt")  # as long as it was
    if date == "as it was":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    else:
        os.utime(path, date)
    assert digest(folder) != before


def test_images_of_one_size_and_date_that_change_places_count(folder, digest, tmp_path):
    one, other = folder / "train/cat/0.png", folder / "train/dog/0.png"
    for path in (one, other):
        os.utime(path, (1e9, 1e9))
    before = digest(folder)
    one.rename(tmp_path / "aside")
    other.rename(one)
    (tmp_path / "aside").rename(other)
    assert digest(folder) != before


@pytest.mark.parametrize(
    "name",
    [
        "train/dog/.DS_Store",
        "train/dog/._0.png",
        "__MACOSX/train/dog/0.png",
        "README.txt",
        "preview.png",
        ".git/train/dog/0.png",
        "train/dog/notes.txt",
    ],
)
def test_files_that_are_not_read_do_not_count(folder, digest, name):
    before = digest(folder)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("one")
    assert digest(folder) == before
    (folder / name).write_text("other")
    assert digest(folder) == before


def test_images_behind_a_link_to_their_folder_count(folder, digest, tmp_path):
    shutil.copytree(folder, tmp_path / "copied")
    (folder / "train/dog").rename(tmp_path / "dogs")
    (folder / "train/dog").symlink_to(tmp_path / "dogs")
    assert digest(folder) == digest(tmp_path / "copied")
    (tmp_path / "dogs/0.png").write_text("owt")
    assert digest(folder) != digest(tmp_path / "copied")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "train/dog/1.png").write_text("two"),
        lambda folder: (folder / "test/cat/2.png").unlink(),
        lambda folder: (folder / "train/dog/0.png").rename(folder / "train/dog/2.png"),
        lambda folder: (folder / "train/dog").rename(folder / "train/fox"),
    ],
    ids=["added", "removed", "renamed", "class renamed"],
)
def test_the_set_of_images_and_their_names_count(folder, digest, change):
    (folder / "test/cat/2.png").write_text("six")
    before = digest(folder)
    change(folder)
    assert digest(folder) != before


def test_a_folder_that_holds_no_images_is_known_by_its_files_but_for_hidden_ones(tmp_path):
    page = tmp_path / "page"
    page.mkdir()
    found = []
    for name, text in (
        ("page.css", "a"),
        ("page.js", "a"),
        (".page.js.swp", "a"),
        ("page.css", "b"),
    ):
        (page / name).write_text(text)
        found.append(contents.digest(page, tmp_path / "memory.json"))
    assert found[1] == found[2]
    assert len(set(found)) == 3


def test_an_archive_is_known_by_its_bytes(tmp_path):
    for name, text in (("a.zip", "x"), ("b.zip", "x"), ("c.zip", "y")):
        (tmp_path / name).write_text(text)
    one, same, other = (
        contents.digest(tmp_path / name, tmp_path / "memory.json")
        for name in ("a.zip", "b.zip", "c.zip")
    )
    assert one == same != other


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_nothing_is_read_again_as_long_as_nothing_changed(folder, tmp_path, kind):
    path = folder
    if kind != "folder":
        path = shutil.make_archive(
            tmp_path / "packed", {"zip": "zip", "tar.gz": "gztar"}[kind], folder
        )
    memory = tmp_path / "memory.json"
    found = contents.images(path, memory)
    assert found.labels == {"train": ["cat", "dog"], "test": ["cat"]}
    memory.write_text(
        memory.read_text().replace(found.digest, "as remembered").replace('"dog"', '"fox"')
    )
    assert contents.images(path, memory) == contents.UnopenedImages(
        "as remembered", {"train": ["cat", "fox"], "test": ["cat"]}
    )


@pytest.mark.parametrize("damage", ["{", "[1]"])
def test_a_damaged_memory_is_made_anew(folder, digest, tmp_path, damage):
    before = digest(folder)
    (tmp_path / "memory.json").write_text(damage)
    assert digest(folder) == before


def test_what_can_t_be_read_is_named(folder, digest, tmp_path):
    (folder / "train/dog/9.png").symlink_to("nowhere")
    digest(folder)  # it is no file
    with pytest.raises(InputError, match=r"missing: can't be read: No such file"):
        digest(folder / "missing")
    with pytest.raises(InputError, match=r"missing: can't be read: No such file"):
        contents.digest(folder / "missing", tmp_path / "memory.json")


def test_sizes_are_read_again_where_an_image_changes(tmp_path):
    image, memory = tmp_path / "data/train/cat/0.png", tmp_path / "memory.json"
    draw(image, 1, size=(4, 3))
    expected = [(3, 4, "train/cat/0.png")]
    assert contents.sizes(tmp_path / "data", memory) == expected
    assert contents.sizes(tmp_path / "data", memory) == expected, "as it is remembered"
    draw(image, 1, size=(5, 5))
    assert contents.sizes(tmp_path / "data", memory) == [(5, 5, "train/cat/0.png")]


def test_what_cannot_be_remembered_is_found_all_the_same(tmp_path):
    (tmp_path / "file").write_text("no folder")
    memory = tmp_path / "file/memory.json"
    assert contents.remembered(memory, "key", 1, lambda: "found") == "found"
