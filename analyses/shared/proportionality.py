"""The score test of proportional hazards: does a coefficient change with time.

Beside each term x stands x g(t), whose coefficient is 0 if hazards are proportional. g is one less the Kaplan-Meier curve of all
patients before t, less its mean over the deaths; equal times have equal g. The test of a term is of its own x g(t) beside all
terms, the global one of all together. Ties are Efron's, as in the fit. This is cox.zph of R's survival since 3.0 (transform
"km"); before, and in other programs, it was an approximation (Grambsch and Therneau 1994, Biometrika 81:515).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyses.shared.risk_sets import RiskSets, blocks

LEAST_OWN = 1e-10  # share of the information on x g(t) that the terms themselves leave; below it there is no test


class Proportionality(NamedTuple):
    """p values, by_term: (terms,); None where nothing can be said, as when all deaths are at one time."""

    by_term: list[float | None]
    of_all: float | None


def proportionality(sets: RiskSets, terms: np.ndarray, coefficients: np.ndarray) -> Proportionality:
    """terms: (patients, terms) in the sets' order; coefficients: (terms,), of the fit."""
    from scipy.stats import chi2

    n_terms = terms.shape[1]
    g = event_weights(sets)
    score = np.zeros(n_terms)
    plain, mixed, squared = (np.zeros((n_terms, n_terms)) for _ in range(3))
    dies_x = terms[sets.is_event]  # in the order of the steps: a time's deaths share its g
    for steps, probabilities, _ in blocks(sets, terms @ coefficients):
        means, weight = probabilities @ terms, g[steps]
        score += weight @ (dies_x[steps] - means)
        for power, total in enumerate((plain, mixed, squared)):
            of = weight**power
            total += (terms * (of @ probabilities)[:, None]).T @ terms - (means * of[:, None]).T @ means
    own = squared - mixed @ np.linalg.solve(plain, mixed)  # information on x g(t) beside x
    share = np.diag(own) > LEAST_OWN * np.maximum(np.diag(squared), np.finfo(float).tiny)
    by_term = [
        float(chi2.sf(score[j] ** 2 / own[j, j], 1)) if share[j] and len(set(g)) > 1 else None for j in range(n_terms)
    ]
    if None in by_term:
        return Proportionality(by_term, None)
    size = np.sqrt(np.diag(own))
    scaled = own / np.outer(size, size)
    if np.linalg.eigvalsh(scaled)[0] < LEAST_OWN:
        return Proportionality(by_term, None)
    statistic = float(score / size @ np.linalg.solve(scaled, score / size))
    return Proportionality(by_term, float(chi2.sf(statistic, n_terms)))


def event_weights(sets: RiskSets) -> np.ndarray:
    """(steps,) g at the time of each death, by the curve of all patients, whatever their strata."""
    times, place = np.unique(sets.durations, return_inverse=True)
    n_deaths = np.bincount(place, weights=sets.is_event, minlength=len(times))
    at_risk = np.bincount(place, minlength=len(times))[::-1].cumsum()[::-1]
    before = np.r_[1.0, np.cumprod(1 - n_deaths / at_risk)[:-1]]
    g = (1 - before)[place][sets.is_event]
    return g - g.mean()
