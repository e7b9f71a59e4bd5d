"""Survival statistics that several analyses share. Times are in days; an event is true; nothing here knows a database.

Log-rank  Mantel 1966; for the scan over cut-offs see `logrank_scan`. Curves: `curves`. Cox models: `cox`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tshdb.vocabulary import Endpoint

if TYPE_CHECKING:
    import pandas as pd

BATCH = 250  # permutations in one block of arrays


def censored(follow_ups: pd.DataFrame, endpoint: Endpoint, at_days: float | None) -> pd.DataFrame:
    """patient_id, event, duration_days, time_origin of one endpoint; what happens after `at_days` is not seen."""
    known = follow_ups[(follow_ups["endpoint"] == endpoint) & follow_ups["event"].notna()]
    known = known[known["duration_days"].notna()]
    outcome = known[["patient_id", "event", "duration_days", "time_origin"]].copy()
    outcome["event"] = outcome["event"].astype(bool)
    if at_days is not None:
        outcome["event"] &= outcome["duration_days"] <= at_days
        outcome["duration_days"] = outcome["duration_days"].clip(upper=at_days)
    return outcome


def prognostic_groups(
    groups: pd.DataFrame, scores: pd.DataFrame, follow_ups: pd.DataFrame, endpoint: Endpoint, at_days: float | None
) -> dict[str, pd.DataFrame]:
    """grouping -> patient_id, prognosis, value, event, duration_days, time_origin, of the groupings that have patients.

    tsh_ratio: patients with a ratio, by its cut-off; tsh_score: patients without one, by the score of the TSH model.
    """
    outcome = censored(follow_ups, endpoint, at_days)
    by_ratio = groups[groups["prognosis"].notna()]
    by_score = scores[scores["prognosis"].notna() & ~scores["patient_id"].isin(set(groups["patient_id"]))]
    by_grouping = {}
    for grouping, rows, value in (("tsh_ratio", by_ratio, "value"), ("tsh_score", by_score, "score")):
        grouped = rows[["patient_id", "prognosis", value]].rename(columns={value: "value"})
        data = grouped.merge(outcome, on="patient_id").sort_values("patient_id", ignore_index=True)
        if len(data):
            by_grouping[grouping] = data.assign(prognosis=data["prognosis"].astype(str))
    return by_grouping


def origin_of(data: pd.DataFrame) -> str | None:
    """What day 0 is for these patients; several are joined. data: time_origin."""
    return ", ".join(sorted(set(data["time_origin"].dropna()))) or None


def seen_in_training(data: pd.DataFrame, trained_on: pd.DataFrame) -> str | None:
    """What must be said of scores of patients whom a model behind them has learned from; None without any.

    data: patient_id. trained_on: patient_id, cohort of the training sets of all fits behind the scores.
    """
    shared = trained_on[trained_on["patient_id"].isin(set(data["patient_id"]))]
    if not len(shared):
        return None
    cohorts = ", ".join(sorted({name.partition("@")[0] for name in shared["cohort"]}))
    return f"{shared['patient_id'].nunique()} of {len(data)} patients are in the training sets of the scores' models ({cohorts})"


# ------------------------------------------------------------------------------------------------------------ test


class LogRank(NamedTuple):
    chi2: float
    p_value: float


def logrank(durations: np.ndarray, events: np.ndarray, in_first: np.ndarray) -> LogRank:
    """The log-rank test of two groups, one degree of freedom; NaN where it has no variance."""
    from scipy.stats import chi2 as chi2_distribution

    scan = _Scan(durations, events)
    order = np.argsort(~in_first, kind="stable")
    statistic = float(scan.statistics(order[None, :])[0, int(in_first.sum()) - 1])
    return LogRank(statistic, float(chi2_distribution.sf(statistic, 1)))


# -------------------------------------------------------------------------------------------- scan over all cut-offs


class _Scan:
    """Log-rank statistics of all splits of one set of outcomes, for any order of the patients.

    With R the (patients, event times) matrix of who is at risk, d events and n at risk at each time, a split of the first
    k patients has U = sum of (event - sum_j R d/n) and V = sum_j v n1 (n - n1), v = d (n - d) / (n^2 (n - 1)), where n1
    is the running sum of R's rows: so all k come from one cumulative sum.
    """

    def __init__(self, durations: np.ndarray, events: np.ndarray):
        times = np.unique(durations[events])
        self.at_risk = (durations[:, None] >= times[None, :]).astype(float)
        died = (events[:, None] & (durations[:, None] == times[None, :])).sum(axis=0).astype(float)
        n = self.at_risk.sum(axis=0)
        self.residuals = events.astype(float) - self.at_risk @ (died / n)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = died * (n - died) / (n**2 * (n - 1.0))
        self.weights = np.where(n > 1, weights, 0.0)
        self.n_weights = self.weights * n

    def statistics(self, orders: np.ndarray) -> np.ndarray:
        """(orders, patients): chi-square of the split after each patient; NaN where it is not defined."""
        n1 = np.cumsum(self.at_risk[orders], axis=1)
        u = np.cumsum(self.residuals[orders], axis=1)
        v = n1 @ self.n_weights - (n1 * n1) @ self.weights
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(v > 1e-12, u * u / v, np.nan)


class CutoffScan(NamedTuple):
    """cutoffs: the smallest value of the upper group, ascending; chi2: of each; n_low: patients below."""

    cutoffs: np.ndarray
    chi2: np.ndarray
    n_low: np.ndarray


def logrank_scan(values: np.ndarray, durations: np.ndarray, events: np.ndarray, min_group: float) -> CutoffScan:
    """The log-rank test at every cut-off that leaves at least `min_group` (a fraction) of the patients on both sides."""
    order, splits = _splits(values, min_group)
    chi2 = _Scan(durations, events).statistics(order[None, :])[0, splits - 1]
    return CutoffScan(values[order][splits], chi2, splits)


def _splits(values: np.ndarray, min_group: float) -> tuple[np.ndarray, np.ndarray]:
    """The order of the values, and the numbers of patients below each cut-off between two different values."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    least = max(1, int(np.ceil(min_group * len(values))))
    splits = np.flatnonzero(ranked[1:] > ranked[:-1]) + 1
    return order, splits[(splits >= least) & (splits <= len(values) - least)]


def maxstat_p_value(
    values: np.ndarray, durations: np.ndarray, events: np.ndarray, min_group: float, n_permutations: int, seed: int
) -> float:
    """The p value of the largest log-rank statistic over all cut-offs, by permutation of the outcomes.

    (1 + permutations that reach it) / (1 + permutations): the cut-off was chosen by the outcome, and so is theirs.
    """
    _, splits = _splits(values, min_group)
    scan = _Scan(durations, events)
    observed = np.nanmax(logrank_scan(values, durations, events, min_group).chi2)
    generator = np.random.default_rng(seed)
    reached = 0
    for start in range(0, n_permutations, BATCH):
        size = min(BATCH, n_permutations - start)
        orders = generator.permuted(np.tile(np.arange(len(values)), (size, 1)), axis=1)
        largest = np.nanmax(scan.statistics(orders)[:, splits - 1], axis=1)
        reached += int((largest >= observed - 1e-12).sum())
    return (1 + reached) / (1 + n_permutations)
