"""What the page says where it holds less than the files: here the demo's data are made less."""

import numpy as np
import pytest
from playwright.sync_api import expect
from shown_page import (
    PROBED,
    SIZES,
    WINDOWS,
    assert_bars,
    assert_no_barrier_or_sideways_scrolling,
    probabilities,
    write_page,
)

from convprobe.report import packing
from convprobe.store import tables

pytestmark = pytest.mark.slow
HELD = [0, 2, 5]  # classes of maps; beside them the true one
CONFUSED = [1, 4, 7]
RANKS = 2
PICTURES = 5  # of images, beside those of the maps


def less(data):
    """The demo's data with fewer maps, confusions and top images, as of a large study."""
    (probe,) = data["probes"]
    probe["occlusion"] = {**with_fewer_maps(probe["occlusion"]), "lossless": False}
    for layer in probe["filters"]["layers"]:
        for name in ("image", "response", "box"):
            by_filter = np.array(layer[name]).reshape(layer["channels"], layer["ranks"])
            layer[name] = by_filter[:, :RANKS].ravel().tolist()
        layer["ranks"] = RANKS
    data["thumbnails"]["indices"] = data["thumbnails"]["indices"][:PICTURES]
    confusion = probe["ablation"]["confusion"]
    confusion["labels"] = CONFUSED
    for name in ("clean", "ablated", "change"):
        confusion[name] = np.array(confusion[name])[np.ix_(CONFUSED, CONFUSED)].tolist()
    return data


def test_filters_are_found_by_the_classes_of_images_without_a_picture(open_less, demo):
    tops = tables.read(demo.files()[f"{PROBED}/filters/all-top-images.csv"])
    tops = tops[(tops["layer"] == "conv2") & (tops["rank"] <= RANKS) & (tops["response"] > 0)]
    (name, *_) = tops["class"].mode()
    found = tops[tops["class"] == name]
    assert found["image"].nunique() > PICTURES
    page = open_less(f"#filters/{PROBED}/filter-conv2-3/top-{name}")
    count = found["channel"].nunique()
    expect(page.locator("#all-name")).to_contain_text(f"{count} of the ")


def with_fewer_maps(occlusion):
    held = [sorted({*HELD, label}) for label in occlusion["labels"]]
    maps = []
    for packed, classes in zip(occlusion["maps"], held, strict=True):
        units = np.frombuffer(packing.inflated(packed["probability"]), "<u2")
        units = units.reshape(len(WINDOWS), 10, -1)[:, classes]
        maps.append({**packed, "probability": packing.numbers(units)})
    return {**occlusion, "maps": maps, "map_classes": held}


@pytest.fixture(scope="module")
def path(demo, tmp_path_factory):
    return write_page(demo, tmp_path_factory.mktemp("less"), less)


@pytest.fixture
def open_less(open_path, path):
    return lambda place, **options: open_path(path, place, **options)


def test_the_classes_that_are_held_have_bars_and_the_others_are_in_the_files(open_less, demo):
    page = open_less(f"#occlusion/{PROBED}/image-3/window-5/9,20")
    held = page.locator("#bars tbody th").all_inner_texts()
    assert len(held) in (3, 4)
    folder = demo.files()["explorer.html"].parent
    with_window, without = probabilities(folder, PROBED, 5, 3, 9, 20)
    page.locator("#tab-experiment").click()
    names = page.locator("#counts tbody tr > :first-child").all_text_contents()
    labels = [names.index(name.removesuffix(" (true)")) for name in held]
    page.locator("#tab-occlusion").click()
    assert_bars(page, "#bars", (with_window[labels], without[labels]))
    expect(page.locator("#bars caption")).to_contain_text("Of the 10 classes the page holds the")
    expect(page.locator("#seen-caption")).to_contain_text("compressed")


def test_the_classes_whose_counts_change_most_are_confused(open_less):
    page = open_less("#ablation")
    expect(page.locator("#confusion tbody tr")).to_have_count(len(CONFUSED))
    expect(page.locator("#confusion-caption")).to_contain_text("These are the 3 of 10 classes")
    expect(page.locator("#class-accuracy tbody tr")).to_have_count(10)
    cell = page.locator("#confusion tbody tr").nth(1).get_by_role("button").nth(1)
    row, column = (
        page.locator(f"#confusion {place}").nth(1).inner_text()
        for place in ("tbody th", "thead th")
    )
    assert row == column
    cell.hover()
    expect(page.locator("#cell-name")).to_contain_text(f"{row} predicted as {row}")


def test_that_fewer_top_images_are_held_is_said(open_less):
    page = open_less(f"#filters/{PROBED}/filter-conv2-3")
    expect(page.locator("#top li")).to_have_count(RANKS)
    expect(page.locator("#top-note")).to_contain_text("the first 2 of 5 top images")


@pytest.mark.parametrize("tab", ["occlusion", "filters", "ablation"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_no_barrier_where_less_is_held_and_no_sideways_scrolling(open_less, size, tab):
    page = open_less(f"#{tab}", viewport=SIZES[size])
    assert_no_barrier_or_sideways_scrolling(page)
