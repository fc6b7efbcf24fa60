"""The page in a real browser, from disk and offline, compared with the files behind it."""

import re
import urllib.parse
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect
from shown_page import (
    PIXEL,
    PROBED,
    SCREENS,
    SIZES,
    WINDOWS,
    assert_bars,
    assert_no_barrier_or_sideways_scrolling,
    hover,
    probabilities,
)

pytestmark = pytest.mark.slow
SOURCES = Path(__file__).parents[2] / "report/explorer"
TABS = re.findall(r'role="tab" id="tab-(\w+)"', (SOURCES / "page.html").read_text(encoding="utf-8"))
DARKEST = [68, 1, 84]  # of viridis


def assert_shows(page, demo, window, image, row, column):
    folder = demo.files()["explorer.html"].parent
    assert_bars(page, "#bars", probabilities(folder, PROBED, window, image, row, column))


@pytest.mark.parametrize("panel", ["#seen", "#map", "#predicted"])
@pytest.mark.parametrize(
    ("window", "row", "column"), [(3, 0, 0), (5, 31, 31), (7, 12, 20), (9, 16, 3)]
)
def test_pointing_at_a_position_shows_the_probabilities_of_the_file(
    open_page, demo, panel, window, row, column
):
    page = open_page(viewport=SIZES["desk"])
    page.get_by_label(f"{window}×{window}", exact=True).check()
    hover(page, panel, row, column)
    assert_shows(page, demo, window, 0, row, column)


def test_the_sheet_says_what_is_predicted_where_that_is_wrong(open_page, demo):
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-9.h5"]) as file:
        predicted = file["clean_probability"][:].argmax(1)
        labels = file["label"][:]
        classes = file["class"].asstr()[:]
    wrong = np.flatnonzero(predicted != labels)
    assert len(wrong)
    page = open_page()
    assert page.locator("#sheet .wrong").count() == len(wrong)
    for image in wrong[:3]:
        card = page.locator(f'#sheet button[data-place="{image}"] .wrong')
        expect(card).to_have_text(f"predicted {classes[predicted[image]]}")


def test_another_image_is_chosen_from_the_sheet(open_page, demo):
    page = open_page(viewport=SIZES["desk"])
    page.locator('#sheet button[data-place="7"]').click()
    expect(page.locator("#shown-image")).to_contain_text("Test image 7")
    hover(page, "#map", 10, 11)
    assert_shows(page, demo, max(WINDOWS), 7, 10, 11)


def test_the_window_starts_where_the_network_loses_most(open_page, demo):
    page = open_page()
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-9.h5"]) as file:
        row, column = divmod(int(file["confidence"][0].argmin()), 32)
    expect(page.locator("#readout")).to_contain_text(f"at row {row}, column {column}:")


def test_arrow_keys_and_sliders_move_the_window(open_page, demo):
    page = open_page()
    page.locator("#row").fill("5")
    page.locator("#column").fill("6")
    page.locator("#map").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Shift+ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator("#readout")).to_contain_text("at row 6, column 3:")
    assert_shows(page, demo, 9, 0, 6, 3)
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#readout")).to_contain_text("at row 6, column 0:")


def test_the_occluded_image_and_the_map_are_those_of_the_files(open_page, demo):
    page = open_page(viewport=SIZES["desk"])
    hover(page, "#seen", 1, 20)
    with h5py.File(demo.files()["dataset/test-images.h5"]) as file:
        image = file["test/images"][0]
    for row, column in ((20, 2), (7, 20), (31, 31)):
        assert page.evaluate(PIXEL, ["seen", row, column]) == image[row, column].tolist()
    # The window reaches four pixels up, down, left and right.
    for row, column in ((0, 20), (5, 24), (5, 16)):
        assert page.evaluate(PIXEL, ["seen", row, column]) == [128, 128, 128]


def test_the_predicted_classes_and_their_shares_are_those_of_the_file(open_page, demo):
    page = open_page(viewport=SIZES["desk"])
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-9.h5"]) as file:
        predicted = file["probability"][0].argmax(axis=-1)
        classes = file["class"].asstr()[:]
    counts = pd.Series(classes[predicted].ravel()).value_counts()
    assert len(counts) > 1, "otherwise the test shows nothing"
    legend = page.locator("#legend > span").all_inner_texts()
    assert legend == [
        f"{name} {100 * count / predicted.size:.0f}\N{NO-BREAK SPACE}%"
        for name, count in counts.items()
    ]
    for row, column in ((0, 0), (16, 17), (25, 12)):
        hover(page, "#predicted", row, column)
        name = classes[predicted[row, column]]
        expect(page.locator("#readout")).to_contain_text(f"predicted {name}")


