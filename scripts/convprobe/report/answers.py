"""What the page says first: the answer to each question in a few sentences, with the evidence beside it.

No verdict is given here that an untrained network, a map that ignores its image, or random filters could pass.
"""

import math

import pandas as pd

from convprobe import verdicts
from convprobe.ablation import tabulation


def percent(share: float, digits: int = 1) -> str:
    """A share in per cent; no line begins with the sign."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def points(change: float) -> str:
    """A change of a share in percentage points, with its sign."""
    return f"{100 * change:+.1f}".replace("-", "\N{MINUS SIGN}")


def p_value(value: float) -> str:
    """As `p = 0.031`."""
    return f"p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{value:.2g}" if value >= 0.0001 else "p\N{NO-BREAK SPACE}< 0.0001"


def chance(predictions: pd.DataFrame, chosen_among: int) -> str:
    """A warning where a network predicts no better than the same answer for every image; else nothing.

    Args:
        predictions: of `predictions.csv`.
        chosen_among: of `selection.json`; 1 where no epoch was selected.
    """
    if tabulation.better_than_chance(predictions, chosen_among):
        return ""
    accuracy = (predictions["class"] == predictions["before"]).mean()
    guess = predictions["class"].value_counts(normalize=True).max()
    return (
        f"The accuracy of this network, {percent(accuracy)}, can't be told from chance: the same answer for every "
        f"image is right in {percent(guess)}. Nothing below is evidence of what it has learned."
    )


def where_it_looks(summary: pd.DataFrame, localisation: pd.DataFrame) -> str:
    """What the maps of one window say, over all images.

    Args:
        summary: rows of `summary.csv` of this window.
        localisation: rows of `localisation.csv` of this window, none where the objects' places are not known.
    """
    window = summary["window"].iloc[0]
    clean, covered = (summary[f"{kind}_confidence"].mean() for kind in ("clean", "mean"))
    flipped = summary["flipped_fraction"].mean()
    said = (
        f"Over {len(summary)} images a {window}×{window} window takes the probability of the true class from "
        f"{clean:.3f} to {covered:.3f} on average. The prediction changes at {percent(flipped)} of the places."
    )
    if localisation.empty:
        return said
    rows = localisation.set_index("measure")
    hit, order, contrast = (rows.loc[measure] for measure in ("hit", "roc_auc", "contrast"))
    verdict = {
        verdicts.HOLDS: "It looks at the object",
        verdicts.FAILS: "That it looks at the object is not shown",
        verdicts.UNDECIDED: "Whether it looks at the object can't be told from these images",
    }[verdicts.all_of(list(rows["verdict"]))]
    more = f"{points(hit['difference'])} points, 95 % interval {points(hit['low'])} to {points(hit['high'])}"
    return (
        f"{verdict}: the place where covering costs most lies on it in {percent(hit['own'], 0)} of the images, with "
        f"the objects of other images in {percent(hit['others'], 0)} ({more}; {p_value(hit['p_value'])}); a pixel on "
        f"it costs more than one beside it in {percent(order['own'], 0)} of pairs, with other objects in "
        f"{percent(order['others'], 0)}; covering it costs {contrast['own']:.3f} more than covering what is beside it, "
        f"with other objects {contrast['others']:.3f}. {said}"
    )


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
    one_class = sum(math.comb(count, top) for count in class_counts) / math.comb(class_counts.sum(), top)
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


def what_it_loses(accuracy: pd.DataFrame) -> str:
    """What switching the chosen filters off costs, held against random ones.

    Args:
        accuracy: of `accuracy.csv`.
    """
    loss, chosen = tabulation.loss(accuracy), accuracy.set_index("variant").loc["chosen"]
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
