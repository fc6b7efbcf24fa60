"""Two networks or windows side by side: both are those of the files, and so is their difference."""

import re

import h5py
import matplotlib
import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import stats
from shown_page import (
    PIXEL,
    PROBED,
    SECOND,
    SIZES,
    assert_bars,
    expect_address,
    expect_place,
    hover,
    probabilities,
)

pytestmark = pytest.mark.slow
START = f"#occlusion/{PROBED}/image-12/window-9/20,9"
VIEW = f"{START}/with/{SECOND}/window-5"
BERLIN = (255 * np.array(matplotlib.colormaps["berlin"].colors)).round().astype(int).tolist()


@pytest.fixture
def folders(demo, two_networks):
    """Where the files of each network are."""
    return {PROBED: demo.files()["explorer.html"].parent, SECOND: two_networks}


def confidence(folder, network, window, image):
    """The map of the true class's probability, in the units of the page."""
    with h5py.File(folder / f"{network}/occlusion/window-{window}.h5") as file:
        label = file["label"][image]
        return file["probability"][image, ..., label].astype(float).round(4)


def expect_both(page, folders, sides, image, row, column):
    """Both columns show the files of these networks and windows at this place."""
    readout = f"at row {row}, column {column}:"
    for suffix, (network, window) in zip(("", "-second"), sides, strict=True):
        expect(page.locator(f"#readout{suffix}")).to_contain_text(f"{window}×{window} {readout}")
        expected = probabilities(folders[network], network, window, image, row, column)
        assert_bars(page, f"#bars{suffix}", expected)


def test_two_networks_stay_under_one_window_and_change_places(open_two, folders):
    page = open_two(f"{START}/with/{SECOND}/window-9", viewport=SIZES["desk"])
    page.locator("#windows").get_by_label("5×5", exact=True).check()
    expect_both(page, folders, [(PROBED, 5), (SECOND, 5)], 12, 20, 9)
    page.locator("#probe").select_option(SECOND)
    expect_both(page, folders, [(SECOND, 5), (PROBED, 5)], 12, 20, 9)
    page.get_by_label("under window").select_option("3")
    page.locator("#windows").get_by_label("9×9", exact=True).check()
    expect_both(page, folders, [(SECOND, 9), (PROBED, 3)], 12, 20, 9)


def test_a_second_network_is_put_beside_the_first(open_two, folders):
    page = open_two(START, viewport=SIZES["desk"])
    expect(page.locator("#map-second")).to_be_hidden()
    expect(page.locator("#difference")).to_be_hidden()
    page.get_by_label("Compare with").select_option(SECOND)
    expect_address(page, f"{START}/with/{SECOND}/window-9")
    expect_both(page, folders, [(PROBED, 9), (SECOND, 9)], 12, 20, 9)
    page.get_by_label("under window").select_option("5")
    expect_address(page, VIEW)
    expect_both(page, folders, [(PROBED, 9), (SECOND, 5)], 12, 20, 9)
    expect(page.locator("#side-name-second")).to_have_text("normalised, epoch-05, window 5×5")
    page.go_back()
    expect_both(page, folders, [(PROBED, 9), (SECOND, 9)], 12, 20, 9)
    page.get_by_label("Compare with").select_option("")
    expect(page.locator("#map-second")).to_be_hidden()
    expect(page.locator("#side-name")).to_be_hidden()
    expect_address(page, START)


def test_two_windows_of_one_network_are_compared(open_page, folders):
    page = open_page(START, viewport=SIZES["desk"])
    page.get_by_label("Compare with").select_option(PROBED)
    expect_address(page, f"{START}/with/{PROBED}/window-3")
    expect_both(page, folders, [(PROBED, 9), (PROBED, 3)], 12, 20, 9)


@pytest.mark.parametrize("panel", ["#map", "#seen-second", "#predicted-second", "#difference"])
def test_the_place_is_the_same_on_both_sides(open_two, folders, panel):
    page = open_two(VIEW, viewport=SIZES["desk"])
    hover(page, panel, 11, 23)
    expect_both(page, folders, [(PROBED, 9), (SECOND, 5)], 12, 11, 23)


def test_a_comparison_comes_back(open_two, folders):
    page = open_two(VIEW.replace("window-9/20,9", "window-7/3,30"), viewport=SIZES["desk"])
    page.reload()
    for view in (page, open_two(page.evaluate("location.hash"))):
        expect_both(view, folders, [(PROBED, 7), (SECOND, 5)], 12, 3, 30)


