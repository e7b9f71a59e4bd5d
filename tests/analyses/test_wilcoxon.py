"""The signed-rank test against R's wilcox.test (tests/data/wilcoxon.R): exact or normal as R decides."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analyses.expression.compartment_tests import _compare

DATA = Path(__file__).parent.parent / "data"
PAIRS = pd.read_csv(DATA / "wilcoxon_input.csv").dropna()


@pytest.mark.parametrize("theirs", list(pd.read_csv(DATA / "wilcoxon_r.csv").itertuples()), ids=lambda row: row.set)
def test_signed_rank_is_rs(theirs):
    mine = PAIRS[PAIRS["set"] == theirs.set]
    found = _compare(mine["tumor"].to_numpy(float), mine["stroma"].to_numpy(float), 5)
    assert found["statistic"] == theirs.v and found["is_exact"] == theirs.is_exact
    assert found["p_value"] == pytest.approx(theirs.p, rel=1e-10)
