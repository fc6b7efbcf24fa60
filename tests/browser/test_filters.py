"""The filters tab: a search by class, and large pictures of the chosen filter."""

import pandas as pd
import pytest
from playwright.sync_api import expect
from shown_page import PROBED, SIZES, address, assert_no_barrier_or_sideways_scrolling

pytestmark = pytest.mark.slow
NAME = "disc"


@pytest.fixture
def of_class(demo):
    """The filters of conv3 that respond to an image of the class among their top images."""
    table = pd.read_csv(demo.files()[f"{PROBED}/filters/all-top-images.csv"])
    table = table[(table["layer"] == "conv3") & (table["response"] > 0)]
    found = sorted(set(table.loc[table["class"] == NAME, "channel"]))
    assert 2 < len(found) < 64, "otherwise the tests show nothing"
    return found


def test_filters_are_found_by_the_class_of_their_top_images(open_page, of_class):
    page = open_page(f"#filters/{PROBED}/filter-conv3-0", viewport=SIZES["desk"])
    page.get_by_label("Top images of class").select_option(NAME)
    expect(page.locator("#all-name")).to_have_text(
        f"{len(of_class)} of the 64 filters of conv3 with an image of class {NAME} "
        "among their top images"
    )
    page.locator("#all").focus()
    page.keyboard.press("Home")
    passed = [int(page.locator("#channel").input_value())]
    for _ in of_class[1:]:
        page.keyboard.press("ArrowRight")
        passed.append(int(page.locator("#channel").input_value()))
    assert passed == of_class
    expect(page.locator("#top")).to_contain_text(f", {NAME};")
    page.keyboard.press("ArrowRight")  # nothing is after the last one
    expect(page.locator("#channel")).to_have_value(str(of_class[-1]))


def test_a_click_on_a_found_filter_chooses_it(open_page, of_class):
    page = open_page(f"#filters/{PROBED}/filter-conv3-0/top-{NAME}", viewport=SIZES["desk"])
    page.locator("#all").click(position={"x": 45, "y": 10})  # patches are about 30 pixels wide
    expect(page.locator("#filter-name")).to_have_text(f"Filter conv3/{of_class[1]}")


def test_the_class_that_filters_are_searched_by_comes_back(open_page):
    page = open_page(f"#filters/{PROBED}/filter-conv3-0", viewport=SIZES["desk"])
    page.get_by_label("Top images of class").select_option(NAME)
    assert address(page).endswith(f"/filter-conv3-0/top-{NAME}")
    heading = page.locator("#all-name").inner_text()
    page.reload()
    expect(page.locator("#all-name")).to_have_text(heading)
    expect(page.get_by_label("Top images of class")).to_have_value(NAME)
    page.go_back()
    expect(page.locator("#all-name")).to_have_text("All 64 filters of conv3")


def test_the_pictures_of_a_filter_use_the_width_of_a_wide_screen(open_page):
    page = open_page(f"#filters/{PROBED}/filter-conv3-0", viewport=SIZES["desk"])
    page_box = page.locator("#filters").bounding_box()
    last = page.locator("#top canvas").last.bounding_box()
    assert last["x"] + last["width"] == pytest.approx(page_box["x"] + page_box["width"], abs=2)
    assert last["width"] >= 230
    assert last["y"] + last["height"] <= SIZES["desk"]["height"]


def test_an_image_of_a_filter_leads_to_its_maps(open_page, demo):
    table = pd.read_csv(demo.files()[f"{PROBED}/filters/all-top-images.csv"])
    row = table[(table["image"] < 100) & (table["response"] > 0)].iloc[0]
    page = open_page(f"#filters/{PROBED}/filter-{row['layer']}-{row['channel']}")
    page.locator("#top").get_by_role("link", name=f"test image {row['image']}").click()
    expect(page.locator("#shown-image")).to_contain_text(f"Test image {row['image']}:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_barrier_in_a_search_and_no_sideways_scrolling(open_page, size, scheme):
    view = f"#filters/{PROBED}/filter-conv3-0/top-{NAME}"
    page = open_page(view, viewport=SIZES[size], color_scheme=scheme)
    assert_no_barrier_or_sideways_scrolling(page)
