"""The pixels of a user's own images, in a fixed order, or one line that says why not."""

import re
import struct
import types
import zlib

import numpy as np
import psutil
import pytest
from own_images import draw, packed, refusal
from PIL import Image

from convprobe.dataset import image_folder
from convprobe.errors import InputError


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


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_of_another_size_are_refused_in_either_split(pictures, split):
    draw(pictures / split / "b" / "9.png", 5, size=(6, 6))
    assert refusal(pictures) == (
        f"{split}/b/9.png is 6×6 pixels, expected 4×4 as in train/a/0.png: all of one size, "
        "or dataset.image_size"
    )


def test_one_image_that_is_not_square_among_squares_is_refused(pictures):
    draw(pictures / "test" / "a" / "0.png", 5, size=(6, 4))
    assert refusal(pictures) == (
        "test/a/0.png is 6×4 pixels, expected 4×4 as in train/a/0.png: all of one size, "
        "or dataset.image_size"
    )


@pytest.mark.parametrize(
    "content", [b"", b"no image", "cut short"], ids=["empty", "text", "cut short"]
)
@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_an_unreadable_image_is_named(pictures, kind, content):
    spoilt = pictures / "test" / "b" / "0.png"
    spoilt.write_bytes(spoilt.read_bytes()[:45] if content == "cut short" else content)
    message = refusal(packed(pictures, kind))
    assert message.partition("test/b/0.png")[2].startswith(": not a readable image")


def test_sixteen_bit_images_are_refused_rather_than_cut_off(pictures):
    Image.fromarray(np.full((4, 4), 30_000, dtype=np.uint16)).save(
        pictures / "train" / "a" / "0.png"
    )
    assert refusal(pictures) == "train/a/0.png: has more than 8 bits per channel, expected 8"


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bit_colours_are_refused_too(pictures, colour_type, channels):
    """Pillow opens them as if they had 8 bits: it reads the higher byte of each value."""
    header = struct.pack(">IIBBBBB", 4, 4, 16, colour_type, 0, 0, 0)
    row = b"\0" + struct.pack(">H", 3000) * 4 * channels
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(4 * row)), (b"IEND", b"")]
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in chunks:
        parts += struct.pack(">I", len(content)), name, content
        parts.append(struct.pack(">I", zlib.crc32(name + content)))
    (pictures / "train/a/0.png").write_bytes(b"".join(parts))
    assert refusal(pictures) == "train/a/0.png: has more than 8 bits per channel, expected 8"


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


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (
            (6, 6),
            "b/1.png is 6×6 pixels, expected 4×4 as in a/0.png: all of one size, "
            "or dataset.image_size",
        ),
        (
            (6, 4),
            "b/1.png is 6×4 pixels, expected 4×4 as in a/0.png: all of one size, "
            "or dataset.image_size",
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


def test_the_middle_square_is_scaled_where_a_size_is_asked_for(pictures):
    draw(pictures / "test" / "a" / "0.png", 11, size=(9, 5))
    wide = np.zeros((2, 6, 3), dtype=np.uint8)
    wide[:, 2:4] = 200  # the middle square
    Image.fromarray(wide).save(pictures / "test" / "b" / "0.png")
    pixels = image_folder.read(pictures, image_size=(2, 2))[0]["test"][0]
    assert pixels.shape == (2, 2, 2, 3)
    assert (pixels[0, ..., 0] == 11).all()
    assert (pixels[1] == 200).all()


def test_the_middle_part_of_a_height_and_width_is_scaled(pictures):
    draw(pictures / "test" / "a" / "0.png", 11, size=(8, 2))
    high = np.zeros((12, 8, 3), dtype=np.uint8)
    high[4:8] = 200  # the middle part that is twice as wide as high
    Image.fromarray(high).save(pictures / "test" / "b" / "0.png")
    pixels = image_folder.read(pictures, image_size=(4, 8))[0]["test"][0]
    assert pixels.shape == (2, 4, 8, 3)
    assert (pixels[0, ..., 0] == 11).all()
    assert (pixels[1] == 200).all()


def test_images_that_are_not_square_are_taken_as_they_are(tmp_path):
    wide = np.random.default_rng(0).integers(0, 256, (2, 5, 3), dtype=np.uint8)
    for place in ("train/a", "test/a"):
        (tmp_path / place).mkdir(parents=True)
        Image.fromarray(wide).save(tmp_path / place / "0.png")
        Image.fromarray(255 - wide).save(tmp_path / place / "1.png")
        wide = wide[::-1].copy()
    pixels = image_folder.read(tmp_path)[0]["test"][0]
    np.testing.assert_array_equal(pixels[0], wide[::-1])


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


def test_images_that_take_more_than_half_of_the_free_memory_are_refused(pictures, monkeypatch):
    """Seven images of 48 bytes: the fourth is one too many for half of 383."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=383))
    assert refusal(pictures) == (
        "the first 4 images take 192 bytes of memory, "
        "expected at most 191, half of what is free: fewer or smaller ones"
    )


def test_given_classes_number_the_images_and_may_have_none(pictures):
    splits, classes = image_folder.read(pictures, classes=["b", "c", "a"])
    assert classes == ("b", "c", "a")
    assert splits["train"][1].tolist() == [2, 0, 2, 0, 2]
    assert splits["test"][1].tolist() == [2, 0]


def test_a_folder_that_is_not_among_the_given_classes_is_refused(pictures):
    with pytest.raises(InputError) as refused:
        image_folder.read(pictures, classes=["a", "c"])
    assert str(refused.value) == f"{pictures}: class b is not among dataset.classes"
