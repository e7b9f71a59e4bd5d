"""Cox models of the TSH biomarker: its groups, the biomarker itself, and the biomarker beside clinical variables.

group          good against poor prognosis
continuous     per standard deviation of the ratio (or score)
multivariable  the ratio (or score) with the clinical variables that are known for most patients (min_known): complete
               cases        Fan et al. 2023, Table S4; or, where a study asks, all patients (`analyses.shared.missing`)

For patients with tumour RNA alone the same models are of the TSH score, and begin with "score". Hazard ratios below 1
mean longer survival. Durations are in days, censored at ten years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.settings import TshCoxParameters
from analyses.shared.clinical_covariates import numeric
from analyses.shared.cox_models import Cohort, CoxSettings, models_of
from analyses.shared.imputation import imputation_by
from analyses.shared.missing import left_out_of_imputation
from analyses.shared.survival import censored, prognostic_groups, seen_in_training
from tshdb.engine.analysis import Need, Trained, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import CoxTerm, FollowUp, Patient, SurvivalGroup, TshScore

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
    makes=CoxTerm,
    params=TshCoxParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    spared=("model", ("continuous", "multivariable")),
    libraries=("numpy", "pandas", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis, Table S4; A07, A21",
    tracks=("hazard_ratio", "p_value"),
)
def tsh_cox(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    patients: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    members: pd.DataFrame,
    params: TshCoxParameters,
    seed: int,
) -> pd.DataFrame:
    """One row per term of each model; a model that cannot be fitted has rows with the reason."""
    import pandas as pd

    clinical = numeric(patients, params.covariates)
    settings = CoxSettings(
        params.endpoint, params.censor_at_days, params.min_events, params.covariates, params.min_known,
        params.allow_training_patients, params.likelihood,
        left_out_of_imputation(params, patients, params.covariates), imputation_by(params, seed),
    )  # fmt: skip
    rows: list[dict] = []
    followed = set(censored(follow_ups, params.endpoint, None)["patient_id"])
    for grouping, data in prognostic_groups(groups, scores, follow_ups, params.endpoint, params.censor_at_days).items():
        name, prefix = ("TSH ratio", "") if grouping == "tsh_ratio" else ("TSH score", "score ")
        of_value = (
            groups[groups["prognosis"].notna()] if grouping == "tsh_ratio" else scores[scores["prognosis"].notna()]
        )
        what = name if grouping == "tsh_ratio" else f"{name} in place of a ratio"
        with_value = set(of_value["patient_id"]) - (set() if grouping == "tsh_ratio" else set(groups["patient_id"]))
        lacking = {what: with_value, f"{params.endpoint} follow-up": followed}
        models = models_of(
            data, clinical, name, prefix, Cohort(members["patient_id"], lacking, patients), settings,
            lambda frame, mine=bool(prefix): seen_in_training(frame, trained_on) if mine else None,
        )  # fmt: skip
        rows += [row | {"position": len(rows) + i} for i, row in enumerate(models)]
    return pd.DataFrame(rows)
