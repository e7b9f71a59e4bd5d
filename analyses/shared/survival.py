"""Survival statistics that several analyses share. Times are in days; an event is true; nothing here knows a database.

Log-rank  Mantel 1966; for the scan over cut-offs see `logrank_scan`.
Cox       Cox 1972, Efron's treatment of ties, by lifelines with its stopping rule tightened (it stops 1e-6 short else).
Kaplan-Meier with log(-log) intervals (Kalbfleisch and Prentice), by lifelines; numbers at risk by plain counting.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tshdb.vocabulary import Endpoint

if TYPE_CHECKING:
    import pandas as pd

# the defaults stop when the log-likelihood stands, 1e-6 short of the coefficient
PRECISE = {"precision": 1e-20, "r_precision": 1e-18}
ESTIMATES = ("coefficient", "standard_error", "hazard_ratio", "ci_lower", "ci_upper", "wald", "p_value", "ph_p_value")
MOST_SPREAD = 50.0  # standard error of a coefficient per SD of its term; five events give a few
ENDLESS = "no finite estimate: no event on one of its sides, or another term says the same"
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


# ------------------------------------------------------------------------------------------------------------- Cox


def refused(reason: str) -> dict:
    """A model that was not fitted."""
    return dict.fromkeys(ESTIMATES) | {"reason": reason}


def cox(
    data: pd.DataFrame, terms: Sequence[str], min_events: int, test_proportionality: bool = True
) -> dict[str, dict]:
    """term -> its estimate in one model of all terms, or the reason for which there is none.

    data: event, duration_days and the terms as numbers, complete. hazard_ratio is per 1 of the term; p_value is of the
    Wald test; ph_p_value is of the test of proportional hazards (Schoenfeld residuals against ranked time). A term along
    which the likelihood rises without end (monotone likelihood: no event on one of its sides) has no estimate; the others
    have theirs beside it.
    """
    from lifelines.exceptions import ConvergenceError
    from lifelines.statistics import proportional_hazard_test

    n_events = int(data["event"].sum())
    if n_events < min_events:
        return dict.fromkeys(terms, refused(f"{n_events} events, fewer than {min_events}"))
    constant = [t for t in terms if data[t].nunique() < 2]
    if constant:
        return dict.fromkeys(terms, refused(f"{constant[0]} does not vary"))
    finite, frame = without_one_sided(data, terms)
    if not finite:
        return dict.fromkeys(terms, refused(ENDLESS))
    try:
        fitted = fitted_cox(frame)
    except (ConvergenceError, np.linalg.LinAlgError) as error:
        return dict.fromkeys(terms, refused(f"no convergence: {str(error).splitlines()[0]}"))
    ph: dict[str, float | None] = dict.fromkeys(terms)
    if test_proportionality:
        tested = proportional_hazard_test(fitted, frame, time_transform="rank").summary["p"]
        ph = {t: float(tested.loc[t]) for t in finite}
    is_endless = {t: t not in finite or not fitted.standard_errors_[t] * frame[t].std() < MOST_SPREAD for t in terms}
    endless = [t for t in terms if is_endless[t]]
    reasons = [f"{n_events} events for {len(terms)} terms: fewer than ten a term"] if n_events < 10 * len(terms) else []
    reasons += [f"beside {', '.join(endless)} without a finite estimate"] if endless else []
    estimates = {}
    summary = fitted.summary
    for term in terms:
        if is_endless[term]:
            estimates[term] = refused(ENDLESS)
            continue
        row = summary.loc[term]
        estimates[term] = {
            "coefficient": row["coef"],
            "standard_error": row["se(coef)"],
            "hazard_ratio": row["exp(coef)"],
            "ci_lower": row["exp(coef) lower 95%"],
            "ci_upper": row["exp(coef) upper 95%"],
            "wald": row["z"] ** 2,
            "p_value": row["p"],
            "ph_p_value": ph[term],
            "reason": "; ".join(reasons) or None if len(terms) > 1 else None,
        }  # fmt: skip
    return estimates


def log_likelihood(data: pd.DataFrame, terms: Sequence[str]) -> float:
    """The partial log-likelihood of a Cox model, for nested likelihood ratio tests on the same rows."""
    finite, frame = without_one_sided(data, terms)
    return fitted_cox(frame).log_likelihood_ if finite else _log_likelihood_of_none(frame)


def without_one_sided(data: pd.DataFrame, terms: Sequence[str]) -> tuple[list[str], pd.DataFrame]:
    """The terms that can have an estimate, and the patients who say something of them.

    Where a side of a binary term has no event, the likelihood rises until that side counts for nothing: the other terms'
    estimates are those without its patients. Counted, not fitted: how far a solver gets towards no end hangs on the machine.
    """
    frame, left = data[[*terms, "duration_days", "event"]], list(terms)
    while left and frame["event"].any():
        dead = frame.loc[frame["event"].astype(bool), left]
        one_sided = next((t for t in left if frame[t].nunique() <= 2 and dead[t].nunique() < 2), None)
        if one_sided is None:
            break
        frame = frame[frame[one_sided] == dead[one_sided].iloc[0]].drop(columns=one_sided)
        left.remove(one_sided)
    return left, frame


def _log_likelihood_of_none(frame: pd.DataFrame) -> float:
    """The partial log-likelihood of a model without terms (Efron): of d deaths among n at risk, -log n - ... - log(n-d+1)."""
    died = frame.loc[frame["event"].astype(bool), "duration_days"].value_counts()
    at_risk = {t: int((frame["duration_days"] >= t).sum()) for t in died.index}
    return -float(sum(np.log(at_risk[t] - i) for t, d in died.items() for i in range(d)))


def fitted_cox(frame: pd.DataFrame):
    """A Cox model of all other columns. What lifelines warns of (terms without a finite estimate) is said by `cox`."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return CoxPHFitter().fit(frame, duration_col="duration_days", event_col="event", fit_options=PRECISE)


