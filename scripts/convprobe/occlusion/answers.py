"""Where does it look? The answer in a few sentences, with the evidence beside it.

No verdict is given that an untrained network, or a map that ignores its image, could pass.
"""

import pandas as pd

from convprobe import verdicts
from convprobe.phrases import SPACE, p_value, percent, points

VERDICTS = {
    verdicts.HOLDS: "It looks at the object",
    verdicts.FAILS: "The maps do not show that it looks at the object",
    verdicts.UNDECIDED: "Whether it looks at the object can't be told from these images",
}


def where_it_looks(summary: pd.DataFrame, localisation: pd.DataFrame) -> str:
    """What the maps of one window say, over all images.

    Args:
        summary: rows of `summary.csv` of this window.
        localisation: rows of `localisation.csv` of this window; none where the places of the
            objects are not known.
    """
    effect = _effect(summary)
    return effect if localisation.empty else f"{_finding(localisation)} {effect}"


def how_far_maps_agree(row: pd.Series) -> str:
    """What the maps of two networks under a window say, over all images.

    Args:
        row: of `map-agreement-means.csv`.
    """
    own = _with_interval(row["own"], row["low"], row["high"])
    difference = _with_interval(row["difference"], row["difference_low"], row["difference_high"])
    mean = (
        f"Under windows of {row['window']}×{row['window']} pixels, on average over "
        f"{row['images']} images, the two maps of one image have a rank correlation (Spearman) of "
        f"{own}, maps of different images of {_number(row['others'])}; "
        f"difference {difference}. These intervals are over images, of these two networks alone."
    )
    if round(row["difference_low"], 2) > 0:  # as it is printed
        return mean
    return f"{mean} That maps of the same image agree more than others can't be told from these."


def how_far_maps_of_a_class_agree(name: str, images: int, own: float, others: float) -> str:
    """What the maps of two networks under a window say, over the images of one class.

    Args:
        own: mean rank correlation of the two maps of an image.
        others: of the first network's map of it with the second one's of all other images.
    """
    of_class = f"{images} images" if images > 1 else "image"
    return (
        f"Of the {of_class} of class {name}: {_number(own)}, with maps of other images of any "
        f"class {_number(others)}."
    )


def _with_interval(mean: float, low: float, high: float) -> str:
    """A mean with its interval, if one can be given."""
    if pd.isna(low):
        return _number(mean)
    return f"{_number(mean)} (95{SPACE}% interval {_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _effect(summary: pd.DataFrame) -> str:
    """How much covering matters at all."""
    window = summary["window"].iloc[0]
    clean = summary["clean_confidence"].mean()
    covered = summary["mean_confidence"].mean()
    flipped = summary["flipped_fraction"].mean()
    return (
        f"Over {len(summary)} images, the mean probability of the true class is {clean:.3f} "
        f"without a window and {covered:.3f} under one of {window}×{window} pixels, which changes "
        f"the prediction at {percent(flipped)} of its positions."
    )


def _finding(localisation: pd.DataFrame) -> str:
    """Whether the maps find the object."""
    verdict = VERDICTS[verdicts.all_of(list(localisation["verdict"]))]
    rows = localisation.set_index("measure")
    hit = rows.loc["hit"]
    order = rows.loc["roc_auc"]
    contrast = rows.loc["contrast"]
    difference = f"{points(hit['difference'])} points"
    interval = ""  # of equal differences
    if pd.notna(hit["low"]):
        interval = f", 95 % interval {points(hit['low'])} to {points(hit['high'])}"
    return (
        f"{verdict}: the place where covering costs most lies on it in {percent(hit['own'], 0)} of "
        f"the images, on the objects of other images in {percent(hit['others'], 0)} "
        f"({difference}{interval}; {p_value(hit['p_value'])}); "
        f"covering a pixel on it costs more than covering one beside it in "
        f"{percent(order['own'], 0)} of pairs (equal costs count half), with the objects of other "
        f"images in {percent(order['others'], 0)}; and covering it costs {contrast['own']:.3f} "
        f"more than covering what is beside it, with those objects {contrast['others']:.3f}."
    )
