"""Folders and archives: every file once, or one line that says why not; nothing is unpacked."""

import contextlib
import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest
from own_images import add, image_bytes, packed, refusal
from PIL import Image

from convprobe.dataset import archives, image_folder
from convprobe.errors import InputError


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_class_folder_that_is_a_link_is_followed_in_either_split(pictures, tmp_path, split):
    """As torchvision does."""
    expected = image_folder.read(pictures)
    (pictures / split / "b").rename(tmp_path / "elsewhere")
    (pictures / split / "b").symlink_to(tmp_path / "elsewhere")
    found = image_folder.read(pictures)
    assert found[1] == expected[1]
    for name in ("train", "test"):
        assert all(map(np.array_equal, found[0][name], expected[0][name]))


def test_links_that_lead_back_or_nowhere_are_passed_over(pictures):
    expected = image_folder.read(pictures)[0]["train"][1].tolist()
    (pictures / "train" / "a" / "again").symlink_to(pictures, target_is_directory=True)
    (pictures / "train" / "a" / "itself").symlink_to("itself")
    (pictures / "train" / "a" / "9.png").symlink_to("nowhere.png")
    assert image_folder.read(pictures)[0]["train"][1].tolist() == expected


HIDDEN = (
    "train/a/._0.png",
    "train/.b/0.png",
    ".c/train/a/3.png",
    "__MACOSX/train/a/3.png",
    "train/a/Thumbs.db",
)


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_hidden_files_and_folders_named_as_images_are_passed_over(pictures, kind):
    for place in HIDDEN:
        (pictures / place).parent.mkdir(parents=True, exist_ok=True)
        (pictures / place).write_bytes(b"what a system knows of images")
    (pictures / "train" / "a" / "folder.png").mkdir()
    splits, classes = image_folder.read(packed(pictures, kind))
    assert classes == ("a", "b")
    assert len(splits["train"][0]) == 5


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_truncated_archive_is_refused(pictures, kind, share):
    random = np.random.default_rng(0)
    for number in range(20):  # bytes that no compression shrinks, so that every cut takes some away
        noise = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(noise).save(pictures / "train" / "a" / f"{number}.png")
    archive = packed(pictures, kind)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    assert refusal(archive).startswith("damaged archive, expected .tar.gz or .zip (")


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_flipped_byte_in_an_archive_is_refused(pictures, kind):
    archive = packed(pictures, kind)
    content = bytearray(archive.read_bytes())
    content[len(content) // 3] ^= 0xFF
    archive.write_bytes(content)
    assert refusal(archive).startswith("damaged archive, expected .tar.gz or .zip (")


def test_a_damaged_entry_does_not_end_a_tar_unnoticed(pictures, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        for place in ("train/a/0.png", "test/a/0.png", "train/a/1.png", "train/b/1.png"):
            archive.add(pictures / place, place)
    content = bytearray((tmp_path / "a.tar").read_bytes())
    content[content.index(b"train/a/1.png")] ^= 0xFF  # its header's checksum is now wrong
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(content))
    assert (
        refusal(tmp_path / "a.tar.gz")
        == "damaged archive, expected .tar.gz or .zip (it breaks off)"
    )


def test_an_image_that_was_changed_inside_a_zip_is_refused(tmp_path):
    content = bytearray(image_bytes(7))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:  # stored as it is, with a checksum
        archive.writestr("train/a/0.png", content)
        archive.writestr("test/a/0.png", content)
    spoilt = (tmp_path / "a.zip").read_bytes().replace(b"IEND", b"IENX", 1)
    (tmp_path / "a.zip").write_bytes(spoilt)
    told = refusal(tmp_path / "a.zip")
    assert told == "damaged archive, expected .tar.gz or .zip (Bad CRC-32 for file 'train/a/0.png')"


@pytest.mark.parametrize("name", ["text.tar.gz", "text.zip"])
def test_a_file_that_is_no_archive(tmp_path, name):
    (tmp_path / name).write_text("no archive")
    assert refusal(tmp_path / name).startswith("damaged archive, expected .tar.gz or .zip (")


def test_a_path_where_nothing_is(tmp_path):
    assert refusal(tmp_path / "none.zip") == "can't be read: No such file or directory"


@pytest.mark.parametrize("top", ["../outside", "{}/outside"])
def test_nothing_is_unpacked_from_an_archive_that_points_outside(tmp_path, top):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for place in ("train/a/0.png", "train/a/1.png", "test/a/0.png"):
            archive.writestr(f"{top.format(tmp_path)}/{place}", image_bytes(7))
    splits, _ = image_folder.read(tmp_path / "a.zip")
    assert len(splits["train"][0]) == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip"]


def test_links_devices_and_paths_outside_in_a_tar_are_harmless(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(image_bytes(200))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, "../../outside/train/a/0.png", image_bytes(7))
        add(archive, "../../outside/test/a/0.png", image_bytes(8))
        add(archive, "../../outside/train/a/1.png", image_bytes(9))
        add(archive, "train/a/2.png", type=tarfile.SYMTYPE, linkname=str(secret))
        add(archive, "train/a/4.png", type=tarfile.SYMTYPE, linkname="4.png")
        add(archive, "train/a/5.png", type=tarfile.FIFOTYPE)
    splits, _ = image_folder.read(tmp_path / "a.tar.gz")
    assert splits["train"][0][:, 0, 0, 0].tolist() == [7, 9]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar.gz", "secret.png"]


def test_a_hard_link_in_a_tar_is_no_image_that_is_passed_over(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, "train/a/0.png", image_bytes(7))
        add(archive, "test/a/0.png", type=tarfile.LNKTYPE, linkname="train/a/0.png")
    assert refusal(tmp_path / "a.tar.gz") == (
        "'test/a/0.png' is a hard link to 'train/a/0.png', expected the file: pack it by tar "
        "--hard-dereference"
    )


def test_a_zip_inside_a_tar_does_not_take_its_place(pictures, tmp_path):
    """Not compressed, and the last one, so that the whole ends as a zip does."""
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        for place in ("train/a/0.png", "test/a/0.png"):
            archive.writestr(place, image_bytes(200))
    both = tmp_path / "both.tar"
    with tarfile.open(both, "w") as archive:
        archive.add(pictures, "pictures")
        archive.add(inner, "inner.zip")
    assert zipfile.is_zipfile(both), "or the test could not fail"
    splits, _ = image_folder.read(both)
    assert [len(labels) for _, labels in splits.values()] == [5, 2]


def test_a_bomb_in_an_archive_is_refused_before_it_is_unpacked(pictures, tmp_path):
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("train/a/0.png", "w") as file,
    ):
        for _ in range(100):
            file.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    assert (
        refusal(path) == f"train/a/0.png is a file of {100 * 2**20} bytes, expected at most {2**26}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_that_is_damaged_anywhere_is_read_or_refused(pictures, kind):
    """Up to three bytes changed, in names, headers, images or checksums."""
    (pictures / "train" / "a").rename(pictures / "train" / "größer")
    (pictures / "test" / "a").rename(pictures / "test" / "größer")
    archive = packed(pictures, kind)
    whole, random, read = archive.read_bytes(), np.random.default_rng(0), 0
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            content[random.integers(len(content))] = random.integers(256)
        archive.write_bytes(content)
        with contextlib.suppress(InputError):
            image_folder.read(archive, image_size=(4, 4))
            read += 1
    assert 0 < read < 200


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "\udcff"])
def test_a_name_that_would_steer_a_terminal_or_is_no_text_is_refused(tmp_path, name):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, f"train/{name}/0.png", image_bytes(7))
    told = f"{f'train/{name}/0.png'!a} has characters that can't be shown, expected "
    told += "letters and signs"
    assert refusal(tmp_path / "a.tar.gz") == told


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_of_very_many_entries_is_refused(pictures, monkeypatch, kind):
    monkeypatch.setattr(archives, "MOST_ENTRIES", 8)
    assert (
        refusal(packed(pictures, kind)) == "has more than 8 entries, expected an archive of images"
    )


