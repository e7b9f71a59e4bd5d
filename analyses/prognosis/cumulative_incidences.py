"""How many of each prognostic group have had an event of the disease by a day, and how many died before one (Aalen-Johansen).

grouping as in `km_curves`; settings are those of [logrank_tests], whose endpoint must be RFS or DFS: nothing competes with OS.
Which event came first is found from OS beside it (`analyses.shared.competing_events`). Durations are in days, censored at ten
years. Aalen and Johansen 1978, Scand J Stat 5:141.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.needs import GROUPED
from analyses.prognosis.settings import GroupParameters
from analyses.shared.competing_events import incidence_rows
from analyses.shared.survival import prognostic_groups, seen_in_training
from tshdb.engine.analysis import analysis
from tshdb.schema import CumulativeIncidence

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=GROUPED,
    makes=CumulativeIncidence,
    params=GroupParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis; Aalen and Johansen 1978, Scand J Stat 5:141",
    base="logrank_tests",
)
def cumulative_incidences(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    params: GroupParameters,
) -> pd.DataFrame:
    """One row per grouping, group, kind of event and time; none of OS, nor of scores that are refused (`gray_tests` says why)."""
    import pandas as pd

    parts: list[pd.DataFrame] = []
    for grouping, data in prognostic_groups(groups, scores, follow_ups, params.endpoint, None).items():
        if grouping == "tsh_score" and not params.allow_training_patients and seen_in_training(data, trained_on):
            continue
        parts += incidence_rows(grouping, data, follow_ups, params.endpoint, params.censor_at_days)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
