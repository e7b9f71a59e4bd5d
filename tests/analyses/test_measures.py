"""Measures of a score and its ROC curve by hand; bootstrap intervals by scikit-learn's measures of the same draws."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, roc_auc_score

from analyses.shared.performance import curve, measures

IS_GOOD = np.array([True, True, True, True, False, False, False, False, False])
SCORES = np.array([0.9, 0.5, 0.4, 0.7, 0.5, 0.1, 0.2, 0.3, 0.4])


def test_measures_by_hand():
    """At .5 is good. Of four good .4 is missed, of five poor .5 is called good. Pairs: 5 + 4.5 + 3.5 + 5 of 20."""
    rows = {row["measure"]: row["value"] for row in measures(IS_GOOD, SCORES, 0.5, 0, 1)}
    assert (rows["sensitivity"], rows["specificity"], rows["balanced_accuracy"]) == (0.75, 0.8, 0.775)
    assert rows["auc"] == 18 / 20
    assert rows["brier"] == pytest.approx((0.01 + 0.25 + 0.36 + 0.09 + 0.25 + 0.01 + 0.04 + 0.09 + 0.16) / 9)


def test_intervals_are_of_the_middle_95_percent_of_draws():
    """Draws with both classes alone count."""
    n = 400
    generator = np.random.default_rng(5)
    drawn = [generator.integers(0, len(SCORES), len(SCORES)) for _ in range(n)]
    usable = [sample for sample in drawn if 0 < IS_GOOD[sample].sum() < len(SCORES)]
    assert len(usable) < n
    theirs = {
        "auc": lambda y, s: roc_auc_score(y, s),
        "balanced_accuracy": lambda y, s: balanced_accuracy_score(y, s >= 0.5),
        "brier": lambda y, s: brier_score_loss(y, s),
    }
    rows = {row["measure"]: row for row in measures(IS_GOOD, SCORES, 0.5, n, 5)}
    for measure, of in theirs.items():
        values = [of(IS_GOOD[sample], SCORES[sample]) for sample in usable]
        wanted = np.quantile(values, [0.025, 0.975])
        assert [rows[measure]["ci_lower"], rows[measure]["ci_upper"]] == pytest.approx(wanted, abs=1e-12), measure


def test_the_roc_curve_by_hand():
    """From nobody called good to everybody: a row a score, from high to low, of which .5 and .4 are two patients' each."""
    rows = curve(IS_GOOD, SCORES)
    assert [row["position"] for row in rows] == list(range(8))
    assert [row["score"] for row in rows] == [None, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert [row["sensitivity"] for row in rows] == [0, 0.25, 0.5, 0.75, 1, 1, 1, 1]
    assert [row["specificity"] for row in rows] == pytest.approx([1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0])
