"""A user's own images: a folder or an archive of it, in a fixed order, or one line that says why not."""

import contextlib
import gzip
import io
import re
import shutil
import tarfile
import types
import zipfile
import zlib

import numpy as np
import psutil
import pytest
from PIL import Image

from convprobe.dataset import image_folder, listing, sources
from convprobe.errors import InputError


def draw(path, red, size=(4, 4), mode="RGB"):
    """An image (width, height) of one colour, whose red tells which one it is; PNG, so exact."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, red if mode == "L" else (red, 1, 2)).save(path)


@pytest.fixture
def pictures(tmp_path):
    """Two classes; the order of writing is neither that of the names nor that of the classes."""
    folder = tmp_path / "pictures"
    for red, place in enumerate(("b/1", "a/1", "b/0", "a/2", "a/0")):
        draw(folder / "train" / f"{place}.png", red)
    for red, place in ((10, "b/0"), (11, "a/0")):
        draw(folder / "test" / f"{place}.png", red)
    (folder / "README.txt").write_text("not an image")
    (folder / "train" / "a" / "notes.txt").write_text("nor this")
    draw(folder / "preview.png", 99)
    return folder


def packed(folder, kind):
    """The folder itself, or an archive of it with the folder's name on top."""
    if kind == "folder":
        return folder
    form = {"tar.gz": "gztar", "zip": "zip"}[kind]
    return folder.parent / shutil.make_archive(folder, form, folder.parent, folder.name)


def refusal(path, split=None):
    with pytest.raises(InputError) as refused:
        image_folder.read(path, split=split)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_images_come_by_name_and_then_by_class(pictures, kind):
    splits, classes = image_folder.read(packed(pictures, kind))
    assert classes == ("a", "b")
    pixels, labels = splits["train"]
    assert pixels.shape == (5, 4, 4, 3)
    assert (pixels.dtype, labels.dtype) == (np.uint8, np.int64)
    # a/0, b/0, a/1, b/1, a/2
    assert pixels[:, 0, 0, 0].tolist() == [4, 2, 1, 0, 3]
    assert labels.tolist() == [0, 1, 0, 1, 0]
    assert splits["test"][0][:, 3, 3].tolist() == [[11, 1, 2], [10, 1, 2]]
    assert splits["test"][1].tolist() == [0, 1]


def test_a_path_may_be_given_as_text(pictures):
    assert image_folder.read(str(pictures))[1] == ("a", "b")


def test_rows_are_y_and_columns_x(pictures):
    image = Image.new("RGB", (4, 4))
    image.putpixel((3, 1), (200, 0, 0))  # x 3, y 1
    image.save(pictures / "test" / "a" / "0.png")
    first = image_folder.read(pictures)[0]["test"][0][0]
    assert np.argwhere(first[..., 0] == 200).tolist() == [[1, 3]]


def test_a_grey_image_has_the_same_value_in_each_channel(pictures):
    draw(pictures / "test" / "a" / "0.png", 77, mode="L")
    assert image_folder.read(pictures)[0]["test"][0][0, 0, 0].tolist() == [77, 77, 77]


def test_a_class_that_is_only_in_train_is_fine_one_only_in_test_is_not(pictures):
    draw(pictures / "train" / "c" / "0.png", 5)
    assert image_folder.read(pictures)[1] == ("a", "b", "c")
    draw(pictures / "test" / "d" / "0.png", 5)
    draw(pictures / "test" / "e" / "0.png", 5)
    assert refusal(pictures) == "only in test, never in train: class d, e"


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_of_another_size_are_refused_in_either_split(pictures, split):
    draw(pictures / split / "b" / "9.png", 5, size=(6, 6))
    assert refusal(pictures) == (
        f"{split}/b/9.png is 6×6 pixels, expected 4×4 as in train/a/0.png: all of one size, or dataset.image_size"
    )


def test_images_that_are_not_square_are_refused(pictures):
    draw(pictures / "test" / "a" / "0.png", 5, size=(6, 4))
    assert (
        refusal(pictures)
        == "test/a/0.png is 6×4 pixels, expected square images, or dataset.image_size to scale them to"
    )


@pytest.mark.parametrize(
    "content", [b"", b"no image", "cut short"], ids=["empty", "text", "cut short"]
)
@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_an_unreadable_image_is_told_by_its_name(pictures, kind, content):
    spoilt = pictures / "test" / "b" / "0.png"
    spoilt.write_bytes(spoilt.read_bytes()[:45] if content == "cut short" else content)
    message = refusal(packed(pictures, kind))
    assert message.partition("test/b/0.png")[2].startswith(": not a readable image")


