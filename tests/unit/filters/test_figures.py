"""What figures of filters show where there is little to show, and say in words."""

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from drawn_texts import size, texts

from convprobe import style
from convprobe.dataset import image_file
from convprobe.filters import atlas, figures, shown, top_patches
from convprobe.network.receptive_field import Fields, Grid, ReceptiveField
from convprobe.store import hdf5

RED = (255, 0, 0)
GREY = (128, 128, 128)
SIDE = 8
FIELD = ReceptiveField(
    seen=((0, 2), (0, 4), (2, 6), (4, 8), (6, 8)), grid=Grid(size=4, stride=2, start=-2)
)
FIELDS = Fields(FIELD, FIELD)


def red_images(count, side=SIDE):
    pixels = np.full((count, side, side, 3), RED, dtype=np.uint8)
    return image_file.Images(pixels, np.zeros(count, dtype=int), ("ant", "bee"), np.arange(count))


def top_images(responses, fields=FIELDS):
    """Rows of top-images.csv of one filter, its peak in the upper left corner of each image."""
    box = top_patches.clipped_box(fields, 0, 0)
    rows = []
    for rank, value in enumerate(responses, start=1):
        rows.append(("conv1", 3, rank, rank - 1, "ant", value, 0, 0, *box))
    return pd.DataFrame(rows, columns=top_patches.TOP_IMAGES_COLUMNS)


def draw_filter(path, responses, fields=FIELDS):
    count = len(responses)
    maps = np.zeros((count, 3, 3), dtype=np.float32)
    maps[:, 0, 0] = responses
    rows = top_images(responses, fields)
    figures.one_filter(path, red_images(count), maps, rows, fields, "r", "epoch-01")


def draw_atlas(path, responses, fields=FIELDS):
    rows = top_images(responses, fields)
    atlas.page(path, red_images(len(responses)), rows, fields, "r", "epoch-01")


def draw_top_patches(path, responses, fields=FIELDS):
    patches_path = path.with_suffix(".h5")
    images = red_images(len(responses))
    with hdf5.create(patches_path) as file:
        patches = [top_patches.cut(pixels, fields, 0, 0) for pixels in images.pixels]
        file["conv1/3"] = np.stack(patches)
        file.attrs["image_shape"] = [SIDE, SIDE]
    figures.top_patches(path, patches_path, top_images(responses, fields), "r", "epoch-01")


def pixels_of(path, colour):
    shown = matplotlib.image.imread(path)[..., :3]
    wanted = np.array(colour, dtype=np.float32) / 255
    return (shown == wanted).all(axis=2).sum()


def words(path):
    return path.with_suffix(".txt").read_text()


@pytest.mark.slow
def test_a_filter_shows_the_whole_patch_grey_beyond_the_image(tmp_path):
    path = tmp_path / "one.png"
    draw_filter(path, [2.0, 1.0])
    assert "the 4×4 pixels" in words(path)
    assert "grey where it sees padding" in words(path)
    # Of the patch of the same size as the image, three quarters lie beyond it.
    assert 0.5 < pixels_of(path, GREY) / pixels_of(path, RED) < 0.75


def test_the_atlas_shows_the_whole_patch_too(tmp_path):
    path = tmp_path / "atlas.png"
    draw_atlas(path, [2.0, 1.0])
    assert "patches of 4×4 pixels" in words(path)
    assert "grey where it sees padding" in words(path)
    assert 2 < pixels_of(path, GREY) / pixels_of(path, RED) < 4


def test_a_patch_that_is_not_drawn_is_not_said_to_be_grey():
    rows = top_images([2.0, 0.0])
    rows.loc[0, ["top", "left", "bottom", "right"]] = [0, 0, 4, 4]
    assert shown.about_grey(rows, FIELDS, red_images(2)) == ""
    rows["response"] = [2.0, 1.0]
    assert shown.about_grey(rows, FIELDS, red_images(2)) == "grey where it sees padding"


def whole(grid):
    field = ReceptiveField(((0, SIDE),), grid)
    return Fields(field, field)


