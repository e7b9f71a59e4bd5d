"""How many of good and of poor by the signature have had an event of the disease by a day, and how many died before one.

For RFS and DFS of a validation cohort (Aalen-Johansen); which event came first is found from OS beside them
(`analyses.shared.competing_events`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.competing_events import incidence_rows
from analyses.shared.survival import seen_in_training
from analyses.signature.validation import NEEDS, SIGNATURE, SOURCE, ValidationParameters, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import CumulativeIncidence

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=NEEDS,
    makes=CumulativeIncidence,
    params=ValidationParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas"),
    source=f"{SOURCE}; Aalen and Johansen 1978, Scand J Stat 5:141",
    base="signature_validation",
)
def signature_incidences(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, trained_on: pd.DataFrame, params: ValidationParameters
) -> pd.DataFrame:
    """One row per endpoint but OS, group, kind of event and time; none for patients that the signature has learned from."""
    import pandas as pd

    parts: list[pd.DataFrame] = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        if params.allow_training_patients or not seen_in_training(data, trained_on):
            parts += incidence_rows(SIGNATURE, data, follow_ups, endpoint, params.censor_at_days)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