def test_sixteen_bit_images_are_refused_rather_than_cut_off(pictures):
    Image.fromarray(np.full((4, 4), 30_000, dtype=np.uint16)).save(
        pictures / "train" / "a" / "0.png"
    )
    assert refusal(pictures) == "train/a/0.png: has more than 8 bits a channel, expected 8"


def test_the_same_place_twice_is_refused(pictures):
    draw(pictures / "again" / "train" / "a" / "0.png", 5)
    told = "again/train/a/0.png and train/a/0.png have one class and name, expected one folder of each name"
    assert refusal(pictures) == told


def test_an_entry_that_an_archive_has_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name in ("train/a/0.png", "test/a/0.png", "train/a/0.png"):
            add(archive, name, image_bytes(7))
    assert (
        refusal(tmp_path / "a.tar.gz")
        == "train/a/0.png is there twice, expected one file of each name"
    )


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


def test_names_may_have_spaces_and_any_letters(pictures, tmp_path):
    for split in ("train", "test"):
        (pictures / split / "a").rename(pictures / split / "größer, {1} 日本")
    (pictures / "test" / "b" / "0.png").rename(pictures / "test" / "b" / "ein Bild.PNG")
    moved = pictures.rename(tmp_path / "meine Bilder ä")
    assert image_folder.read(packed(moved, "zip"))[1] == ("b", "größer, {1} 日本")


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
@pytest.mark.parametrize("content", [None, "0.tif"], ids=["empty", "another form"])
def test_a_class_without_images_is_told(pictures, kind, content):
    (pictures / "train" / "c").mkdir()
    if content:
        (pictures / "train" / "c" / content).write_bytes(b"an image")
    above = "" if kind == "folder" else "pictures/"
    assert (
        refusal(packed(pictures, kind))
        == f"{above}train/c holds no image, expected some of each class"
    )


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, [255, 255, 255]),
        ("LA", (77, 0), [77, 77, 77]),
        ("P", 0, [10, 20, 30]),
        ("RGBA", (10, 20, 30, 0), [10, 20, 30]),
    ],
)
def test_images_of_any_mode_become_colours_and_transparency_is_dropped(
    pictures, mode, colour, expected
):
    image = Image.new(mode, (4, 4), colour)
    if mode == "P":
        image.putpalette(expected)
    image.save(pictures / "test" / "a" / "0.png")
    assert image_folder.read(pictures)[0]["test"][0][0, 0, 0].tolist() == expected


def test_an_orientation_in_an_image_s_exif_does_not_turn_it(pictures):
    """As torchvision's ImageFolder has it, by which weights from elsewhere are trained."""
    halves = np.zeros((4, 4, 3), dtype=np.uint8)
    halves[:, 2:] = 200
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(halves).save(pictures / "test" / "a" / "0.png", exif=exif)
    assert np.array_equal(image_folder.read(pictures)[0]["test"][0][0], halves)


@pytest.mark.parametrize("form", ["EPS", "TIFF", "PPM", "ICO", "TGA"])
def test_only_the_forms_that_are_named_are_opened_whatever_the_suffix(pictures, form):
    """For EPS, Pillow starts Ghostscript, which executes what is in the file."""
    Image.new("RGB", (4, 4)).save(pictures / "test" / "a" / "0.png", form)
    assert refusal(pictures) == "test/a/0.png: not a readable image, expected one as its name says"


@pytest.mark.parametrize(("gone", "told"), [("train", "train"), ("test", "test"), ("", "train")])
def test_a_split_without_images(pictures, gone, told):
    shutil.rmtree(pictures / gone)
    pictures.mkdir(exist_ok=True)
    assert refusal(pictures).startswith(
        f"no image at {told}/CLASS/NAME, expected files that end in .jpg, .jpeg, .png"
    )


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_one_tree_without_a_split_is_told_which_key_it_needs(tmp_path, kind):
    for place in ("a/0", "a/1", "b/0"):
        draw(tmp_path / "tree" / f"{place}.png", 1)
    above = "" if kind == "folder" else "tree/"
    assert refusal(packed(tmp_path / "tree", kind)) == (
        f"no image at train/CLASS/NAME, but at CLASS/NAME, as {above}a/0.png: "
        "expected folders train and test, or dataset.split to draw the test images"
    )


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


def image_bytes(red):
    content = io.BytesIO()
    Image.new("RGB", (4, 4), (red, 1, 2)).save(content, "PNG")
    return content.getvalue()


