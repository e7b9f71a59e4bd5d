"""Scaled Schoenfeld residuals of the Cox models of the TSH biomarker, with a smooth curve and the test's p value.

The models are those of `tsh_cox`, and the settings [tsh_cox]. A residual is of one term at one death; where hazards are
proportional the curve through them is level. Grambsch and Therneau 1994, Biometrika 81:515. See `analyses.shared.schoenfeld`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.settings import GroupResidualParameters
from analyses.shared.clinical_covariates import numeric
from analyses.shared.cox_models import CoxSettings
from analyses.shared.missing import left_out_of_imputation
from analyses.shared.ph_residuals import residuals_of
from analyses.shared.survival import prognostic_groups, seen_in_training
from tshdb.engine.analysis import Need, Trained, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import FollowUp, Patient, SchoenfeldResidual, SurvivalGroup, TshScore

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs={
        "groups": Need(SurvivalGroup, SAME_PATIENT),
        "scores": Need(TshScore, SAME_PATIENT),
        "patients": Need(Patient, SAME_PATIENT),
        "follow_ups": Need(FollowUp, SAME_PATIENT),
        "trained_on": Trained(TshScore),
    },
    makes=SchoenfeldResidual,
    params=GroupResidualParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    spared=("model", ("continuous", "multivariable")),
    libraries=("numpy", "pandas", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis, Table S4; doi:10.1093/biomet/81.3.515",
    base="tsh_cox",
)
def ph_residuals(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    patients: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    params: GroupResidualParameters,
) -> pd.DataFrame:
    """One row per model, term and death; a term without residuals has a row with the reason."""
    import pandas as pd

    clinical = numeric(patients, params.covariates)
    settings = CoxSettings(
        params.endpoint, params.censor_at_days, params.min_events, params.covariates, params.min_known,
        params.allow_training_patients, params.likelihood, left_out_of_imputation(params, patients, params.covariates),
    )  # fmt: skip
    rows: list[dict] = []
    for grouping, data in prognostic_groups(groups, scores, follow_ups, params.endpoint, params.censor_at_days).items():
        name, prefix = ("TSH ratio", "") if grouping == "tsh_ratio" else ("TSH score", "score ")
        rows += residuals_of(
            data, clinical, name, prefix, settings,
            lambda frame, mine=bool(prefix): seen_in_training(frame, trained_on) if mine else None,
        )  # fmt: skip
    return pd.DataFrame(rows)
