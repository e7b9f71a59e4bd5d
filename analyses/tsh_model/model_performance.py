"""How well the TSH model does: by scores of patients that the models had not seen, and, labelled, on its own patients.

nested     out-of-fold scores of `tsh_cross_validation`: discrimination, the confusion at the threshold, calibration
in-sample  the final model on its own training patients: optimistic, as the paper's figure may be (AUC .962)

Measures and their intervals: `analyses.shared.performance`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import Field

from analyses.shared.performance import measures
from analyses.tsh_model.tsh_modelling import LEAST_PER_CLASS, logistic_of, training_data
from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import ModelPerformance, ModelTerm, OutOfFoldScore, SurvivalGroup, TumorAbundance

if TYPE_CHECKING:
    import pandas as pd


class ModelPerformanceParameters(Parameters):
    """[model_performance]"""

    cohort: str = "tumor_stroma_development"
    n_bootstrap: int = Field(default=1_000, ge=0)


@analysis(
    kind="fit",
    per="cohort",
    needs={
        "out_of_fold": Model(OutOfFoldScore),
        "model": Model(ModelTerm),
        "tumor": Need(TumorAbundance, SAME_PATIENT),
        "groups": Need(SurvivalGroup, SAME_PATIENT),
    },
    makes=ModelPerformance,
    params=ModelPerformanceParameters,
    cohorts="cohort",
    learns=(),
    libraries=("numpy", "scikit-learn", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity",
    tracks=("value",),
)
def model_performance(
    out_of_fold: pd.DataFrame,
    model: pd.DataFrame,
    tumor: pd.DataFrame,
    groups: pd.DataFrame,
    params: ModelPerformanceParameters,
    seed: int,
) -> pd.DataFrame:
    """One row per scheme and measure; none where there is no model."""
    import numpy as np
    import pandas as pd

    if model["reason"].notna().any():
        return pd.DataFrame()
    threshold = float(model["threshold"].iloc[0])
    data = training_data(tumor, groups, model["unit"].iloc[0], "tsh_model")
    nested = {"scheme": "nested", "is_optimistic": False, "n": len(out_of_fold)}
    if len(out_of_fold):
        measured = [row | nested for row in _unseen(out_of_fold, threshold, params.n_bootstrap, seed)]
    else:
        why = data.problem(LEAST_PER_CLASS) or "fewer of a kind than [tsh_cross_validation] min_per_class asks for"
        measured = [nested | {"measure": "auc", "value": None, "reason": f"no patient was scored unseen: {why}"}]
    scores = logistic_of(model, data.populations).scores(data.values)
    in_sample = measures(data.is_good, np.asarray(scores), threshold, params.n_bootstrap, seed)
    measured += [row | {"scheme": "in-sample", "is_optimistic": True, "n": len(data.patients)} for row in in_sample]
    return pd.DataFrame(measured).assign(model="tsh_model")


def _unseen(out_of_fold: pd.DataFrame, threshold: float, n_bootstrap: int, seed: int) -> list[dict]:
    """Measures of the out-of-fold scores, and of each population how often a fold chose it."""
    import json

    ordered = out_of_fold.sort_values("patient_id", ignore_index=True)
    is_good, scores = ordered["is_good"].to_numpy(bool), ordered["score"].to_numpy(float)
    chosen: Counter[str] = Counter()
    for text in ordered["features"]:
        chosen.update(json.loads(text))
    total = len(ordered) * int(ordered["n_repeats"].iloc[0])
    times = [{"measure": f"chosen: {population}", "value": n / total} for population, n in sorted(chosen.items())]
    return measures(is_good, scores, threshold, n_bootstrap, seed) + times
