"""The one call by which a dynamic set is split: helpers without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.imaging.phase_split import Split, split

if TYPE_CHECKING:
    import pandas as pd


def phases_of(
    study_uid: str,
    dynamic: pd.DataFrame,
    series: pd.DataFrame,
    instances: pd.DataFrame,
    decisions: pd.DataFrame,
    *,
    merge_s: float,
    most_left_out: float,
) -> Split:
    """The phases of one examination's dynamic series. Raises Unsplit with the reason."""
    chosen = sorted(dynamic["series_uid"])
    times = series.set_index("series_uid")["series_time_s"]
    parts = []
    for uid in chosen:
        of_series = instances[instances["series_uid"] == uid].copy()
        of_series["series_time_s"] = times.get(uid)
        for name in ("row_spacing_mm", "column_spacing_mm"):
            of_series[name] = series.set_index("series_uid")[name].get(uid)
        parts.append(of_series)
    keys = [
        d.decision.removeprefix("key=")
        for d in decisions.itertuples()
        if d.study_uid == study_uid and d.decision.startswith("key=")
    ]
    return split(parts, merge_s=merge_s, most_left_out=most_left_out, key=keys[0] if keys else None)
