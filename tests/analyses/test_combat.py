"""ComBat set by set against Bioconductor's sva (tests/data/combat_cases.R), and what it refuses. More: test_signature.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.signature.estimators import Combat

DATA = Path(__file__).parent.parent / "data"
SETS = dict(list(pd.read_csv(DATA / "combat_cases_input.csv").groupby("set")))
R = dict(list(pd.read_csv(DATA / "combat_cases_r.csv").groupby("set")))


def values_of(name: str) -> tuple[np.ndarray, list[str]]:
    rows = SETS[name].dropna()
    return rows.filter(like="X").to_numpy(float), rows["batch"].tolist()


@pytest.mark.parametrize("name", SETS)
def test_harmonised_values_are_svas(name):
    values, batches = values_of(name)
    found = Combat(tolerance=1e-10).fit(values, batch=batches).transform(values, batches)
    theirs = R[name].filter(like="X").to_numpy(float)
    assert found == pytest.approx(theirs, rel=1e-7, abs=1e-7)
    assert np.abs(found - values).max() > 0.1
    if name == "separation":
        assert (found[:, 2] == values[:, 2]).all(), "one value in each batch: as it is"


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_what_cannot_be_harmonised_is_refused(name):
    """sva leaves missing values out one by one, and brings a batch of one to the mean alone; nothing is said of either there."""
    values, batches = values_of("plain")
    if name == "missing":
        values[3, 1] = np.nan
        with pytest.raises(ValueError, match="contains NaN"):
            Combat().fit(values, batch=batches)
    else:
        with pytest.raises(ValueError, match="batch d has 1 patients: ComBat needs at least 3"):
            Combat().fit(values, batch=[*batches[:-1], "d"])
        with pytest.raises(ValueError, match="no estimate for batch d"):
            Combat().fit(values, batch=batches).transform(values, ["d"] * len(values))
