"""Scaled Schoenfeld residuals and their smooth curve against R's cox.zph (tests/data/schoenfeld.R), and their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared.cox import cox
from analyses.shared.cox_models import CoxSettings
from analyses.shared.ph_residuals import NO_CURVE, residuals_of
from analyses.shared.schoenfeld import scaled_residuals, smooth
from tshdb.vocabulary import Endpoint

DATA = Path(__file__).parent.parent / "data"
INPUT = pd.read_csv(DATA / "cox_input.csv")
R = pd.read_csv(DATA / "schoenfeld_r.csv")
MODELS = [tuple(key) for key in R[["set", "terms"]].drop_duplicates().to_numpy()]
SETTINGS = CoxSettings(Endpoint.OS, None, 5, (), 0.5, False, "partial")


def frame_of(name: str) -> pd.DataFrame:
    known = INPUT[INPUT["set"] == name].dropna()
    return known.rename(columns={"days": "duration_days"}).assign(event=known["event"] == 1)


@pytest.mark.parametrize("name, terms", MODELS)
def test_residuals_and_curves_are_rs(name, terms):
    data, names = frame_of(name), terms.split("+")
    found = scaled_residuals(data, [*names, "c"] if terms == "a+b" else names)  # c has no estimate there
    assert found.terms == tuple(names)
    for place, term in enumerate(names):
        theirs = R[(R["set"] == name) & (R["terms"] == terms) & (R["term"] == term)]
        ours = pd.DataFrame({"days": found.days, "km_time": found.km_time, "value": found.values[:, place]})
        curve = smooth(found.km_time, found.values[:, place], found.variances[place])
        assert (curve is None) == theirs["smooth"].isna().all()
        if curve is not None:
            ours["smooth"], ours["error"] = curve.values, (curve.upper - curve.lower) / 4
        for column in (c for c in ours if c != "days"):
            mine, rs = (frame.sort_values(["days", "value"])[column].to_numpy() for frame in (ours, theirs))
            assert mine == pytest.approx(rs, rel=1e-6, abs=1e-6), (term, column)
        model = cox(data, [*names, "c"] if terms == "a+b" else names, 1)
        assert model[term]["ph_p_value"] == pytest.approx(theirs["p"].iloc[0], rel=1e-6)


def test_the_cases_of_rs_are_there():
    """Deaths at the same time, on day 0, and at too few times for a curve."""
    deaths = R[R["terms"] == "a"].groupby("set")["days"]
    assert (deaths.nunique() < deaths.size() / 2)[["ties", "zeros"]].all() and deaths.min()["zeros"] == 0
    assert deaths.nunique()["zeros"] < 4 and R[R["set"] == "zeros"]["smooth"].isna().all()


def test_the_residuals_about_a_coefficient_sum_to_nothing():
    """The gradient of the likelihood is 0 at the estimate: the mean of the values is the coefficient."""
    data = frame_of("ties")
    found, estimates = scaled_residuals(data, ["a", "b", "c"]), cox(data, ["a", "b", "c"], 1)
    assert found.values.mean(axis=0) == pytest.approx([estimates[t]["coefficient"] for t in "abc"], rel=1e-7)


def rows_of(data: pd.DataFrame, **options) -> pd.DataFrame:
    given = data.assign(prognosis=np.where(data["c"] == 1, "good", "poor"), value=data["a"])
    given["patient_id"] = [f"P{i:03d}" for i in range(len(data))]
    clinical = given[["patient_id", "b"]]
    settings = SETTINGS._replace(covariates=("b",), **options.pop("settings", {}))
    rows = residuals_of(given.drop(columns=["a", "b", "c"]), clinical, "ratio", "", settings, **options)
    return pd.DataFrame(rows)


def test_rows_are_those_of_the_three_models():
    data = frame_of("plain")
    rows = rows_of(data)
    assert list(rows["model"].unique()) == ["group", "continuous", "multivariable"]
    n = int(data["event"].sum())
    assert (rows.groupby(["model", "term"]).size() == n).all() and (rows["n_events"] == n).all()
    theirs = R[(R["set"] == "plain") & (R["terms"] == "a")].sort_values(["days", "value"])["value"].to_numpy()
    mine = rows[rows["model"] == "continuous"].sort_values(["time_days", "value"])["value"].to_numpy()
    assert mine == pytest.approx(theirs * data["a"].std(ddof=1), rel=1e-6), "per standard deviation"


def test_what_has_no_residuals_has_the_reason():
    refused = rows_of(frame_of("plain"), seen_of=lambda frame: "all of them are in the training set")
    assert (refused["reason"] == "refused: all of them are in the training set").all() and (
        refused["position"] == 0
    ).all()
    few = rows_of(frame_of("plain"), settings={"min_events": 1000})
    assert few["reason"].str.contains("events, fewer than 1000").all() and len(few) == 4
    assert rows_of(frame_of("zeros"))["reason"].str.contains(NO_CURVE).all()
    nobody = rows_of(frame_of("onesided"))
    group = nobody[nobody["model"] == "group"]
    assert len(group) == 1 and "no finite estimate" in group["reason"].iloc[0]
    assert (nobody[nobody["model"] == "continuous"]["position"] > 0).all()
