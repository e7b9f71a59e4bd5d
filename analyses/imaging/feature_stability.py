"""How much features can be relied on: the intraclass correlation of a feature and itself measured again.

    ICC(2,1) = (MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n)        Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420

two-way random effects, absolute agreement, one measurement; k = 2 measurements (as is, and after a perturbation), n patients'
first examinations. MSR, MSC, MSE: mean squares of patients, measurements, and what is left. 1 is perfect; below `least_icc` a
feature is called unstable: leave it out by `WHERE is_stable`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import REGION_MAPS_OF_PATIENT
from tshdb.schema import FeatureStability, RadiomicFeature, RetestFeature

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS = ["feature", "perturbation", "icc", "is_stable", "n", "reason"]
FEWEST = 5


class FeatureStabilityParameters(Parameters):
    """[feature_stability]"""

    cohorts: tuple[str, ...] = ()
    """over whose first examinations"""
    least_icc: float = Field(default=0.75, ge=0, le=1)
    """below, a feature is unstable"""


@analysis(
    kind="summary",
    per="cohort",
    needs={
        "features": Need(RadiomicFeature, REGION_MAPS_OF_PATIENT),
        "retests": Need(RetestFeature, REGION_MAPS_OF_PATIENT),
    },
    makes=FeatureStability,
    params=FeatureStabilityParameters,
    cohorts="cohorts",
    libraries=("numpy",),
    source="doi:10.1186/s12967-023-04748-6, Radiomic features (not in it: doi:10.1037/0033-2909.86.2.420)",
)
def feature_stability(
    features: pd.DataFrame, retests: pd.DataFrame, params: FeatureStabilityParameters
) -> pd.DataFrame:
    """One row per feature and perturbation. features, retests: rows of radiomic_features and retest_features."""
    import pandas as pd

    both = retests.merge(
        features[["study_uid", "feature", "value"]], on=["study_uid", "feature"], suffixes=("_again", "")
    )
    both = both.dropna(subset=["value", "value_again"])
    rows = []
    for (feature, perturbation), pairs_of_both in both.groupby(["feature", "perturbation"], sort=True):
        pairs = pairs_of_both.sort_values("study_uid")[["value", "value_again"]].to_numpy(float)
        row = {"feature": feature, "perturbation": perturbation, "n": len(pairs)}
        value = icc(pairs) if len(pairs) >= FEWEST else None
        reason = None if value is not None else f"fewer than {FEWEST} examinations, or no spread among them"
        rows.append(
            row | {"icc": value, "is_stable": None if value is None else value >= params.least_icc, "reason": reason}
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def icc(measured: np.ndarray) -> float | None:
    """ICC(2,1) of measurements, shape (patients, measurements). None where nothing differs."""
    n, k = measured.shape
    mean = measured.mean()
    of_patients, of_columns = measured.mean(axis=1), measured.mean(axis=0)
    total = float(((measured - mean) ** 2).sum())
    rows = k * float(((of_patients - mean) ** 2).sum())
    columns = n * float(((of_columns - mean) ** 2).sum())
    msr, msc = rows / (n - 1), columns / (k - 1)
    mse = max(total - rows - columns, 0.0) / ((n - 1) * (k - 1))
    below = msr + (k - 1) * mse + k * (msc - mse) / n
    return (msr - mse) / below if below > 0 else None
