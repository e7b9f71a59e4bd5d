"""The ROC curve of the TSH model, by the out-of-fold scores: sensitivity and specificity at every threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    cohorts=lambda params: (params.cohort,),
    libraries=("numpy",),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity",
)
def roc_points(out_of_fold: pd.DataFrame, params: RocPointParameters) -> pd.DataFrame:
    """One row per threshold, from (0, 1) to (1, 0); none where there is no model."""
    import pandas as pd

    if not len(out_of_fold):
        return pd.DataFrame()
    scores, is_good = out_of_fold["score"].to_numpy(float), out_of_fold["is_good"].to_numpy(bool)
    rows = [{"position": 0, "score": None, "sensitivity": 0.0, "specificity": 1.0}]
    for score in sorted(set(scores), reverse=True):
        called = scores >= score
        rows.append(
            {
                "position": len(rows),
                "score": score,
                "sensitivity": float(called[is_good].mean()),
                "specificity": float((~called[~is_good]).mean()),
            }
        )
    return pd.DataFrame(rows)
