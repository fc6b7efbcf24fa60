"""What does it lose? The answer in a few sentences, with the evidence beside it.

No verdict is given here that an untrained network, a map that ignores its image, or random filters could pass.
"""

import pandas as pd

from convprobe import verdicts
from convprobe.ablation import tabulation
from convprobe.phrases import p_value, percent, points


def chance(predictions: pd.DataFrame, chosen_among: int) -> str:
    """A warning where a network predicts no better than the same answer for every image; else nothing.

    Args:
        predictions: of `predictions.csv`.
        chosen_among: of `selection.json`; 1 where no epoch was selected.
    """
    if tabulation.better_than_chance(predictions, chosen_among):
        return ""
    accuracy = (predictions["class"] == predictions["clean"]).mean()
    guess = predictions["class"].value_counts(normalize=True).max()
    return (
        f"The accuracy of this network, {percent(accuracy)}, can't be told from chance: the same answer for every "
        f"image is right in {percent(guess)}. Nothing below is evidence of what it has learned."
    )


def what_it_loses(accuracy: pd.DataFrame) -> str:
    """What switching the chosen filters off costs, held against random ones.

    Args:
        accuracy: of `accuracy.csv`.
    """
    loss, chosen = tabulation.loss(accuracy), accuracy.set_index("variant").loc["ablated"]
    count = len(chosen["filters"].split())
    low, high = (points(bound) for bound in (chosen["change_low"], chosen["change_high"]))
    said = (
        f"Accuracy is {percent(loss.before)} with all filters and {percent(loss.accuracy)} without the {count} chosen "
        f"ones: {chosen['lost']} of {chosen['images']} images are lost, {chosen['gained']} gained, "
        f"{points(chosen['change'])} points (95 % interval {low} to {high}; McNemar's test: "
        f"{p_value(chosen['p_value'])})."
    )
    if loss.verdict == verdicts.FAILS:
        return f"{said} No loss worth naming."
    if loss.verdict == verdicts.UNDECIDED:
        return f"{said} Whether that is a loss worth naming can't be told from these images."
    if not loss.draws:
        return said
    drawn = f"{loss.as_large} of {loss.draws} random draws of as many filters lose as much or more"
    if loss.more_than_random:
        return f"{said} {drawn}: the chosen ones matter more than random ones."
    return f"{said} {drawn}: the loss can't be told from that of random ones."
