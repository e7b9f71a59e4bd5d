"""The TSH model: a patient's prognostic group from the tumour's abundances alone.

    P(good) = 1 / (1 + exp(-z)),  z = intercept + sum of coefficient (abundance - center) / scale
    Fan et al. 2023, Imaging cellular tumour-stroma heterogeneity (their classifier is not named: A11)

Trained on the development cohort's patients with both samples, by their group of the TSH ratio. Features are chosen by
cross-validation and the model is then fitted on everybody; how well it does stands in `model_performance`, never here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.tsh_model.tsh_modelling import INTERCEPT, ModelParameters, choose, fit, training_data
from tshdb.engine.analysis import Learns, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import ModelTerm, SurvivalGroup, TumorAbundance

if TYPE_CHECKING:
    import pandas as pd


class TshModelParameters(ModelParameters):
    """[tsh_model]"""


@analysis(
    kind="fit",
    per="cohort",
    needs={"tumor": Need(TumorAbundance, SAME_PATIENT), "groups": Need(SurvivalGroup, SAME_PATIENT)},
    makes=ModelTerm,
    params=TshModelParameters,
    cohorts="cohort",
    learns=(Learns("groups"),),
    libraries=("numpy", "scikit-learn", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity; A11",
    tracks=("coefficient",),
)
def tsh_model(tumor: pd.DataFrame, groups: pd.DataFrame, params: TshModelParameters, seed: int) -> pd.DataFrame:
    """The intercept and one row per chosen population; or one row with the reason for having no model."""
    import pandas as pd

    data = training_data(tumor, groups, params.unit, "tsh_model")
    shared = {
        "unit": data.unit,
        "transform": data.transform,
        "threshold": params.threshold,
        "n": len(data.patients),
        "n_good": int(data.is_good.sum()),
        "reason": data.problem(params.min_per_class),
    }
    if shared["reason"]:
        return pd.DataFrame(
            [{"term": INTERCEPT, "position": 0, "coefficient": None, "center": None, "scale": None} | shared]
        )
    columns = choose(data.values, data.is_good, params, seed)
    model = fit(data.values, data.is_good, columns, params.inverse_penalty)
    rows = [{"term": INTERCEPT, "position": 0, "coefficient": model.intercept, "center": None, "scale": None}]
    for i, j in enumerate(columns):
        rows.append(
            {
                "term": data.populations[j],
                "position": i + 1,
                "coefficient": model.coefficients[i],
                "center": model.center[i],
                "scale": model.scale[i],
            }
        )
    return pd.DataFrame([row | shared for row in rows])
