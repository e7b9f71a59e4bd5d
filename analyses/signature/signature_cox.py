"""Cox models of the signature: its groups, its score, and the score beside clinical variables, for every endpoint of a cohort.

Models are named signature group, signature continuous, signature multivariable; Fan et al. 2023 adjust for age, ER, PR, HER2 and
the longest diameter. See `analyses.shared.cox_models`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.clinical_covariates import numeric
from analyses.shared.cox_models import Cohort, CoxSettings, models_of
from analyses.shared.imputation import imputation_by
from analyses.shared.missing import ImputationParameters, left_out_of_imputation
from analyses.shared.survival import censored, seen_in_training
from analyses.signature.classes import classes_of
from analyses.signature.validation import (
    CLINICAL_NEEDS,
    SCORE,
    SOURCE,
    CovariateParameters,
    first_scores,
    note_of,
    outcomes,
)
from tshdb.engine.analysis import analysis
from tshdb.schema import CoxTerm

if TYPE_CHECKING:
    import pandas as pd


class SignatureCoxParameters(CovariateParameters, ImputationParameters):
    """[signature_validation]"""


@analysis(
    kind="summary",
    per="cohort",
    needs=CLINICAL_NEEDS,
    makes=CoxTerm,
    params=SignatureCoxParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source=SOURCE,
    base="signature_validation",
    tracks=("hazard_ratio", "p_value"),
)
def signature_cox(
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    patients: pd.DataFrame,
    members: pd.DataFrame,
    params: SignatureCoxParameters,
    seed: int,
) -> pd.DataFrame:
    """One row per endpoint, model and term; a model that cannot be fitted has rows with the reason."""
    import pandas as pd

    clinical = numeric(patients, params.covariates)
    rows: list[dict] = []
    scored = first_scores(scores, params.use_degraded)["patient_id"]
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        settings = CoxSettings(
            endpoint, params.censor_at_days, params.min_events, params.covariates, params.min_known,
            params.allow_training_patients, params.likelihood,
            left_out_of_imputation(params, patients, params.covariates), imputation_by(params, seed),
        )  # fmt: skip
        followed = censored(follow_ups, endpoint, None)["patient_id"]
        cohort = Cohort(members["patient_id"], {SCORE: scored, f"{endpoint} follow-up": followed}, patients)
        rows += models_of(
            data, clinical, SCORE, "signature ", cohort, settings,
            lambda frame: seen_in_training(frame, trained_on), note_of(data), adjusts_per_sd=True,
            group=classes_of(data).term, itself=note_of(data.assign(is_degraded=False), params.covariates),
        )  # fmt: skip
    return pd.DataFrame(rows)
