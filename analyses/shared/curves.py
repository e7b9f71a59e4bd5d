"""Kaplan-Meier curves, the median with its interval, and the mean up to a day. Times are in days.

    S(t) = product over times of (1 - d / n)         Kaplan and Meier 1958, J Am Stat Assoc 53:457
    intervals log(-log) with Greenwood's variance    Kalbfleisch and Prentice 1980, section 1.3

The median is as R's survfit prints it: the middle of the stretch on which the curve is one half; its interval is where the
curve's limits cross one half (Brookmeyer and Crowley 1982, Biometrics 38:29). The restricted mean is the area below the curve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

NORMAL_95 = 1.959963984540054
SAME = 1.5e-8  # products of fractions are a bit off


class Quantile(NamedTuple):
    """A time with its 95 % interval; None where the curve does not come so low."""

    days: float | None
    lower: float | None
    upper: float | None


class RestrictedMean(NamedTuple):
    """The mean survival up to a day, and its variance (Greenwood)."""

    days: float
    variance: float


def kaplan_meier(durations: np.ndarray, events: np.ndarray) -> pd.DataFrame:
    """time_days, n_at_risk, n_events, n_censored, survival, ci_lower, ci_upper: a row a time, from day 0.

    n_at_risk: patients whose duration is at least the time. The interval is missing where survival is 1 or 0.
    """
    import pandas as pd

    times = np.unique(np.r_[0.0, durations])
    place = np.searchsorted(times, durations)
    n_events = np.bincount(place, weights=events, minlength=len(times)).astype(int)
    n_all = np.bincount(place, minlength=len(times))
    at_risk = n_all[::-1].cumsum()[::-1]
    survival = np.cumprod(1 - n_events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.cumsum(n_events / (at_risk * (at_risk - n_events))))
        is_inside = (survival > 0) & (survival < 1)
        logs = np.where(is_inside, np.log(survival), np.nan)
        power = np.exp(NORMAL_95 * error / np.abs(logs))
        lower, upper = np.exp(logs * power), np.exp(logs / power)
    return pd.DataFrame(
        {
            "time_days": times, "n_at_risk": at_risk, "n_events": n_events, "n_censored": n_all - n_events,
            "survival": survival, "ci_lower": lower, "ci_upper": upper,
        }
    )  # fmt: skip


def median(curve: pd.DataFrame) -> Quantile:
    """The median survival of a curve of `kaplan_meier`."""
    times = curve["time_days"].to_numpy(float)
    return Quantile(*(_crossing(times, curve[c].to_numpy(float)) for c in ("survival", "ci_lower", "ci_upper")))


def _crossing(times: np.ndarray, values: np.ndarray) -> float | None:
    """Where values, which fall, come to one half; the middle where they are one half for a while and fall further."""
    is_low = ~np.isnan(values) & (values < 0.5 + SAME)
    if not is_low.any():
        return None
    times, values = times[is_low], values[is_low]
    further = np.flatnonzero(values < values[0] - SAME)
    if abs(values[0] - 0.5) < SAME and len(further):
        return float((times[0] + times[further[0]]) / 2)
    return float(times[0])


def restricted_mean(curve: pd.DataFrame, until: float) -> RestrictedMean:
    """The area below a curve of `kaplan_meier` up to a day, at which somebody of it must still have been observed."""
    known = curve[curve["time_days"] <= until]
    times = np.r_[known["time_days"].to_numpy(float), until]
    areas = np.diff(times) * known["survival"].to_numpy(float)
    n, d = known["n_at_risk"].to_numpy(float), known["n_events"].to_numpy(float)
    left = areas[::-1].cumsum()[::-1]  # the area from each time on
    hazard = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
    return RestrictedMean(float(areas.sum()), float((left**2 * hazard).sum()))
