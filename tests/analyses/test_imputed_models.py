"""What a study that asks for imputation has in its rows: Cox models, and what stands beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.prognosis.ph_residuals import ph_residuals
from analyses.prognosis.settings import GroupResidualParameters, TshCoxParameters
from analyses.prognosis.tsh_cox import tsh_cox
from analyses.shared.cox import cox
from analyses.shared.imputed_cox import NOT_TESTED
from analyses.signature.concordances import ConcordanceParameters, concordances
from analyses.signature.likelihood_ratio_tests import likelihood_ratio_tests
from analyses.signature.signature_cox import SignatureCoxParameters, signature_cox
from analyses.signature.validation import CovariateParameters
from tests.support.imputed import simulated_patients
from tshdb.tables.layouts import TABLES

NOBODY = pd.DataFrame({"patient_id": [], "cohort": []}, dtype=str)
COVARIATES = ("age_years", "er_status", "t_stage")
ESTIMATES = [
    "coefficient",
    "standard_error",
    "hazard_ratio",
    "ci_lower",
    "ci_upper",
    "p_value",
    "ph_p_value",
    "n",
    "n_events",
]
ASKED = {"missing": "impute", "n_imputations": 4, "n_iterations": 3}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """200 simulated patients, whose words `tables` makes."""
    return simulated_patients(200, 8)


@pytest.fixture(scope="module")
def tables(data) -> dict[str, pd.DataFrame]:
    """Of those without ER every third is equivocal, one is 'IHC 2+'; one with ER was equivocal at first, and is not undecided."""
    er = data["er_status"].map({1.0: "positive", 0.0: "negative"}).astype(object)
    reason = pd.Series(None, index=data.index, dtype=object)
    unknown = data.index[data["er_status"].isna()]
    reason[unknown] = "not reported"
    reason[unknown[::3]] = "Equivocal"
    reason[unknown[1]] = "IHC 2+, FISH not done"
    reason[data.index[data["er_status"].notna()][0]] = "equivocal at first"
    patients = pd.DataFrame(
        {
            "patient_id": data["patient_id"], "age_years": data["age_years"],
            "er_status": er.where(er.notna(), None), "er_status_reason": reason,
            "t_stage": data["t_stage"].map(lambda t: None if np.isnan(t) else f"T{t:.0f}a"),
        }
    )  # fmt: skip
    follow_ups = data[["patient_id", "event", "duration_days"]].assign(endpoint="OS", time_origin="diagnosis")
    prognosis = np.where(data["score"] > 0.2, "good", "poor")
    groups = pd.DataFrame({"patient_id": data["patient_id"], "prognosis": prognosis, "value": data["score"]})
    scores = groups.rename(columns={"value": "score"}).assign(examination=data["patient_id"] + "/T0", status="scored")
    return {"patients": patients, "follow_ups": follow_ups, "groups": groups, "scores": scores}


def _tsh(tables, seed=1, **params) -> pd.DataFrame:
    none = tables["groups"].iloc[:0].rename(columns={"value": "score"})
    return tsh_cox(
        tables["groups"], none, tables["patients"], tables["follow_ups"], NOBODY, tables["patients"][["patient_id"]],
        TshCoxParameters(covariates=COVARIATES, censor_at_days=None, **params), seed,
    ).set_index(["model", "term"])  # fmt: skip


def _of_signature(analysis, tables, params, *more):
    members = [tables["patients"][["patient_id"]]] if analysis is signature_cox else []
    return analysis(
        tables["scores"], tables["follow_ups"], NOBODY, tables["patients"], *members, params, *more
    )  # fmt: skip


def test_all_patients_are_in_the_model_and_the_row_says_what_was_imputed(data, tables):
    found = _tsh(tables, **ASKED).loc["multivariable"]
    gaps = data[list(COVARIATES)].isna().sum()
    assert set(found["n"]) == {200} and set(found["n_left_out"]) == {0}
    assert set(found["n_complete"]) == {len(data.dropna())} and set(found["n_imputations"]) == {4}
    words = f"age_years of {gaps['age_years']}, er_status of {gaps['er_status']}, t_stage of {gaps['t_stage']}"
    assert set(found["imputed"]) == {words}
    assert (found["degrees"] > 3).all() and found["missing_information"].between(0, 1, inclusive="neither").all()
    assert found["ph_p_value"].isna().all() and found["reason"].str.endswith(NOT_TESTED).all()
    width = np.log(found["ci_upper"] / found["ci_lower"])
    assert (width > 2 * 1.96 * found["standard_error"]).all(), "by t, wider than by the normal distribution"


def test_a_study_that_does_not_ask_has_complete_cases(data, tables):
    """Equal to a Cox model of those of whom all is known, and no word of imputation; the other models are the same in both."""
    complete, asked = _tsh(tables), _tsh(tables, **ASKED)
    found = complete.loc["multivariable"]
    expected = cox(data.dropna(), ["score", *COVARIATES], 5)
    assert list(found["coefficient"]) == [row["coefficient"] for row in expected.values()]
    assert not {"imputed", "n_complete", "n_imputations", "degrees"} & set(complete.columns)
    assert "er_status is not known of" in found["left_out"].iloc[0]
    for model in ("group", "continuous"):
        assert asked.loc[model, ESTIMATES].equals(complete.loc[model, ESTIMATES])
        assert asked.loc[model, ["imputed", "n_imputations", "degrees"]].isna().all().all()


def test_where_nothing_is_missing_nothing_is_imputed(data, tables):
    known = data.dropna()["patient_id"]
    whole = {name: table[table["patient_id"].isin(known)] for name, table in tables.items()}
    asked, complete = _tsh(whole, **ASKED).loc["multivariable"], _tsh(whole).loc["multivariable"]
    assert asked[ESTIMATES].equals(complete[ESTIMATES]) and asked["ph_p_value"].notna().all()
    assert set(asked["n_imputations"]) == {0} and asked["imputed"].isna().all()


def test_undecided_tests_are_imputed_or_left_out_as_the_study_says(tables):
    """A third of the unknown ER is equivocal, one is 2+; written in any case, as a word of a longer reason."""
    patients = tables["patients"]
    reasons = patients.loc[patients["er_status"].isna(), "er_status_reason"]
    undecided = int((reasons != "not reported").sum())
    out = _tsh(tables, **ASKED, impute_undecided=False).loc["multivariable"]
    assert undecided > 10 and set(out["n"]) == {200 - undecided} and set(out["n_left_out"]) == {undecided}
    assert out["left_out"].iloc[0] == (
        f"{undecided} of 200 members are not in it; er_status is not known of {undecided} "
        f"(Equivocal {undecided - 1}, IHC 2+, FISH not done 1)"
    )
    assert f"er_status of {len(reasons) - undecided}," in out["imputed"].iloc[0]


def test_rows_come_from_the_seed_alone(tables):
    first, again, other = _tsh(tables, 1, **ASKED), _tsh(tables, 1, **ASKED), _tsh(tables, 2, **ASKED)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    mixed = {name: table.sample(frac=1, random_state=5) for name, table in tables.items()}
    pd.testing.assert_frame_equal(first, _tsh(mixed, 1, **ASKED), check_exact=True)
    assert (first.loc["multivariable", "coefficient"] != other.loc["multivariable", "coefficient"]).all()


def test_what_cannot_be_imputed_is_in_the_row(tables):
    patients = tables["patients"].assign(t_stage=None)
    found = _tsh(tables | {"patients": patients}, **ASKED, min_known=0.0).loc["multivariable"]
    assert set(found["reason"]) == {"cannot be imputed: t_stage is known of nobody"}
    assert set(found["n_imputations"]) == {0} and found["hazard_ratio"].isna().all()
    below = _tsh(tables | {"patients": patients}, **ASKED).loc["multivariable"]
    assert below.loc["t_stage", "reason"] == "not in the model: known for 0% of the patients"
    assert below.loc["TSH ratio", "n_imputations"] == 4


def test_what_is_not_pooled_is_absent_with_the_reason(tables):
    """Residuals, the likelihood ratio and C of models with imputed covariates; what has none stands as it would."""
    asked = {"covariates": COVARIATES, "missing": "impute", "censor_at_days": None}
    residuals = ph_residuals(
        tables["groups"], tables["groups"].iloc[:0].rename(columns={"value": "score"}), tables["patients"],
        tables["follow_ups"], NOBODY, GroupResidualParameters(**asked),
    ).set_index("model")  # fmt: skip
    assert (
        residuals.loc["multivariable", "reason"].str.startswith("covariates are imputed, and residuals are not").all()
    )
    assert residuals.loc["multivariable", "value"].isna().all() and residuals.loc["continuous", "value"].notna().all()
    (test,) = _of_signature(likelihood_ratio_tests, tables, CovariateParameters(**asked)).to_dict("records")
    assert test["reason"].startswith("covariates are imputed (age_years of ") and "p_value" not in test
    c = _of_signature(concordances, tables, ConcordanceParameters(**asked, n_bootstrap=0), 1).set_index("model")
    assert c.loc["signature", "c_index"] > 0 and c.loc["signature", "n"] == 200
    for model in ("clinical", "clinical and signature"):
        assert np.isnan(c.loc[model, "c_index"]) and "C is not pooled" in c.loc[model, "reason"]
    cox_rows = _of_signature(signature_cox, tables, SignatureCoxParameters(covariates=COVARIATES, **ASKED), 1)
    of_model = cox_rows.set_index("model").loc["signature multivariable"]
    assert set(of_model["n_imputations"]) == {4} and of_model["p_value"].notna().all()


def test_the_table_says_that_covariates_were_imputed(tables):
    rows = _tsh(tables, **ASKED).reset_index()
    rows = rows.assign(cohort="c@1", unit=None, transform=None).astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")
    layout = TABLES["s4"].layout(rows)[0]
    of_imputation = [
        note for note in layout.notes if note.startswith("multivariable: covariates are imputed (age_years of ")
    ]
    assert len(of_imputation) == 1 and "4 data sets pooled; of " in of_imputation[0]
    assert not any("imputed" in note for note in layout.notes if note.startswith(("group", "continuous")))