def test_colours_are_stretched_to_the_map(open_page, demo):
    page = open_page()
    page.get_by_label("3×3", exact=True).check()
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-3.h5"]) as file:
        maps = file["confidence"][:].astype(float)
    lows, highs = maps.min(axis=(1, 2)), maps.max(axis=(1, 2))
    image = int((lows * (highs - lows > 0.01)).argmax())  # bright all over, but not uniform
    row, column = divmod(int(maps[image].argmin()), 32)
    page.locator(f'#sheet button[data-place="{image}"]').click()
    expect(page.locator("#readout")).to_contain_text(f"at row {row}, column {column}:")
    assert page.evaluate(PIXEL, ["map", row, column]) != DARKEST
    page.get_by_label("stretch the colours").check()
    for end, share in (("low", maps[image].min()), ("high", maps[image].max())):
        expect(page.locator(f"#scale-{end}")).to_have_text(f"{100 * share:.2f} %")
    assert page.evaluate(PIXEL, ["map", row, column]) == DARKEST


def test_images_are_sorted_by_what_they_lose(open_page, demo):
    page = open_page()
    expect(page.locator("#sheet button")).to_have_count(100)
    summary = pd.read_csv(demo.files()[f"{PROBED}/occlusion/summary.csv"]).query("window == 9")
    page.locator("#order").select_option("flips")
    first = page.locator("#sheet button").first
    most = summary.loc[summary["flipped_fraction"].idxmax()]
    expect(first.locator(".name")).to_have_text(f"{most['image']}: {most['class']}")


def test_images_are_sorted_by_how_much_they_lose_on_the_object(open_page, demo):
    page = open_page()
    summary = pd.read_csv(demo.files()[f"{PROBED}/occlusion/summary.csv"]).query("window == 9")
    page.locator("#order").select_option("object")
    expect(page.locator("#sheet .sorted-by")).to_have_count(100)
    ordered = summary.sort_values("contrast", kind="stable")
    names = [f"{image}: {name}" for image, name in ordered[["image", "class"]].to_numpy()]
    assert page.locator("#sheet .name").all_inner_texts() == names
    first = ordered.iloc[0]
    least = f"{first['contrast']:+.2f} on the object, {first['contrast_others']:+.2f} on others"
    least = least.replace("-", "−")
    expect(page.locator("#sheet .sorted-by").first).to_have_text(least)


def test_the_images_of_a_class_are_listed_alone(open_page, demo):
    page = open_page(viewport=SIZES["desk"])
    summary = pd.read_csv(demo.files()[f"{PROBED}/occlusion/summary.csv"]).query("window == 9")
    stars = summary[summary["class"] == "star"]["image"]
    page.locator("#listed").select_option("star")
    names = page.locator("#sheet .name").all_inner_texts()
    assert names == [f"{image}: star" for image in stars]
    expect(page.locator("#sheet-note")).to_have_text(f"{len(stars)} of {len(summary)} images.")
    assert page.evaluate("location.hash").endswith("/list-star")
    expect(page.locator("#sheet button[tabindex='0']")).to_have_count(1)


def test_those_predicted_right_are_listed_alone(open_page, demo):
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-9.h5"]) as file:
        is_right = file["clean_probability"][:].argmax(axis=1) == file["label"][:]
        right = file["image"][:][is_right].tolist()
    assert 0 < len(right) < 100, "otherwise the test shows nothing"
    page = open_page()
    page.get_by_label("only those predicted right").check()
    names = page.locator("#sheet .name").all_inner_texts()
    assert [int(name.split(":")[0]) for name in names] == right
    expect(page.locator("#sheet .wrong")).to_have_count(0)


def test_the_image_is_shown_without_the_window(open_page):
    page = open_page("#occlusion/image-12/window-9/16,16", viewport=SIZES["desk"])
    grey = [128, 128, 128]
    assert page.evaluate(PIXEL, ["seen", 16, 16]) == grey
    page.get_by_label("show the image without the window").check()
    expect(page.locator("#seen-caption")).to_have_text("The image without the window")
    assert page.evaluate(PIXEL, ["seen", 16, 16]) != grey


