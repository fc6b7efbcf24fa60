"""Sizes of one's own images, which are asked for before anything runs."""

import pytest
from own_images import draw, packed
from PIL import Image

from convprobe.dataset import image_sizes
from convprobe.errors import InputError


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_images_of_one_size_have_one(pictures, kind):
    ((height, width, place),) = image_sizes.read(packed(pictures, kind))
    assert (height, width) == (4, 4)
    assert place.endswith(".png")


def test_of_other_sizes_the_first_one_is_named(pictures):
    draw(pictures / "train/b/8.png", 5, size=(6, 3))
    draw(pictures / "train/b/9.png", 5, size=(7, 7))
    first, other = image_sizes.read(pictures)
    assert first[:2] == (4, 4)
    assert other == (3, 6, "train/b/8.png")


def test_an_image_that_cannot_be_read_is_left_to_the_job_that_reads_it(pictures):
    (pictures / "test/a/0.png").write_bytes(b"no image")
    assert [size[:2] for size in image_sizes.read(pictures)] == [(4, 4)]


def test_where_images_are_split_by_the_config_the_folders_are_classes(tmp_path):
    draw(tmp_path / "a/0.png", 1, size=(5, 4))
    assert image_sizes.read(tmp_path, test_share=0.5, seed=0) == [(4, 5, "a/0.png")]
    assert image_sizes.read(tmp_path) == [], "no image lies in train or test"


def test_what_claims_to_be_huge_has_a_size_and_no_warning(pictures, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    draw(pictures / "train/b/9.png", 5, size=(60, 40))
    assert image_sizes.read(pictures)[1][:2] == (40, 60)


def test_a_damaged_archive_is_refused(pictures):
    archive = packed(pictures, "tar.gz")
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(InputError, match="damaged archive"):
        image_sizes.read(archive)
