"""What do its filters answer to? The answer in a few sentences, with the evidence beside it.

No verdict is given that random filters could pass.
"""

import math

import pandas as pd

LISTED = 8  # layers, at most; more are counted together


def what_filters_answer_to(table: pd.DataFrame, class_counts: pd.Series) -> str:
    """How many filters answer to one class alone, and how many to nothing.

    Args:
        table: of `all-top-images.csv`.
        class_counts: test images of each class.
    """
    # In the table's order, which is that of the layers in the network.
    filters = table.groupby(["layer", "channel"], sort=False).agg(
        lowest=("response", "min"), highest=("response", "max"), classes=("class", "nunique")
    )
    silent = (filters["highest"] == 0).sum()
    about_silent = f"{silent} of {len(filters)} filters answer to no image at all."
    top = int(table["rank"].max())
    # Of a filter that answers to fewer images than are listed there is nothing to say.
    answering = filters[filters["lowest"] > 0]
    if top == 1 or answering.empty:
        return about_silent
    by_chance = _chance_of_one_class(class_counts, top)
    layers = list(answering.groupby("layer", sort=False)["classes"])
    if len(layers) > LISTED:
        layers = [(f"all {len(layers)} layers", answering["classes"])]
    counted = []
    for layer, classes in layers:
        one_class = (classes == 1).sum()
        expected = _number(len(classes) * by_chance)
        counted.append(f"{one_class} of {len(classes)} in {layer} (images at random: {expected})")
    return (
        f"Filters whose {top} highest responses are all to images of one class, of those that "
        f"answer to {top} or more: {', '.join(counted)}. Where classes differ in brightness or "
        f"colour, untrained networks have such filters too. {about_silent}"
    )


def _chance_of_one_class(class_counts: pd.Series, top: int) -> float:
    """How probable it is that images drawn at random are all of one class."""
    of_one_class = sum(math.comb(count, top) for count in class_counts)
    return of_one_class / math.comb(class_counts.sum(), top)


def _number(expected: float) -> str:
    return f"{expected:.1g}" if expected < 1 else f"{expected:.0f}"
