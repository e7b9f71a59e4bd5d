"""The log-rank test of good against poor by the signature score, for every endpoint of a validation cohort.

Before anything is tested the patients are compared with the training sets of all fits behind the scores: the signature, the TSH
model that made its labels, cut-off and gene filter. Patients that one of them has seen are refused, or marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.group_survival import test
from analyses.shared.survival import seen_in_training
from analyses.signature.classes import classes_of
from analyses.signature.validation import NEEDS, SIGNATURE, SOURCE, ValidationParameters, note_of, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import LogrankTest

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=NEEDS,
    makes=LogrankTest,
    params=ValidationParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source=SOURCE,
    base="signature_validation",
    tracks=("p_value",),
)
def signature_logrank(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, trained_on: pd.DataFrame, params: ValidationParameters
) -> pd.DataFrame:
    """One row per endpoint that the cohort has."""
    import pandas as pd

    return pd.DataFrame(
        [
            test(
                SIGNATURE, data, endpoint, params.censor_at_days, params.min_events, seen_in_training(data, trained_on),
                params.allow_training_patients, note_of(data), classes_of(data).had,
            )
            for endpoint, data in outcomes(scores, follow_ups, params).items()
        ]
    )  # fmt: skip
