"""Kaplan-Meier curves of good and poor by the signature score, for every endpoint of a validation cohort (Fig. 7c, d)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.group_survival import curves
from analyses.shared.survival import seen_in_training
from analyses.signature.validation import NEEDS, SIGNATURE, SOURCE, ValidationParameters, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import KmPoint

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=NEEDS,
    makes=KmPoint,
    params=ValidationParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas"),
    source=SOURCE,
    base="signature_validation",
)
def signature_curves(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, trained_on: pd.DataFrame, params: ValidationParameters
) -> pd.DataFrame:
    """One row per endpoint, group and time; none for patients that the signature has learned from (`logrank_tests` says so)."""
    import pandas as pd

    parts = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        if params.allow_training_patients or not seen_in_training(data, trained_on):
            parts += curves(SIGNATURE, data, endpoint)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
