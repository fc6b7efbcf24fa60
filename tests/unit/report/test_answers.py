"""What the page says first: nothing that chance could pass."""

import pandas as pd
import pytest

from convprobe.ablation import tabulation
from convprobe.ablation.answers import chance, what_it_loses
from convprobe.filters.answers import what_filters_answer_to
from convprobe.occlusion import localisation
from convprobe.occlusion.answers import where_it_looks


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


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("holds", "It looks at the object: "),
        ("fails", "That it looks at the object is not shown: "),
        ("undecided", "Whether it looks at the object can't be told from these images: "),
    ],
)
def test_what_is_said_of_the_object_is_the_verdict_of_the_table(verdict, said):
    summary = pd.DataFrame({"window": [9, 9], "flipped_fraction": [0.1, 0.2]})
    summary = summary.assign(clean_confidence=[0.9, 0.7], mean_confidence=[0.6, 0.5])
    rows = [(9, name, 2, 0.6, 0.2, 0.4, 0.3, 0.5, 0.0001, verdict) for name in localisation.WORTH]
    found = where_it_looks(summary, pd.DataFrame(rows, columns=localisation.COLUMNS))
    assert found.startswith(said)
    plain = where_it_looks(summary, pd.DataFrame(columns=localisation.COLUMNS))
    assert plain.startswith(
        "Over 2 images a 9×9 window takes the probability of the true class from 0.800 to 0.550"
    )
    assert "object" not in plain
    assert "middle" not in plain


def test_a_filter_that_answers_to_one_image_does_not_answer_to_one_class():
    rows = []
    for channel, responses in enumerate(([3, 2], [1, 0], [0, 0], [5, 4])):
        classes = ["ant", "bee"] if channel == 3 else ["ant", "ant"]
        rows += [
            ("conv1", channel, rank, classes[rank - 1], value)
            for rank, value in enumerate(responses, start=1)
        ]
    table = pd.DataFrame(rows, columns=["layer", "channel", "rank", "class", "response"])
    said = what_filters_answer_to(table, pd.Series([5, 5]))
    # Of two filters that answer to two images one has one class; of two images of 10 at random, 20 pairs of 45.
    assert "all of one class: 1 of 2 in conv1 (images at random: 0.9). " in said
    assert said.endswith("1 of 4 filters answer to no image at all.")
    assert what_filters_answer_to(table[table["channel"] == 2], pd.Series([5, 5])).startswith(
        "1 of 1 filters"
    )
