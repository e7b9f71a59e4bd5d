"""Gray's test of good against poor by the signature: of events of the disease where deaths compete, and of deaths.

For every endpoint of a validation cohort; which event came first is found from OS beside it (`analyses.shared.competing_events`).
Gray 1988, Ann Stat 16:1141.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.competing_events import gray_rows
from analyses.shared.survival import seen_in_training
from analyses.signature.classes import classes_of
from analyses.signature.validation import NEEDS, SIGNATURE, SOURCE, ValidationParameters, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import GrayTest

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=NEEDS,
    makes=GrayTest,
    params=ValidationParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source=f"{SOURCE}; doi:10.1214/aos/1176350951",
    base="signature_validation",
    tracks=("p_value",),
)
def signature_gray(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, trained_on: pd.DataFrame, params: ValidationParameters
) -> pd.DataFrame:
    """One row per endpoint that the cohort has and kind of event; what cannot be tested has the reason."""
    import pandas as pd

    rows: list[dict] = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        seen = seen_in_training(data, trained_on)
        refused = f"refused: {seen}" if seen and not params.allow_training_patients else None
        given = (endpoint, params.censor_at_days, params.min_events, refused, classes_of(data).had)
        rows += gray_rows(SIGNATURE, data, follow_ups, *given)
    return pd.DataFrame(rows)
