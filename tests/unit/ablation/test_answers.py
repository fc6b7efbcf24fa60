"""What the page says first of the ablation: nothing that chance could pass."""

import pandas as pd

from convprobe.ablation import tabulation
from convprobe.ablation.answers import chance, what_it_loses, what_single_filters_change
from convprobe.ablation.tabulation import VariantPredictions


def answer(clean, ablated, draws=()):
    """The answer for a network that is right about so many of 1000 images."""
    true = pd.Series(["a"] * 1000)

    def right_about(count):
        return true.where(true.index < count, "b")

    variants = {
        "clean": VariantPredictions("", right_about(clean)),
        "ablated": VariantPredictions("conv1/1 conv1/2", right_about(ablated)),
    }
    for number, count in enumerate(draws, start=1):
        variants[f"random-{number:02d}"] = VariantPredictions("conv1/3 conv1/4", right_about(count))
    said = what_it_loses(tabulation.accuracies(variants, true))
    return said.replace("\N{NO-BREAK SPACE}", " ")


def test_a_network_at_chance_gets_a_warning():
    classes = ["a", "b", "c"] * 100
    right = pd.DataFrame({"class": classes, "clean": classes})
    assert chance(right, 1) == ""
    guessed = right.assign(clean="a")
    warning = chance(guessed, 1).replace("\N{NO-BREAK SPACE}", " ")
    assert "33.3 %, can't be told from chance" in warning


def test_the_loss_stands_beside_that_of_random_filters():
    said = answer(clean=900, ablated=800, draws=[790] + [890] * 19)
    assert "100 of 1000 images are lost, 0 gained, \N{MINUS SIGN}10.0 points" in said
    assert "1 of 20 random draws of as many filters lose as much or more: the loss can't" in said
    said = answer(clean=900, ablated=800, draws=[890] * 20)
    assert "0 of 20 random draws of as many filters lose as much or more: the chosen ones" in said


def test_changes_by_single_filters_stand_beside_chance():
    table = pd.DataFrame(
        [
            ("clean", 0, 0, 0), ("ablated", -0.5, -0.6, -0.4), ("conv1", -0.5, -0.6, -0.4),
            ("conv1/1", -0.2, -0.3, -0.1), ("conv1/2", 0.1, 0.05, 0.2), ("conv2/1", 0, -0.1, 0.1),
        ],
        columns=["variant", "change", "change_low", "change_high"],
    ).assign(images=400)  # fmt: skip
    assert what_single_filters_change(table) == (
        "Each of the 3 chosen filters was switched off alone, and no other one. The interval of "
        "the change lies above or below 0 for 2 of them; without any effect it would for 0.15 "
        "at most. One image is 0.25 points."
    )


def test_a_few_random_draws_are_no_evidence():
    """Of so few none loses as much by chance often enough."""
    said = answer(clean=900, ablated=800, draws=[890] * 18)
    assert said.endswith("to tell the loss from that of random ones takes 19 draws or more.")
    assert "matter more" in answer(clean=900, ablated=800, draws=[890] * 19)
    said = answer(clean=900, ablated=800, draws=[890] * 6 + [790] * 4)
    assert said.endswith(
        "4 of 10 random draws of as many filters lose as much or more: the loss "
        "can't be told from that of random ones."
    )


def test_without_a_loss_random_filters_are_no_comparison():
    said = answer(clean=900, ablated=900, draws=[900] * 19 + [901])
    assert said.endswith("No loss worth naming.")
    assert "random" not in said


def test_a_loss_that_may_be_none_is_called_so():
    said = answer(clean=900, ablated=896)
    assert said.endswith("a loss worth naming is behind it can't be told from these images.")
