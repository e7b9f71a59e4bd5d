"""Scores of the training patients by models that had not seen them: repeated, stratified, nested cross-validation.

Features are chosen anew inside every outer fold, as `tsh_model` chooses them, so that what is measured on these scores
is not made better by the choice. A patient's score is the mean over the repeats.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import Field

from analyses.tsh_model.tsh_modelling import LEAST_PER_CLASS, ModelParameters, nested_scores, training_data
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import OutOfFoldScore, SurvivalGroup, TumorAbundance

if TYPE_CHECKING:
    import pandas as pd


class TshCrossValidationParameters(ModelParameters):
    """[tsh_cross_validation]"""

    outer_folds: int = Field(default=10, ge=2)
    """whose patients are scored by models that have not seen them"""
    repeats: int = Field(default=5, ge=1)
    """of the whole, with other folds"""


@analysis(
    kind="fit",
    per="cohort",
    needs={"tumor": Need(TumorAbundance, SAME_PATIENT), "groups": Need(SurvivalGroup, SAME_PATIENT)},
    makes=OutOfFoldScore,
    params=TshCrossValidationParameters,
    cohorts="cohort",
    learns=(),
    libraries=("numpy", "scikit-learn", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity; A11",
)
def tsh_cross_validation(
    tumor: pd.DataFrame, groups: pd.DataFrame, params: TshCrossValidationParameters, seed: int
) -> pd.DataFrame:
    """One row per training patient; none where there is no model, or there are too few for two folds within each other
    (`model_performance` says so)."""
    import pandas as pd

    data = training_data(tumor, groups, params.unit, "tsh_cross_validation")
    if data.problem(max(params.min_per_class, LEAST_PER_CLASS)):
        return pd.DataFrame()
    scores, chosen = nested_scores(data, params, params.outer_folds, params.repeats, seed)
    return pd.DataFrame(
        {
            "patient_id": data.patients,
            "score": scores.mean(axis=0),
            "is_good": data.is_good,
            "n_repeats": params.repeats,
            "features": [json.dumps(dict(sorted(c.items()))) for c in chosen],
        }
    )
