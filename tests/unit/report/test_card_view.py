"""The card as the page shows it: what was not tested stands apart."""

import pandas as pd

from convprobe.report import card_view

NOT_TESTED = "not tested: "
RUNS = {"normalised": "normalised", "raw": "raw", "probed": "normalised"}


def card(*verdicts: str, seeds: int = 1, published: str | None = "0.81") -> pd.DataFrame:
    """A card of claims with these verdicts."""
    claims = [f"claim {number}" for number in range(len(verdicts))]
    columns = {"claim": claims, "published": published, "seeds": seeds, "verdict": list(verdicts)}
    return pd.DataFrame(columns).astype({"seeds": "Int64"})


def test_what_was_not_tested_stands_apart():
    shown = card_view.view(card("holds", f"{NOT_TESTED}no such run", "fails"), RUNS)
    assert shown["tested"] == {
        "columns": ["claim", "published", "seeds", "verdict"],
        "rows": [["claim 0", "0.81", 1, "holds"], ["claim 2", "0.81", 1, "fails"]],
    }
    assert shown["untested"]["rows"] == [["claim 1", "0.81", 1, f"{NOT_TESTED}no such run"]]
    assert shown["why"] == "1 claim was not tested: no such run"


def test_reasons_are_counted_the_commonest_first():
    verdicts = [f"{NOT_TESTED}{reason}" for reason in ("no such run", "one epoch", "one epoch")]
    assert card_view.view(card(*verdicts), RUNS)["why"] == (
        "3 claims were not tested: one epoch (2); no such run (1)"
    )


def test_of_the_study_all_is_asked():
    shown = card_view.view(card("holds", "undecided"), RUNS)
    assert (shown["title"], shown["why"]) == ("Does the study hold?", "")
    assert shown["about"].startswith("One row per claim of the published study: what the study")
    assert shown["untested"]["rows"] == []
    assert "seeds" not in shown["about"]
    assert card_view.SEEDS in card_view.view(card("holds", seeds=3), RUNS)["about"]


def test_a_run_that_lacks_a_claim_is_still_the_study():
    shown = card_view.view(card("holds", f"{NOT_TESTED}no such run"), RUNS)
    assert shown["title"] == "Does the study hold?"


def test_where_no_claim_of_the_study_was_tested_it_is_not_asked_whether_it_holds():
    """As of a network from elsewhere without filters."""
    assert card_view.view(card("holds", published=None), RUNS)["title"] == "Which claims hold here?"


def test_an_own_experiment_is_not_spoken_of_as_the_study():
    verdicts = ["holds", f"{NOT_TESTED}not CIFAR-10", f"{NOT_TESTED}not the published network"]
    shown = card_view.view(card(*verdicts), RUNS)
    assert shown["title"] == "Which claims hold here?"
    assert shown["about"].startswith(
        "This experiment is not the published study: not CIFAR-10 and not the published network. "
    )


def test_it_is_said_which_runs_the_rows_are_about():
    about = card_view.view(card("holds", seeds=3), RUNS)["about"]
    assert about.endswith("The rows are of run normalised, those without normalisation of run raw.")
    for runs in ({"raw": "own", "probed": "own"}, {"probed": "own"}):
        assert card_view.view(card("holds"), runs)["about"].endswith("The rows are of run own.")


def test_a_missing_number_is_null():
    table = pd.DataFrame({"claim": ["a", "b"], "measured": [0.5, None]})
    rows = card_view.table(table)["rows"]
    assert rows == [["a", 0.5], ["b", None]]
