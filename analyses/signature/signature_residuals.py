"""Scaled Schoenfeld residuals of the Cox models of the signature, for every endpoint of a cohort.

The models are those of `signature_cox`, and the settings [signature_validation]. See `analyses.shared.schoenfeld`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.clinical_covariates import numeric
from analyses.shared.cox_models import CoxSettings
from analyses.shared.missing import left_out_of_imputation
from analyses.shared.ph_residuals import residuals_of
from analyses.shared.survival import seen_in_training
from analyses.signature.classes import classes_of
from analyses.signature.validation import CLINICAL_NEEDS, SCORE, SOURCE, CovariateParameters, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import SchoenfeldResidual

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=CLINICAL_NEEDS,
    makes=SchoenfeldResidual,
    params=CovariateParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source=f"{SOURCE}; doi:10.1093/biomet/81.3.515",
    base="signature_validation",
)
def signature_residuals(
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    patients: pd.DataFrame,
    params: CovariateParameters,
) -> pd.DataFrame:
    """One row per endpoint, model, term and death; a term without residuals has a row with the reason."""
    import pandas as pd

    clinical = numeric(patients, params.covariates)
    rows: list[dict] = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        settings = CoxSettings(
            endpoint, params.censor_at_days, params.min_events, params.covariates, params.min_known,
            params.allow_training_patients, params.likelihood, left_out_of_imputation(params, patients, params.covariates),
        )  # fmt: skip
        rows += residuals_of(
            data, clinical, SCORE, "signature ", settings, lambda frame: seen_in_training(frame, trained_on),
            adjusts_per_sd=True, group=classes_of(data).term,
        )  # fmt: skip
    return pd.DataFrame(rows)
