"""AUCs, their intervals and calibration against R: pROC's ci.auc by DeLong, glm of the class on log odds (tests/data/auc.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared import delong
from analyses.shared.calibration import calibration_line
from analyses.shared.performance import measures

DATA = Path(__file__).parent.parent / "data"
SETS = {
    name: (rows["is_good"].to_numpy(bool), rows["score"].to_numpy(float))
    for name, rows in pd.read_csv(DATA / "auc_input.csv").dropna().groupby("set")
}
THEIRS = list(pd.read_csv(DATA / "auc_r.csv").itertuples())
WHY_NO_SLOPE = {
    "ties": "1 of 80 scores are 0 or 1",
    "coarse": "30 of 30 scores are 0 or 1",
    "separated": "the scores separate good from poor",
    "touching": "the scores separate good from poor",
    "two of a class": "the scores separate good from poor",
    "zeros": "4 of 30 scores are 0 or 1",
    "constant": "every patient has the same score",
}
WHY_NO_INTERVAL = {
    "separated": "the scores separate good from poor",
    "two of a class": "the scores separate good from poor",
    "constant": "every patient has the same score",
}


def rows_of(is_good, scores, n_bootstrap=0) -> dict[str, dict]:
    return {row["measure"]: row for row in measures(is_good, scores, 0.5, n_bootstrap, 1)}


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda row: row.set)
def test_delongs_interval_is_procs(theirs):
    """Where the variance is 0, pROC gives an interval without width, and a warning; here there is none."""
    auc = rows_of(*SETS[theirs.set])["auc"]
    assert auc["value"] == pytest.approx(theirs.auc, abs=1e-12)
    if theirs.set in WHY_NO_INTERVAL:
        assert theirs.lower == theirs.upper and auc["delong_lower"] is auc["delong_upper"] is None
        assert auc["reason"].startswith(WHY_NO_INTERVAL[theirs.set])
    else:
        assert (auc["delong_lower"], auc["delong_upper"]) == pytest.approx((theirs.lower, theirs.upper), abs=1e-12)
        assert auc["reason"] is None


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda row: row.set)
def test_calibration_is_glms(theirs):
    """Where the likelihood has no maximum glm stops somewhere (slopes of 75 and 151); there is none, with the reason."""
    rows = rows_of(*SETS[theirs.set])
    slope, intercept = rows["calibration_slope"], rows["calibration_intercept"]
    if theirs.set in WHY_NO_SLOPE:
        assert slope["value"] is intercept["value"] is None
        assert slope["reason"].startswith(WHY_NO_SLOPE[theirs.set]) and intercept["reason"] == slope["reason"]
    else:
        assert (slope["value"], intercept["value"]) == pytest.approx((theirs.slope, theirs.intercept), rel=1e-8)
        assert slope["reason"] is None


def test_separation_is_of_the_data_not_of_a_penalty():
    """The same scores pushed nearer to 0 and 1 separate as before; the wrong way round, too."""
    is_good, scores = SETS["separated"]
    for given in (scores, scores**4, 1 - scores, np.where(scores > 0.45, 1.0, 0.0)):
        assert calibration_line(is_good, given) == (
            None,
            None,
            "the scores separate good from poor: the slope has no end",
        )
    one_beside = np.array([True, False, True, True, True])
    line = calibration_line(one_beside, scores)
    assert line.reason is None and np.isfinite([line.slope, line.intercept]).all()


def test_one_patient_of_a_class_has_no_variance():
    found = delong.interval(np.array([True, False, False]), np.array([0.6, 0.2, 0.7]))
    assert found == (None, None, "1 good and 2 poor: DeLong's variance needs two of each")


def test_an_auc_has_both_intervals_and_nothing_else_has_delongs():
    rows = rows_of(*SETS["plain"], n_bootstrap=200)
    auc = rows.pop("auc")
    assert abs(auc["ci_lower"] - auc["delong_lower"]) < 0.05 and abs(auc["ci_upper"] - auc["delong_upper"]) < 0.05
    assert auc["ci_lower"] != auc["delong_lower"]
    assert all(row["delong_lower"] is None for row in rows.values())
    assert rows["calibration_slope"]["ci_lower"] is None and rows["brier"]["ci_lower"] < rows["brier"]["value"]
