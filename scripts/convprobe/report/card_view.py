"""How the page shows the reproduction card: what was tested, and apart from it what was not."""

from collections.abc import Mapping

import pandas as pd

from convprobe.report import reasons

OF_THE_STUDY = "Does the study hold?"
OF_ANOTHER = "Which claims hold here?"
SEEDS = (
    "With several seeds it is the mean over these, its interval lies between seeds, and that of "
    "counting images stands beside it."
)


def view(card: pd.DataFrame, runs: Mapping[str, str]) -> dict:
    """The card's rows with the words around them.

    Args:
        card: of `reproduction.csv`.
        runs: which the rows are about: the `probed` one and, if there is one, the `raw` one.

    Returns:
        `title`; `about`, what the rows say; `tested` and `untested`, tables of columns and rows;
        `why`, one line on those that were not tested, empty if all were.
    """
    is_untested = card["verdict"].str.startswith(reasons.UNTESTED)
    untested = card[is_untested]
    other = [_reason(name) for name in reasons.OTHER_STUDY if name in set(untested["verdict"])]
    is_compared = card.loc[~is_untested, "published"].notna().any()
    return {
        "title": OF_THE_STUDY if is_compared and not other else OF_ANOTHER,
        "about": _about(other, runs, has_seeds=bool((card["seeds"] > 1).any())),
        "tested": table(card[~is_untested]),
        "untested": table(untested),
        "why": _why(untested["verdict"]),
    }


def table(content: pd.DataFrame) -> dict[str, list]:
    """Columns and rows; a missing value is null."""
    values = content.astype(object).where(content.notna(), None)
    return {"columns": list(content.columns), "rows": values.to_numpy().tolist()}


def _reason(verdict: str) -> str:
    return verdict.removeprefix(reasons.UNTESTED)


def _about(other: list[str], runs: Mapping[str, str], has_seeds: bool) -> str:
    """What the rows say.

    Args:
        other: why this isn't the published study; empty if it is.
        runs: as of `view`.
        has_seeds: whether something was measured with several ones.
    """
    what = "what was measured here, its 95 % interval, and whether the claim holds."
    if other:
        text = (
            f"This experiment is not the published study: {' and '.join(other)}. One row per claim "
            f"of that study that can be tested here as well: {what}"
        )
    else:
        text = f"One row per claim of the published study: what the study says, {what}"
    return " ".join([text, *([SEEDS] if has_seeds else []), _whose(runs)])


def _whose(runs: Mapping[str, str]) -> str:
    """Which runs the rows are about."""
    probed = runs["probed"]
    raw = runs.get("raw", probed)
    without = "" if raw == probed else f", those without normalisation of run {raw}"
    return f"The rows are of run {probed}{without}."


def _why(verdicts: pd.Series) -> str:
    """How many claims were not tested, and for which reasons, the commonest first."""
    if verdicts.empty:
        return ""
    counts = verdicts.map(_reason).value_counts()
    noun = "claim was" if len(verdicts) == 1 else "claims were"
    if len(counts) == 1:
        return f"{len(verdicts)} {noun} not tested: {counts.index[0]}"
    why = "; ".join(f"{reason} ({count})" for reason, count in counts.items())
    return f"{len(verdicts)} {noun} not tested: {why}"
