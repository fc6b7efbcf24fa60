"""What do its filters answer to? The answer in a few sentences, with the evidence beside it.

No verdict is given here that an untrained network, a map that ignores its image, or random filters could pass.
"""

import math

import pandas as pd


def what_filters_answer_to(table: pd.DataFrame, class_counts: pd.Series) -> str:
    """How many filters answer to one class alone, and how many to nothing.

    Args:
        table: of `all-top-images.csv`.
        class_counts: test images of each class.
    """
    top = table["rank"].max()
    filters = table.groupby(["layer", "channel"]).agg(
        least=("response", "min"), most=("response", "max"), classes=("class", "nunique")
    )
    silent = f"{(filters['most'] == 0).sum()} of {len(filters)} filters answer to no image at all."
    if top == 1:
        return silent
    # What can be told of a filter that answers to fewer images than are asked for?
    full = filters[filters["least"] > 0].groupby("layer")["classes"]
    one_class = sum(math.comb(count, top) for count in class_counts) / math.comb(
        class_counts.sum(), top
    )
    counted = [
        f"{(classes == 1).sum()} of {len(classes)} in {layer} (images at random: {len(classes) * one_class:.1g})"
        for layer, classes in full
    ]
    if not counted:
        return silent
    return (
        f"Filters whose {top} highest images are all of one class: {', '.join(counted)}. Where classes differ in "
        f"brightness or colour, untrained filters have such images too. {silent}"
    )
