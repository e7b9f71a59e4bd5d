"""The days by which a quarter, a half and three quarters of each prognostic group have had the event, with 95 % intervals.

grouping as in `km_curves`; settings are those of [logrank_tests]. Scores of patients whom a model behind them has learned from
are refused, unless allow_training_patients. Durations are in days, censored at ten years. Brookmeyer and Crowley 1982, Biometrics
38:29; Fan et al. 2023, Statistical analysis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.needs import GROUPED
from analyses.prognosis.settings import GroupParameters
from analyses.shared.quantiles import quantile_rows
from analyses.shared.survival import prognostic_groups, seen_in_training
from tshdb.engine.analysis import analysis
from tshdb.schema import SurvivalQuantile

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=GROUPED,
    makes=SurvivalQuantile,
    params=GroupParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis; doi:10.2307/2530286; A07",
    base="logrank_tests",
)
def survival_quantiles(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    params: GroupParameters,
) -> pd.DataFrame:
    """One row per grouping that has patients, group and percent; what is not reached, or refused, has the reason."""
    import pandas as pd

    rows: list[dict] = []
    for grouping, data in prognostic_groups(groups, scores, follow_ups, params.endpoint, params.censor_at_days).items():
        seen = seen_in_training(data, trained_on) if grouping == "tsh_score" else None
        refused = f"refused: {seen}" if seen and not params.allow_training_patients else None
        rows += quantile_rows(grouping, data, params.endpoint, params.censor_at_days, refused)
    return pd.DataFrame(rows)
