"""Calibration of a probability: the logistic regression of the class on the score's log odds.

    logit P(good) = intercept + slope x logit(score)        Cox 1958, Biometrika 45:562; slope 1, intercept 0 is calibrated

By maximum likelihood, without a penalty. Where the scores separate the classes the likelihood rises without end (Albert and
Anderson 1984, Biometrika 71:1): there is no slope then, and a penalty's would be the penalty's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MOST_STEPS = 100


class Line(NamedTuple):
    """slope and intercept (log odds), or the reason for having none."""

    slope: float | None
    intercept: float | None
    reason: str | None


def calibration_line(is_good: np.ndarray, scores: np.ndarray) -> Line:
    """is_good: (patients,) both classes; scores: (patients,) probabilities of good."""
    good, poor = scores[is_good], scores[~is_good]
    n_endless = int(((scores <= 0) | (scores >= 1)).sum())
    if scores.min() == scores.max():
        return Line(None, None, "every patient has the same score")
    if poor.max() <= good.min() or good.max() <= poor.min():
        return Line(None, None, "the scores separate good from poor: the slope has no end")
    if n_endless:
        return Line(None, None, f"{n_endless} of {len(scores)} scores are 0 or 1: their log odds have no end")
    odds = np.log(scores) - np.log1p(-scores)
    center, scale = odds.mean(), odds.std()
    if not scale > 0:
        return Line(None, None, "every patient has the same score")
    found = _largest(np.column_stack([np.ones(len(odds)), (odds - center) / scale]), is_good.astype(float))
    if found is None:
        return Line(None, None, "the fit did not converge")
    slope = found[1] / scale
    return Line(float(slope), float(found[0] - slope * center), None)


def _largest(terms: np.ndarray, is_good: np.ndarray) -> np.ndarray | None:
    """(2,) where the likelihood is largest, by Newton's method; None if that does not end."""
    at = np.zeros(2)
    value = _log_likelihood(terms @ at, is_good)
    for _ in range(MOST_STEPS):
        probabilities = 1 / (1 + np.exp(-(terms @ at)))
        gradient = terms.T @ (is_good - probabilities)
        if np.abs(gradient).max() < 1e-11 * len(is_good):
            return at
        information = (terms * (probabilities * (1 - probabilities))[:, None]).T @ terms
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return None
        while (reached := _log_likelihood(terms @ (at + step), is_good)) < value - 1e-12 * abs(value):
            step = step / 2
        at, value = at + step, reached
    return None


def _log_likelihood(odds: np.ndarray, is_good: np.ndarray) -> float:
    return float((is_good * odds - np.logaddexp(0, odds)).sum())
