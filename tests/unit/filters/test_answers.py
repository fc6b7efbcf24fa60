"""What the page says of filters: nothing that chance could pass."""

import pandas as pd

from convprobe.filters.answers import what_filters_answer_to


def test_a_filter_that_answers_to_one_image_does_not_answer_to_one_class():
    rows = []
    for channel, responses in enumerate(([3, 2], [1, 0], [0, 0], [5, 4])):
        classes = ["ant", "bee"] if channel == 3 else ["ant", "ant"]
        for rank, response in enumerate(responses, start=1):
            rows.append(("conv1", channel, rank, classes[rank - 1], response))
    table = pd.DataFrame(rows, columns=["layer", "channel", "rank", "class", "response"])
    counts = pd.Series([5, 5])
    said = what_filters_answer_to(table, counts)
    # Of two filters that answer to two images one has one class; of two images out of 10 at
    # random, 20 pairs of 45 have.
    assert "answer to 2 or more: 1 of 2 in conv1 (images at random: 0.9). " in said
    assert said.endswith("1 of 4 filters answer to no image at all.")
    silent = table[table["channel"] == 2]
    assert what_filters_answer_to(silent, counts).startswith("1 of 1 filters")


def test_of_one_image_per_filter_only_silence_is_told():
    rows = [("conv1", 0, 1, "ant", 3), ("conv1", 1, 1, "bee", 0)]
    table = pd.DataFrame(rows, columns=["layer", "channel", "rank", "class", "response"])
    said = what_filters_answer_to(table, pd.Series([5, 5]))
    assert said == "1 of 2 filters answer to no image at all."


def test_of_many_layers_all_filters_together_are_told():
    """Each of 27 filters answers to two ants; of pairs at random 20 of 45 are alike."""
    rows = []
    for layer in range(9):
        for channel in range(3):
            rows += [(f"conv{layer}", channel, rank, "ant", 1) for rank in (1, 2)]
    table = pd.DataFrame(rows, columns=["layer", "channel", "rank", "class", "response"])
    said = what_filters_answer_to(table, pd.Series([5, 5]))
    assert "answer to 2 or more: 27 of 27 in all 9 layers (images at random: 12). " in said
