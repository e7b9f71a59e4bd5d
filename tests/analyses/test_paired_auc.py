"""The difference of two AUCs on the same patients against pROC's DeLong (tests/data/paired_auc.R), and means of draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared import delong
from analyses.shared.curves import NORMAL_95
from analyses.shared.paired_auc import difference, placements, with_interval

DATA = Path(__file__).parent.parent / "data"
SETS = dict(list(pd.read_csv(DATA / "paired_auc_input.csv").dropna().groupby("set")))
THEIRS = list(pd.read_csv(DATA / "paired_auc_r.csv").itertuples())


def of(rows: pd.DataFrame, *scores: str):
    return placements(rows["is_good"].to_numpy(bool), [rows[score].to_numpy(float) for score in scores])


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda row: row.set)
def test_the_difference_and_its_error_are_procs(theirs):
    """z and p are of roc.test, the error from pROC's var and cov."""
    one, other = of(SETS[theirs.set], "a"), of(SETS[theirs.set], "b")
    assert (one.auc, other.auc) == pytest.approx((theirs.a, theirs.b), abs=1e-12)
    value, lower, upper, reason = difference(one, other)
    assert value == pytest.approx(theirs.a - theirs.b, abs=1e-12)
    if theirs.set == "the same":
        assert lower is upper is None and reason == "all patients are placed alike: DeLong's variance is 0"
        return
    assert (lower, upper) == pytest.approx(
        (value - NORMAL_95 * theirs.error, value + NORMAL_95 * theirs.error), abs=1e-9
    )
    assert reason is None and value / ((upper - lower) / (2 * NORMAL_95)) == pytest.approx(theirs.z, rel=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_an_aucs_own_interval_is_that_of_performance(name):
    """Which is pROC's: tests/analyses/test_auc.py."""
    for score in "ab":
        rows = SETS[name]
        value, lower, upper, reason = with_interval(of(rows, score))
        theirs = delong.interval(rows["is_good"].to_numpy(bool), rows[score].to_numpy(float))
        if theirs.lower is None:
            assert lower is upper is None and reason
        else:
            assert (lower, upper) == pytest.approx((theirs.lower, theirs.upper), abs=1e-12) and lower < value < upper


def test_the_mean_of_draws_by_hand():
    """Good 1, 2; poor 3, 4. Draw a: 4 3 | 1 2, all pairs right. Draw b: 1 4 | 2 3, two of four. Mean (1 + 1/2) / 2.

    Placements of the good: a 1, 1; b 0, 1; their means 1/2, 1. Of the poor: a 1, 1; b 1/2, 1/2; 3/4 each. Variance: that of
    the good is 1/8, over 2; of the poor 0. Error 1/4.
    """
    is_good = np.array([True, True, False, False])
    mean = placements(is_good, [np.array([4.0, 3.0, 1.0, 2.0]), np.array([1.0, 4.0, 2.0, 3.0])])
    assert (mean.auc, mean.good.tolist(), mean.poor.tolist()) == (0.75, [0.5, 1.0], [0.75, 0.75])
    assert with_interval(mean).lower == pytest.approx(0.75 - NORMAL_95 / 4) and with_interval(mean).upper == 1.0
    turned = placements(is_good, [-np.array([4.0, 3.0, 1.0, 2.0]), -np.array([1.0, 4.0, 2.0, 3.0])])
    assert with_interval(turned)[:3] == pytest.approx((0.25, 0.0, 0.25 + NORMAL_95 / 4))
    perfect = placements(is_good, [np.array([4.0, 3.0, 1.0, 2.0])])
    assert difference(perfect, mean)[:3] == pytest.approx((0.25, 0.25 - NORMAL_95 / 4, 0.25 + NORMAL_95 / 4))


def test_who_is_alone_has_no_variance_and_an_empty_class_no_auc():
    alone = placements(np.array([True, False, False]), [np.array([0.6, 0.2, 0.7])])
    assert with_interval(alone) == (0.5, None, None, "1 good and 2 poor: DeLong's variance needs two of each")
    with pytest.raises(ValueError, match="0 good and 2 poor: an AUC needs both"):
        placements(np.array([False, False]), [np.array([0.6, 0.2])])
