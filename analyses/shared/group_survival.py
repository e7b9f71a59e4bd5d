"""Good against poor prognosis: curves and the log-rank test, for whatever made the groups.

data: patient_id, prognosis, event, duration_days, time_origin; durations in days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.curves import NORMAL_95, kaplan_meier, median, restricted_mean
from analyses.shared.survival import logrank, origin_of
from tshdb.vocabulary import Endpoint

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NO_VARIANCE = "no variance: at every event one group alone is left, or all who are left have it together"


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
    words: tuple[str, str] = ("a good prognosis", "a poor prognosis"),
) -> dict:
    """A row of logrank_tests. seen: what must be said of patients that the model learned from; note: said beside a test.

    words: what the patients of good and of poor have.
    """
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
            middle = median(kaplan_meier(durations[is_member], events[is_member]))
            row[f"median_{name}_days"], row[f"median_{name}_lower"], row[f"median_{name}_upper"] = middle
    if is_good.any() and not is_good.all():
        row |= _restricted_means(durations, events, is_good)
    if seen and not allow_seen:
        row["reason"] = f"refused: {seen}"
    elif is_good.all() or not is_good.any():
        row["reason"] = f"all patients have {words[0] if is_good.all() else words[1]}"
    elif events.sum() < min_events:
        row["reason"] = f"{int(events.sum())} events, fewer than {min_events}"
    else:
        found = logrank(durations, events, is_good)
        has_variance = found.chi2 == found.chi2
        row |= {"chi2": found.chi2, "p_value": found.p_value} if has_variance else {}
        nothing = None if has_variance else NO_VARIANCE
        row["reason"] = "; ".join(filter(None, [f"optimistic: {seen}" if seen else None, nothing, note])) or None
    return row


def _restricted_means(durations: np.ndarray, events: np.ndarray, is_good: np.ndarray) -> dict[str, float]:
    """The groups' means up to the last day that both were observed on, and good less poor with its 95 % interval."""
    until = float(min(durations[is_good].max(), durations[~is_good].max()))
    good, poor = (restricted_mean(kaplan_meier(durations[m], events[m]), until) for m in (is_good, ~is_good))
    difference, error = good.days - poor.days, (good.variance + poor.variance) ** 0.5
    return {
        "mean_until_days": until, "mean_good_days": good.days, "mean_poor_days": poor.days, "mean_difference_days": difference,
        "mean_difference_lower": difference - NORMAL_95 * error, "mean_difference_upper": difference + NORMAL_95 * error,
    }  # fmt: skip
