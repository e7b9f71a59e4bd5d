"""The days by which a quarter, a half and three quarters of good and of poor by the signature have had the event.

For every endpoint of a validation cohort, with 95 % intervals; patients that the signature has learned from are refused, unless
allow_training_patients. See `analyses.shared.quantiles`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.quantiles import quantile_rows
from analyses.shared.survival import seen_in_training
from analyses.signature.validation import NEEDS, SIGNATURE, SOURCE, ValidationParameters, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import SurvivalQuantile

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=NEEDS,
    makes=SurvivalQuantile,
    params=ValidationParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas"),
    source=SOURCE,
    base="signature_validation",
)
def signature_quantiles(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, trained_on: pd.DataFrame, params: ValidationParameters
) -> pd.DataFrame:
    """One row per endpoint that the cohort has, group and percent."""
    import pandas as pd

    rows: list[dict] = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        seen = seen_in_training(data, trained_on)
        refused = f"refused: {seen}" if seen and not params.allow_training_patients else None
        rows += quantile_rows(SIGNATURE, data, endpoint, params.censor_at_days, refused)
    return pd.DataFrame(rows)