def test_tabs_are_reached_by_keys_and_by_address(open_page):
    page = open_page("#ablation")
    expect(page.locator("#ablation")).to_be_visible()
    page.locator("#tab-ablation").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#experiment")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#occlusion")).to_be_visible()
    expect(page.locator("#tab-occlusion")).to_be_focused()
    for hidden in TABS[1:]:
        expect(page.locator(f"#{hidden}")).to_be_hidden()


def test_a_filter_shows_the_images_of_the_table(open_page, demo):
    page = open_page("#filters")
    table = pd.read_csv(demo.files()[f"{PROBED}/filters/all-top-images.csv"])
    page.locator("#layer").select_option(label="conv2 (32 filters)")
    rows = (
        table.query("layer == 'conv2'")
        .groupby("channel")
        .filter(lambda rows: rows["response"].min() > 0)
    )
    channel = rows["channel"].max()
    rows = rows[rows["channel"] == channel]
    page.locator("#channel").fill(str(channel))
    page.keyboard.press("Tab")
    expect(page.locator("#filter-name")).to_have_text(f"Filter conv2/{channel}")
    for item, row in zip(page.locator("#top li").all(), rows.itertuples(), strict=True):
        boxes = f"rows {row.top}–{row.bottom - 1}, columns {row.left}–{row.right - 1}"
        expect(item).to_contain_text(f"test image {row.image}, {row[5]}; response ")
        expect(item).to_contain_text(boxes)
        shown = float(re.search(r"response ([\d.]+),", item.inner_text())[1])
        assert shown == pytest.approx(row.response, rel=0.006)  # three digits


def test_a_cell_of_the_confusion_shows_its_images(open_page, demo):
    page = open_page("#ablation")
    pairs = pd.read_csv(demo.files()[f"{PROBED}/ablation/class-pairs.csv"])
    pair = pairs.loc[pairs["ablated"].idxmax()]
    page.get_by_label("ablated", exact=True).check()
    page.get_by_role("button", name=f"{pair['class']} predicted as {pair['predicted']}:").focus()
    expect(page.locator("#cell-name")).to_contain_text(f"{pair['ablated']} images")
    predictions = pd.read_csv(demo.files()[f"{PROBED}/ablation/predictions.csv"])
    wanted = predictions[
        (predictions["class"] == pair["class"]) & (predictions["ablated"] == pair["predicted"])
    ]
    # The page says how many it shows of how many.
    assert page.locator("#cell li").count() == min(len(wanted), 24)
    expect(page.locator("#cell li").first).to_contain_text(f"image {wanted['image'].iloc[0]}:")


def test_the_table_of_the_first_images_is_filtered(open_page, demo):
    page = open_page("#ablation")
    table = pd.read_csv(demo.files()[f"{PROBED}/ablation/first-images.csv"])
    expect(page.locator("#rows tbody tr")).to_have_count(100)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#rows tbody tr")).to_have_count(len(table))
    page.get_by_label("only where the prediction changed").check()
    changed = table[table["clean"] != table["ablated"]]
    expect(page.locator("#rows-count")).to_contain_text(f"{len(changed)} images")
    page.locator("#rows-class").select_option(label=changed["class"].iloc[0])
    expected = changed[changed["class"] == changed["class"].iloc[0]]
    expect(page.locator("#rows tbody tr")).to_have_count(len(expected))


