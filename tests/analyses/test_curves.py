"""Kaplan-Meier curves, medians, restricted means and the log-rank test against R's survival (tests/data/curves.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared.curves import kaplan_meier, median, restricted_mean
from analyses.shared.group_survival import NO_VARIANCE
from analyses.shared.group_survival import test as compared
from analyses.shared.survival import logrank
from tshdb.vocabulary import Endpoint

DATA = Path(__file__).parent.parent / "data"
SETS = ("plain", "ties", "zeros", "missing", "few", "small", "hand", "alive", "onesided", "empty")
GROUPS = [(name, group) for name in SETS for group in (0, 1) if (name, group) != ("empty", 1)]


@pytest.fixture(scope="module")
def sets() -> dict[str, pd.DataFrame]:
    """set -> days, event, c: the groups."""
    both = pd.concat([pd.read_csv(DATA / name) for name in ("cox_input.csv", "curves_hand.csv")])[
        ["set", "days", "event", "c"]
    ]
    return {name: rows.dropna() for name, rows in both.groupby("set")}


@pytest.fixture(scope="module")
def r() -> pd.DataFrame:
    return pd.read_csv(DATA / "curves_r.csv").set_index(["set", "group", "what"]).sort_index()


def curve_of(sets, name: str, group: int) -> pd.DataFrame:
    mine = sets[name][sets[name]["c"] == group]
    return kaplan_meier(mine["days"].to_numpy(float), mine["event"].to_numpy() == 1)


@pytest.mark.parametrize(("name", "group"), GROUPS)
def test_curves_medians_and_means_are_rs(sets, r, name, group):
    curve = curve_of(sets, name, group)
    for what, column in (("survival", "survival"), ("lower", "ci_lower"), ("upper", "ci_upper")):
        theirs = r.loc[(name, str(group), what)]
        ours = curve.set_index("time_days").loc[theirs["at"], column]
        assert ours.to_numpy() == pytest.approx(theirs["value"].to_numpy(), abs=1e-12, nan_ok=True), what
    found = median(curve)
    for what, ours in zip(("median", "median_lower", "median_upper"), found, strict=True):
        assert (np.nan if ours is None else ours) == pytest.approx(
            r.loc[(name, str(group), what)]["value"].item(), nan_ok=True
        )
    at, theirs = r.loc[(name, str(group), "mean")].iloc[0]
    mean = restricted_mean(curve, at)
    assert mean.days == pytest.approx(theirs, rel=1e-12)
    assert np.sqrt(mean.variance) == pytest.approx(
        r.loc[(name, str(group), "mean_error")]["value"].item(), rel=1e-10, abs=1e-12
    )


@pytest.mark.parametrize("name", [name for name in SETS if name not in ("alive", "empty")])
def test_a_row_of_logrank_tests_is_rs(sets, r, name):
    rows = sets[name].rename(columns={"days": "duration_days"})
    data = rows.assign(
        prognosis=np.where(rows["c"] == 1, "good", "poor"), event=rows["event"] == 1, time_origin="diagnosis"
    )
    row = compared("a test", data, Endpoint.OS, None, 1, None, False)
    assert row["chi2"] == pytest.approx(r.loc[(name, "both", "logrank")]["value"].item(), rel=1e-9)
    for group, c in (("good", "1"), ("poor", "0")):
        middle = r.loc[(name, c, "median")]["value"].item()
        assert (row[f"median_{group}_days"] is None) == np.isnan(middle)
    means = [r.loc[(name, c, "mean")]["value"].item() for c in ("1", "0")]
    errors = [r.loc[(name, c, "mean_error")]["value"].item() for c in ("1", "0")]
    assert row["mean_until_days"] == r.loc[(name, "1", "mean")]["at"].item()
    assert row["mean_difference_days"] == pytest.approx(means[0] - means[1], rel=1e-10)
    half = (row["mean_difference_upper"] - row["mean_difference_lower"]) / 2
    assert half == pytest.approx(1.959963984540054 * np.hypot(*errors), rel=1e-10)


def test_the_median_of_a_level_stretch_is_its_middle():
    """By hand: ten deaths at days 10 to 100; the curve is one half from 50 to 60. Where it falls no further, its first day."""
    curve = kaplan_meier(np.arange(10.0, 101, 10), np.ones(10, bool))
    assert median(curve) == (55.0, 10.0, 80.0)
    assert median(kaplan_meier(np.array([10.0, 20]), np.array([True, False]))).days == 10.0


def test_without_a_variance_there_is_a_reason_and_no_test():
    """All die on one day: whoever is compared, as many die as are there."""
    days, events, is_first = np.full(6, 400.0), np.ones(6, bool), np.arange(6) < 3
    assert np.isnan(logrank(days, events, is_first).chi2)
    data = pd.DataFrame({"duration_days": days, "event": events, "prognosis": np.where(is_first, "good", "poor")})
    row = compared("a test", data.assign(time_origin="diagnosis"), Endpoint.OS, None, 1, None, False)
    assert row["reason"] == NO_VARIANCE and "p_value" not in row and "chi2" not in row
    assert row["median_good_days"] == 400 and row["mean_difference_days"] == 0