def test_both_maps_have_the_same_scale(open_two, folders):
    sides = ((PROBED, 9), (SECOND, 3))
    of_images = [
        [confidence(folders[network], network, window, image) for network, window in sides]
        for image in range(30)
    ]
    ranges = [[maps[0].min() - maps[1].min(), maps[1].max() - maps[0].max()] for maps in of_images]
    image = int(np.argmax(np.abs(ranges).min(axis=1)))  # both ends differ between the sides
    low, high = np.min(of_images[image]), np.max(of_images[image])
    assert np.abs(ranges[image]).min() > 1e-4, "otherwise the test shows nothing"
    page = open_two(
        f"#occlusion/{PROBED}/image-{image}/window-9/with/{SECOND}/window-3",
        viewport=SIZES["desk"],
    )
    page.get_by_label("stretch the colours").check()
    for suffix in ("", "-second"):
        expect(page.locator(f"#scale-low{suffix}")).to_have_text(f"{100 * low:.2f} %")
        expect(page.locator(f"#scale-high{suffix}")).to_have_text(f"{100 * high:.2f} %")


@pytest.mark.parametrize("stretched", [False, True])
def test_the_difference_has_one_scale_for_all_images_or_its_own(open_two, folders, stretched):
    page = open_two(VIEW + "/stretch" * stretched, viewport=SIZES["desk"])
    first = confidence(folders[PROBED], PROBED, 9, 12)
    second = confidence(folders[SECOND], SECOND, 5, 12)
    difference = second - first
    most = np.abs(difference).max() if stretched else 1
    for end, sign in (("low", "−"), ("high", "+")):
        text = f"{sign}{100 * most:.1f}" if stretched else f"{sign}100"
        expect(page.locator(f"#difference-{end}")).to_have_text(text)
    hover(page, "#difference", 0, 31)  # the window's outline is out of the way
    places = [
        np.unravel_index(find(difference), difference.shape) for find in (np.argmin, np.argmax)
    ]
    assert difference.min() < -0.1 < 0.1 < difference.max(), "otherwise the test shows little"
    for row, column in [*places, (31, 0)]:
        level = int(np.floor(255 * (difference[row, column] / most + 1) / 2 + 0.5))
        shown = page.evaluate(PIXEL, ["difference", int(row), int(column)])
        # The page has four digits of a probability: where a scale is stretched, that shows.
        near = BERLIN[max(0, level - 1) : level + 2] if stretched else BERLIN[level : level + 1]
        assert shown in near
    row, column = (int(at) for at in places[0])
    hover(page, "#difference", row, column)
    words = f"{100 * difference[row, column]:+.2f} there".replace("-", "−")
    expect(page.locator("#difference-caption")).to_contain_text(words)


def test_a_network_without_the_image_says_so(open_two):
    page = open_two(VIEW.replace("image-12", "image-57"), viewport=SIZES["desk"])
    expect(page.locator("#lacking-second")).to_have_text(
        f"This page has no maps of test image 57 by {SECOND}."
    )
    expect(page.locator("#map-second")).to_be_hidden()
    expect(page.locator("#difference")).to_be_hidden()
    page.locator('#sheet button[data-image="3"]').click()
    expect(page.locator("#lacking-second")).to_be_hidden()
    expect(page.locator("#difference")).to_be_visible()


def test_what_is_compared_stays_with_another_image_and_tab(open_two, folders):
    page = open_two(VIEW, viewport=SIZES["desk"])
    page.locator('#sheet button[data-image="7"]').click()
    page.locator("#tab-filters").click()
    page.go_back()
    row, column = (int(page.locator(f"#{axis}").input_value()) for axis in ("row", "column"))
    expect_place(page, row, column)
    expect_both(page, folders, [(PROBED, 9), (SECOND, 5)], 7, row, column)


def test_how_far_two_maps_agree_is_shown_where_it_was_computed(open_two, demo, folders):
    def spearman(image, other):
        maps = []
        for network, row in ((PROBED, image), (SECOND, other)):
            with h5py.File(folders[network] / f"{network}/occlusion/window-9.h5") as file:
                maps.append(file["confidence"][row].ravel())
        return stats.spearmanr(*maps).statistic

    others = np.mean([spearman(12, other) for other in range(100) if other != 12])
    page = open_two(f"{START}/with/{SECOND}/window-9", viewport=SIZES["desk"])
    words = page.locator("#agreement")
    labels = page.locator("#sheet .name").all_inner_texts()
    name = next(label.split(": ")[1] for label in labels if label.startswith("12: "))
    alike = [int(label.split(":")[0]) for label in labels if label.endswith(f": {name}")]
    expect(words).to_contain_text(f"Of the {len(alike)} images of class {name}: ")
    said = words.inner_text().replace("\N{MINUS SIGN}", "-")
    number = r"(-?\d\.\d\d)"
    for phrase, value in {
        rf"correlation \(Spearman\) of {number}; the map by {PROBED}": spearman(12, 12),
        rf"of other images by {SECOND} of {number}, on average\. Under": others,
        rf"of class {name}: {number}, with": np.mean([spearman(one, one) for one in alike]),
    }.items():
        assert float(re.search(phrase, said)[1]) == pytest.approx(value, abs=0.0051)
    page.get_by_label("under window").select_option("5")
    expect(words).to_be_hidden()
    page.get_by_label("Compare with").select_option(PROBED)
    expect(words).to_be_hidden()
