"""Gray's test of good against poor prognosis: of events of the disease where deaths compete, and of deaths where those do.

grouping as in `km_curves`; settings are those of [logrank_tests], whose endpoint must be RFS or DFS: nothing competes with OS.
Which event came first is found from OS beside it (`analyses.shared.competing_events`). Gray 1988, Ann Stat 16:1141.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.needs import GROUPED
from analyses.prognosis.settings import GroupTestParameters
from analyses.shared.competing_events import gray_rows
from analyses.shared.survival import prognostic_groups, seen_in_training
from tshdb.engine.analysis import analysis
from tshdb.schema import GrayTest

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=GROUPED,
    makes=GrayTest,
    params=GroupTestParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis; doi:10.1214/aos/1176350951",
    base="logrank_tests",
    tracks=("p_value",),
)
def gray_tests(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    params: GroupTestParameters,
) -> pd.DataFrame:
    """One row per grouping that has patients and kind of event; what cannot be tested has the reason."""
    import pandas as pd

    rows: list[dict] = []
    for grouping, data in prognostic_groups(groups, scores, follow_ups, params.endpoint, None).items():
        seen = seen_in_training(data, trained_on) if grouping == "tsh_score" else None
        refused = f"refused: {seen}" if seen and not params.allow_training_patients else None
        rows += gray_rows(
            grouping, data, follow_ups, params.endpoint, params.censor_at_days, params.min_events, refused
        )
    return pd.DataFrame(rows)
