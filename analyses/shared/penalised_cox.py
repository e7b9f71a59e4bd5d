"""Firth's penalised likelihood of a Cox model: a maximum under separation, and less bias with few events.

    log L* = log L + 1/2 log det I        Firth 1993, Biometrika 80:27; Heinze and Schemper 2001, Biometrics 57:114

I is the information of all terms, ties are Efron's in both. Standard errors are of the inverse information at the maximum.
Intervals are by profile, p values by the ratio of penalised likelihoods: the term at one value, the others where L* is largest
then.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyses.shared.risk_sets import NoConvergence, RiskSets, blocks, moments

CHI2_95 = 3.841458820694124  # one degree of freedom
MOST_STEPS = 200
SURE = (
    1e-6  # a step that gains less is Newton's near the maximum: the likelihood itself is rounded by more than it gains
)
STEP = 1e-4  # standard errors of a coefficient, for differences of the gradient


class Penalised(NamedTuple):
    """A fit. coefficients: (terms,); covariance: (terms, terms), the inverse information."""

    sets: RiskSets
    terms: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    log_likelihood: float

    @property
    def standard_errors(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))


def fit(sets: RiskSets, terms: np.ndarray) -> Penalised:
    """terms: (patients, terms) standardised, in the sets' order, none of which follows from others. Raises NoConvergence."""
    at = _largest(sets, terms, np.zeros(terms.shape[1]), np.arange(terms.shape[1]))
    value, _, information = _penalised(sets, terms, at)
    return Penalised(sets, terms, at, np.linalg.inv(information), value)


def p_value(fitted: Penalised, term: int) -> float:
    """Of the ratio of penalised likelihoods, with and without an effect of the term; the information is of all terms in both."""
    from scipy.stats import chi2

    return float(chi2.sf(deviance(fitted, term, 0.0), 1))


def interval(fitted: Penalised, term: int) -> tuple[float, float]:
    """The 95 % profile interval of a coefficient. Raises NoConvergence."""
    from scipy.optimize import brentq

    middle, error = fitted.coefficients[term], fitted.standard_errors[term]
    ends = []
    for sign in (-1.0, 1.0):

        def beyond(distance: float, side: float = sign) -> float:
            return deviance(fitted, term, middle + side * distance) - CHI2_95

        distance = 2.0 * error
        while beyond(distance) < 0:
            distance *= 1.5
            if distance > 1e4 * error:
                raise NoConvergence("the profile has no end")
        ends.append(sign * brentq(beyond, 0.0, distance, xtol=1e-12 * error))
    return float(middle + ends[0]), float(middle + ends[1])


def deviance(fitted: Penalised, term: int, value: float) -> float:
    """Twice what the penalised log-likelihood loses with the term at a value, the others where it is largest then."""
    others = np.delete(np.arange(len(fitted.coefficients)), term)
    along = fitted.covariance[:, term] / fitted.covariance[term, term]  # where the others are largest, near the maximum
    start = fitted.coefficients + along * (value - fitted.coefficients[term])
    at = _largest(fitted.sets, fitted.terms, start, others)
    return max(2 * (fitted.log_likelihood - _penalised(fitted.sets, fitted.terms, at)[0]), 0.0)


def _largest(sets: RiskSets, terms: np.ndarray, start: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The coefficients at which the penalised likelihood is largest over the free ones. Newton's method on its gradient."""
    at = start.copy()
    value, gradient, information = _penalised(sets, terms, at)
    last = np.inf
    for _ in range(MOST_STEPS if len(free) else 0):
        curvature = _curvature(sets, terms, at, free, information)
        if np.linalg.eigvalsh(curvature)[0] <= 0:  # not near the maximum yet
            curvature = information[np.ix_(free, free)]
        step = np.linalg.solve(curvature, gradient[free])
        gain = float(gradient[free] @ step)
        if gain < 1e-20 or (gain < 1e-10 and gain > last / 4):  # rounding is all that is left
            break
        last = gain
        for _ in range(MOST_STEPS):
            there = at.copy()
            there[free] += step
            found = _penalised(sets, terms, there)
            if gain < SURE or found[0] >= value:
                break
            step = step / 2
        at, (value, gradient, information) = there, found
    if len(free) and not np.abs(gradient[free]).max() < 1e-7 * max(1, len(sets.begin)):
        raise NoConvergence(f"the gradient of the penalised likelihood is {np.abs(gradient[free]).max():.2g}")
    return at


def _curvature(
    sets: RiskSets, terms: np.ndarray, at: np.ndarray, free: np.ndarray, information: np.ndarray
) -> np.ndarray:
    """Second derivatives of the penalised log-likelihood over the free coefficients, negated: differences of the gradient."""
    rows = []
    for term, error in zip(free, np.sqrt(np.diag(np.linalg.inv(information[np.ix_(free, free)]))), strict=True):
        ends = []
        for sign in (1, -1):
            there = at.copy()
            there[term] += sign * STEP * error
            ends.append(_penalised(sets, terms, there)[1][free])
        rows.append((ends[1] - ends[0]) / (2 * STEP * error))
    curvature = np.array(rows)
    return (curvature + curvature.T) / 2


def _penalised(sets: RiskSets, terms: np.ndarray, at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(penalised log-likelihood, its gradient, the information); minus infinity where it cannot be computed.

    The information's derivative by coefficient j is the third central moment of the terms in each step, so that the penalty's is
    1/2 sum over steps and patients of p h (x_j - mean), with h = (x - mean) inverse(I) (x - mean).
    """
    log_likelihood, score, information = moments(sets, terms, at)
    nothing = (-np.inf, np.full(len(at), np.nan), information)
    if not np.isfinite(information).all() or not np.isfinite(log_likelihood):
        return nothing
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0:
        return nothing
    inverse = np.linalg.inv(information)
    whole = np.einsum("ij,jk,ik->i", terms, inverse, terms)
    pull = np.zeros(len(at))
    for _, probabilities, _ in blocks(sets, terms @ at):
        means = probabilities @ terms
        turned = means @ inverse
        h = whole - 2 * turned @ terms.T + (turned * means).sum(axis=1)[:, None]  # (steps, patients)
        weighted = probabilities * h
        pull += (weighted @ terms - weighted.sum(axis=1)[:, None] * means).sum(axis=0)
    return log_likelihood + log_determinant / 2, score + pull / 2, information