@pytest.mark.slow
@pytest.mark.parametrize("grid", [None, Grid(8, 4, 0), Grid(20, 4, -6)])
def test_a_box_that_is_the_whole_image_is_said_to_be(tmp_path, grid):
    draw_filter(tmp_path / "one.png", [2.0, 1.0], whole(grid))
    assert "Box: the whole image that the peak" in words(tmp_path / "one.png")
    draw_atlas(tmp_path / "atlas.png", [2.0, 1.0], whole(grid))
    assert "the whole image that the peak" in words(tmp_path / "atlas.png")
    draw_top_patches(tmp_path / "top.png", [2.0, 1.0], whole(grid))
    assert "whole image" in texts(tmp_path / "top.png")
    for name in ("one.png", "atlas.png"):
        assert "grey" not in words(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("grid", [None, Grid(20, 4, -6)])
def test_what_a_peak_does_not_see_of_the_image_is_grey(tmp_path, grid):
    field = ReceptiveField(((0, 4), (2, SIDE)), grid)
    fields = Fields(field, field)
    for draw, name in ((draw_filter, "one.png"), (draw_atlas, "atlas.png")):
        path = tmp_path / name
        draw(path, [2.0, 1.0], fields)
        assert "grey where it sees nothing" in words(path)
        assert "the pixels that" in words(path)
    # A quarter of the image is seen.
    assert 2 < pixels_of(path, GREY) / pixels_of(path, RED) < 4


@pytest.mark.slow
def test_a_field_as_large_as_the_image_may_see_padding(tmp_path):
    field = ReceptiveField(((0, 6), (2, SIDE)), Grid(SIDE, 4, -2))
    for draw, name in ((draw_filter, "one.png"), (draw_atlas, "atlas.png")):
        path = tmp_path / name
        draw(path, [2.0, 1.0], Fields(field, field))
        assert "8×8 pixels" in words(path)
        assert "grey where it sees padding" in words(path)


@pytest.mark.slow
def test_top_patches_say_what_is_grey_in_them_and_in_those_that_are_drawn_alone(tmp_path):
    path = tmp_path / "top.png"
    draw_top_patches(path, [2.0, 1.0])
    assert shown.ABOUT_GREY in words(path)
    draw_top_patches(path, [0.0, 0.0])
    assert shown.ABOUT_GREY not in words(path)


def test_patches_larger_than_a_place_of_the_atlas_are_made_smaller():
    assert atlas._size_on_page((4, 8), atlas.Extent(40, 40)) == (20, 40)
    assert atlas._size_on_page((4, 8), atlas.Extent(40, 39)) == (16, 32), "whole pixels"
    assert atlas._size_on_page((224, 448), atlas.Extent(100, 100)) == (50, 100)
    assert atlas._size_on_page((6, 6), atlas.Extent(999, 999)) == (144, 144)
    checks = np.indices((4, 4)).sum(axis=0) % 2 * 200
    patch = np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)
    assert (atlas._resized(patch, atlas.Extent(2, 2)) == 100).all()
    enlarged = atlas._resized(patch, atlas.Extent(8, 12))
    np.testing.assert_array_equal(enlarged, patch.repeat(2, 0).repeat(3, 1))


@pytest.mark.parametrize("patch", [(6, 6), (24, 24), (32, 32), (8, 40), (224, 224), (448, 96)])
@pytest.mark.parametrize("ranks", [1, 5, 20])
def test_a_hundred_filters_of_any_patch_fit_on_a_page_of_the_atlas(patch, ranks):
    across, shown = atlas._best_grid(patch, ranks)
    arrangement = atlas.Arrangement(list(range(100)), ranks, shown, across)
    height, width = arrangement.blank().shape[:2]
    assert height <= 300 * style.TALLEST
    assert width <= 300 * style.PAGE
    assert across * arrangement.strip.width <= width
    assert min(shown) >= 1
    assert shown.width / shown.height == pytest.approx(patch[1] / patch[0], rel=0.15)


def test_a_map_below_0_is_drawn_on_its_own_scale(tmp_path):
    """No ReLU follows a convolution whose maps are added to others."""
    maps = np.full((1, 3, 3), -4, dtype=np.float32)
    rows = top_images([12.0])
    figures.one_filter(tmp_path / "one.svg", red_images(1), maps, rows, FIELDS, "r", "epoch-01")
    assert [text for text in texts(tmp_path / "one.svg") if text.startswith("−4")]


