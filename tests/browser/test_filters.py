"""The filters tab: a search by class, kernels, and pictures of the chosen filter."""

import h5py
import matplotlib
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect
from shown_page import PROBED, SCREENS, SIZES, address, assert_no_barrier_or_sideways_scrolling

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


def kernel_pixels(page):
    """Red, green and blue of the kernel's picture, by row and column."""
    return np.array(
        page.locator("#kernel-picture").evaluate(
            "(canvas) => {"
            "  const { data } = canvas.getContext('2d').getImageData(0, 0, 5, 5);"
            "  return Array.from({ length: 25 }, (_, at) => [...data.slice(4 * at, 4 * at + 3)]);"
            "}"
        )
    ).reshape(5, 5, 3)


def test_a_filter_of_the_first_layer_has_its_kernel(open_page, demo):
    with h5py.File(demo.files()[f"{PROBED}/filters/activations.h5"]) as file:
        weights = file["conv1/kernels"][9]
    largest = np.abs(weights).max()
    page = open_page(f"#filters/{PROBED}/filter-conv1-9")
    expected = 128 + 127 * weights / largest
    np.testing.assert_allclose(kernel_pixels(page), expected, atol=0.51)
    caption = page.locator("#kernel-caption")
    expect(caption).to_contain_text("Kernel of conv1/9, 5×5 pixels")
    expect(caption).to_contain_text(f"±{float(f'{largest:.3g}'):g}, the largest weight")
    page.locator("#layer").select_option("conv2")
    expect(page.locator("#kernel")).to_be_hidden()


def test_a_chosen_filter_has_images_over_the_whole_range_of_responses(open_page, demo):
    table = pd.read_csv(demo.files()[f"{PROBED}/filters/quantile-images.csv"])
    rows = table[(table["layer"] == "conv3") & (table["channel"] == 20)]
    page = open_page(f"#filters/{PROBED}/filter-conv3-20")
    expect(page.locator("#quantiles canvas")).to_have_count(5)
    texts = page.locator("#quantiles li").all_text_contents()
    assert len(texts) == len(rows) == 5
    for text, row in zip(texts, rows.itertuples(), strict=True):
        start, _, response = text.partition("; response ")
        share = f"{100 * row.quantile:.0f}\N{NO-BREAK SPACE}%"
        assert start == f"{share}: test image {row.image}, {row[5]}"
        assert float(response) == pytest.approx(row.response, rel=0.005)
    page.locator("#channel").fill("21")
    page.keyboard.press("Enter")
    expect(page.locator("#filter-name")).to_have_text("Filter conv3/21")
    expect(page.locator("#quantiles-part")).to_be_hidden()


def map_colours(page, rank):
    """Red, green and blue of a filter's map, by place; with its height and width."""
    canvas = page.locator("#top li").nth(rank).locator("canvas").last
    height, width, colours = canvas.evaluate(
        "(canvas) => {"
        "  const { width, height } = canvas;"
        "  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);"
        "  return [height, width, Array.from(data)];"
        "}"
    )
    return np.array(colours).reshape(height, width, 4)[..., :3]


def test_a_chosen_filter_has_its_maps_and_what_is_lost_without_it(open_page, demo):
    files = demo.files()
    table = pd.read_csv(files[f"{PROBED}/filters/top-images.csv"])
    images = table.loc[(table["layer"] == "conv2") & (table["channel"] == 15), "image"].tolist()
    with h5py.File(files[f"{PROBED}/filters/activations.h5"]) as file:
        maps = np.stack([file["conv2/15/maps"][image] for image in images])
    page = open_page(f"#filters/{PROBED}/filter-conv2-15")
    viridis = matplotlib.colormaps["viridis"]
    for rank in (0, 4):
        levels = np.rint(255 * maps[rank] / maps.max()).astype(int)
        expected = 255 * viridis(levels)[..., :3]
        np.testing.assert_allclose(map_colours(page, rank), expected, atol=0.51)
    accuracy = pd.read_csv(files[f"{PROBED}/ablation/accuracy.csv"]).set_index("variant")
    change = f"{100 * accuracy.loc['conv2/15', 'change']:+.1f}".replace("-", "−")
    note = page.locator("#chosen-note")
    expect(note).to_contain_text(f"changes by {change.replace('+0.0', '0.0')} points")
    expect(note).to_contain_text(f"to {float(f'{maps.max():.3g}'):g}, bright")
    page.locator("#channel").fill("16")
    page.keyboard.press("Enter")
    expect(page.locator("#filter-name")).to_have_text("Filter conv2/16")
    expect(note).to_have_text(
        "conv2/16 is none of the chosen filters: it was not switched off alone."
    )
    expect(page.locator("#top li").first.locator("canvas")).to_have_count(2)


@pytest.mark.parametrize("screen", SCREENS)
def test_no_barrier_at_a_kernel_and_no_sideways_scrolling(open_page, screen):
    view = f"#filters/{PROBED}/filter-conv1-2"
    page = open_page(view, **screen)
    expect(page.locator("#kernel")).to_be_visible()
    expect(page.locator("#quantiles-part")).to_be_visible()
    assert_no_barrier_or_sideways_scrolling(page)


@pytest.mark.parametrize("screen", SCREENS)
def test_no_barrier_in_a_search_and_no_sideways_scrolling(open_page, screen):
    view = f"#filters/{PROBED}/filter-conv3-0/top-{NAME}"
    page = open_page(view, **screen)
    assert_no_barrier_or_sideways_scrolling(page)
