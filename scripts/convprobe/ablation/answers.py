"""What does it lose? The answer in a few sentences, with the evidence beside it.

No verdict is given that an untrained network, a map that ignores its image, or random filters
could pass.
"""

from collections.abc import Sequence

import pandas as pd

from convprobe import verdicts
from convprobe.ablation import tabulation
from convprobe.intervals import Count
from convprobe.phrases import p_value, percent, points


def chance(predictions: pd.DataFrame, chosen_among: int) -> str:
    """A warning if the clean network predicts no better than the same answer for every image.

    Args:
        predictions: of `predictions.csv`.
        chosen_among: as for `at_chance`.
    """
    return at_chance(*tabulation.right_and_counts(predictions), chosen_among)


def at_chance(right: Count, counts: Sequence[Count], chosen_among: int) -> str:
    """A warning if a network predicts no better than the same answer for every image.

    Args:
        right: how many images it predicts right.
        counts: images of each class.
        chosen_among: of `selection.json`; 1 if no epoch was selected.

    Returns:
        the warning; an empty text if the network is better.
    """
    if verdicts.better_than_chance(right, counts, chosen_among):
        return ""
    images = sum(counts)
    return (
        f"The accuracy of this network on {images} images, {percent(right / images)}, can't be "
        f"told from chance: the same answer for every image is right in "
        f"{percent(max(counts) / images)}. "
        "Nothing below is evidence of what it has learned."
    )


def what_it_loses(accuracies: pd.DataFrame) -> str:
    """How much accuracy the chosen filters cost, held against random ones.

    Args:
        accuracies: of `accuracy.csv`.
    """
    cost = tabulation.cost(accuracies)
    said = what_the_chosen_filters_cost(accuracies)
    if cost.verdict == verdicts.FAILS:
        return f"{said} No loss worth naming."
    if cost.verdict == verdicts.UNDECIDED:
        return f"{said} Whether a loss worth naming is behind it can't be told from these images."
    if not cost.draws:
        return said
    drawn = f"{cost.as_costly} of {cost.draws} random draws of as many filters lose as much or more"
    if cost.more_than_random:
        return f"{said} {drawn}: the chosen ones matter more than random ones."
    if not cost.as_costly:  # they are too few
        least = f"{tabulation.LEAST_DRAWS} draws or more"
        return f"{said} {drawn}; to tell the loss from that of random ones takes {least}."
    return f"{said} {drawn}: the loss can't be told from that of random ones."


def what_single_filters_change(accuracies: pd.DataFrame) -> str:
    """For how many of the chosen filters alone a change can be told from 0, beside chance.

    Args:
        accuracies: of `accuracy.csv`.
    """
    alone = accuracies[accuracies["variant"].str.contains("/")]
    changes = int(((alone["change_low"] > 0) | (alone["change_high"] < 0)).sum())
    by_chance = verdicts.TWO_SIDED * len(alone)
    return (
        f"Each of the {len(alone)} chosen filters was switched off alone, and no other one. The "
        f"interval of the change lies above or below 0 for {changes} of them; without any effect "
        f"it would for {by_chance:.2g} at most. One image is "
        f"{100 / accuracies['images'].iloc[0]:.2g} points."
    )


def what_the_chosen_filters_cost(accuracies: pd.DataFrame) -> str:
    """The numbers of it without a verdict, which needs a network that is better than chance."""
    variants = accuracies.set_index("variant")
    clean = variants.loc["clean"]
    ablated = variants.loc["ablated"]
    count = len(ablated["filters"].split())
    ones = f"{count} chosen ones" if count > 1 else "chosen one"
    low = points(ablated["change_low"])
    high = points(ablated["change_high"])
    return (
        f"Accuracy is {percent(clean['accuracy'])} with all filters and "
        f"{percent(ablated['accuracy'])} without the {ones}: {ablated['lost']} of "
        f"{ablated['images']} images are lost, {ablated['gained']} gained, "
        f"{points(ablated['change'])} points (95 % interval {low} to {high}; McNemar's test: "
        f"{p_value(ablated['p_value'])})."
    )
