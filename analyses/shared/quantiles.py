"""Quantiles of survival: the day by which a quarter, a half and three quarters of a group have had the event. Times are in days.

    q(p) = the first day on which S(t) <= 1 - p        Brookmeyer and Crowley 1982, Biometrics 38:29

Where the curve is level at exactly 1 - p, the middle of that stretch, as quantile() of R's survfit; its end is where the curve
falls further, or the last day on which anybody was observed. The 95 % interval is where the curve's log(-log) limits (`curves`)
come as low. `logrank_tests` has medians as R prints a survfit: of a curve that ends level at one half its first day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from analyses.shared.curves import SAME, Quantile, kaplan_meier
from analyses.shared.survival import origin_of
from tshdb.vocabulary import Endpoint, Prognosis

if TYPE_CHECKING:
    import pandas as pd

PERCENTS = (25, 50, 75)


def quantile(curve: pd.DataFrame, share: float) -> Quantile:
    """The day by which a share of the patients has had the event, of a curve of `kaplan_meier`, with its interval."""
    times = curve["time_days"].to_numpy(float)
    return Quantile(
        *(_reached(times, curve[c].to_numpy(float), 1 - share) for c in ("survival", "ci_lower", "ci_upper"))
    )


def quantile_rows(
    grouping: str, data: pd.DataFrame, endpoint: Endpoint, censored_at: float | None, refused: str | None
) -> Iterator[dict]:
    """Rows of survival_quantiles: each percent of good and of poor; what there is none of has the reason.

    data: prognosis, event, duration_days, time_origin. refused: why nothing may be said of these patients.
    """
    for prognosis in Prognosis:
        members = data[data["prognosis"] == str(prognosis)]
        row = {
            "grouping": grouping, "prognosis": prognosis, "endpoint": endpoint, "time_origin": origin_of(data),
            "censored_at_days": censored_at, "n": len(members), "n_events": int(members["event"].sum()),
        }  # fmt: skip
        if refused or not len(members):
            reason = refused or "no patient is of this group"
            yield from (row | {"percent": percent, "is_reached": None, "reason": reason} for percent in PERCENTS)
            continue
        curve = kaplan_meier(members["duration_days"].to_numpy(float), members["event"].to_numpy(bool))
        for percent in PERCENTS:
            found = quantile(curve, percent / 100)
            yield row | {
                "percent": percent, "is_reached": found.days is not None, "days": found.days, "ci_lower": found.lower,
                "ci_upper": found.upper, "reason": _reason(curve, percent, found),
            }  # fmt: skip


def _reason(curve: pd.DataFrame, percent: int, found: Quantile) -> str | None:
    """What is missing, and why; where the curve ends level at the quantile, how the day was chosen."""
    lowest, last = float(curve["survival"].iloc[-1]), float(curve["time_days"].iloc[-1])
    if found.days is None:
        return f"not reached: survival is {lowest:.3g} on day {last:g}, the last that anybody was observed on"
    said = []
    if abs(lowest - (1 - percent / 100)) < SAME:
        said.append(f"the curve ends level there, on day {last:g}: the middle of that stretch")
    missing = [name for name, value in (("lower", found.lower), ("upper", found.upper)) if value is None]
    if missing:
        said.append(f"no {' and no '.join(missing)} limit: that of the curve does not come so low")
    return "; ".join(said) or None


def _reached(times: np.ndarray, values: np.ndarray, level: float) -> float | None:
    """Where values, which fall, come to a level; the middle of the stretch on which they are just there."""
    is_known = ~np.isnan(values)
    is_low = is_known & (values < level + SAME)
    if not is_low.any():
        return None
    first = int(np.flatnonzero(is_low)[0])
    if abs(values[first] - level) >= SAME:
        return float(times[first])
    further = np.flatnonzero(is_known & (values < level - SAME))
    return float((times[first] + (times[further[0]] if len(further) else times[-1])) / 2)
