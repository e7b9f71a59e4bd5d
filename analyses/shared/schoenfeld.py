"""Scaled Schoenfeld residuals of a Cox model: what a coefficient looks like at each death, and a smooth curve through them.

    r_i = x_i - mean of x over the risk set        Schoenfeld 1982, Biometrika 69:239
    r_i* = coefficient + d r_i V                   Grambsch and Therneau 1994, Biometrika 81:515

V is the covariance of the coefficients, d the number of deaths. r* scatters about the coefficient at its time: it is level where
hazards are proportional. Of deaths at one time the mean is that of Efron's steps. This is y of cox.zph in R's survival.

The curve is a natural cubic spline by least squares with four degrees of freedom, on 1 less the Kaplan-Meier curve before the
death, and its band two standard errors: as R draws a cox.zph. Times are in days, coefficients per 1 of a term.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyses.shared.cox import Likelihood, newton, prepare
from analyses.shared.penalised_cox import fit as penalised_fit
from analyses.shared.proportionality import event_weights
from analyses.shared.risk_sets import blocks, moments

if TYPE_CHECKING:
    import pandas as pd

DEGREES = 4  # of freedom, of the smooth curve
ON_GRID = 40  # places besides the deaths that say where its inner knots are
LEAST_APART = 1e-7  # of singular values, by the largest: below it deaths are at too few times for the curve
ERRORS = 2  # standard errors, of the band


class Residuals(NamedTuple):
    """Of the terms that have an estimate, by time. days, km_time: (deaths,); values: (deaths, terms); variances: (terms,).

    km_time is 1 less the Kaplan-Meier curve of all patients before the death; variances are those of one death's value.
    """

    terms: tuple[str, ...]
    days: np.ndarray
    km_time: np.ndarray
    values: np.ndarray
    variances: np.ndarray


class Smooth(NamedTuple):
    """The curve at each death, with its band."""

    values: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def scaled_residuals(data: pd.DataFrame, terms: Sequence[str], likelihood: Likelihood = "partial") -> Residuals:
    """data, terms as in `cox`; at least one of the terms has an estimate. Raises NoConvergence."""
    ready = prepare(data, terms, likelihood)
    sets, x = ready.sets, ready.fitted_terms
    at = newton(ready).coefficients if likelihood == "partial" else penalised_fit(sets, x).coefficients
    means = np.concatenate([probabilities @ x for _, probabilities, _ in blocks(sets, x @ at)])
    first = np.flatnonzero(sets.share == 0)  # the steps of deaths at one time follow each other
    means = np.repeat(np.add.reduceat(means, first) / sets.n_deaths[first, None], sets.n_deaths[first], axis=0)
    covariance = np.linalg.inv(moments(sets, x, at).information)
    n = len(sets.begin)
    scale = ready.scale[ready.separation.columns]
    values = (at + n * (x[sets.is_event] - means) @ covariance) / scale
    days, g = sets.durations[sets.is_event], event_weights(sets)
    order = np.argsort(days, kind="stable")
    standing = [place for place, column in enumerate(ready.separation.columns) if ready.separation.stands[column]]
    return Residuals(
        tuple(terms[ready.separation.columns[place]] for place in standing), days[order], (g - g.min())[order],
        values[order][:, standing], (n * np.diag(covariance) / scale**2)[standing],
    )  # fmt: skip


def smooth(km_time: np.ndarray, values: np.ndarray, variance: float) -> Smooth | None:
    """The curve through one term's residuals; None where deaths are at too few times for it."""
    grid = np.r_[np.linspace(km_time.min(), km_time.max(), ON_GRID), km_time]
    knots = np.quantile(grid, np.linspace(0, 1, DEGREES))
    if np.ptp(km_time) == 0 or (np.diff(knots) <= 0).any():
        return None
    basis = _natural(km_time, knots)
    u, singular, _ = np.linalg.svd(basis, full_matrices=False)
    if len(singular) < DEGREES or singular[-1] < LEAST_APART * singular[0]:
        return None
    at = u @ (u.T @ values)
    error = np.sqrt(variance * (u**2).sum(axis=1))
    return Smooth(at, at - ERRORS * error, at + ERRORS * error)


def _natural(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """(x, knots): a basis of the cubic splines that are straight beyond the outer knots (Hastie et al. 2009, section 5.2.1)."""
    x, knots = (x - knots[0]) / np.ptp(knots), (knots - knots[0]) / np.ptp(knots)
    beyond = np.clip(x[:, None] - knots, 0, None) ** 3
    slopes = (beyond[:, :-1] - beyond[:, -1:]) / (knots[-1] - knots[:-1])
    return np.column_stack([np.ones_like(x), x, slopes[:, :-1] - slopes[:, -1:]])
