"""What the page says first: nothing that chance could pass."""

import pandas as pd

from convprobe.ablation import tabulation
from convprobe.ablation.answers import chance, what_it_loses


def predictions(classes, before):
    return pd.DataFrame({"class": classes, "clean": before})


def lost(before, after, draws=()):
    """The answer about a network that is right about so many of 1000 images."""
    true = pd.Series(["a"] * 1000)
    variants = {"clean": ("", before), "ablated": ("conv1/1 conv1/2", after)}
    variants |= {
        f"random-{n:02d}": ("conv1/3 conv1/4", right) for n, right in enumerate(draws, start=1)
    }
    predicted = {
        name: (filters, true.where(true.index < right, "b"))
        for name, (filters, right) in variants.items()
    }
    return what_it_loses(tabulation.accuracies(predicted, true)).replace("\N{NO-BREAK SPACE}", " ")


def test_a_network_at_chance_is_told_so():
    classes = ["a", "b", "c"] * 100
    assert chance(predictions(classes, classes), 1) == ""
    warning = chance(predictions(classes, ["a"] * 300), 1).replace("\N{NO-BREAK SPACE}", " ")
    assert "33.3 %, can't be told from chance" in warning


def test_what_is_lost_stands_beside_what_random_filters_lose():
    said = lost(900, 800, draws=[790] + [890] * 19)
    assert "100 of 1000 images are lost, 0 gained, \N{MINUS SIGN}10.0 points" in said
    assert (
        "1 of 20 random draws of as many filters lose as much or more: the loss can't be told from"
        in said
    )
    assert (
        "0 of 20 random draws of as many filters lose as much or more: the chosen ones matter more"
        in lost(900, 800, draws=[890] * 20)
    )
    # Of so few draws none loses as much by chance often enough.
    assert "can't be told from that of random ones" in lost(900, 800, draws=[890] * 10)


def test_where_nothing_is_lost_random_filters_are_no_comparison():
    said = lost(900, 900, draws=[900] * 19 + [901])
    assert said.endswith("No loss worth naming.")
    assert "random" not in said
    assert lost(900, 896).endswith(
        "Whether that is a loss worth naming can't be told from these images."
    )
