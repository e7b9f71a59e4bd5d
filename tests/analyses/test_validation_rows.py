"""C-indices, likelihood ratio tests and models per standard deviation as rows: of whose values, and intervals of which draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from analyses.shared.concordance import concordance, difference, pairs
from analyses.shared.cox import cox, likelihood_ratio
from analyses.signature.concordances import ConcordanceParameters, concordances
from analyses.signature.likelihood_ratio_tests import likelihood_ratio_tests
from analyses.signature.signature_cox import SignatureCoxParameters, signature_cox
from analyses.signature.signature_labels import SignatureLabelParameters, signature_labels
from analyses.signature.validation import CovariateParameters
from analyses.tsh_model.tsh_scores import TshScoreParameters, tsh_scores

DATA = Path(__file__).parent.parent / "data"
NOBODY = pd.DataFrame({"patient_id": [], "cohort": []}, dtype=str)
INPUT = pd.read_csv(DATA / "cox_input.csv")
ROWS = INPUT[INPUT["set"] == "ties"].reset_index(drop=True)
ONLY_AGE = {"covariates": ("age_years",), "censor_at_days": None}


@pytest.fixture(scope="module")
def frames() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """scores (less a: high is good), follow_ups, trained_on, patients (b is their age; three have none) of cox.R's "ties"."""
    ids = [f"P{i:02d}" for i in range(len(ROWS))]
    scores = pd.DataFrame({"examination": ids, "patient_id": ids, "status": "scored", "score": -ROWS["a"]})
    scores["prognosis"] = np.where(ROWS["a"] <= 0, "good", "poor")
    follow_ups = pd.DataFrame({"patient_id": ids, "endpoint": "OS", "event": ROWS["event"] == 1})
    follow_ups = follow_ups.assign(duration_days=ROWS["days"].astype(float), time_origin="diagnosis")
    patients = pd.DataFrame({"patient_id": ids, "age_years": ROWS["b"].where(ROWS.index > 2)})
    return scores, follow_ups, NOBODY, patients


def known() -> pd.DataFrame:
    """Patients whose age is known, as `cox` takes them."""
    of = ROWS[ROWS.index > 2].rename(columns={"days": "duration_days"})
    return of.assign(event=of["event"] == 1, value=-of["a"], age_years=of["b"])


def test_c_indices_their_draws_and_differences(frames):
    """C and the difference are R's (test_concordance.py); the interval is of the middle 95 % of draws, each drawn out here."""
    n = 120
    found = concordances(*frames, ConcordanceParameters(n_bootstrap=n, **ONLY_AGE), seed=6).set_index("model")
    of_all = pairs(ROWS["a"].to_numpy(), ROWS["days"].to_numpy(float), ROWS["event"].to_numpy() == 1)
    signature = found.loc["signature"]
    assert signature["c_index"] == pytest.approx(concordance(*of_all).index) and signature["n"] == len(ROWS)
    generator, drawn = np.random.default_rng(6), []
    for _ in range(n):
        who = generator.integers(0, len(ROWS), len(ROWS))
        drawn.append(concordance(*(matrix[np.ix_(who, who)] for matrix in of_all)).index)
    assert [signature["ci_lower"], signature["ci_upper"]] == pytest.approx(np.quantile(drawn, [0.025, 0.975]))
    assert signature["n_bootstrap"] == n
    mine, outcome = known(), (known()["duration_days"].to_numpy(float), known()["event"].to_numpy(bool))
    fitted = cox(mine, ["value", "age_years"], 5)
    both = sum(mine[t].to_numpy() * fitted[t]["coefficient"] for t in ("value", "age_years"))
    age = cox(mine, ["age_years"], 5)["age_years"]["coefficient"] * mine["age_years"].to_numpy()
    for model, risk in (("signature", mine["a"].to_numpy()), ("clinical and signature", both)):
        wanted = difference(concordance(*pairs(risk, *outcome)), concordance(*pairs(age, *outcome)))
        row = found.loc[model]
        assert [row["difference"], row["difference_lower"], row["difference_upper"]] == pytest.approx(wanted)
        assert row["n_shared"] == len(mine)
    few = concordances(*frames, ConcordanceParameters(n_bootstrap=19, **ONLY_AGE), seed=6)
    assert few["ci_lower"].isna().all() and (few["n_bootstrap"] == 19).all(), "of fewer than 20 draws there is none"


def test_the_row_of_a_likelihood_ratio_test(frames):
    (row,) = likelihood_ratio_tests(*frames, CovariateParameters(**ONLY_AGE)).to_dict("records")
    wanted = likelihood_ratio(known(), "value", ["age_years"])
    assert (row["log_likelihood_clinical"], row["log_likelihood_both"]) == (wanted.without, wanted.with_term)
    assert row["chi2"] == wanted.chi2 and row["degrees"] == 1 and row["n"] == len(known())
    assert row["p_value"] == pytest.approx(chi2.sf(wanted.chi2, 1)) and row["covariates"] == "age_years"


def test_who_is_at_the_threshold_is_good():
    scores = pd.DataFrame(
        {"patient_id": ["a", "b", "c"], "unit": "tpm", "score": [0.5, 0.4999, None], "reason": ["", "", "x"]}
    )
    found = signature_labels(scores, SignatureLabelParameters(threshold=0.5)).set_index("patient_id")
    assert found["label"].tolist() == ["good", "poor", None] and found["reason"]["c"] == "x"


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_a_score_of_the_tsh_model_at_its_threshold_is_good(threshold):
    """One patient with the log odds of the threshold, as an intercept: she is good, and poor at the next number above it."""
    odds = float(np.log(threshold / (1 - threshold)))
    model = pd.DataFrame(
        {"term": ["(intercept)", "T cells"], "coefficient": [odds, 0.0], "center": [np.nan, 5.0], "position": [0, 1]}
    )
    model = model.assign(scale=[np.nan, 1.0], unit="tpm", reason=None)
    tumor = pd.DataFrame({"patient_id": ["a"], "unit": "tpm", "population": "T cells", "abundance": 5.0})
    at = 1 / (1 + np.exp(-odds))
    for limit, said in ((at, "good"), (np.nextafter(at, 1), "poor")):
        (row,) = tsh_scores(tumor, model.assign(threshold=limit), TshScoreParameters()).to_dict("records")
        assert (row["score"], str(row["prognosis"])) == (at, said)


def test_models_of_a_value_are_per_standard_deviation_of_a_sample(frames):
    """SD by n - 1, as R's sd: 1.0253 times what it is by n in 20 patients."""
    scores, follow_ups, nobody, patients = (frame.iloc[:20] for frame in frames)
    params = SignatureCoxParameters(**ONLY_AGE)
    found = signature_cox(scores, follow_ups, nobody, patients, patients[["patient_id"]], params, seed=1).set_index(
        "model"
    )
    few = ROWS.iloc[:20].rename(columns={"days": "duration_days"})
    few = few.assign(event=few["event"] == 1, value=-few["a"])
    estimate = cox(few, ["value"], 5)["value"]["coefficient"] * np.std(few["a"].to_numpy(), ddof=1)
    assert found.loc["signature continuous", "coefficient"] == pytest.approx(estimate, rel=1e-9)
