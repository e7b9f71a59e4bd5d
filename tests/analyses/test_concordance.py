"""Harrell's C, its variance and the difference of two against R's survival (tests/data/concordance.R)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared.concordance import concordance, difference, pairs
from analyses.shared.curves import NORMAL_95

DATA = Path(__file__).parent.parent / "data"
SETS = {name: rows.dropna() for name, rows in pd.read_csv(DATA / "concordance_input.csv").groupby("set")}
THEIRS = list(pd.read_csv(DATA / "concordance_r.csv").itertuples())


def c_of(rows: pd.DataFrame, score: str):
    return concordance(*pairs(rows[score].to_numpy(float), rows["days"].to_numpy(float), rows["event"].to_numpy(bool)))


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda row: row.set)
def test_c_its_variance_and_the_difference_of_two_are_rs(theirs):
    one, other = (c_of(SETS[theirs.set], score) for score in "ab")
    assert (one.index, other.index) == pytest.approx((theirs.a, theirs.b), abs=1e-12)
    variances = [(c.influence**2).sum() for c in (one, other)]
    assert variances == pytest.approx([theirs.var_a, theirs.var_b], rel=1e-9, abs=1e-15)
    found = difference(one, other)
    assert found.value == pytest.approx(theirs.a - theirs.b, abs=1e-12)
    if theirs.var_difference < 1e-20:
        assert found.lower is found.upper is None
    else:
        half = NORMAL_95 * math.sqrt(theirs.var_difference)
        assert (found.lower, found.upper) == pytest.approx((found.value - half, found.value + half), abs=1e-10)


def test_without_a_pair_there_is_no_c():
    nobody = np.zeros(3, bool)
    assert concordance(*pairs(np.arange(3.0), np.arange(3.0), nobody)) is None


def test_a_pair_at_the_time_of_a_censoring_counts_and_two_events_at_once_do_not():
    days = np.array([5.0, 5.0])
    assert concordance(*pairs(np.array([1.0, 0.0]), days, np.array([True, False]))).index == 1.0
    assert concordance(*pairs(np.array([1.0, 0.0]), days, np.array([True, True]))) is None
