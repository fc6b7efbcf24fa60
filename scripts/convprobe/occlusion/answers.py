"""Where does it look? The answer in a few sentences, with the evidence beside it.

No verdict is given here that an untrained network, a map that ignores its image, or random filters could pass.
"""

import pandas as pd

from convprobe import verdicts
from convprobe.phrases import p_value, percent, points


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