def test_nothing_is_unpacked_from_an_archive_that_points_outside(tmp_path):
    outside = tmp_path / "outside"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for place in (
            "train/a/0.png",
            "test/a/0.png",
            "../outside/train/a/1.png",
            f"{outside}/train/a/2.png",
        ):
            archive.writestr(place, image_bytes(7))
    splits, _ = image_folder.read(tmp_path / "a.zip")
    assert len(splits["train"][0]) == 3
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip"]


def add(archive, name, content=b"", **fields):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for field, value in fields.items():
        setattr(entry, field, value)
    archive.addfile(entry, io.BytesIO(content))


def test_links_devices_and_paths_outside_in_a_tar_are_harmless(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(image_bytes(200))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, "train/a/0.png", image_bytes(7))
        add(archive, "test/a/0.png", image_bytes(8))
        add(archive, "../../outside/train/a/1.png", image_bytes(9))
        add(archive, "train/a/2.png", type=tarfile.SYMTYPE, linkname=str(secret))
        add(archive, "train/a/3.png", type=tarfile.LNKTYPE, linkname="../secret.png")
        add(archive, "train/a/4.png", type=tarfile.SYMTYPE, linkname="4.png")
        add(archive, "train/a/5.png", type=tarfile.FIFOTYPE)
    splits, _ = image_folder.read(tmp_path / "a.tar.gz")
    assert splits["train"][0][:, 0, 0, 0].tolist() == [7, 9]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar.gz", "secret.png"]


# One tree, other sizes, and files that claim too much


def test_one_tree_is_split_class_by_class_from_a_seed(tmp_path):
    for red, (class_name, number) in enumerate((c, n) for c in "abc" for n in range(10)):
        draw(tmp_path / "deep" / class_name / f"{number}.png", red)
    splits, classes = image_folder.read(tmp_path, split={"test_share": 0.3, "seed": 1})
    assert classes == ("a", "b", "c")
    assert np.bincount(splits["test"][1]).tolist() == [3, 3, 3]
    reds = {name: set(pixels[:, 0, 0, 0].tolist()) for name, (pixels, _) in splits.items()}
    assert reds["train"] | reds["test"] == set(range(30))
    assert not reds["train"] & reds["test"]
    other = image_folder.read(tmp_path, split={"test_share": 0.3, "seed": 2})[0]["test"][0]
    assert set(other[:, 0, 0, 0].tolist()) != reds["test"]
    draw(tmp_path / "deep" / "d" / "0.png", 90)
    draw(tmp_path / "deep" / "d" / "1.png", 91)
    more = image_folder.read(tmp_path, split={"test_share": 0.3, "seed": 1})[0]["test"][0]
    assert set(more[:, 0, 0, 0].tolist()) - {90, 91} == reds["test"]


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (
            (6, 6),
            "b/1.png is 6×6 pixels, expected 4×4 as in a/0.png: all of one size, or dataset.image_size",
        ),
        (
            (6, 4),
            "b/1.png is 6×4 pixels, expected square images, or dataset.image_size to scale them to",
        ),
    ],
)
def test_errors_of_one_tree_name_places_that_are_there(tmp_path, size, told):
    for place in ("a/0", "a/1", "b/0"):
        draw(tmp_path / f"{place}.png", 1)
    draw(tmp_path / "b" / "1.png", 1, size=size)
    split = {"test_share": 0.5, "seed": 1}
    message = refusal(tmp_path, split)
    assert re.sub(r"as in ./\d", "as in a/0", message) == told  # whichever is drawn first


def test_one_tree_with_an_image_in_two_folders_of_a_name_names_both(tmp_path):
    for place in ("one/a/0", "one/a/1", "two/a/0"):
        draw(tmp_path / f"{place}.png", 1)
    told = "one/a/0.png and two/a/0.png have one class and name, expected one folder of each name"
    assert refusal(tmp_path, {"test_share": 0.5, "seed": 0}) == told


