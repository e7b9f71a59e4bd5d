"""The ROC curve of the TSH model, by the out-of-fold scores: sensitivity and specificity at every threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.performance import curve
from tshdb.config import Parameters
from tshdb.engine.analysis import Model, analysis
from tshdb.schema import OutOfFoldScore, RocPoint

if TYPE_CHECKING:
    import pandas as pd


class RocPointParameters(Parameters):
    """[roc_points]"""

    cohort: str = "tumor_stroma_development"


@analysis(
    kind="fit",
    per="cohort",
    needs={"out_of_fold": Model(OutOfFoldScore)},
    makes=RocPoint,
    params=RocPointParameters,
    cohorts="cohort",
    learns=(),
    libraries=("numpy",),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity",
)
def roc_points(out_of_fold: pd.DataFrame, params: RocPointParameters) -> pd.DataFrame:
    """One row per threshold, from (0, 1) to (1, 0); none where there is no model."""
    import pandas as pd

    if not len(out_of_fold):
        return pd.DataFrame()
    points = curve(out_of_fold["is_good"].to_numpy(bool), out_of_fold["score"].to_numpy(float))
    return pd.DataFrame(points).assign(model="tsh_model")
