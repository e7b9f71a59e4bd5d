"""Where the rules of the statistics begin: two pairs, three deaths, a class of two; by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.expression.compartment_tests import _compare
from analyses.networks.topology import adjacency, correlations
from analyses.prognosis.cutoff import CutoffParameters, cutoff
from analyses.shared.competing_risks import EVENT, cumulative_incidence
from analyses.shared.cox import cox, likelihood_ratio
from analyses.shared.delong import interval
from analyses.shared.schoenfeld import smooth
from analyses.shared.separation import separation
from tshdb.truths.agreement import auc, kappa, limits


def test_a_curve_through_residuals_needs_deaths_at_four_times():
    """Through four it goes exactly; many deaths at three times are no more than three."""
    four = np.array([0.0, 0.2, 0.5, 0.9])
    values = np.array([1.0, -2.0, 3.0, 0.5])
    found = smooth(four, values, 4.0)
    assert found.values == pytest.approx(values) and found.upper - found.lower == pytest.approx(np.full(4, 8.0))
    assert smooth(four[:3], values[:3], 4.0) is None
    assert smooth(np.repeat(four[:3], 5), np.arange(15.0), 4.0) is None
    assert smooth(np.full(6, 0.3), np.arange(6.0), 4.0) is None


def test_two_pairs_have_limits_and_one_has_none():
    """Differences 1 and 3: bias 2, SD the root of 2; Student's t of one degree at .975 is 12.7062."""
    found = limits(np.array([2.0, 5.0]), np.array([1.0, 2.0]))
    assert found.bias == 2 and found.bias_upper - 2 == pytest.approx(12.7062047, rel=1e-7)
    assert found.upper - 2 == pytest.approx(1.959963984540054 * 2**0.5)
    assert limits(np.array([2.0]), np.array([1.0])) is None


def test_an_incidence_of_none_or_all_has_no_interval():
    """Of four all have the event, one after the other: 1/4, 1/2, 3/4, 1. log(-log) has no value at the ends."""
    curve = cumulative_incidence(np.arange(1.0, 5.0), np.full(4, EVENT))
    assert curve["incidence"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    has_one = curve[["ci_lower", "ci_upper"]].notna().to_numpy()
    assert has_one.tolist() == [[False] * 2, [True] * 2, [True] * 2, [True] * 2, [False] * 2]


def test_who_leaves_before_the_second_death_was_at_risk_at_the_first():
    """R: coxph(Surv(1:4, c(1, 0, 1, 0)) ~ c(1, 2, .5, 0)). Without the second one x would separate."""
    data = pd.DataFrame({"duration_days": [1.0, 2, 3, 4], "event": [True, False, True, False], "x": [1, 2, 0.5, 0]})
    found = cox(data, ["x"], 2)["x"]
    assert (found["coefficient"], found["standard_error"]) == pytest.approx((0.589275934341, 1.25425285482), rel=1e-8)


def test_two_of_a_class_are_enough_for_an_area_and_one_is_not():
    """By DeLong, as pROC has it (test_auc.py, "small")."""
    scores, is_high = np.array([0.1, 0.5, 0.4, 0.8, 0.3, 0.5]), np.array([False, True, False, True, False, False])
    found, theirs = auc(scores, is_high), interval(is_high, scores)
    assert (found.value, found.reason) == (7.5 / 8, None)
    assert (found.lower, found.upper) == pytest.approx((theirs.lower, theirs.upper))
    assert auc(scores[1:4], is_high[1:4]).value is None, "two and one"


def test_where_nobody_dies_no_term_says_anything():
    found = separation(np.array([[1.0, 0.0], [-1.0, 2.0], [0.0, -2.0]]), np.arange(3.0), np.zeros(3, bool))
    assert found.columns == [] and not found.stands.any() and found.idle.all() and found.directions == []


def test_a_correlation_at_the_threshold_is_no_edge():
    values = np.random.default_rng(1).normal(size=(9, 2)) + np.arange(9.0)[:, None] / 4
    at = float(correlations(values)[0, 1])
    assert 0.2 < at and not adjacency(values, at).any() and adjacency(values, np.nextafter(at, 0))[0, 1]


def test_an_area_of_nothing_has_the_bound_of_its_counterpart():
    """All in order the wrong way round, six against fourteen: above by 1 less 0.025 ** (1 / 6)."""
    found = auc(-np.arange(20.0), np.arange(20) > 13)
    assert (found.value, found.lower) == (0.0, 0.0) and found.upper == pytest.approx(1 - 0.025 ** (1 / 6))


def test_a_penalised_model_without_the_term_has_less_likelihood_by_half_of_chi2():
    random = np.random.default_rng(4)
    data = pd.DataFrame(random.normal(size=(20, 2)), columns=["a", "b"])
    data["duration_days"], data["event"] = random.permutation(20) + 1.0, np.arange(20) % 3 > 0
    found = likelihood_ratio(data, "a", ["b"], "penalised")
    assert found.chi2 > 0.01 and found.with_term - found.without == pytest.approx(found.chi2 / 2)


def test_who_says_one_word_of_everybody_has_a_kappa_of_0_without_an_interval():
    found = kappa(["a"] * 4, ["a", "c", "c", "b"])
    assert (found.value, found.lower, found.upper) == (0.0, None, None)
    assert found.reason == "the variance of kappa is 0"


def test_one_patient_above_the_cutoff_is_a_group():
    ids = [f"P{i}" for i in range(6)]
    ratios = pd.DataFrame({"patient_id": ids, "population": CutoffParameters().population, "unit": "tpm"})
    ratios = ratios.assign(value=np.arange(6.0), biomarker="ratio", transform="none")
    follow_ups = pd.DataFrame({"patient_id": ids, "endpoint": "OS", "event": True, "duration_days": np.arange(6.0) + 1})
    params = CutoffParameters(method="fixed", value=5.0)
    (row,) = cutoff(ratios, follow_ups.assign(time_origin="diagnosis"), params, seed=1).to_dict("records")
    assert row["n_high"] == 1 and row["chi2"] > 0 and 0 < row["p_naive"] < 1


def test_values_that_differ_by_less_than_one_have_a_correlation():
    found = _compare(np.array([0.1, 0.4, 0.2, 0.35, 0.3]), np.array([0.2, 0.3, 0.15, 0.5, 0.25]), 5)
    assert 0 < found["correlation"] < 1 and 0 < found["correlation_p_value"] < 1