@pytest.mark.parametrize(
    "split", [{}, {"test_share": 0.3, "seed": 1}], ids=["two folders", "one tree"]
)
@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_classes_are_told_by_names_alone_as_the_images_have_them(tmp_path, kind, split):
    for top in ("",) if split else ("train/", "test/"):
        for red, place in enumerate(("b/1", "a/12", "b/0", "a/2", "a/0", "b/2", "b/3")):
            draw(tmp_path / "tree" / f"{top}{place}.png", red)
    path = packed(tmp_path / "tree", kind)
    splits, classes = image_folder.read(path, split=split)
    found = {name: [classes[label] for label in labels] for name, (_, labels) in splits.items()}
    assert listing.labels(path, **split) == found


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_image_beside_the_classes_of_one_tree_makes_no_class(tmp_path, kind):
    """In an archive with the folder's name on top it lies at CLASS/NAME."""
    folder = tmp_path / "tree"
    for place in ("a/0", "a/1", "b/0", "b/1", "preview", ".hidden/0"):
        draw(folder / f"{place}.png", 1)
    split = {"test_share": 0.5, "seed": 0}
    assert image_folder.read(folder, split=split)[1] == ("a", "b")
    told = "lie at different depths, expected all images at CLASS/NAME"
    assert refusal(packed(folder, kind), split).startswith("tree/preview.png and tree/")
    assert refusal(packed(folder, kind), split).endswith(told)
    (folder / "preview.png").unlink()
    assert image_folder.read(packed(folder, kind), split=split)[1] == ("a", "b")
    (folder / "c").mkdir()
    assert (
        refusal(packed(folder, kind), split) == "tree/c holds no image, expected some of each class"
    )


def test_the_middle_square_is_scaled_where_a_size_is_asked_for(pictures):
    draw(pictures / "test" / "a" / "0.png", 11, size=(9, 5))
    wide = np.zeros((2, 6, 3), dtype=np.uint8)
    wide[:, 2:4] = 200  # the middle square
    Image.fromarray(wide).save(pictures / "test" / "b" / "0.png")
    pixels = image_folder.read(pictures, image_size=2)[0]["test"][0]
    assert pixels.shape == (2, 2, 2, 3)
    assert (pixels[0, ..., 0] == 11).all()
    assert (pixels[1] == 200).all()


def test_an_image_that_claims_a_huge_size_is_refused_before_it_is_unpacked(pictures):
    def chunk(content):
        return (
            (len(content) - 4).to_bytes(4, "big") + content + zlib.crc32(content).to_bytes(4, "big")
        )

    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    claim = b"\x89PNG\r\n\x1a\n" + chunk(header) + chunk(b"IDAT" + zlib.compress(b""))
    (pictures / "train" / "a" / "9.png").write_bytes(claim)
    assert (
        refusal(pictures)
        == "train/a/9.png: is 60000×60000 pixels, expected at most 16777216 in all"
    )


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
        refusal(path)
        == f"train/a/0.png is a file of {100 * 2**20} bytes, expected an image of at most {2**26}"
    )


def test_images_that_take_more_than_half_of_the_free_memory_are_refused(pictures, monkeypatch):
    """Seven images of 48 bytes: the fourth is one too many for half of 383."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=383))
    told = "the first 4 images take 192 bytes of memory, expected at most 191, half of what is free: fewer or smaller ones"
    assert refusal(pictures) == told


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
            image_folder.read(archive, image_size=4)
            read += 1
    assert 0 < read < 200


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "\udcff"])
def test_a_name_that_would_steer_a_terminal_or_is_no_text_is_refused(tmp_path, name):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, f"train/{name}/0.png", image_bytes(7))
    told = f"{f'train/{name}/0.png'!a} is no name that can be shown, expected letters and signs"
    assert refusal(tmp_path / "a.tar.gz") == told


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_of_very_many_entries_is_refused(pictures, monkeypatch, kind):
    monkeypatch.setattr(listing, "MOST_ENTRIES", 8)
    assert (
        refusal(packed(pictures, kind)) == "has more than 8 entries, expected an archive of images"
    )


@pytest.mark.parametrize(
    "place", ["README", None], ids=["in an entry that no one reads", "behind the end"]
)
def test_a_bomb_in_a_tar_is_refused_wherever_it_lies(pictures, monkeypatch, place):
    monkeypatch.setattr(listing, "MOST_UNPACKED", 2**24)
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


def test_counts_of_each_class_in_each_split(pictures):
    settings = {
        "name": "image-folder",
        "train_images": "all",
        "test_images": "all",
        "validation_images": 1,
    }
    counts = sources.class_counts(sources.load(settings, pictures))
    assert counts.to_csv(index=False) == "class,train,test,validation\na,2,1,1\nb,2,1,0\n"


def test_a_split_that_lacks_a_class_is_told(pictures):
    settings = {
        "name": "image-folder",
        "train_images": "all",
        "test_images": 1,
        "validation_images": 1,
    }
    splits = sources.load(settings, pictures)
    assert sources.lacking_classes(splits) == [
        "no test image of class b",
        "no validation image of class b",
    ]
