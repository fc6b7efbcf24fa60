"""What the page says first: nothing that chance could pass."""

import pandas as pd
import pytest

from convprobe.filters.answers import what_filters_answer_to
from convprobe.occlusion import localisation
from convprobe.occlusion.answers import where_it_looks


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
