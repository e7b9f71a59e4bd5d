"""Rows of cutoff and survival_groups: who is above, what the outcome chooses by R (tests/data/logrank.R), intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.prognosis.cutoff import CutoffParameters, cutoff
from analyses.prognosis.survival_groups import SurvivalGroupParameters, survival_groups

DATA = Path(__file__).parent.parent / "data"
POPULATION = CutoffParameters().population
SETS = dict(list(pd.read_csv(DATA / "logrank_input.csv").groupby("set")))
R = pd.read_csv(DATA / "logrank_r.csv").set_index(["set", "what"]).sort_index()


def frames(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ratios of two populations and two units, and follow-ups of two endpoints: the set is one of each alone."""
    rows = SETS[name].reset_index(drop=True)
    ids = [f"P{i:02d}" for i in range(len(rows))]
    mine = pd.DataFrame(
        {"patient_id": ids, "population": POPULATION, "unit": "tpm", "value": rows["value"], "reason": None}
    )
    mine = mine.assign(biomarker="ratio", transform="none")
    ratios = pd.concat(
        [mine, mine.assign(population="T cells", value=0.5), mine.assign(unit="rsem", value=-mine["value"])]
    )
    outcome = pd.DataFrame({"patient_id": ids, "duration_days": rows["days"], "event": rows["event"].astype(object)})
    outcome.loc[rows["event"].isna(), "event"] = None
    outcome = outcome.assign(endpoint="OS", time_origin="diagnosis")
    return ratios, pd.concat([outcome, outcome.assign(endpoint="RFS", event=True)])


def row_of(name: str, **options) -> dict:
    given = {"unit": "tpm", "n_bootstrap": 0, "censor_at_days": None} | options
    (row,) = cutoff(*frames(name), CutoffParameters(**given), seed=3).to_dict("records")
    return row


@pytest.mark.parametrize("name", ["plain", "ties", "zeros", "missing", "separation"])
def test_what_the_outcome_chooses_is_rs(name):
    theirs = R.loc[[(name, "scan")]].reset_index(drop=True)
    best = theirs.loc[theirs["value"].idxmax()]
    row, known = row_of(name, method="maxstat", n_permutations=49), SETS[name].dropna()
    assert row["value"] == best["at"] and row["chi2"] == pytest.approx(best["value"], rel=1e-9)
    high = known["value"] >= best["at"]
    assert (row["n"], row["n_events"]) == (len(known), known["event"].sum())
    assert (row["n_high"], row["n_high_events"]) == (high.sum(), known["event"][high].sum())
    assert row["p_naive"] < row["p_permutation"] <= 1 and (row["p_permutation"] * 50) == pytest.approx(
        round(row["p_permutation"] * 50)
    )


def test_who_is_at_the_cutoff_is_above_it():
    ratios, _ = frames("plain")
    at = float(SETS["plain"]["value"].iloc[4])
    row = row_of("plain", method="fixed", value=at)
    assert (row["value"], row["n_high"]) == (at, (SETS["plain"]["value"] >= at).sum()) and row["n_high"] > 1
    ratios.loc[ratios["patient_id"] == "P07", "value"] = np.nan
    for higher_is, others in (("good", "poor"), ("poor", "good")):
        found = survival_groups(ratios, pd.DataFrame([row | {"higher_is": higher_is}]), SurvivalGroupParameters())
        of = found.set_index("patient_id")["prognosis"]
        assert of["P04"] == higher_is and of["P07"] is None and len(of) == len(SETS["plain"])
        assert (
            of.drop("P07") == np.where(SETS["plain"]["value"].drop(SETS["plain"].index[7]) >= at, higher_is, others)
        ).all()


def test_where_one_group_is_empty_there_is_no_test():
    for value, n_high in ((-99.0, len(SETS["plain"])), (99.0, 0)):
        row = row_of("plain", method="fixed", value=value)
        assert row["n_high"] == n_high and "chi2" not in row and "p_naive" not in row
    with pytest.raises(ValueError, match="no cut-off leaves min_group of the patients and events on both sides"):
        row_of("two values", method="maxstat", min_group=0.49)


@pytest.mark.parametrize(("method", "share"), [("median", 0.5), ("quantile", 0.25)])
def test_the_interval_is_the_middle_95_percent_of_bootstrap_samples(method, share):
    values = SETS["plain"]["value"].to_numpy()
    row = row_of("plain", method=method, n_bootstrap=300)
    generator = np.random.default_rng(3)
    drawn = [np.quantile(values[generator.integers(0, len(values), len(values))], share) for _ in range(300)]
    assert row["value"] == pytest.approx(np.quantile(values, share))
    assert [row["ci_lower"], row["ci_upper"]] == pytest.approx(np.quantile(drawn, [0.025, 0.975]))
    assert row["n_bootstrap"] == 300
