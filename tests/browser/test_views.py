"""What is seen of the page stays: in its address, through switches, back and forward."""

import pytest
from playwright.sync_api import expect
from shown_page import (
    PROBED,
    SCREENS,
    SECOND,
    SIZES,
    address,
    assert_bars,
    assert_no_barrier_or_sideways_scrolling,
    coarse_maps,
    expect_address,
    expect_place,
    hover,
    point_of,
    probabilities,
    without_filters,
    write_page,
)

pytestmark = pytest.mark.slow
VIEW = f"#occlusion/{PROBED}/image-12/window-5/20,9"


def reopened(page, open_two):
    """The same address in another browser's window, and after a reload."""
    other = open_two(address(page), viewport=page.viewport_size)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    return page, other


def test_a_place_of_an_image_comes_back(open_two, two_networks, demo):
    page = open_two(viewport=SIZES["desk"])
    page.locator("#probe").select_option(SECOND)
    page.get_by_label("5×5", exact=True).check()
    page.locator('#sheet button[data-image="12"]').click()
    hover(page, "#map", 20, 9)
    expect_address(page, f"#occlusion/{SECOND}/image-12/window-5/20,9")
    for view in reopened(page, open_two):
        assert address(view) == f"#occlusion/{SECOND}/image-12/window-5/20,9"
        expect(view.locator("#probe")).to_have_value(SECOND)
        expect(view.get_by_label("5×5", exact=True)).to_be_checked()
        expect(view.locator("#shown-image")).to_contain_text("Test image 12:")
        expect(view.locator('#sheet [aria-pressed="true"]')).to_have_attribute("data-image", "12")
        expect_place(view, 20, 9)
        assert_bars(view, "#bars", probabilities(two_networks, SECOND, 5, 12, 20, 9))
        expect(view.locator("#notice")).to_be_empty()


def test_a_reload_after_a_move_shows_the_same_place_at_once(open_two):
    page = open_two(VIEW, viewport=SIZES["desk"])
    hover(page, "#map", 3, 4)
    page.reload()
    expect_place(page, 3, 4)


def test_a_filter_comes_back(open_two):
    page = open_two("#filters", viewport=SIZES["desk"])
    page.locator("#layer").select_option(label="conv3 (64 filters)")
    page.locator("#channel").fill("17")
    page.keyboard.press("Tab")
    assert address(page).endswith("/filter-conv3-17")
    for view in reopened(page, open_two):
        expect(view.locator("#filter-name")).to_have_text("Filter conv3/17")
        expect(view.locator("#layer")).to_have_value("conv3")
        expect(view.locator("#channel")).to_have_value("17")


def test_what_is_chosen_of_the_predictions_comes_back(open_two):
    page = open_two("#ablation", viewport=SIZES["desk"])
    page.get_by_label("ablated", exact=True).check()
    page.locator("#rows-class").select_option("disc")
    page.get_by_label("only where the prediction changed").check()
    count = page.locator("#rows-count").inner_text()
    assert address(page).endswith("/show-ablated/class-disc/changed")
    for view in reopened(page, open_two):
        expect(view.get_by_label("ablated", exact=True)).to_be_checked()
        expect(view.locator("#rows-class")).to_have_value("disc")
        expect(view.get_by_label("only where the prediction changed")).to_be_checked()
        expect(view.locator("#rows-count")).to_have_text(count)


def test_how_maps_are_drawn_and_images_sorted_comes_back(open_two):
    page = open_two(VIEW, viewport=SIZES["desk"])
    page.locator("#order").select_option("fall")
    page.get_by_label("draw the map over the image").check()
    page.get_by_label("stretch the colours").check()
    expect_address(page, f"{VIEW}/sort-fall/overlay/stretch")
    first = page.locator("#sheet .name").first.inner_text()
    for view in reopened(page, open_two):
        expect(view.locator("#order")).to_have_value("fall")
        expect(view.get_by_label("draw the map over the image")).to_be_checked()
        expect(view.get_by_label("stretch the colours")).to_be_checked()
        expect(view.locator("#sheet .name").first).to_have_text(first)


@pytest.mark.parametrize("tab", ["filters", "ablation", "experiment"])
def test_another_tab_keeps_the_view_of_this_one(open_two, tab):
    page = open_two(f"{VIEW}/filter-conv2-3", viewport=SIZES["desk"])
    page.locator(f"#tab-{tab}").click()
    assert address(page) == f"{VIEW}/filter-conv2-3".replace("#occlusion", f"#{tab}")
    page.reload()
    expect(page.locator(f"#{tab}")).to_be_visible()
    page.locator("#tab-occlusion").click()
    assert address(page) == f"{VIEW}/filter-conv2-3"
    expect_place(page, 20, 9)


