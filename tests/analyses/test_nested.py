"""Likelihood ratio tests of nested Cox models against anova of R's survival (tests/data/nested.R), and their rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import chi2

from analyses.shared.cox import likelihood_ratio

DATA = Path(__file__).parent.parent / "data"
INPUT = pd.read_csv(DATA / "cox_input.csv").rename(columns={"days": "duration_days"})
THEIRS = list(pd.read_csv(DATA / "nested_r.csv").itertuples())


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda row: f"{row.set} {row.term}")
def test_the_likelihood_ratio_is_that_of_anova(theirs):
    """Under separation ("onesided": nobody with c = 1 dies) both log-likelihoods are limits. In "empty" c does not vary."""
    data = INPUT[INPUT["set"] == theirs.set].dropna().assign(event=lambda rows: rows["event"] == 1)
    found = likelihood_ratio(data, theirs.term, [term for term in "abc" if term != theirs.term])
    assert (found.without, found.with_term) == pytest.approx((theirs.without, theirs.with_term), rel=1e-9)
    assert found.chi2 == pytest.approx(theirs.chi2, rel=1e-7, abs=1e-8)
    if theirs.degrees:
        assert chi2.sf(found.chi2, theirs.degrees) == pytest.approx(theirs.p, rel=1e-6)
