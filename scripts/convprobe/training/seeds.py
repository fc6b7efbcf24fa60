"""The learning curves of runs that differ in their seed alone, together."""

from collections.abc import Mapping, Sequence

import pandas as pd

COLUMNS = ("run", "seed", "epoch", "test_accuracy")
ROUNDING = 1e-6  # of accuracies in tables


def curves(tables: Sequence[pd.DataFrame], seeds: Mapping[str, int]) -> pd.DataFrame:
    """One row per run and epoch.

    Args:
        tables: of selection.learning_curve, one per run.
        seeds: by the names of the runs, in the same order.

    Returns:
        table of COLUMNS.
    """
    with_seeds = []
    for (run, seed), table in zip(seeds.items(), tables, strict=True):
        with_seeds.append(table.assign(run=run, seed=seed)[list(COLUMNS)])
    return pd.concat(with_seeds, ignore_index=True)


def mean_accuracy(table: pd.DataFrame) -> pd.Series:
    """The mean over seeds of the test accuracy, by epoch.

    Args:
        table: of curves.
    """
    return table.groupby("epoch")["test_accuracy"].mean()


def highest(mean: pd.Series) -> int:
    """The epoch with the highest mean; of those that differ by rounding alone the first.

    Args:
        mean: of mean_accuracy.
    """
    return int(mean.index[mean >= mean.max() - ROUNDING][0])