def test_another_network_or_window_keeps_image_place_and_filter(open_two, two_networks):
    page = open_two(f"{VIEW}/filter-conv2-3", viewport=SIZES["desk"])
    page.locator("#probe").select_option(SECOND)
    page.get_by_label("9×9", exact=True).check()
    assert address(page) == f"#occlusion/{SECOND}/image-12/window-9/20,9/filter-conv2-3"
    assert_bars(page, "#bars", probabilities(two_networks, SECOND, 9, 12, 20, 9))
    page.locator("#tab-filters").click()
    expect(page.locator("#filter-name")).to_have_text("Filter conv2/3")


def test_an_image_that_the_other_network_lacks_is_replaced_and_named(open_two):
    page = open_two(VIEW.replace("image-12", "image-57"), viewport=SIZES["desk"])
    page.locator("#probe").select_option(SECOND)
    expect(page.locator("#notice")).to_have_text(
        "This page doesn't have image 57: image 29 is shown."
    )
    hover(page, "#map", 4, 4)
    expect(page.locator("#notice")).not_to_be_empty()
    page.locator('#sheet button[data-image="3"]').click()
    expect(page.locator("#notice")).to_be_empty()


@pytest.mark.parametrize(
    ("named", "shown", "notice"),
    [
        (
            "#occlusion/normalised/epoch-99/image-500/window-11/40,9",
            f"#occlusion/{PROBED}/image-99/window-9/31,9",
            "This page doesn't have network normalised/epoch-99: network normalised/epoch-08 is "
            "shown; image 500: image 99 is shown; window 11: window 9 is shown; place 40,9: place "
            "31,9 is shown.",
        ),
        (
            f"#film/{PROBED}/image-3/window-5/1,1/rainbow",
            f"#occlusion/{PROBED}/image-3/window-5/1,1",
            "This page doesn't have tab film: tab occlusion is shown; “rainbow”: it is left out.",
        ),
        (
            f"#filters/{PROBED}/image-3/window-5/1,1/filter-conv1-99",
            f"#filters/{PROBED}/image-3/window-5/1,1/filter-conv1-15",
            "This page doesn't have filter conv1/99: filter conv1/15 is shown.",
        ),
    ],
)
def test_what_the_page_lacks_is_replaced_by_what_is_nearest(open_two, named, shown, notice):
    page = open_two(named)
    assert address(page) == shown
    expect(page.locator("#notice")).to_have_text(notice)


def test_back_and_forward_lead_through_the_switches(open_two):
    page = open_two(VIEW, viewport=SIZES["desk"])
    views = [address(page)]
    for switch in (
        lambda: page.locator('#sheet button[data-image="7"]').click(),
        lambda: page.get_by_label("9×9", exact=True).check(),
        lambda: page.locator("#probe").select_option(SECOND),
        lambda: page.locator("#tab-filters").click(),
        lambda: page.locator("#layer").select_option(label="conv2 (32 filters)"),
        lambda: page.locator("#tab-ablation").click(),
    ):
        switch()
        views.append(address(page))
    assert len(set(views)) == len(views)
    for view in reversed(views[:-1]):
        page.go_back()
        assert address(page) == view
    expect(page.locator("#shown-image")).to_contain_text("Test image 12:")
    expect(page.get_by_label("5×5", exact=True)).to_be_checked()
    expect_place(page, 20, 9)
    for view in views[1:]:
        page.go_forward()
        assert address(page) == view
    expect(page.locator("#ablation")).to_be_visible()
    expect(page.locator("#probe")).to_have_value(SECOND)


def test_a_moving_pointer_makes_no_entries_of_the_history(open_two):
    page = open_two(VIEW, viewport=SIZES["desk"])
    before = page.evaluate("history.length")
    page.evaluate("""() => {
        window.replaced = 0;
        const replace = history.replaceState.bind(history);
        history.replaceState = (...values) => { window.replaced += 1; replace(...values); };
    }""")
    for column in range(32):
        hover(page, "#map", 8, column)
    expect_address(page, VIEW.replace("20,9", "8,31"))
    assert page.evaluate("history.length") == before
    assert page.evaluate("window.replaced") < 32
    page.locator("#tab-filters").click()
    page.go_back()
    expect_place(page, 8, 31)


