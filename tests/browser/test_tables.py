"""Tables of the page: a click on a column's head sorts them, and their images are links."""

import pandas as pd
import pytest
from playwright.sync_api import expect
from shown_page import PROBED, address

pytestmark = pytest.mark.slow


def column(page, table, at):
    """The texts of a column, from top to bottom."""
    return page.locator(f"{table} tbody").evaluate(
        "(body, at) => [...body.rows].map((row) => row.cells[at].textContent)", at
    )


def numbers(page, table, at):
    texts = [text.strip("+\N{NO-BREAK SPACE}%") for text in column(page, table, at)]
    return [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]


def head(page, table, name):
    return page.locator(table).get_by_role("columnheader", name=name, exact=True)


def sort(page, table, name):
    head(page, table, name).get_by_role("button").click()


def test_each_class_has_the_accuracy_of_the_file_the_largest_fall_first(open_page, demo):
    page = open_page("#ablation")
    table = pd.read_csv(demo.files()[f"{PROBED}/ablation/class-accuracy.csv"])
    shares = table.pivot_table(index="class", columns="variant", values="accuracy", sort=False)
    changes = 100 * (shares["ablated"] - shares["clean"])
    order = column(page, "#class-accuracy", 0)
    assert sorted(order) == sorted(changes.index)
    assert numbers(page, "#class-accuracy", 1) == pytest.approx(changes[order], abs=0.0501)
    for at, variant in ((2, "clean"), (3, "ablated")):
        expected = 100 * shares.loc[order, variant]
        assert numbers(page, "#class-accuracy", at) == pytest.approx(expected, abs=0.0501)
    assert changes[order].is_monotonic_increasing
    expect(head(page, "#class-accuracy", "Points")).to_have_attribute("aria-sort", "ascending")


def test_variants_are_sorted_by_their_fall_and_random_draws_by_their_median(open_page, demo):
    page = open_page("#ablation")
    accuracy = pd.read_csv(demo.files()[f"{PROBED}/ablation/accuracy.csv"]).set_index("variant")
    change = accuracy["change"]
    median = change[change.index.str.startswith("random-")].median()
    below = change[~change.index.str.startswith(("random-", "clean"))]
    names = column(page, "#variants", 0)
    assert names.index("10 random draws") == (below < median).sum()
    others = [name for name in names if "/" in name]
    assert change[others].is_monotonic_increasing


def test_a_variant_of_one_filter_leads_to_it_and_chance_is_named(open_page, demo):
    page = open_page("#ablation")
    accuracy = pd.read_csv(demo.files()[f"{PROBED}/ablation/accuracy.csv"])
    alone = accuracy[accuracy["variant"].str.contains("/")]
    changes = ((alone["change_low"] > 0) | (alone["change_high"] < 0)).sum()
    note = page.locator("#singles")
    expect(note).to_have_text(
        "Each of the 10 chosen filters was switched off alone, and no other one. The interval of "
        f"the change lies above or below 0 for {changes} of them; without any effect it would for "
        "0.5 at most. One image is 0.1 points."
    )
    sort(page, "#variants", "Lost")
    order = column(page, "#variants", 0)
    lost = alone.set_index("variant")["lost"]
    assert lost[[name for name in order if "/" in name]].is_monotonic_decreasing
    page.locator("#variants").get_by_role("link", name="conv3/40", exact=True).click()
    expect(page.locator("#filter-name")).to_have_text("Filter conv3/40")
    expect(page.locator("#tab-filters")).to_be_focused()


def test_a_head_sorts_up_then_down_then_not_at_all(open_page, demo):
    page = open_page("#ablation")
    first = pd.read_csv(demo.files()[f"{PROBED}/ablation/first-images.csv"])
    name = "Its probability, clean"
    for direction, ends in (("ascending", "nsmallest"), ("descending", "nlargest")):
        sort(page, "#rows", name)
        expect(head(page, "#rows", name)).to_have_attribute("aria-sort", direction)
        # Of all images, though a hundred are shown.
        shown = numbers(page, "#rows", 3)
        expected = 100 * getattr(first["clean_confidence"], ends)(100)
        assert shown == pytest.approx(expected, abs=0.006)
    sort(page, "#rows", name)
    expect(head(page, "#rows", name)).to_have_attribute("aria-sort", "none")
    assert numbers(page, "#rows", 0) == list(range(100))


def test_a_table_stays_sorted_when_other_rows_are_chosen(open_page):
    page = open_page("#ablation")
    sort(page, "#rows", "Image")
    sort(page, "#rows", "Image")
    page.locator("#rows-class").select_option("disc")
    images = numbers(page, "#rows", 0)
    assert len(images) > 2
    assert images == sorted(images, reverse=True)


def test_heads_are_reached_and_pressed_by_keys(open_page):
    page = open_page("#experiment")
    counts = sorted(numbers(page, "#counts", 1))
    button = page.locator("#counts th button").nth(1)
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(button).to_be_focused()
    assert numbers(page, "#counts", 1) == counts[::-1]


def test_an_image_of_a_row_is_shown_in_the_occlusion_tab_if_it_is_there(open_page):
    page = open_page("#ablation/filter-conv2-3")
    link = page.locator("#rows tbody a").get_by_text("41", exact=True)
    opened = open_page(link.get_attribute("href"))
    link.click()
    for view in (page, opened):
        expect(view.locator("#shown-image")).to_contain_text("Test image 41:")
        expect(view.locator("#occlusion")).to_be_visible()
        assert "/filter-conv2-3" in address(view)
    assert address(page) == address(opened)
    expect(page.locator("#tab-occlusion")).to_be_focused()
    page.go_back()
    expect(page.locator("#ablation")).to_be_visible()
    # The occlusion tab has the first hundred images.
    sort(page, "#rows", "Image")
    sort(page, "#rows", "Image")
    assert min(numbers(page, "#rows", 0)) >= 100
    expect(page.locator("#rows tbody a")).to_have_count(0)


def test_files_are_folded_away_by_folder(open_page, demo):
    page = open_page("#experiment")
    in_sight = page.locator("#files > ul a").all_inner_texts()
    assert {"manifest.json", "reproduction.csv"} <= set(in_sight)
    expect(page.locator("#files details a").first).to_be_hidden()
    folder = f"{PROBED}/filters/conv2"
    page.locator("#files summary").get_by_text(folder).click()
    names = page.locator("#files [open] a").all_inner_texts()
    assert f"{folder}/{names[0]}" in demo.files()
    expect(page.locator("#files [open] summary")).to_have_text(f"{folder} ({len(names)} files)")
