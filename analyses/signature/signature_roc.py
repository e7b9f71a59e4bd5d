"""The ROC curve of the signature, by scores of patients that no signature had seen (averaged over repeats)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.signature.needs import SOURCE
from analyses.signature.settings import TrainingParameters
from tshdb.engine.analysis import Model, analysis
from tshdb.schema import RocPoint, SignatureFoldScore

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="fit",
    per="cohort",
    needs={"fold_scores": Model(SignatureFoldScore)},
    makes=RocPoint,
    params=TrainingParameters,
    cohorts="cohort",
    learns=(),
    libraries=("numpy", "pandas"),
    source=SOURCE,
    base="signature",
)
def signature_roc(fold_scores: pd.DataFrame, params: TrainingParameters) -> pd.DataFrame:
    """One row per threshold, from (0, 1) to (1, 0); none where there is no model, or nobody was scored unseen
    (`model_performance` says why)."""
    import pandas as pd

    from analyses.shared.performance import curve
    from analyses.signature.nested import mean_scores

    is_good, scores = mean_scores(fold_scores)
    if not 0 < is_good.sum() < len(is_good):
        return pd.DataFrame()
    points = curve(is_good, scores)
    return pd.DataFrame(points).assign(model="signature_model")