def test_an_address_typed_by_hand_is_shown_at_once(open_two):
    page = open_two(VIEW, viewport=SIZES["desk"])
    page.evaluate("location.hash = 'occlusion/image-4/window-7/2,30'")
    expect(page.locator("#shown-image")).to_contain_text("Test image 4:")
    expect_place(page, 2, 30)
    assert address(page) == f"#occlusion/{PROBED}/image-4/window-7/2,30"
    page.go_back()
    expect_place(page, 20, 9)


def test_arrow_keys_lead_through_the_picture_of_all_filters(open_two):
    page = open_two(f"#filters/{PROBED}/filter-conv3-5", viewport=SIZES["phone"])
    page.locator("#all").focus()
    width = page.locator("#all").evaluate("(canvas) => canvas.width")
    for key, moved in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        expect(page.locator("#filter-name")).to_have_text(f"Filter conv3/{5 + moved}")
    page.keyboard.press("ArrowDown")
    below = int(page.locator("#channel").input_value())
    assert 6 < below < 64
    assert width % (below - 6) == 0
    page.keyboard.press("ArrowUp")
    expect_address(page, "/filter-conv3-6")
    page.keyboard.press("ArrowUp")
    expect_address(page, "/filter-conv3-6")  # nothing is above the first row
    page.keyboard.press("End")
    expect(page.locator("#filter-name")).to_have_text("Filter conv3/63")
    page.go_back()
    expect(page.locator("#filter-name")).to_have_text("Filter conv3/6")


def test_arrow_keys_lead_through_the_list_of_images(open_two):
    page = open_two(VIEW, viewport=SIZES["desk"])
    page.locator('#sheet button[data-image="12"]').focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator('#sheet button[data-image="14"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#shown-image")).to_contain_text("Test image 14:")
    # The list is one stop of the tab key.
    page.keyboard.press("Tab")
    expect(page.locator("#windows :checked")).to_be_focused()


def test_on_a_phone_the_image_and_its_map_are_seen_first(open_two):
    page = open_two(VIEW, viewport=SIZES["phone"])
    for picture in ("#seen", "#map"):
        box = page.locator(picture).bounding_box()
        assert box["y"] + box["height"] <= SIZES["phone"]["height"]
    strip = page.locator("#sheet").bounding_box()
    assert strip["y"] + strip["height"] <= page.locator("#map").bounding_box()["y"]
    chosen = page.locator('#sheet [aria-pressed="true"]').bounding_box()
    assert chosen["x"] >= 0
    assert chosen["x"] + chosen["width"] <= SIZES["phone"]["width"]


@pytest.mark.parametrize("screen", SCREENS)
def test_no_barrier_in_a_comparison_and_no_sideways_scrolling(open_two, screen):
    view = f"{VIEW}/with/{SECOND}/window-3/held"
    page = open_two(view, **screen)
    assert_no_barrier_or_sideways_scrolling(page)


def test_a_network_without_filters_has_no_tabs_of_theirs(open_path, demo, tmp_path):
    path = write_page(demo, tmp_path, without_filters)
    page = open_path(path, f"#filters/{PROBED}/image-3/window-5/1,2/filter-conv1-3")
    expect(page.locator("#notice")).to_have_text(
        "This page doesn't have tab filters: tab occlusion is shown; filter conv1/3: none is shown."
    )
    assert address(page) == f"#occlusion/{PROBED}/image-3/window-5/1,2"
    assert page.get_by_role("tab").count() == 2
    page.locator("#tab-experiment").click()
    page.go_back()
    expect_place(page, 1, 2)


def test_a_coarse_map_has_places_where_its_windows_are(open_path, demo, tmp_path):
    maps = coarse_maps(demo, tmp_path, stride=5)

    def with_maps(data):
        (probe,) = data["probes"]
        return {**data, "probes": [{**probe, "occlusion": maps}]}

    path = write_page(demo, tmp_path, with_maps)
    page = open_path(path, f"#occlusion/{PROBED}/image-3/window-5/11,8", viewport=SIZES["desk"])
    expect(page.locator("#notice")).to_contain_text("place 11,8: place 12,7 is shown")
    page.locator("#map").focus()
    page.keyboard.press("ArrowDown")
    expect_place(page, 17, 7)
    page.mouse.move(*point_of(page, "#map", 4, 20))
    expect_place(page, 2, 22)
    assert_bars(page, "#bars", probabilities(tmp_path, PROBED, 5, 3, 0, 4))
    page.get_by_label("Compare with").select_option(PROBED)
    expect(page.locator("#readout-second")).to_contain_text("Window 3×3 at row 2, column 22:")
    assert_bars(page, "#bars-second", probabilities(tmp_path, PROBED, 3, 3, 0, 4))
