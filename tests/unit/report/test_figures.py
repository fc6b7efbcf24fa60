"""What figures of filters show where there is little to show, and say in words."""

import hashlib

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from convprobe import style
from convprobe.dataset import image_file
from convprobe.errors import InputError
from convprobe.filters import figures as filter_figures
from convprobe.filters import top_patches
from convprobe.network import receptive_field
from convprobe.store import hdf5

RED = (255, 0, 0)
FIELD = receptive_field.ReceptiveField(
    size=4, stride=2, start=-2, seen=((0, 2), (0, 4), (2, 6), (4, 8), (6, 8))
)


def red_images(count, side=8):
    pixels = np.full((count, side, side, 3), RED, dtype=np.uint8)
    return image_file.Images(pixels, np.zeros(count, dtype=int), ("ant", "bee"), np.arange(count))


def top_images(responses):
    """Rows of top-images.csv of one filter, its peak in the upper left corner of each image."""
    box = top_patches.clipped_box(FIELD, 0, 0)
    rows = [
        ("conv1", 3, rank, rank - 1, "ant", value, 0, 0, *box)
        for rank, value in enumerate(responses, start=1)
    ]
    return pd.DataFrame(rows, columns=top_patches.TOP_IMAGES_COLUMNS)


def pixels_of(path, colour):
    return (
        (matplotlib.image.imread(path)[..., :3] == np.array(colour, dtype=np.float32) / 255)
        .all(axis=2)
        .sum()
    )


def words(path):
    return path.with_suffix(".txt").read_text()


def draw_filter(path, responses):
    maps = np.zeros((len(responses), 3, 3), dtype=np.float32)
    maps[:, 0, 0] = responses
    filter_figures.one_filter(
        path, red_images(len(responses)), maps, top_images(responses), FIELD, "r", "epoch-01"
    )


def test_a_filter_shows_the_whole_patch_grey_beyond_the_image(tmp_path):
    draw_filter(tmp_path / "one.png", [2.0, 1.0])
    assert "the 4×4 pixels" in words(tmp_path / "one.png")
    assert "grey where it sees padding" in words(tmp_path / "one.png")
    # Of the patch of the same size as the image, three quarters lie beyond it.
    red, grey = (pixels_of(tmp_path / "one.png", colour) for colour in (RED, (128, 128, 128)))
    assert 0.5 < grey / red < 0.75
    rows = top_images([2.0, 1.0])
    filter_figures.atlas_page(tmp_path / "atlas.png", red_images(2), rows, FIELD, "r", "epoch-01")
    assert "patches of 4×4 pixels" in words(tmp_path / "atlas.png")
    red, grey = (pixels_of(tmp_path / "atlas.png", colour) for colour in (RED, (128, 128, 128)))
    assert 2 < grey / red < 4


def test_an_image_without_a_response_is_not_shown(tmp_path):
    draw_filter(tmp_path / "silent.png", [0.0, 0.0])
    assert pixels_of(tmp_path / "silent.png", RED) == 0
    for name, responses in (("two", [2.0, 1.0]), ("one", [2.0, 0.0]), ("silent", [0.0, 0.0])):
        rows = top_images(responses)
        filter_figures.atlas_page(
            tmp_path / f"{name}.png", red_images(2), rows, FIELD, "r", "epoch-01"
        )
    shown = [pixels_of(tmp_path / f"{name}.png", RED) for name in ("two", "one", "silent")]
    assert shown[0] > shown[1] > shown[2] == 0


def test_of_many_top_images_only_the_first_ones_are_drawn(tmp_path):
    shown = {}
    for count in (20, 21):
        draw_filter(tmp_path / f"one-{count}.png", [2.0] * count)
        rows = top_images([2.0] * count)
        filter_figures.atlas_page(
            tmp_path / f"atlas-{count}.png", red_images(count), rows, FIELD, "r", "epoch-01"
        )
        with hdf5.create(tmp_path / "patches.h5") as file:
            file["conv1/3"] = np.full((count, 4, 4, 3), RED, np.uint8)
        filter_figures.top_patches(
            tmp_path / f"top-{count}.png", tmp_path / "patches.h5", rows, "r", "epoch-01"
        )
        shown[count] = [
            pixels_of(tmp_path / f"{name}-{count}.png", RED) for name in ("one", "atlas", "top")
        ]
    assert np.allclose(shown[21], shown[20], rtol=0.1)  # the caption takes a line more
    for name, table in (
        ("one", "top-images.csv"),
        ("atlas", "all-top-images.csv"),
        ("top", "top-images.csv"),
    ):
        told = f"Only 20 of 21 ranks are drawn; {table} has all."
        assert told in words(tmp_path / f"{name}-21.png")
        assert "ranks are drawn" not in words(tmp_path / f"{name}-20.png")


def test_a_figure_tells_what_it_is_drawn_from_and_says_its_words(tmp_path):
    source = tmp_path / "filters/top images.csv"
    source.parent.mkdir()
    source.write_text("response\n")
    path = tmp_path / "filters/conv1/3.png"
    with style.drawn_from([source]):
        draw_filter(path, [2.0, 1.0])
    digest = hashlib.sha256(b"response\n").hexdigest()
    for kind in ("png", "svg"):
        told = style.words(path.with_suffix(f".{kind}"))
        assert told["Source"] == f"conv1/3\n{digest}  top images.csv"
        assert f"{told['Title']}. {told['Description']}\n" == words(path)
    draw_filter(path, [2.0, 1.0])
    assert "Source" not in style.words(path)


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"<svg", b"\xff\xfe"])
def test_what_is_no_picture_is_refused(tmp_path, kind, content):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a.{kind}: not a picture"):
        style.words(path)