@pytest.mark.slow
def test_an_image_without_a_response_is_not_shown(tmp_path):
    path = tmp_path / "silent.png"
    draw_filter(path, [0.0, 0.0])
    assert pixels_of(path, RED) == 0
    shown = []
    for responses in ([2.0, 1.0], [2.0, 0.0], [0.0, 0.0]):
        draw_atlas(path, responses)
        shown.append(pixels_of(path, RED))
        assert ("Silent" in words(path)) == (max(responses) == 0)
        assert ("A missing patch" in words(path)) == (responses == [2.0, 0.0])
    assert shown[0] > shown[1] > shown[2] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (draw_filter, "top-images.csv"),
        (draw_atlas, "all-top-images.csv"),
        (draw_top_patches, "top-images.csv"),
    ],
)
def test_of_many_top_images_only_the_first_ones_are_drawn(tmp_path, monkeypatch, draw, table):
    monkeypatch.setattr(shown, "MOST_RANKS", 3)
    all_of_them = tmp_path / "3.png"
    draw(all_of_them, [2.0] * 3)
    assert "ranks are drawn" not in words(all_of_them)
    some = tmp_path / "4.png"
    draw(some, [2.0] * 4)
    assert f" Only the first 3 of 4 ranks are drawn; {table} lists all." in words(some)
    assert np.allclose(pixels_of(some, RED), pixels_of(all_of_them, RED), rtol=0.1)


@pytest.fixture
def three_ranks(tmp_path):
    """Draws the top patches of a filter whose patches of rank 1, 2 and 3 are red, green, blue."""
    rows = top_images([3.0, 2.0, 1.0])
    patches = np.zeros((3, 4, 4, 3), np.uint8)
    for rank in range(3):
        patches[rank, ..., rank] = 255
    with hdf5.create(tmp_path / "patches.h5") as file:
        file["conv1/3"] = patches
        file.attrs["image_shape"] = [SIDE, SIDE]

    def draw(**options):
        path = tmp_path / "top.png"
        figures.top_patches(path, tmp_path / "patches.h5", rows, "r", "epoch-01", **options)
        return path

    return draw


def colours_downwards(path):
    """The channels of the colours red, green and blue, in the order of their rows in a picture."""
    shown = matplotlib.image.imread(path)[..., :3]
    places = [np.argwhere((shown == colour).all(axis=2))[:, 0] for colour in np.eye(3)]
    return np.argsort([rows.mean() for rows in places]).tolist()


RANKS = ["highest", "2nd highest", "3rd highest"]


def test_the_highest_response_is_on_top(three_ranks):
    path = three_ranks()
    assert colours_downwards(path) == [0, 1, 2]
    assert "the highest on top" in words(path)
    assert [text for text in texts(path) if text in RANKS] == RANKS


def test_as_published_the_highest_response_is_at_the_bottom(three_ranks):
    path = three_ranks(as_published=True)
    assert colours_downwards(path) == [2, 1, 0]
    assert "the highest at the bottom, as published" in words(path)
    assert [text for text in texts(path) if text in RANKS] == RANKS[::-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "across", "blocks"), [(1, 1, 1), (3, 3, 1), (10, 10, 1), (11, 10, 2)]
)
def test_many_filters_stand_in_several_rows(tmp_path, count, across, blocks):
    rows = []
    with hdf5.create(tmp_path / "patches.h5") as file:
        for channel in range(count):
            rows.append(top_images([2.0, 1.0]).assign(channel=channel))
            file[f"conv1/{channel}"] = np.zeros((2, 4, 4, 3), np.uint8)
        file.attrs["image_shape"] = [SIDE, SIDE]
    path = tmp_path / "top.png"
    figures.top_patches(path, tmp_path / "patches.h5", pd.concat(rows), "r", "epoch-01")
    assert size(path)[0] == pytest.approx(style.COLUMN if across < 4 else style.PAGE)
    assert texts(path).count("highest") == blocks
    assert texts(path).count("conv1") == count


@pytest.mark.slow
@pytest.mark.parametrize(("ranks", "blocks"), [(1, 1), (10, 1), (11, 2)])
def test_many_images_of_a_filter_stand_in_several_rows(tmp_path, ranks, blocks):
    draw_filter(tmp_path / "one.png", np.linspace(2, 1, ranks).tolist())
    assert size(tmp_path / "one.png")[0] in (pytest.approx(style.COLUMN), pytest.approx(style.PAGE))
    assert texts(tmp_path / "one.png").count("what it sees") == blocks
    numbers = [f"{rank}. ant" for rank in range(1, ranks + 1)]
    assert [text for text in texts(tmp_path / "one.png") if ". ant" in text] == numbers
