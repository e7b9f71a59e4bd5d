"""Cox models: estimates by Newton's method where there are any, and the reason where there are none.

    h(t | x) = h0(t) exp(coefficients x)        Cox 1972, J R Stat Soc B 34:187; ties as Efron 1977

An estimate is where the gradient of the likelihood is 0. Terms along which it rises without end, and terms that follow from
others, have none (`separation`); the other terms have theirs beside them. `likelihood = "penalised"` is Firth's
(`penalised_cox`): a maximum along every term that does not follow from others. Times are in days, coefficients per 1 of a term. A
fit does not depend on the order of the patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from analyses.shared import penalised_cox
from analyses.shared.curves import NORMAL_95
from analyses.shared.proportionality import proportionality
from analyses.shared.risk_sets import Moments, NoConvergence, RiskSets, blocks, moments, risk_sets
from analyses.shared.separation import Separation, separation

if TYPE_CHECKING:
    import pandas as pd

Likelihood = Literal["partial", "penalised"]
ESTIMATES = (
    "coefficient", "standard_error", "hazard_ratio", "ci_lower", "ci_upper", "wald", "p_value", "ph_p_value",
    "ph_global_p_value", "events_per_term",
)  # fmt: skip
MOST_STEPS = 100
FEWEST_PER_TERM = 10  # events; Peduzzi et al. 1995, J Clin Epidemiol 48:1503
PENALISED = "penalised likelihood (Firth): interval by profile, p by likelihood ratio"


class Prepared(NamedTuple):
    """A model before it is fitted. x: (patients, terms) standardised, in the order of the data; center, scale: (terms,)."""

    x: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    separation: Separation
    sets: RiskSets

    @property
    def fitted_terms(self) -> np.ndarray:
        """(patients, columns) in the order of the risk sets: the terms that are fitted."""
        return self.x[self.sets.order][:, self.separation.columns]


class Fit(NamedTuple):
    """coefficients of the prepared terms that are fitted, and the moments there."""

    coefficients: np.ndarray
    moments: Moments


def refused(reason: str) -> dict:
    """A model that was not fitted."""
    return dict.fromkeys(ESTIMATES) | {"reason": reason}


def cox(
    data: pd.DataFrame,
    terms: Sequence[str],
    min_events: int,
    test_proportionality: bool = True,
    likelihood: Likelihood = "partial",
) -> dict[str, dict]:
    """term -> its estimate in one model of all terms, or the reason for which there is none.

    data: event, duration_days and the terms as numbers, complete. hazard_ratio is per 1 of the term, with its 95 % interval;
    p_value is of the Wald test (penalised: of the likelihood ratio); ph_p_value is of the score test of proportional hazards,
    ph_global_p_value of all terms together (`proportionality`); events_per_term is events by terms of the model.
    """
    n_events = int(data["event"].sum())
    if n_events < min_events:
        return dict.fromkeys(terms, refused(f"{n_events} events, fewer than {min_events}"))
    ready = prepare(data, terms, likelihood)
    per_term = n_events / len(terms)
    none = _without_estimate(ready, terms)
    estimates = {term: refused(reason) | {"events_per_term": per_term} for term, reason in none.items()}
    standing = [term for term in terms if term not in none]
    if not standing:
        return estimates
    try:
        values, fit = (_partial if likelihood == "partial" else _penalised)(ready, terms)
    except NoConvergence as error:
        return dict.fromkeys(terms, refused(f"no convergence: {error}") | {"events_per_term": per_term})
    by_term, of_all = _proportionality(ready, fit, terms) if test_proportionality else ({}, None)
    reasons = [PENALISED] if likelihood == "penalised" else []
    if per_term < FEWEST_PER_TERM:
        reasons.append(f"{n_events} events for {len(terms)} term{'s' * (len(terms) > 1)}: fewer than ten a term")
    reasons += [f"beside {', '.join(none)} without an estimate"] if none else []
    for term in standing:
        estimates[term] = values[term] | {
            "ph_p_value": by_term.get(term), "ph_global_p_value": of_all, "events_per_term": per_term,
            "reason": "; ".join(reasons) or None,
        }  # fmt: skip
    return {term: estimates[term] for term in terms}


class LikelihoodRatio(NamedTuple):
    """Of two nested models of the same patients: the log-likelihoods without the term and with it, chi2 of one degree."""

    without: float
    with_term: float
    chi2: float


def likelihood_ratio(
    data: pd.DataFrame, term: str, others: Sequence[str], likelihood: Likelihood = "partial"
) -> LikelihoodRatio:
    """Does a term add to others. data as in `cox`; under separation the log-likelihoods are limits. Raises NoConvergence.

    penalised: the information in the penalty is of all terms in both, as in the p value of `cox`.
    """
    if likelihood == "partial":
        without, with_term = log_likelihood(data, others), log_likelihood(data, [term, *others])
        return LikelihoodRatio(without, with_term, max(2 * (with_term - without), 0.0))
    ready = prepare(data, [term, *others], likelihood)
    fitted = penalised_cox.fit(ready.sets, ready.fitted_terms)
    lost = penalised_cox.deviance(fitted, ready.separation.columns.index(0), 0.0)
    return LikelihoodRatio(fitted.log_likelihood - lost / 2, fitted.log_likelihood, lost)


def log_likelihood(data: pd.DataFrame, terms: Sequence[str]) -> float:
    """The largest partial log-likelihood of a model, or its limit under separation. data as in `cox`. Raises NoConvergence."""
    return newton(prepare(data, terms)).moments.log_likelihood


def prepare(data: pd.DataFrame, terms: Sequence[str], likelihood: Likelihood = "partial") -> Prepared:
    """Standardised terms, what can be estimated of them, and the risk sets within whose strata there is a maximum."""
    durations, events = data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)
    raw = data[list(terms)].to_numpy(float)
    canonical = np.lexsort((*raw.T, events, durations))  # sums are the same to the last bit in every order of the rows
    durations, events, raw = durations[canonical], events[canonical], raw[canonical]
    center = raw.mean(axis=0)
    spread = raw.std(axis=0)
    scale = np.where(spread > 1e-12 * np.abs(center), spread, 1.0)
    x = np.where(spread > 1e-12 * np.abs(center), (raw - center) / scale, 0.0)
    found = separation(x, durations, events, likelihood == "partial")
    return Prepared(x, center, scale, found, risk_sets(durations, events, found.strata))


def newton(ready: Prepared) -> Fit:
    """Where the gradient of the partial likelihood is 0. Raises NoConvergence."""
    x = ready.fitted_terms
    at = np.zeros(x.shape[1])
    here = moments(ready.sets, x, at)
    last = np.inf
    for _ in range(MOST_STEPS if len(at) else 0):
        step = _solved(here.information, here.score)
        gain = float(here.score @ step)
        if gain < 1e-24 or (gain < 1e-12 and gain > last / 4):  # rounding is all that is left
            break
        last = gain
        for _ in range(MOST_STEPS):
            there = moments(ready.sets, x, at + step)
            if there.log_likelihood >= here.log_likelihood - 1e-12 * abs(here.log_likelihood):
                break
            step = step / 2
        at, here = at + step, there
    steepest = float(np.abs(here.score).max(initial=0.0))
    if not steepest < 1e-8 * max(1, len(ready.sets.begin)):
        raise NoConvergence(f"the gradient is {steepest:.2g} after {MOST_STEPS} steps")
    return Fit(at, here)


def _solved(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(information, score)
    except np.linalg.LinAlgError as error:
        raise NoConvergence("the information is singular") from error


def survival_at(train: pd.DataFrame, test: pd.DataFrame, term: str, at_days: float) -> np.ndarray | None:
    """(patients of test,) survival at a time by a Cox model of one term fitted on train; None where it has no estimate.

    The baseline is Efron's, a step at every death: as R's survfit of a Cox model. Raises NoConvergence.
    """
    ready = prepare(train, [term])
    if not ready.separation.stands.all():
        return None
    fit, sets = newton(ready), ready.sets
    eta = ready.fitted_terms @ fit.coefficients
    hazard = 0.0
    for steps, _, totals in blocks(sets, eta):
        hazard += float(np.exp(-totals)[sets.durations[sets.begin[steps]] <= at_days].sum())
    x = (test[term].to_numpy(float) - ready.center[0]) / ready.scale[0]
    return np.exp(-hazard * np.exp(x * fit.coefficients[0]))


# ---------------------------------------------------------------------------------------------------- what is said


def _without_estimate(ready: Prepared, terms: Sequence[str]) -> dict[str, str]:
    """term -> why it has no estimate, of those that have none."""
    found = ready.separation
    reasons = {}
    for i in np.flatnonzero(~found.stands):
        along = next((d for d in found.directions if i in d), None)
        if not ready.x[:, i].any():
            reason = f"{terms[i]} does not vary"
        elif found.idle[i]:
            same = [terms[j] for j in np.flatnonzero(found.idle) if j != i and ready.x[:, j].any()]
            reason = (
                f"no estimate of its own: it follows from {', '.join(same)}"
                if same
                else ("no estimate: it is the same for all who are at risk when somebody dies")
            )
        elif along == [i]:
            reason = "no finite estimate: the likelihood rises without end (whoever dies is at one end of it)"
        elif along:
            reason = f"no finite estimate: the likelihood rises without end along {', '.join(terms[j] for j in along)} together"
        else:
            first = dict.fromkeys(terms[j] for d in found.directions for j in d)
            reason = f"no estimate: {', '.join(first)} decide who dies, and leave nothing to it"
        reasons[terms[i]] = reason
    return reasons


def _partial(ready: Prepared, terms: Sequence[str]) -> tuple[dict[str, dict], Fit]:
    from scipy.stats import norm

    fit = newton(ready)
    covariance = np.linalg.inv(fit.moments.information)
    values = {}
    for place, column in enumerate(ready.separation.columns):
        coefficient = fit.coefficients[place] / ready.scale[column]
        error = np.sqrt(covariance[place, place]) / ready.scale[column]
        values[terms[column]] = estimate(
            coefficient, error, coefficient - NORMAL_95 * error, coefficient + NORMAL_95 * error
        ) | {
            "wald": float((coefficient / error) ** 2),
            "p_value": float(2 * norm.sf(abs(coefficient / error))),
        }
    return values, fit


def _penalised(ready: Prepared, terms: Sequence[str]) -> tuple[dict[str, dict], Fit]:
    found = penalised_cox.fit(ready.sets, ready.fitted_terms)
    values = {}
    for place, column in enumerate(ready.separation.columns):
        if ready.separation.stands[column]:
            scale = ready.scale[column]
            lower, upper = penalised_cox.interval(found, place)
            values[terms[column]] = estimate(
                found.coefficients[place] / scale, found.standard_errors[place] / scale, lower / scale, upper / scale
            ) | {"wald": None, "p_value": penalised_cox.p_value(found, place)}
    return values, Fit(found.coefficients, moments(ready.sets, ready.fitted_terms, found.coefficients))


def estimate(coefficient: float, error: float, lower: float, upper: float) -> dict:
    """A coefficient, its standard error and interval, as columns of cox_terms; a ratio that no number can hold is None."""
    with np.errstate(over="ignore"):
        ratios = [float(np.exp(value)) for value in (coefficient, lower, upper)]
    ratio, low, high = (value if np.isfinite(value) else None for value in ratios)
    return {
        "coefficient": float(coefficient), "standard_error": float(error), "hazard_ratio": ratio, "ci_lower": low,
        "ci_upper": high,
    }  # fmt: skip


def _proportionality(
    ready: Prepared, fit: Fit, terms: Sequence[str]
) -> tuple[Mapping[str, float | None], float | None]:
    tested = proportionality(ready.sets, ready.fitted_terms, fit.coefficients)
    return {terms[c]: p for c, p in zip(ready.separation.columns, tested.by_term, strict=True)}, tested.of_all
