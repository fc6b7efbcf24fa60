"""The reproduction card: which of the study's claims hold, one row per claim.

Of a run of several seeds it says how the mean over these compares, and decides by how far they
differ from one another.
"""

import pandas as pd

from convprobe.report import (
    claims,
    claims_of_accuracy,
    claims_of_class_pairs,
    claims_of_epochs,
    claims_of_occlusion,
    reasons,
)
from convprobe.report.evidence import Evidence


def card(evidence: Evidence) -> pd.DataFrame:
    """The reproduction card.

    Returns:
        table of claims.COLUMNS.
    """
    of_accuracy = [
        claims_of_accuracy.better_than_chance(evidence),
        *claims_of_accuracy.classes_without_images(evidence),
        claims_of_accuracy.accuracy_without_normalisation(evidence),
        claims_of_accuracy.accuracy_with_normalisation(evidence),
        *claims_of_accuracy.loss_by_the_ablation(evidence),
        claims_of_epochs.best_epoch(evidence),
        claims_of_epochs.fall_after_the_best_epoch(evidence),
    ]
    of_probes = [
        claims_of_occlusion.predictions_kept_under_the_smallest_window(evidence),
        *claims_of_occlusion.falls_of_confidence_with_the_window(evidence),
        claims_of_occlusion.confidence_lost_on_the_object(evidence),
        *claims_of_class_pairs.flips_under_the_largest_window(evidence),
        *claims_of_class_pairs.confusions_of_the_ablated_network(evidence),
    ]
    if evidence.unlearned:
        of_probes = [_untested(row, evidence.unlearned) for row in of_probes]
    table = pd.DataFrame([*of_accuracy, *of_probes], columns=claims.COLUMNS)
    return table.astype({"seeds": "Int64"})  # a whole number also beside missing ones


def _untested(row: claims.Row, reason: str) -> claims.Row:
    """The same claim, for such a reason not tested, if it has none of its own."""
    return row if row.verdict.startswith(reasons.UNTESTED) else row._replace(verdict=reason)
