"""Kaplan-Meier curves of the prognostic groups, with numbers at risk.

grouping  tsh_ratio: patients with tumour and stroma, by the cut-off of the ratio; tsh_score: patients with tumour RNA
          alone, by the TSH model, so that nobody whom the model was trained on is among them.
Durations are in days, censored at ten years. Fan et al. 2023, Statistical analysis, Fig. 4b.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.needs import GROUPED
from analyses.prognosis.settings import GroupParameters
from analyses.shared.group_survival import curves
from analyses.shared.survival import prognostic_groups, seen_in_training
from tshdb.engine.analysis import analysis
from tshdb.schema import KmPoint

if TYPE_CHECKING:
    import pandas as pd


class KmCurveParameters(GroupParameters):
    """[km_curves]"""


@analysis(
    kind="summary",
    per="cohort",
    needs=GROUPED,
    makes=KmPoint,
    params=KmCurveParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis, Fig. 4b; A07",
)
def km_curves(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    params: KmCurveParameters,
) -> pd.DataFrame:
    """One row per grouping, group and time; a group without patients has none."""
    import pandas as pd

    parts = []
    for grouping, data in prognostic_groups(groups, scores, follow_ups, params.endpoint, params.censor_at_days).items():
        if grouping == "tsh_score" and not params.allow_training_patients and seen_in_training(data, trained_on):
            continue  # `logrank_tests` says why
        parts += curves(grouping, data, params.endpoint)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