@pytest.mark.parametrize(
    "place", ["README", None], ids=["in an entry that no one reads", "behind the end"]
)
def test_a_bomb_in_a_tar_is_refused_wherever_it_lies(pictures, monkeypatch, place):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 2**24)
    zeros = bytes(2**25)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.add(pictures, "pictures")
        if place:
            entry = tarfile.TarInfo(place)
            entry.size = len(zeros)
            archive.addfile(entry, io.BytesIO(zeros))
    path = pictures.parent / "bomb.tar.gz"
    path.write_bytes(gzip.compress(plain.getvalue() + (b"" if place else zeros)))
    assert refusal(path) == f"unpacks to more than {2**24} bytes, expected an archive of images"


def test_a_zip_that_understates_a_size_is_refused(tmp_path):
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/a/0.png", bytes(2**20))
    content = path.read_bytes()
    path.write_bytes(content.replace((2**20).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert "damaged archive" in refusal(path)


def test_a_zip_that_python_would_unpack_whole_is_refused(tmp_path):
    """In any way of compression but deflate, however little an entry states."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("train/a/0.png", image_bytes(7))
    assert "neither stored nor deflated" in refusal(path)


def test_a_long_name_in_a_tar_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.tar.gz"
    name = tarfile.TarInfo("././@LongLink")
    name.type = tarfile.GNUTYPE_LONGNAME
    name.size = archives.MOST_HEADER + 1
    with tarfile.open(path, "w:gz") as archive:
        add(archive, "train/a/0.png", image_bytes(7))
        archive.addfile(name, io.BytesIO(b"a" * name.size))
    assert "1048577 bytes of what is no file" in refusal(path)


@pytest.mark.parametrize(("key", "value"), [("GNU.sparse.size", "abc"), ("GNU.sparse.map", "a,b")])
def test_numbers_that_are_none_are_refused(tmp_path, key, value):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("train/a/0.png")
        entry.pax_headers = {"GNU.sparse.major": "0", key: value}
        archive.addfile(entry)
    assert "damaged archive" in refusal(path)


def test_a_link_in_a_zip_is_passed_over(tmp_path):
    link = zipfile.ZipInfo("train/a/1.png")
    link.create_system = 3  # Unix
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("train/a/0.png", image_bytes(7))
        archive.writestr("test/a/0.png", image_bytes(8))
        archive.writestr(link, "/etc/hostname")
    splits, _ = image_folder.read(tmp_path / "a.zip")
    assert len(splits["train"][0]) == 1


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 2**20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"notes/{number}.txt", bytes(2**19))
    expected = f"unpacks to more than {2**20} bytes, expected an archive of images"
    assert refusal(tmp_path / "a.zip") == expected


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_every_file_and_folder_comes_with_its_size_and_content(pictures, kind):
    path = packed(pictures, kind)
    above = () if kind == "folder" else ("pictures",)
    files = {}
    folders = set()
    with archives.reading(path):
        for entry in archives.entries(path):
            if entry.is_folder:
                folders.add(entry.parts)
            else:
                files[entry.parts] = (entry.size, entry.read())
    assert files[(*above, "README.txt")] == (12, b"not an image")
    assert len(files) == 10
    assert {(*above, "train"), (*above, "train", "a")} <= folders
