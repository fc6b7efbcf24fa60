"""What the page says of a window: nothing that chance could pass."""

import pandas as pd
import pytest

from convprobe.occlusion import localisation
from convprobe.occlusion.answers import where_it_looks

SUMMARY = pd.DataFrame(
    {
        "window": [9, 9],
        "flipped_fraction": [0.1, 0.2],
        "clean_confidence": [0.9, 0.7],
        "mean_confidence": [0.6, 0.5],
    }
)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("holds", "It looks at the object: "),
        ("fails", "The maps do not show that it looks at the object: "),
        ("undecided", "Whether it looks at the object can't be told from these images: "),
    ],
)
def test_what_is_said_of_the_object_is_the_verdict_of_the_table(verdict, said):
    rows = [(9, name, 2, 0.6, 0.2, 0.4, 0.3, 0.5, 0.0001, verdict) for name in localisation.WORTH]
    table = pd.DataFrame(rows, columns=localisation.COLUMNS)
    answer = where_it_looks(SUMMARY, table)
    assert answer.startswith(said)
    assert answer.endswith(where_it_looks(SUMMARY, table.head(0)))


def test_an_interval_that_is_not_known_is_not_said():
    """Each of two images hits, and none with the other's object: a mean of equal differences."""
    rows = [
        (9, name, 2, 1.0, 0.0, 1.0, None, None, 0.33, "undecided") for name in localisation.WORTH
    ]
    answer = where_it_looks(SUMMARY, pd.DataFrame(rows, columns=localisation.COLUMNS))
    assert "(+100.0 points; p" in answer
    assert "nan" not in answer


def test_of_objects_nothing_is_said_where_their_places_are_not_known():
    answer = where_it_looks(SUMMARY, pd.DataFrame(columns=localisation.COLUMNS))
    assert answer.startswith("Over 2 images, the mean probability of the true class is 0.800 ")
    assert "0.550 under one of 9×9 pixels" in answer
    assert "15.0\N{NO-BREAK SPACE}% of its positions" in answer
    assert "object" not in answer
