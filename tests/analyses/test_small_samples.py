"""Tests of two columns, adjusted p values and the intraclass correlation against R (tests/data/small_samples.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.expression.compartment_tests import _compare
from analyses.imaging.feature_stability import FeatureStabilityParameters, feature_stability, icc
from analyses.shared.multiple_testing import benjamini_hochberg
from analyses.signature.classes import Classes
from analyses.signature.feature_tests import _test

DATA = Path(__file__).parent.parent / "data"
SETS = dict(list(pd.read_csv(DATA / "small_samples_input.csv").groupby("set")))
R = pd.read_csv(DATA / "small_samples_r.csv").set_index(["set", "what"])["value"]
ADJUSTED = ["plain", "ties", "zeros", "missing", "small", "equal"]


def columns(name: str) -> np.ndarray:
    """(patients, 2) of those who have both values."""
    return SETS[name][["x", "y"]].dropna().to_numpy(float)


@pytest.mark.parametrize("name", SETS)
def test_pearsons_correlation_is_that_of_cor_test(name):
    found = _compare(*columns(name).T, 3)
    if name == "equal":
        assert found["reason"] == "no difference" and found["correlation"] is None
        return
    assert found["correlation"] == pytest.approx(R[name, "correlation"], rel=1e-10)
    if name not in ("separation", "reversed"):  # of a correlation of 1 or -1 the p value is that of the rounding
        assert found["correlation_p_value"] == pytest.approx(R[name, "correlation_p"], rel=1e-8)
    else:
        assert found["correlation_p_value"] < 1e-90


@pytest.mark.parametrize("name", SETS)
def test_the_rank_sum_test_is_that_of_wilcox_test(name):
    """Two samples, each without its own missing values: normal, with the correction for continuity and for ties."""
    rows = SETS[name]
    values, is_good = rows[["x", "y"]].to_numpy(float).T.ravel(), np.repeat([True, False], len(rows))
    found = _test("a feature", values, is_good, Classes())
    assert found["statistic"] == R[name, "rank_sum"] and "reason" not in found
    assert found["p_value"] == pytest.approx(R[name, "rank_sum_p"], rel=1e-9)
    assert [found["n_good"], found["n_poor"]] == rows[["x", "y"]].notna().sum().tolist()
    assert [found["median_good"], found["median_poor"]] == rows[["x", "y"]].median().tolist()


@pytest.mark.parametrize("name", SETS)
def test_the_intraclass_correlation_is_that_of_psych(name):
    """ICC2 of psych's ICC by mean squares: single random raters, absolute agreement."""
    assert icc(columns(name)) == pytest.approx(R[name, "icc"], rel=1e-9)


@pytest.mark.parametrize("name", ADJUSTED)
def test_adjusted_p_values_are_those_of_p_adjust(name):
    given, theirs = (R[name][R[name].index.str.startswith(word)].to_numpy(float) for word in ("given_", "adjusted_"))
    assert len(given) > 0
    assert benjamini_hochberg(given) == pytest.approx(theirs, abs=1e-14, nan_ok=True)


def test_a_row_of_feature_stability():
    """Of psych's "missing": who lacks one of both does not count. Five are enough, four are not; 0.413 is no 0.5."""
    rows = SETS["missing"].reset_index(drop=True)
    keys = {"study_uid": [f"S{i:02d}" for i in range(len(rows))], "feature": "f"}
    features = pd.DataFrame(keys | {"value": rows["x"]})
    retests = pd.DataFrame(keys | {"value": rows["y"], "perturbation": "noise"})
    wanted = float(R["missing", "icc"])
    for least, is_stable in ((wanted - 0.01, True), (wanted + 0.01, False)):
        (row,) = feature_stability(features, retests, FeatureStabilityParameters(least_icc=least)).to_dict("records")
        assert row["icc"] == pytest.approx(wanted, rel=1e-9) and row["n"] == len(columns("missing"))
        assert row["is_stable"] is is_stable and row["reason"] is None
    complete = features.dropna().merge(retests.dropna()[["study_uid"]])["study_uid"]
    for n, has_one in ((5, True), (4, False)):
        few = retests[retests["study_uid"].isin(set(complete[:n]))]
        (row,) = feature_stability(features, few, FeatureStabilityParameters()).to_dict("records")
        assert row["n"] == n and (row["icc"] is not None) is has_one and (row["reason"] is None) is has_one
    assert icc(np.full((6, 2), 3.0)) is None, "0 by 0: psych has NaN"