def test_the_numbers_in_the_answers_are_those_of_the_tables(open_page, demo):
    page = open_page("#ablation")
    accuracy = pd.read_csv(demo.files()[f"{PROBED}/ablation/accuracy.csv"]).set_index("variant")
    chosen, draws = accuracy.loc["ablated"], accuracy[accuracy.index.str.startswith("random-")]
    said = page.locator("#ablation-answer")
    expect(said).to_contain_text(f"{accuracy.loc['clean', 'accuracy']:.1%}".replace("%", " %"))
    expect(said).to_contain_text(
        f"{chosen['lost']} of 1000 images are lost, {chosen['gained']} gained"
    )
    expect(page.locator("#variants-name")).to_contain_text(
        f"{accuracy.loc['clean', 'accuracy']:.1%}".replace("%", " %")
    )
    changes = [draws["change"].min(), draws["change"].max(), draws["change"].median()]
    assert max(changes) < 0, "otherwise the signs below are wrong"
    # Half a thousandth may be rounded up or down: no binary fraction is exactly that.
    shown = re.search(
        r"−([\d.]+) to −([\d.]+), median −([\d.]+)", page.locator("#variants").inner_text()
    )
    assert [float(number) for number in shown.groups()] == pytest.approx(
        [-100 * c for c in changes], abs=0.051
    )
    with h5py.File(demo.files()[f"{PROBED}/occlusion/window-9.h5"]) as file:
        confidence, labels, clean = (
            file["confidence"][:],
            file["label"][:],
            file["clean_probability"][:],
        )
    means = clean[range(len(labels)), labels].mean(), confidence.mean(dtype=float)
    page.locator("#tab-occlusion").click()
    said = page.locator("#occlusion-answer")
    expect(said).to_contain_text(
        f"is {means[0]:.3f} without a window and {means[1]:.3f} under one of 9×9 pixels"
    )
    table = pd.read_csv(demo.files()[f"{PROBED}/occlusion/localisation.csv"])
    hit = table.query("window == 9 and measure == 'hit'").iloc[0]
    assert hit["verdict"] == "holds"
    first = "It looks at the object: the place where covering costs most lies on it in"
    expect(said).to_contain_text(f"{first} {100 * hit['own']:.0f} %")
    expect(said).to_contain_text(f"on the objects of other images in {100 * hit['others']:.0f} %")
    expect(page.locator("#warning")).to_be_hidden()


def test_claims_that_were_not_tested_are_folded_away(open_page, demo):
    page = open_page("#experiment")
    card = pd.read_csv(demo.files()["reproduction.csv"])
    untested = card["verdict"].str.startswith("not tested: ")
    assert set(card.loc[untested, "verdict"]) == {"not tested: not CIFAR-10"}
    expect(page.locator("#card-title")).to_have_text("Which claims hold here?")
    expect(page.locator("#card tbody tr")).to_have_count(int((~untested).sum()))
    expect(page.locator("#untested-card")).to_be_hidden()
    page.get_by_text(f"{untested.sum()} claims were not tested: not CIFAR-10").click()
    claims = page.locator("#untested-card tbody tr td:first-child").all_inner_texts()
    assert claims == card.loc[untested, "claim"].tolist()


def test_every_link_leads_to_a_file(open_page, demo):
    page = open_page("#experiment")
    folder = demo.files()["explorer.html"].parent
    addresses = page.evaluate(
        "[...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))"
    )
    # The others are views of the page.
    of_files = [address for address in addresses if not address.startswith("#")]
    names = [urllib.parse.unquote(address) for address in of_files]
    assert len(names) > 100
    assert [name for name in names if not (folder / name).is_file()] == []


def test_every_tab_of_a_question_links_to_its_files(open_page):
    page = open_page()
    for tab, count in (("occlusion", 4 + 2 + 5), ("filters", 5 + 10), ("ablation", 14)):
        names = page.locator(f"#{tab}-files a").all_text_contents()
        assert len(names) == count
        assert all(name.startswith(f"{tab}/") for name in names)
    atlas = page.locator("#atlas-files a").all_text_contents()
    assert atlas == [f"filters/atlas/conv{layer}-01.png" for layer in (1, 2, 3, 4)]


def test_colours_depend_on_the_scheme_alone_and_places_on_the_width():
    """So that SCREENS need not have each scheme in each size."""
    style = (SOURCES / "page.css").read_text(encoding="utf-8")
    blocks = re.findall(r"^@media \(([\w-]+).*?\{\n(.*?)^\}", style, re.DOTALL | re.MULTILINE)
    assert {"prefers-color-scheme", "min-width", "max-width"} <= {feature for feature, _ in blocks}
    for feature, rules in blocks:
        names = re.findall(r"^ +([\w-]+): ", rules, re.MULTILINE)
        if feature == "prefers-color-scheme":
            assert all(name.startswith("--") for name in names)
        else:
            assert not [name for name in names if re.search("^--|color|background", name)]
            assert not re.search("display: none|visibility", rules), "seen in one scheme only"


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("tab", TABS)
def test_no_barrier_and_no_sideways_scrolling(open_page, tab, screen):
    page = open_page(f"#{tab}", **screen)
    assert_no_barrier_or_sideways_scrolling(page)
