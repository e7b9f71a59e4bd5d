"""Rows of compartment_tests: whose values they are of, by hand and by SciPy. The test itself: test_wilcoxon.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analyses.expression.compartment_tests import CompartmentTestParameters, _compare, compartment_tests

TUMOR = [5.0, 6.0, 7.5, 4.0, 9.0, 6.5, 8.0, 3.0, 7.0]
STROMA = [4.5, 6.5, 5.0, 4.25, 7.0, 6.0, 4.0, 3.5, np.nan]
IDS = [f"P{i}" for i in range(9)]


def ratios() -> pd.DataFrame:
    """Two populations and a second unit; P8 has no stroma. Neutrophils are the T cells of the tumour less 1, in both."""
    one = pd.DataFrame({"patient_id": IDS, "tumor_abundance": TUMOR, "stroma_abundance": STROMA, "transform": "none"})
    cells = one.assign(population="T cells", unit="tpm")
    others = cells.assign(population="Neutrophils", stroma_abundance=one["tumor_abundance"] - 1)
    return pd.concat([cells, others, cells.assign(unit="rsem", tumor_abundance=1.0)])


def groups() -> pd.DataFrame:
    return pd.DataFrame({"patient_id": IDS, "prognosis": ["good"] * 4 + ["poor"] * 3 + [None, "poor"]})


def test_rows_are_of_their_patients_population_and_unit():
    found = compartment_tests(ratios(), groups(), CompartmentTestParameters(unit="tpm", min_patients=4))
    assert found["unit"].unique().tolist() == ["tpm"] and found["transform"].unique().tolist() == ["none"]
    rows = found.set_index(["grouping", "population"])
    assert rows["n"].unstack()["T cells"].to_dict() == {"all": 8, "good": 4, "poor": 3}
    assert rows["n"].unstack()["Neutrophils"].to_dict() == {"all": 9, "good": 4, "poor": 4}
    tumor, stroma = np.array(TUMOR[:8]), np.array(STROMA[:8])
    row = rows.loc["all", "T cells"]
    assert (row["tumor_mean"], row["stroma_mean"]) == (6.125, 5.09375), "by hand"
    assert row["tumor_sd"] == pytest.approx((29.375 / 7) ** 0.5), "by hand: squares about the mean"
    assert row["stroma_sd"] == pytest.approx(stats.tstd(stroma))
    # by hand: differences .5 -.5 2.5 -.25 2 .5 4 -.5; ranks of those above 0: 3.5, 7, 6, 3.5, 8
    assert row["statistic"] == 28 and not row["is_exact"]
    assert row["correlation"] == pytest.approx(stats.pearsonr(tumor, stroma).statistic)
    poor = rows.loc["poor", "T cells"]
    assert poor["reason"] == "3 patients, fewer than 4" and np.isnan(poor["p_value"]) and poor["tumor_mean"] == 23.5 / 3
    assert rows.loc["good", "T cells"]["reason"] is None and rows.loc["good", "T cells"]["tumor_mean"] == 22.5 / 4


def test_p_values_are_adjusted_within_a_grouping():
    found = compartment_tests(ratios(), groups(), CompartmentTestParameters(unit="tpm", min_patients=4))
    for _, mine in found.groupby("grouping"):
        known = mine[mine["p_value"].notna()]
        assert known["p_adjusted"].to_numpy(float) == pytest.approx(
            stats.false_discovery_control(known["p_value"].astype(float))
        )
        assert known["correlation_p_adjusted"].to_numpy(float) == pytest.approx(
            stats.false_discovery_control(known["correlation_p_value"].astype(float))
        )
    of_all = found[found["grouping"] == "all"]
    assert (of_all["p_adjusted"] > of_all["p_value"]).any()


def test_one_value_has_a_correlation_with_nothing_and_one_patient_no_spread():
    level = ratios().assign(stroma_abundance=5.25)
    found = compartment_tests(level, groups(), CompartmentTestParameters(unit="tpm", min_patients=4))
    row = found.set_index(["grouping", "population"]).loc["all", "T cells"]
    assert row["correlation"] is None and row["p_value"] == pytest.approx(0.1917, abs=1e-4) and row["stroma_sd"] == 0
    alone = compartment_tests(level[level["patient_id"] == "P0"], groups(), CompartmentTestParameters(unit="tpm"))
    assert alone["tumor_sd"].isna().all()
    n = {"all": "1", "good": "1", "poor": "0"}  # of the poor there is nobody
    assert (alone["reason"] == alone["grouping"].map(n) + " patients, fewer than 5").all()
    pair = _compare(np.array([5.0, 6.0]), np.array([5.25, 5.25]), 5)
    assert pair["tumor_sd"] == pytest.approx(np.sqrt(0.5)) and pair["reason"] == "2 patients, fewer than 5"
