"""Quantiles of survival against quantile() of R's survfit (tests/data/quantiles.R), and their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared.curves import kaplan_meier, median
from analyses.shared.quantiles import quantile, quantile_rows
from tshdb.vocabulary import Endpoint

DATA = Path(__file__).parent.parent / "data"
INPUT = pd.read_csv(DATA / "quantiles_input.csv").dropna()
R = pd.read_csv(DATA / "quantiles_r.csv")


def curve_of(name: str) -> pd.DataFrame:
    mine = INPUT[INPUT["set"] == name]
    return kaplan_meier(mine["days"].to_numpy(float), mine["event"].to_numpy() == 1)


def rows_of(days, events, prognosis="good", **options) -> pd.DataFrame:
    data = pd.DataFrame({"duration_days": days, "event": events, "prognosis": prognosis, "time_origin": "diagnosis"})
    given = {"censored_at": None, "refused": None} | options
    return pd.DataFrame(quantile_rows("a test", data, Endpoint.OS, **given)).set_index(["prognosis", "percent"])


@pytest.mark.parametrize("name", list(R["set"].unique()))
def test_quantiles_are_rs(name):
    curve, theirs = curve_of(name), R[R["set"] == name].set_index("percent")
    assert list(theirs.index) == [25, 50, 75]
    for percent, row in theirs.iterrows():
        ours = [np.nan if value is None else value for value in quantile(curve, percent / 100)]
        assert ours == pytest.approx([row["days"], row["lower"], row["upper"]], rel=1e-12, nan_ok=True), percent


def test_the_cases_of_rs_are_there():
    """Ties, zeros, nobody with an event, one patient, curves that are level at exactly the quantile, midway and at the end."""
    days = INPUT.groupby("set")["days"]
    assert (days.nunique() < days.size() / 3)[["ties", "zeros"]].all() and (
        days.min()[["zeros", "dies on day 0"]] == 0
    ).all()
    assert (INPUT[INPUT["set"] == "all censored"]["event"] == 0).all() and (
        days.size()[["one dies", "one is censored"]] == 1
    ).all()
    level = {"level at a half": (50, 55), "ends level at a half": (50, 30), "level at each quarter": (25, 15)}
    for name, (percent, day) in level.items():
        assert R.set_index(["set", "percent"]).loc[(name, percent), "days"] == day, "by hand: the middle of the stretch"


def test_a_median_is_that_of_logrank_tests_but_where_the_curve_ends_level():
    for name in INPUT["set"].unique():
        curve = curve_of(name)
        ends_level = abs(curve["survival"].iloc[-1] - 0.5) < 1e-9
        assert (quantile(curve, 0.5).days == median(curve).days) != ends_level, name


def test_rows_say_what_is_not_reached_and_why():
    """By hand: of four one dies on day 10, and the last is seen on day 70, so that the curve ends level at three quarters."""
    rows = rows_of([10.0, 20, 30, 70], [True, False, False, False])
    first, half = rows.loc[("good", 25)], rows.loc[("good", 50)]
    assert first["is_reached"] and first["days"] == 40 and "ends level there, on day 70" in first["reason"]
    assert not half["is_reached"] and np.isnan(half["days"])
    assert half["reason"] == "not reached: survival is 0.75 on day 70, the last that anybody was observed on"
    assert (rows.loc["good", "n"] == 4).all() and (rows.loc["good", "n_events"] == 1).all()
    assert (rows.loc["poor", "reason"] == "no patient is of this group").all() and (rows.loc["poor", "n"] == 0).all()


def test_limits_that_are_not_there_are_named():
    rows = rows_of(10.0 * np.arange(1, 11), np.ones(10, bool))
    assert rows.loc[("good", 50), "reason"] is None and rows.loc[("good", 50), "ci_upper"] == 80
    last = rows.loc[("good", 75)]
    assert last["is_reached"] and np.isnan(last["ci_upper"]) == ("no upper limit" in (last["reason"] or ""))
    assert np.isnan(rows_of([400.0], [True]).loc[("good", 50), "ci_lower"])


def test_patients_of_the_models_are_refused():
    rows = rows_of([10.0, 20], [True, True], refused="refused: 2 of 2 patients are in the training sets")
    assert (rows["reason"] == "refused: 2 of 2 patients are in the training sets").all() and "days" not in rows
