"""Claims of occlusion: what a window changes, more where it is larger or covers the object."""

import itertools

import pandas as pd

from convprobe import intervals, verdicts
from convprobe.intervals import Interval
from convprobe.occlusion import localisation
from convprobe.report import reasons, seeds
from convprobe.report.claims import Row
from convprobe.report.evidence import Evidence
from convprobe.report.seeds import Measured


def predictions_kept_under_the_smallest_window(evidence: Evidence) -> Row:
    """Under a small window most positions kept the prediction.

    They do under any window if a network ignores the image, so the largest must change more.
    """
    windows = evidence.windows
    smallest, largest = windows[0], windows[-1]
    claim = f"share of positions that keep the prediction under window {smallest}"
    changed = _of_images(evidence, "flipped_fraction", smallest)
    kept = _mean_over_images(1 - changed, 0, 1)
    if smallest == largest:
        return Row(claim, "most").of(kept, f"{reasons.UNTESTED}one window")
    more = _mean_over_images(_of_images(evidence, "flipped_fraction", largest) - changed, -1, 1)
    verdict = verdicts.all_of([seeds.above(kept, null=0.5), seeds.above(more)])
    return Row(claim, "most").of(kept, verdict)


def falls_of_confidence_with_the_window(evidence: Evidence) -> list[Row]:
    """With the window confidence fell: from each size to the next, and from first to last."""
    windows = evidence.windows
    pairs = list(itertools.pairwise(windows))
    if len(windows) > 2:
        pairs.append((windows[0], windows[-1]))
    rows = []
    for smaller, larger in pairs:
        claim = f"fall of mean confidence from window {smaller} to {larger}"
        under_smaller = _of_images(evidence, "mean_confidence", smaller)
        falls = under_smaller - _of_images(evidence, "mean_confidence", larger)
        fall = _mean_over_images(falls, -1, 1)
        verdict = seeds.above(fall, worth=verdicts.CONFIDENCE)
        rows.append(Row(claim, "positive").of(fall, verdict))
    return rows


def _of_images(evidence: Evidence, column: str, window: int) -> pd.DataFrame:
    """A column of the summaries under one window: a row per image, a column per seed."""
    columns = []
    for probed in evidence.probed:
        under = probed.summary[probed.summary["window"] == window]
        columns.append(under.set_index("image")[column])
    return pd.concat(columns, axis=1)


def _mean_over_images(values: pd.DataFrame, least: int, most: int) -> Measured:
    """A mean over the images, of which each has a value for each seed.

    The interval of counting is that of the images' means over the seeds. Both intervals end where
    the values do, at `least` and `most`.
    """
    counting = intervals.mean(values.mean(axis=1).to_numpy())
    if counting is not None:
        counting = Interval(max(counting.low, least), min(counting.high, most))
    return seeds.measured(values.mean().to_numpy(), counting, least, most)


def confidence_lost_on_the_object(evidence: Evidence) -> Row:
    """Covering the object cost confidence, covering the background did not."""
    claim = (
        "confidence that the largest window costs more on the object than beside it, "
        "beyond other images' objects"
    )
    if evidence.probed[0].localisation.empty:
        return Row(claim, "positive", verdict=f"{reasons.UNTESTED}the object's place is not known")
    rows = []
    for probed in evidence.probed:
        contrasts = probed.localisation[probed.localisation["measure"] == "contrast"]
        rows.append(contrasts.loc[contrasts["window"].idxmax()])
    if len(rows) == 1:
        (row,) = rows
        interval = Interval(row["low"], row["high"])
        measured = Measured(row["difference"], interval, interval, 1)
        return Row(claim, "positive").of(measured, row["verdict"])
    # Images of several seeds can't be put together from these tables: one seed's stand for them.
    differences = [row["difference"] for row in rows]
    most = localisation.MOST["contrast"]
    measured = seeds.measured(differences, None, -most, most)
    worth = localisation.WORTH["contrast"]
    between = verdicts.above(measured.value, measured.interval, worth=worth)
    of_images = rows[seeds.middle(differences)]["verdict"]
    verdict = verdicts.agreed(between, of_images)
    return Row(claim, "positive").of(measured, verdict)
