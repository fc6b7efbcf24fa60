"""What the network loses without some filters, in numbers: accuracy, and the images that change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from convprobe import verdicts
from convprobe.intervals import Interval, mcnemar, paired_change, wilson
from convprobe.network.variant_names import ABLATED, CLEAN, is_random_draw
from convprobe.store import hdf5

State = Literal["clean", "ablated"]
STATES: tuple[State, ...] = (CLEAN, ABLATED)
ACCURACY_COLUMNS = (
    "variant", "filters", "images", "accuracy", "low", "high",
    "lost", "gained", "change", "change_low", "change_high", "p_value",
)  # fmt: skip
LEAST_DRAWS = round(1 / verdicts.TWO_SIDED) - 1  # at random: if none costs as much, that tells
CLASS_ACCURACY_COLUMNS = ("variant", "class", "images", "accuracy", "low", "high")


class VariantPredictions(NamedTuple):
    """What a variant of the network predicts.

    Attributes:
        filters: names of those that are switched off, separated by blanks.
        predicted: name of the predicted class of each image.
    """

    filters: str
    predicted: pd.Series


def read_variants(
    path: Path | str, predictions: pd.DataFrame, chosen: list[str], classes: Sequence[str]
) -> dict[str, VariantPredictions]:
    """All variants by name: `clean` and `ablated` first, then those of a file.

    Args:
        path: of variants.write_variants.
        predictions: of `predictions.csv`.
        chosen: names of the filters that the ablated network is without.
        classes: names, in order.
    """
    variants = {
        CLEAN: VariantPredictions("", predictions[CLEAN]),
        ABLATED: VariantPredictions(" ".join(chosen), predictions[ABLATED]),
    }
    class_names = np.array(classes)
    with hdf5.open_complete(path) as file:
        names = file["variant"].asstr()[:]
        filters = file["filters"].asstr()[:]
        for name, off, labels in zip(names, filters, file["predicted"][:], strict=True):
            variants[name] = VariantPredictions(off, pd.Series(class_names[labels]))
    return variants


def accuracies(variants: dict[str, VariantPredictions], true: pd.Series) -> pd.DataFrame:
    """How often each variant is right, and how far it differs from the clean network.

    Args:
        variants: of read_variants.
        true: names of the true classes.

    Returns:
        table of ACCURACY_COLUMNS: `low` to `high` is Wilson's 95 % interval; `lost` images are
        right by the clean network and wrong by the variant, `gained` the other way round; `change`
        is the variant's accuracy less the clean network's, with its paired 95 % interval; `p_value`
        is of McNemar's exact test.
    """
    clean_is_right = variants[CLEAN].predicted == true
    rows = []
    for name, variant in variants.items():
        is_right = variant.predicted == true
        measured = _compare(clean_is_right, is_right, bool(variant.filters))
        rows.append({"variant": name, "filters": variant.filters, **measured})
    return pd.DataFrame(rows, columns=ACCURACY_COLUMNS)


def _compare(clean_is_right: pd.Series, is_right: pd.Series, is_ablated: bool) -> dict[str, Any]:
    """What is measured of a variant, beside the clean network."""
    images = len(is_right)
    low, high = wilson(is_right.sum(), images)
    lost, gained = _lost_and_gained(clean_is_right, is_right)
    # Of the clean network itself there is no change to be uncertain of.
    change = paired_change(lost, gained, images) if is_ablated else Interval(0.0, 0.0)
    return {
        "images": images,
        "accuracy": is_right.mean(),
        "low": low,
        "high": high,
        "lost": lost,
        "gained": gained,
        "change": (gained - lost) / images,
        "change_low": change.low,
        "change_high": change.high,
        "p_value": mcnemar(lost, gained),
    }


@dataclass(frozen=True)
class Cost:
    """How much accuracy the chosen filters cost together, and as many random ones.

    Attributes:
        ablated: accuracy without the chosen filters.
        fall: how far that lies below the accuracy with all filters.
        interval: of the fall, paired, 95 %.
        verdict: of verdicts.above: whether there is a fall worth naming; it holds only where
            McNemar's test passes too.
        draws: how many times random filters were drawn.
        as_costly: those draws that cost as much or more.
    """

    ablated: float
    fall: float
    interval: Interval
    verdict: str
    draws: int
    as_costly: int

    @property
    def more_than_random(self) -> bool:
        """Whether at most one draw of twenty, this one counted, costs as much.

        Source: Phipson & Smyth 2010.
        """
        return (1 + self.as_costly) / (1 + self.draws) <= verdicts.TWO_SIDED


def cost(table: pd.DataFrame) -> Cost:
    """How much accuracy the chosen filters cost.

    Args:
        table: of accuracies.
    """
    variants = table.set_index("variant")
    ablated = variants.loc[ABLATED]
    fall = -ablated["change"]
    interval = Interval(-ablated["change_high"], -ablated["change_low"])
    draws = variants.loc[variants.index.map(is_random_draw), "accuracy"]
    verdict = verdicts.above(fall, interval, worth=verdicts.ACCURACY)
    return Cost(
        ablated=ablated["accuracy"],
        fall=fall,
        interval=interval,
        verdict=verdicts.confirmed(verdict, ablated["p_value"]),
        draws=len(draws),
        as_costly=int((draws <= ablated["accuracy"]).sum()),
    )


def better_than_chance(predictions: pd.DataFrame, chosen_among: int) -> bool:
    """Whether the clean network is certainly right more often than one answer for every image.

    Args:
        predictions: of `predictions.csv`.
        chosen_among: as in verdicts.better_than_chance.
    """
    return verdicts.better_than_chance(*right_and_counts(predictions), chosen_among)


def right_and_counts(predictions: pd.DataFrame) -> tuple[int, list[int]]:
    """How many images the clean network predicts right, and how many each class has."""
    right = int((predictions["class"] == predictions[CLEAN]).sum())
    return right, predictions["class"].value_counts().tolist()


def class_changes(predictions: pd.DataFrame) -> pd.DataFrame:
    """What the ablation changes in the accuracy of each class, the largest fall first.

    Args:
        predictions: of `predictions.csv`.

    Returns:
        table of `class, images, clean, ablated, change, low, high`: accuracies, their difference
        and its paired 95 % interval. Of equal falls, in the order of the names.
    """
    rows = []
    for name, of_class in predictions.groupby("class"):
        is_right = {state: of_class[state] == name for state in STATES}
        lost, gained = _lost_and_gained(is_right[CLEAN], is_right[ABLATED])
        images = len(of_class)
        row = {"class": name, "images": images}
        row |= {state: right.mean() for state, right in is_right.items()}
        row |= {"change": (gained - lost) / images}
        row |= paired_change(lost, gained, images)._asdict()
        rows.append(row)
    return pd.DataFrame(rows).sort_values("change", kind="stable", ignore_index=True)


def _lost_and_gained(clean_is_right: pd.Series, is_right: pd.Series) -> tuple[int, int]:
    """How many images the clean network alone gets right, and how many the other one alone."""
    return int((clean_is_right & ~is_right).sum()), int((is_right & ~clean_is_right).sum())


def class_accuracies(
    variants: dict[str, VariantPredictions], true: pd.Series, classes: Sequence[str]
) -> pd.DataFrame:
    """How often each variant is right about the images of each class.

    Returns:
        table of CLASS_ACCURACY_COLUMNS; a class without images has no row.
    """
    rows = []
    for name, variant in variants.items():
        is_right = variant.predicted == true
        for class_name in classes:
            of_class = is_right[true == class_name]
            if of_class.empty:
                continue
            low, high = wilson(of_class.sum(), len(of_class))
            rows.append((name, class_name, len(of_class), of_class.mean(), low, high))
    return pd.DataFrame(rows, columns=CLASS_ACCURACY_COLUMNS)


def confusion(predictions: pd.DataFrame, state: State, classes: Sequence[str]) -> pd.DataFrame:
    """How many images of each true class (row) are predicted as each class (column).

    Args:
        predictions: of `predictions.csv`.
        state: of the network.
        classes: names, in order.
    """
    counts = pd.crosstab(predictions["class"], predictions[state])
    return counts.reindex(index=list(classes), columns=list(classes), fill_value=0)


def class_pairs(predictions: pd.DataFrame) -> pd.DataFrame:
    """How often each class is predicted as each other one, and what the ablation changes in that.

    Returns:
        table of `class, predicted, clean, ablated, change, lost`: images of the class that the
        clean and the ablated network predict as the other one, the difference, and those lost in
        this way; the pair with the most of these first. Pairs that never occur are left out.
    """
    counts = {}
    for state in STATES:
        wrong = predictions[predictions["class"] != predictions[state]]
        counts[state] = wrong.groupby(["class", state]).size()
    lost = lost_images(predictions).groupby(["class", "ablated"]).size()
    pairs = pd.DataFrame({**counts, "lost": lost}).fillna(0).astype(int)
    pairs.insert(2, "change", pairs["ablated"] - pairs["clean"])
    pairs = pairs.rename_axis(["class", "predicted"]).reset_index()
    return pairs.sort_values(
        ["lost", "change", "class", "predicted"],
        ascending=[False, False, True, True],
        ignore_index=True,
    )


def lost_images(predictions: pd.DataFrame) -> pd.DataFrame:
    """The rows that the clean network predicts right and the ablated one wrong."""
    clean_is_right = predictions["clean"] == predictions["class"]
    ablated_is_wrong = predictions["ablated"] != predictions["class"]
    return predictions[clean_is_right & ablated_is_wrong]


def flips(predictions: pd.DataFrame) -> pd.DataFrame:
    """The rows whose prediction the ablation changes.

    Returns:
        these with `fall`, by how much the probability of the true class falls; the largest first.
    """
    changed = predictions[predictions["clean"] != predictions["ablated"]]
    fall = changed["clean_confidence"] - changed["ablated_confidence"]
    return changed.assign(fall=fall).sort_values(["fall", "image"], ascending=[False, True])
