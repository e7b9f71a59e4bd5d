"""Networks of correlations and their topology against R's cor and igraph (tests/data/networks.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.networks.topology import PARAMETERS, adjacency, topology

DATA = Path(__file__).parent.parent / "data"
SETS = dict(list(pd.read_csv(DATA / "networks_input.csv").groupby("set")))
R = pd.read_csv(DATA / "networks_r.csv").set_index(["set", "what"])["value"]


@pytest.mark.parametrize("name", SETS)
def test_the_topology_of_the_largest_part_is_igraphs(name):
    rows = SETS[name].dropna()
    linked = adjacency(rows.filter(like="X").to_numpy(float), rows["threshold"].iloc[0])
    assert (linked == linked.T).all() and not np.diag(linked).any()
    found = topology(linked)
    if name == "empty":  # NaN to igraph; what is of degrees alone is 0, as NetworkAnalyzer has it
        assert found["characteristic_path_length"] is found["diameter"] is found["radius"] is None
        assert np.isnan(R[name, "characteristic_path_length"])
        assert set(R[name].index[:3]) == {p for p in PARAMETERS[:3] if found[p] == R[name, p] == 0}
        return
    assert set(R[name].index) == set(PARAMETERS)
    assert [found[p] for p in PARAMETERS] == pytest.approx([R[name, p] for p in PARAMETERS], abs=1e-12)


def test_the_cases_of_igraph_are_there():
    """Parts of one size, a column that does not vary, a network of two."""
    assert R["ties", "n_components"] == 2 and R["ties", "n_nodes"] == 8
    assert (SETS["does not vary"]["X2"].nunique(), R["does not vary", "n_nodes"]) == (1, 6)
    assert R["a pair", "n_nodes"] == 2 and R["two parts", "n_components"] == 2 and R["all linked", "density"] == 1
