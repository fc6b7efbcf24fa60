"""The learning curves of the page: pointing at an epoch, or moving the slider, shows its values."""

import pandas as pd
import pytest
from playwright.sync_api import expect
from shown_page import SCREENS, SIZES, assert_no_barrier_or_sideways_scrolling, write_page

pytestmark = pytest.mark.slow
EPOCHS = 8
SEEDS = {
    "group": "grown",
    "epochs": [1, 2, 3],
    "seeds": [{"seed": 1, "accuracy": [0.5, 0.6, 0.7]}, {"seed": 4, "accuracy": [0.3, 0.4, 0.9]}],
    "mean": [0.4, 0.5, 0.8],
    "probed": None,
}


@pytest.fixture(scope="session")
def curve(demo):
    table = pd.read_csv(demo.files()["normalised/learning-curve.csv"]).set_index("epoch")
    assert list(table.index) == list(range(1, EPOCHS + 1))
    return table


def reading_of(epoch, row):
    accuracies = (f"{100 * row[f'{split}_accuracy']:.1f}" for split in ("train", "test"))
    train, test = (f"{share}\N{NO-BREAK SPACE}%" for share in accuracies)
    return (
        f"Epoch {epoch}: accuracy train {train}, test {test}; "
        f"loss train {row['train_loss']:.3f}, test {row['test_loss']:.3f}"
    )


def figure_of(page, text):
    return page.locator("figure").filter(has_text=text)


def point_at(chart, epoch, epochs):
    """Move the pointer to an epoch: the last line of a chart goes from the first to the last."""
    chart.scroll_into_view_if_needed()
    ends = chart.locator("polyline").last.evaluate(
        "(line) => [0, line.points.numberOfItems - 1].map((at) =>"
        "  line.points.getItem(at).matrixTransform(line.getScreenCTM()).x)"
    )
    box = chart.bounding_box()
    x = ends[0] + (epoch - 1) / (epochs - 1) * (ends[1] - ends[0])
    chart.page.mouse.move(x + 3, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("size", ["phone", "desk"])
@pytest.mark.parametrize("quantity", ["accuracy", "loss"])
def test_pointing_at_an_epoch_shows_its_values(open_page, curve, quantity, size):
    page = open_page("#experiment", viewport=SIZES[size])
    figure = figure_of(page, "loss (cross-entropy) of run normalised")
    chart = figure.get_by_role("img", name=f"test {quantity}")
    for epoch, row in curve.iterrows():
        point_at(chart, epoch, EPOCHS)
        expect(figure.locator(".reading")).to_have_text(reading_of(epoch, row))


def test_keys_move_along_the_epochs_from_the_probed_one_on(open_page, curve):
    page = open_page("#experiment")
    slider = page.get_by_role("slider", name="Epoch, run normalised")
    figure = figure_of(page, "loss (cross-entropy) of run normalised")
    expect(slider).to_have_value("8")
    slider.focus()
    for key, epoch in (("ArrowLeft", 7), ("ArrowLeft", 6), ("Home", 1), ("ArrowRight", 2)):
        page.keyboard.press(key)
        text = reading_of(epoch, curve.loc[epoch])
        expect(figure.locator(".reading")).to_have_text(text)
        expect(slider).to_have_attribute("aria-valuetext", text)


def test_the_dots_lie_on_the_lines_at_the_epoch_of_the_slider(open_page):
    page = open_page("#experiment")
    page.get_by_role("slider", name="Epoch, run normalised").fill("3")
    for quantity in ("accuracy", "loss"):
        chart = page.get_by_role("img", name=f"run normalised: test {quantity}")
        corners = chart.locator("polyline").evaluate_all(
            "(lines) => lines.map(({ points }) => points.getItem(2)).map(({ x, y }) => [x, y])"
        )
        dots = chart.locator("circle").evaluate_all(
            "(dots) => dots.map(({ cx, cy }) => [cx.baseVal.value, cy.baseVal.value])"
        )
        assert len(dots) == 2
        assert dots == [pytest.approx(corner, abs=0.01) for corner in corners]


@pytest.fixture
def page_of_seeds(demo, open_path, tmp_path):
    """A function that opens the page of a run of two seeds."""
    path = write_page(demo, tmp_path, lambda data: {**data, "groups": [SEEDS]})
    return lambda **options: open_path(path, "#experiment", **options)


def test_the_mean_and_each_seed_are_named_at_an_epoch(page_of_seeds):
    page = page_of_seeds()
    point_at(page.locator("#seeds svg"), 2, 3)
    expect(page.locator("#seeds .reading")).to_have_text(
        "Epoch 2: mean 50.0 %, seed 1 60.0 %, seed 4 40.0 %".replace(" %", "\N{NO-BREAK SPACE}%")
    )


@pytest.mark.parametrize("screen", SCREENS)
def test_no_barrier_at_the_curves_and_no_sideways_scrolling(page_of_seeds, screen):
    page = page_of_seeds(**screen)
    assert_no_barrier_or_sideways_scrolling(page)
