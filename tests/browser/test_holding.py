"""A place that is held stays, until it is let go."""

import pytest
from playwright.sync_api import expect
from shown_page import PROBED, SIZES, expect_address, expect_place, hover, point_of

pytestmark = pytest.mark.slow
VIEW = f"#occlusion/{PROBED}/image-12/window-5/20,9"


def drag(page, start, end):
    """With the mouse, and a few steps between."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


class Finger:
    """One that touches a page."""

    def __init__(self, page):
        self._session = page.context.new_cdp_session(page)

    def _send(self, kind, *points):
        touched = [{"x": x, "y": y} for x, y in points]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})

    def press(self, point):
        self._send("touchStart", point)

    def move(self, point):
        self._send("touchMove", point)

    def lift(self):
        self._send("touchEnd")


def test_a_click_holds_the_place_and_another_lets_it_go(open_page):
    page = open_page(VIEW, viewport=SIZES["desk"])
    hover(page, "#map", 5, 6)
    page.mouse.click(*point_of(page, "#map", 5, 6))
    expect(page.get_by_label("hold the place")).to_be_checked()
    page.mouse.move(*point_of(page, "#map", 25, 26))
    page.mouse.move(*point_of(page, "#seen", 12, 13))
    expect_place(page, 5, 6)
    expect_address(page, VIEW.replace("20,9", "5,6/held"))
    page.mouse.click(*point_of(page, "#map", 10, 11))
    expect(page.get_by_label("hold the place")).not_to_be_checked()
    expect_place(page, 10, 11)
    hover(page, "#map", 2, 3)


def test_escape_lets_go_wherever_the_focus_is(open_page):
    page = open_page(f"{VIEW}/held", viewport=SIZES["desk"])
    expect(page.get_by_label("hold the place")).to_be_checked()
    page.mouse.move(*point_of(page, "#map", 1, 1))
    expect_place(page, 20, 9)
    page.locator("#row").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_label("hold the place")).not_to_be_checked()
    hover(page, "#map", 8, 8)


def test_keys_and_sliders_move_a_place_that_is_held(open_page):
    page = open_page(f"{VIEW}/held", viewport=SIZES["desk"])
    page.locator("#seen").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    expect_place(page, 16, 10)
    page.locator("#column").fill("30")
    expect_place(page, 16, 30)
    expect(page.get_by_label("hold the place")).to_be_checked()
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("hold the place")).not_to_be_checked()
    page.keyboard.press("Space")
    expect(page.get_by_label("hold the place")).to_be_checked()


def test_a_held_place_stays_with_another_image_and_window(open_page):
    page = open_page(f"{VIEW}/held", viewport=SIZES["desk"])
    page.locator('#sheet button[data-image="7"]').click()
    page.get_by_label("9×9", exact=True).check()
    expect_place(page, 20, 9)


def test_a_window_is_dragged_and_then_held(open_page):
    page = open_page(VIEW, viewport=SIZES["desk"])
    drag(page, point_of(page, "#map", 5, 6), point_of(page, "#map", 22, 17))
    expect_place(page, 22, 17)
    expect(page.get_by_label("hold the place")).to_be_checked()
    page.mouse.move(*point_of(page, "#map", 12, 12))
    expect_place(page, 22, 17)
    # One that is held is dragged on; beyond the picture it stays at its edge.
    x, y = point_of(page, "#map", 31, 31)
    drag(page, point_of(page, "#map", 9, 9), (x, y + 200))
    expect_place(page, 31, 31)
    expect(page.get_by_label("hold the place")).to_be_checked()


def test_the_right_button_neither_moves_nor_holds(open_page):
    page = open_page(f"{VIEW}/held", viewport=SIZES["desk"])
    page.mouse.click(*point_of(page, "#map", 3, 3), button="right")
    expect_place(page, 20, 9)
    expect(page.get_by_label("hold the place")).to_be_checked()


def test_a_tap_holds_the_place_and_the_next_one_moves_it(open_page):
    page = open_page(VIEW, viewport=SIZES["phone"], has_touch=True, is_mobile=True)
    for row, column in ((6, 7), (25, 24)):
        page.touchscreen.tap(*point_of(page, "#map", row, column))
        expect_place(page, row, column)
        expect(page.get_by_label("hold the place")).to_be_checked()


def test_a_finger_drags_the_window_and_not_the_page(open_page):
    page = open_page(VIEW, viewport=SIZES["phone"], has_touch=True, is_mobile=True)
    start, middle, end = (point_of(page, "#map", *at) for at in ((4, 4), (12, 12), (28, 20)))
    scrolled = page.evaluate("scrollY")
    finger = Finger(page)
    finger.press(start)
    finger.move(middle)
    expect_place(page, 12, 12)
    finger.move(end)
    finger.lift()
    expect_place(page, 28, 20)
    assert page.evaluate("scrollY") == scrolled
    expect(page.get_by_label("hold the place")).to_be_checked()


# What a browser with a screen does after it has scrolled: this one, without, doesn't.
TELL_OF_POINTER = """([clientX, clientY]) => {
  const options = { clientX, clientY, pointerType: "mouse", bubbles: true };
  document.getElementById("map").dispatchEvent(new PointerEvent("pointermove", options));
}"""


def test_the_place_stays_where_it_is_while_the_page_is_scrolled(open_page):
    page = open_page(VIEW, viewport={"width": 1440, "height": 700})
    seen_at = point_of(page, "#map", 5, 6)
    page.mouse.move(*seen_at)
    expect_place(page, 5, 6)
    page.evaluate("scrollBy(0, 60)")
    page.evaluate(TELL_OF_POINTER, seen_at)
    expect_place(page, 5, 6)
    page.mouse.move(*point_of(page, "#map", 9, 9))
    expect_place(page, 9, 9)
