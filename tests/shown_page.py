"""What the tests of the page in a browser share: where things are on it, and what it must show."""

import re
import shutil
from pathlib import Path

import axe_playwright_python
import h5py
import pytest
from playwright.sync_api import expect

from convprobe.occlusion import agreement
from convprobe.report import explorer, occlusion_tab, packing
from convprobe.report.outputs import PAGE_SOURCES
from convprobe.store import tables

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
LOCAL = ("file:", "data:", "blob:")
PROBED = "normalised/epoch-08"
SECOND = "normalised/epoch-05"
WINDOWS = (3, 5, 7, 9)
SIZES = {
    "phone": {"width": 360, "height": 740},
    "tablet": {"width": 768, "height": 1024},
    "desk": {"width": 1440, "height": 900},
}
# Each size and each scheme, as options of the browser, but not each pair of them, since axe takes a
# second or two for each: colours depend on the scheme alone, and places on the size.
SEEN_AS = [("phone", "light"), ("tablet", "dark"), ("desk", "dark")]
SCREENS = [
    pytest.param({"viewport": SIZES[size], "color_scheme": scheme}, id=f"{size}, {scheme}")
    for size, scheme in SEEN_AS
]
# The colour in the middle of an image's pixel, as a canvas of its id shows it.
PIXEL = """([id, row, column]) => {
    const canvas = document.getElementById(id);
    const times = canvas.width / 32;
    const [x, y] = [column, row].map((place) => (place + 0.5) * times);
    const pixel = canvas.getContext("2d").getImageData(x, y, 1, 1);
    return [...pixel.data].slice(0, 3);
}"""


def probabilities(folder, network, window, image, row, column):
    """Of all classes, with the window there and without."""
    with h5py.File(folder / f"{network}/occlusion/window-{window}.h5") as file:
        return (
            file["probability"][image, row, column].astype(float),
            file["clean_probability"][image].astype(float),
        )


def shown_bars(page, bars="#bars"):
    """What the page shows for each class: occluded and clean probability, in per cent."""
    expect(page.locator(bars)).to_be_visible()
    rows = page.locator(f"{bars} tbody").evaluate(
        "(body) => [...body.rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return [
        [float(text.removesuffix("\N{NO-BREAK SPACE}%")) for text in cells[-2:]] for cells in rows
    ]


def assert_bars(page, bars, pairs):
    """The bars show these probabilities, rounded to hundredths of per cent."""
    expected = [[round(100 * share, 2) for share in pair] for pair in zip(*pairs, strict=True)]
    assert shown_bars(page, bars) == [pytest.approx(pair, abs=1e-9) for pair in expected]


def point_of(page, panel, row, column, side=32):
    """Where an image's pixel is in the browser's window."""
    page.locator(panel).scroll_into_view_if_needed()
    box = page.locator(panel).bounding_box()
    return (
        box["x"] + (column + 0.5) * box["width"] / side,
        box["y"] + (row + 0.5) * box["height"] / side,
    )


def hover(page, panel, row, column):
    page.mouse.move(*point_of(page, panel, row, column))
    expect_place(page, row, column)


def expect_place(page, row, column):
    expect(page.locator("#readout")).to_contain_text(f"at row {row}, column {column}:")


def address(page):
    return page.evaluate("location.hash")


def expect_address(page, view):
    """Sooner or later: that of a moving place is written a few times a second."""
    expect(page).to_have_url(re.compile(re.escape(view) + "$"))


def barriers(page):
    """What axe finds on the page: each finding with the first element of it."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found]


def assert_no_barrier_or_sideways_scrolling(page):
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert barriers(page) == []


def write_page(demo, folder, change):
    """Write the demo's page with other data, as `change(data)` makes them."""
    data, _ = explorer.read(demo.files()["explorer.html"])
    text = explorer.page("A changed page", packing.plain(change(data)))
    (folder / "explorer.html").write_text(text, encoding="utf-8")
    return folder / "explorer.html"


def without_filters(data):
    """The data of a network that is only occluded."""
    (probe,) = data["probes"]
    probe = {**probe, "filters": None, "ablation": None}
    links = {"occlusion": data["links"]["occlusion"]}
    return {**data, "probes": [probe], "thumbnails": None, "links": links}


def coarse_maps(demo, folder, stride):
    """The demo's maps with the window at every so many pixels only, of ten images."""
    files = demo.files()
    source = files[f"{PROBED}/occlusion/window-9.h5"].parents[1]
    shutil.copytree(source / "occlusion", folder / PROBED / "occlusion")
    for window in WINDOWS:
        with h5py.File(folder / f"{PROBED}/occlusion/window-{window}.h5", "r+") as file:
            kept = slice((stride - 1) // 2, None, stride)
            for name in ("y", "x"):
                centres = file[name][kept]
                del file[name]
                file[name] = centres
            for name in ("probability", "confidence"):
                values = file[name][:10, kept, kept]
                del file[name]
                file[name] = values
            for name in ("image", "label", "clean_probability"):
                values = file[name][:10]
                del file[name]
                file[name] = values
    return shown_maps(folder / PROBED, files["dataset/test-images.h5"], most_bytes=10**9)


def shown_maps(folder, images, most_bytes):
    """What the page shows of a network's maps."""
    return occlusion_tab.collect(folder, PAGE_SOURCES, images, list(WINDOWS), most_bytes)


def agreement_of_two(demo, folder):
    """How far the maps of the demo's network and of the second one agree."""
    paths = {
        PROBED: {
            window: demo.files()[f"{PROBED}/occlusion/window-{window}.h5"] for window in WINDOWS
        },
        SECOND: {window: folder / f"{SECOND}/occlusion/window-{window}.h5" for window in WINDOWS},
    }
    return agreement.of_networks(paths)


def second_network(demo, folder):
    """Write the demo's page with a second network, which has maps of the first 30 images only.

    The maps are the demo's turned over, top to bottom.

    Args:
        folder: to which the page is written, and the second network's files.

    Returns:
        the folder.
    """
    files = demo.files()
    source = files[f"{PROBED}/occlusion/window-9.h5"].parents[1]
    shutil.copytree(source / "occlusion", folder / SECOND / "occlusion")
    for window in WINDOWS:
        with h5py.File(folder / f"{SECOND}/occlusion/window-{window}.h5", "r+") as file:
            for name in ("probability", "confidence"):
                file[name][:] = file[name][:][:, ::-1]
    images = files["dataset/test-images.h5"]
    whole = shown_maps(folder / SECOND, images, most_bytes=10**9)
    bytes_of_30 = sum(len(text) for maps in whole["maps"][:30] for text in maps.values())
    most_bytes = bytes_of_30 + 30 * 4 * 32 * 32
    maps = shown_maps(folder / SECOND, images, most_bytes)
    assert len(maps["indices"]) == 30

    table = agreement_of_two(demo, folder)
    summary = tables.read(files[f"{PROBED}/occlusion/summary.csv"])
    classes = summary.drop_duplicates("image").set_index("image")["class"]
    compared = occlusion_tab.agreement(table, agreement.means(table), classes, whole["indices"])

    def with_second(data):
        (probe,) = data["probes"]
        second = {**probe, "checkpoint": SECOND.partition("/")[2], "occlusion": maps}
        return {**data, "probes": [probe, second], "agreement": compared}

    write_page(demo, folder, with_second)
    return folder
