"""Chromium, and functions that open pages in it."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright
from shown_page import LOCAL, second_network

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    # Chromium's own sandbox doesn't work for root, as which containers run. Without a GPU a page is
    # there sooner if none is looked for.
    options = ["--disable-gpu"] if os.getuid() else ["--disable-gpu", "--no-sandbox"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_path(chromium):
    """A function that opens a page; any message or error in the browser fails the test."""
    complaints, contexts = [], []

    def opened(path, place="", **options):
        contexts.append(chromium.new_context(offline=True, **options))
        page = contexts[-1].new_page()
        # Tests, but not the page, read pixels of canvases that weren't made for it.
        page.on(
            "console",
            lambda message: "willReadFrequently" in message.text or complaints.append(message.text),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith(LOCAL) or complaints.append(request.url),
        )
        page.goto(path.as_uri() + place)
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_page(open_path, demo):
    """A function that opens the demo's page."""

    def opened(place="", **options):
        return open_path(demo.files()["explorer.html"], place, **options)

    return opened


@pytest.fixture(scope="session")
def two_networks(demo, tmp_path_factory):
    """The demo's page with a second network, whose maps are the first one's turned over."""
    return second_network(demo, tmp_path_factory.mktemp("two-networks"))


@pytest.fixture
def open_two(open_path, two_networks):
    """A function that opens the page of two networks."""

    def opened(place="", **options):
        return open_path(two_networks / "explorer.html", place, **options)

    return opened
