"""Good against poor prognosis: curves and the log-rank test, for whatever made the groups.

data: patient_id, prognosis, event, duration_days, time_origin; durations in days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.survival import kaplan_meier, logrank, median_survival, origin_of
from tshdb.vocabulary import Endpoint

if TYPE_CHECKING:
    import pandas as pd


def curves(grouping: str, data: pd.DataFrame, endpoint: Endpoint) -> list[pd.DataFrame]:
    """The Kaplan-Meier curve of each group that has patients, as rows of km_points."""
    curves = []
    for prognosis, members in data.groupby("prognosis", sort=True):
        curve = kaplan_meier(members["duration_days"].to_numpy(float), members["event"].to_numpy(bool))
        curves.append(curve.assign(grouping=grouping, prognosis=prognosis, endpoint=endpoint))
    return curves


def test(
    grouping: str,
    data: pd.DataFrame,
    endpoint: Endpoint,
    censored_at: float | None,
    min_events: int,
    seen: str | None,
    allow_seen: bool,
    note: str | None = None,
) -> dict:
    """A row of logrank_tests. seen: what must be said of patients that the model learned from; note: said beside a test."""
    durations, events = data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)
    is_good = (data["prognosis"] == "good").to_numpy(bool)
    row = {
        "grouping": grouping,
        "endpoint": endpoint,
        "time_origin": origin_of(data),
        "n_good": int(is_good.sum()),
        "n_good_events": int(events[is_good].sum()),
        "n_poor": int((~is_good).sum()),
        "n_poor_events": int(events[~is_good].sum()),
        "censored_at_days": censored_at,
    }
    for name, is_member in (("good", is_good), ("poor", ~is_good)):
        if is_member.any():
            row[f"median_{name}_days"] = median_survival(kaplan_meier(durations[is_member], events[is_member]))
    if seen and not allow_seen:
        row["reason"] = f"refused: {seen}"
    elif is_good.all() or not is_good.any():
        row["reason"] = f"all patients have a {'good' if is_good.all() else 'poor'} prognosis"
    elif events.sum() < min_events:
        row["reason"] = f"{int(events.sum())} events, fewer than {min_events}"
    else:
        row |= dict(zip(("chi2", "p_value"), logrank(durations, events, is_good), strict=True))
        row["reason"] = "; ".join(filter(None, [f"optimistic: {seen}" if seen else None, note])) or None
    return row
