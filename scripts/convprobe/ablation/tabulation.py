"""What the network loses without some filters, in numbers: how often it is right, and who changed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convprobe import verdicts
from convprobe.intervals import Interval, mcnemar, paired_change, wilson
from convprobe.store import hdf5

STATES = ("clean", "ablated")
ACCURACY_COLUMNS = (
    "variant", "filters", "images", "accuracy", "low", "high", "lost", "gained", "change", "change_low", "change_high",
    "p_value",
)  # fmt: skip


def read_variants(path, predictions, chosen, classes):
    """Predicted classes by variant.

    Args:
        path: of variants.write_variants.
        predictions: the table of variants.predictions, which adds the variants `clean` and `ablated`.
        chosen: names of the filters that are off in the latter.
        classes: names, in order.

    Returns:
        dict by variant of its filters, separated by blanks, and the predicted classes.
    """
    found = {
        "clean": ("", predictions["clean"]),
        "ablated": (" ".join(chosen), predictions["ablated"]),
    }
    with hdf5.open_complete(path) as file:
        rows = zip(
            file["variant"].asstr()[:],
            file["filters"].asstr()[:],
            file["predicted"][:],
            strict=True,
        )
        return found | {
            name: (filters, pd.Series(np.array(classes)[labels])) for name, filters, labels in rows
        }


def accuracies(predicted, true):
    """How often each variant is right, and whether that differs from the network as trained.

    Args:
        predicted: of `read_variants`; `clean` is the network as trained.
        true: names of the true classes.

    Returns:
        pandas.DataFrame of ACCURACY_COLUMNS: `low` to `high` is Wilson's 95 % interval; `lost` images were right
        with all filters and are wrong without these, `gained` the other way round; `change` is the accuracy less
        that with all filters, with its paired 95 % interval; `p_value` is of McNemar's exact test.
    """
    rows, before = [], predicted["clean"][1] == true
    for variant, (filters, classes) in predicted.items():
        right = classes == true
        lost, gained = int((before & ~right).sum()), int((right & ~before).sum())
        low, high = wilson(right.sum(), len(true))
        # Nothing is switched off: there is no change to be uncertain of.
        change = paired_change(lost, gained, len(true)) if filters else (0.0, 0.0)
        numbers = (
            right.mean(),
            low,
            high,
            lost,
            gained,
            (gained - lost) / len(true),
            *change,
            mcnemar(lost, gained),
        )
        rows.append((variant, filters, len(true), *numbers))
    return pd.DataFrame(rows, columns=ACCURACY_COLUMNS)


@dataclass(frozen=True)
class Loss:
    """What the chosen filters cost together, and what as many random ones do.

    Attributes:
        before, accuracy: with all filters, and without the chosen ones.
        fall, interval: of the accuracy, with its paired 95 % interval.
        verdict: of verdicts.above: whether there is a fall worth naming.
        draws, as_large: random draws, and those of them that lose as much or more.
    """

    before: float
    accuracy: float
    fall: float
    interval: Interval
    verdict: str
    draws: int
    as_large: int

    @property
    def more_than_random(self) -> bool:
        """Whether fewer than one draw of twenty, this one counted, loses as much. Source: Phipson & Smyth 2010."""
        return (1 + self.as_large) / (1 + self.draws) <= 0.05


def loss(table: pd.DataFrame) -> Loss:
    """What the chosen filters cost.

    Args:
        table: of `accuracies`.
    """
    variants = table.set_index("variant")
    chosen, none = variants.loc["ablated"], variants.loc["clean"]
    draws = variants.loc[variants.index.str.startswith("random-"), "accuracy"]
    interval = Interval(-chosen["change_high"], -chosen["change_low"])
    verdict = verdicts.above(-chosen["change"], interval, worth=verdicts.ACCURACY)
    as_large = int((draws <= chosen["accuracy"]).sum())
    return Loss(
        none["accuracy"],
        chosen["accuracy"],
        -chosen["change"],
        interval,
        verdict,
        len(draws),
        as_large,
    )


def better_than_chance(predictions: pd.DataFrame, chosen_among: int) -> bool:
    """Whether the network with all filters is certainly right more often than the same answer for every image.

    Args:
        predictions: of variants.predictions.
        chosen_among: as of verdicts.better_than_chance.
    """
    right = int((predictions["class"] == predictions["clean"]).sum())
    return verdicts.better_than_chance(
        right, predictions["class"].value_counts().tolist(), chosen_among
    )


def class_accuracies(predicted, true, classes):
    """How often each variant is right about the images of each class.

    Returns:
        pandas.DataFrame of `variant, class, images, accuracy, low, high`, for classes with images.
    """
    rows = []
    for variant, (_, found) in predicted.items():
        for name in classes:
            right = (found == true)[true == name]
            if len(right):
                low, high = wilson(right.sum(), len(right))
                rows.append((variant, name, len(right), right.mean(), low, high))
    return pd.DataFrame(rows, columns=("variant", "class", "images", "accuracy", "low", "high"))


def confusion(table, column, classes):
    """How many images of each true class (row) were taken for each class (column).

    Args:
        table: of variants.predictions.
        column: `clean` or `ablated`.
        classes: names, in order.
    """
    counts = pd.crosstab(table["class"], table[column])
    return counts.reindex(index=list(classes), columns=list(classes), fill_value=0)


def class_pairs(table):
    """Which classes are taken for which others, and what the ablation changed.

    Returns:
        pandas.DataFrame of `class, predicted, clean, ablated, change, lost`: images of the class
        that were taken for another one before and after, and those of the latter that were right before;
        the pair with the most of these first. Pairs that never occur are left out.
    """
    counts = {
        state: table[table["class"] != table[state]].groupby(["class", state]).size()
        for state in STATES
    }
    lost = lost_images(table).groupby(["class", "ablated"]).size()
    pairs = (
        pd.DataFrame({**counts, "lost": lost})
        .fillna(0)
        .astype(int)
        .rename_axis(["class", "predicted"])
    )
    pairs.insert(2, "change", pairs["ablated"] - pairs["clean"])
    order = ["lost", "change", "class", "predicted"]
    return pairs.reset_index().sort_values(
        order, ascending=[False, False, True, True], ignore_index=True
    )


def lost_images(table):
    """The rows of variants.predictions that were right before and are wrong after."""
    return table[(table["clean"] == table["class"]) & (table["ablated"] != table["class"])]


def flips(table):
    """The images that are taken for another class than before.

    Returns:
        the rows of variants.predictions with `fall`, by how much the probability of the true class fell; the
        largest fall first.
    """
    changed = table[table["clean"] != table["ablated"]]
    changed = changed.assign(fall=changed["clean_confidence"] - changed["ablated_confidence"])
    return changed.sort_values(["fall", "image"], ascending=[False, True])
