"""The log-rank test of good against poor prognosis, with the groups' medians.

grouping as in `km_curves`. Scores of patients whom a model behind them has learned from are refused, unless
allow_training_patients, and then marked. A group without patients, or too few events, gives a row with the reason.
Mantel 1966; Fan et al. 2023, Statistical analysis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.needs import GROUPED
from analyses.prognosis.settings import GroupTestParameters
from analyses.shared.group_survival import test
from analyses.shared.survival import prognostic_groups, seen_in_training
from tshdb.engine.analysis import analysis
from tshdb.schema import LogrankTest

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=GROUPED,
    makes=LogrankTest,
    params=GroupTestParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis, Fig. 4; A07",
    tracks=("p_value",),
)
def logrank_tests(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    params: GroupTestParameters,
) -> pd.DataFrame:
    """One row per grouping that has patients; scores of patients that trained them are refused, or marked."""
    import pandas as pd

    rows = []
    for grouping, data in prognostic_groups(groups, scores, follow_ups, params.endpoint, params.censor_at_days).items():
        seen = seen_in_training(data, trained_on) if grouping == "tsh_score" else None
        rows.append(
            test(
                grouping, data, params.endpoint, params.censor_at_days, params.min_events, seen,
                params.allow_training_patients,
            )
        )  # fmt: skip
    return pd.DataFrame(rows)
