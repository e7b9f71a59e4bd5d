"""p values of network parameters, adjusted for their number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.networks.network_parameters import NetworkParameterParameters, network_parameters
from analyses.networks.topology import PARAMETERS
from analyses.shared.multiple_testing import benjamini_hochberg
from tshdb.tables.layouts import networks

POPULATIONS = ("T cells", "CD8 T cells", "B lineage", "NK cells", "Neutrophils", "Fibroblasts")


def test_adjusted_p_values_are_rs():
    """R 4.2.2: p.adjust(c(.01, .04, .03, NA, .04, .5, 1, .01, .005, 0), "BH"): ties, a zero, a missing one."""
    raw = np.array([0.01, 0.04, 0.03, np.nan, 0.04, 0.5, 1, 0.01, 0.005, 0])
    tied = 0.0514285714285714
    theirs = [0.0225, tied, tied, np.nan, tied, 0.5625, 1, 0.0225, 0.0225, 0]
    assert benjamini_hochberg(raw) == pytest.approx(theirs, abs=1e-14, nan_ok=True)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """Twelve patients of each group. In the tumour of the poor nothing goes together: there no path has a length."""
    random = np.random.default_rng(6)
    rows = []
    for i in range(24):
        shared = random.normal(size=2)
        for j, population in enumerate(POPULATIONS):
            tumor, stroma = random.normal(size=2) + np.array([9.0 * shared[0] * (i < 12), 1.5 * shared[1] * (j < 4)])
            rows.append((f"P{i:02d}", population, tumor, stroma))
    ratios = pd.DataFrame(rows, columns=["patient_id", "population", "tumor_abundance", "stroma_abundance"]).assign(
        unit="tpm"
    )
    groups = pd.DataFrame({"patient_id": [f"P{i:02d}" for i in range(24)], "prognosis": ["good"] * 12 + ["poor"] * 12})
    params = NetworkParameterParameters(n_permutations=60, threshold=0.8)
    return network_parameters(ratios, groups, params, seed=3)


def test_all_parameters_are_one_family(found):
    """Of both compartments, each difference once, by SciPy; what has no p value has no adjusted one and does not count."""
    from scipy.stats import false_discovery_control

    of_good = found[found["prognosis"] == "good"]
    tested = of_good[of_good["p_value"].notna()]
    assert set(tested["compartment"]) == {"tumor", "stroma"} and 10 < len(tested) < 2 * len(PARAMETERS) == len(of_good)
    assert tested["p_adjusted"].to_numpy(float) == pytest.approx(
        false_discovery_control(tested["p_value"].astype(float))
    )
    assert of_good[of_good["p_value"].isna()]["p_adjusted"].isna().all()
    assert (tested["p_adjusted"] > tested["p_value"]).any() and tested["p_value"].duplicated().any()


def test_both_groups_bear_the_same_p_values(found):
    good, poor = (found[found["prognosis"] == g].set_index(["compartment", "parameter"]) for g in ("good", "poor"))
    for column in ("p_value", "p_adjusted"):
        pd.testing.assert_series_equal(good[column], poor[column])


def test_the_table_shows_them(found):
    plain = found.astype(object).where(found.notna(), None).assign(cohort="c@1")
    (layout,) = networks(plain.to_dict("records"))
    assert layout.headers[-2:] == ("p", "BH") and layout.right == (3, 4, 5, 6)
    shown = {(row[0], row[1]): row[-1] for row in layout.cells}
    for row in plain.to_dict("records"):
        assert (shown[row["compartment"], row["parameter"]] is None) == (row["p_adjusted"] is None)
        if row["p_adjusted"] is not None:
            assert float(shown[row["compartment"], row["parameter"]]) == pytest.approx(row["p_adjusted"], abs=6e-5)