# ------------------------------------------------------------------------------------------------------ curves, test


def kaplan_meier(durations: np.ndarray, events: np.ndarray) -> pd.DataFrame:
    """time_days, n_at_risk, n_events, n_censored, survival, ci_lower, ci_upper: a row a time, from day 0.

    n_at_risk: patients whose duration is at least the time. The interval is missing where survival is 1 or 0.
    """
    import pandas as pd
    from lifelines import KaplanMeierFitter

    fitted = KaplanMeierFitter().fit(durations, events)
    times = fitted.survival_function_.index.to_numpy(float)
    interval = fitted.confidence_interval_.to_numpy(float)
    survival = fitted.survival_function_.iloc[:, 0].to_numpy(float)
    is_inside = (survival > 0) & (survival < 1)
    return pd.DataFrame(
        {
            "time_days": times,
            "n_at_risk": [int((durations >= t).sum()) for t in times],
            "n_events": [int(((durations == t) & events).sum()) for t in times],
            "n_censored": [int(((durations == t) & ~events).sum()) for t in times],
            "survival": survival,
            "ci_lower": np.where(is_inside, interval[:, 0], np.nan),
            "ci_upper": np.where(is_inside, interval[:, 1], np.nan),
        }
    )


def median_survival(curve: pd.DataFrame) -> float | None:
    """The first time at which survival is one half or less; None if it stays above."""
    below = curve[curve["survival"] <= 0.5 + 1e-12]  # products of fractions are a bit off
    return float(below["time_days"].iloc[0]) if len(below) else None


class LogRank(NamedTuple):
    chi2: float
    p_value: float


def logrank(durations: np.ndarray, events: np.ndarray, in_first: np.ndarray) -> LogRank:
    """The log-rank test of two groups, one degree of freedom."""
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
