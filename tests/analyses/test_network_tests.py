"""p values of network parameters, adjusted for their number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.networks.network_parameters import NetworkParameterParameters, network_parameters
from analyses.networks.topology import PARAMETERS, adjacency, topology
from analyses.shared.multiple_testing import benjamini_hochberg
from tshdb.tables.layouts import networks
from tshdb.text.labels import in_words

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


def test_p_values_count_the_permutations_that_reach_the_difference():
    """Written out, one parameter after the other: (1 + those that reach it) / (1 + all), so that none is 0."""
    random = np.random.default_rng(9)
    ids, is_good = [f"P{i:02d}" for i in range(13)], np.arange(13) < 6
    values = random.normal(size=(13, len(POPULATIONS))) + random.normal(size=(13, 1)) * np.where(is_good, 3, 0)[:, None]
    rows = [
        (name, population, values[i, j], -(values[i, j] ** 3))
        for i, name in enumerate(ids)
        for j, population in enumerate(POPULATIONS)
    ]
    ratios = pd.DataFrame(rows, columns=["patient_id", "population", "tumor_abundance", "stroma_abundance"])
    groups = pd.DataFrame({"patient_id": ids, "prognosis": np.where(is_good, "good", "poor")})
    params = NetworkParameterParameters(n_permutations=39, threshold=0.4)
    found = network_parameters(ratios.assign(unit="tpm"), groups, params, seed=7)
    tumor = found[found["compartment"] == "tumor"].set_index(["prognosis", "parameter"])
    assert (tumor.loc["good", "n"] == 6).all() and (tumor.loc["poor", "n"] == 7).all()
    generator = np.random.default_rng(7)
    splits = [is_good, *(generator.permutation(is_good) for _ in range(39))]
    of_each = [[topology(adjacency(values[mine], 0.4)) for mine in (split, ~split)] for split in splits]
    n_tested = 0
    for parameter in PARAMETERS:
        good, poor = (of_each[0][side][parameter] for side in (0, 1))
        assert tumor.loc[("good", parameter), "value"] == pytest.approx(good)
        assert tumor.loc[("poor", parameter), "value"] == pytest.approx(poor)
        reached = sum(
            None not in (a[parameter], b[parameter]) and abs(a[parameter] - b[parameter]) >= abs(good - poor) - 1e-12
            for a, b in of_each[1:]
        )
        assert tumor.loc[("good", parameter), "p_value"] == pytest.approx((1 + reached) / 40), parameter
        n_tested += reached < 39
    assert n_tested > 5 and (tumor["n_permutations"] == 39).all()


def test_groups_of_too_few_have_no_network():
    """Five are enough, four are not."""
    for n_good, is_there in ((5, True), (4, False)):
        random = np.random.default_rng(2)
        ids = [f"P{i:02d}" for i in range(12)]
        rows = [(name, p, *random.normal(size=2)) for name in ids for p in POPULATIONS]
        ratios = pd.DataFrame(rows, columns=["patient_id", "population", "tumor_abundance", "stroma_abundance"])
        groups = pd.DataFrame({"patient_id": ids, "prognosis": ["good"] * n_good + ["poor"] * (12 - n_good)})
        params = NetworkParameterParameters(n_permutations=0)
        found = network_parameters(ratios.assign(unit="tpm"), groups, params, seed=1)
        assert bool(len(found)) is is_there
        assert not is_there or found["p_value"].isna().all()


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
        adjusted = shown[row["compartment"], in_words(row["parameter"])]
        assert (adjusted is None) == (row["p_adjusted"] is None)
        if row["p_adjusted"] is not None:
            assert float(adjusted) == pytest.approx(row["p_adjusted"], abs=6e-5)
