"""Logistic regression with the elastic net's penalty: lasso and ridge mixed (Friedman, Hastie and Tibshirani 2010,
doi:10.18637/jss.v033.i01).

    - log-likelihood / n + penalty ((1 - mixing) / 2 |b|^2 + mixing |b|_1)

b are the coefficients of columns that are standardised here (standard deviations over n); the intercept is free. A column that
does not vary has the coefficient 0. Penalty and mixing are those with the lowest deviance of patients held out in folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analyses.signature.coordinate_descent import lowest
from analyses.signature.features import vary

LEAST_SHARE = 0.01  # of the penalty that leaves no coefficient: the path's last


class ElasticNet(NamedTuple):
    """A fit. coefficients: (columns,) of the columns as they were given."""

    mixing: float
    penalty: float
    intercept: float
    coefficients: np.ndarray

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        return self.intercept + values @ self.coefficients

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """(rows, 2) probabilities, those of the class that is foretold in the second column."""
        probability = 1 / (1 + np.exp(-self.log_odds(values)))
        return np.column_stack([1 - probability, probability])


def path(values: np.ndarray, labels: np.ndarray, mixing: float, penalties: Sequence[float]) -> list[ElasticNet]:
    """A fit for each penalty, largest first, as far as they converge: one that does not ends the path."""
    mean, varies = values.mean(axis=0), vary(values)
    sd = np.where(varies, values.std(axis=0), 1.0)
    columns = np.ascontiguousarray(((values - mean) / sd).T[varies])
    given = labels.astype(np.float64)
    share = given.mean()
    at = np.zeros(len(columns) + 1)
    at[0] = np.log(share / (1 - share))
    fits = []
    for penalty in penalties:
        at, is_converged = lowest(columns, given, float(mixing), float(penalty), at)
        if not is_converged:
            break
        slopes = np.zeros(values.shape[1])
        slopes[varies] = at[1:]
        slopes /= sd
        fits.append(ElasticNet(mixing, float(penalty), float(at[0] - slopes @ mean), slopes))
    return fits


def penalties_of(values: np.ndarray, labels: np.ndarray, mixing: float, n_penalties: int) -> np.ndarray:
    """From the smallest that leaves no coefficient down to a hundredth of it, even in their logarithm."""
    varies = vary(values)
    columns = (values[:, varies] - values[:, varies].mean(axis=0)) / values[:, varies].std(axis=0)
    pull = np.abs(columns.T @ (labels - labels.mean())).max(initial=0.0) / len(values)
    return max(pull, 1e-12) / max(mixing, 1e-3) * np.geomspace(1.0, LEAST_SHARE, n_penalties)


def chosen(
    values: np.ndarray, labels: np.ndarray, mixings: Sequence[float], n_penalties: int, fold_of: np.ndarray
) -> ElasticNet:
    """The fit whose mixing and penalty have the lowest held-out deviance; of equal ones the first mixing, the larger penalty.

    fold_of: (patients,) the fold in which each is held out.
    """
    best: tuple[float, float, np.ndarray] | None = None
    for mixing in mixings:
        penalties = penalties_of(values, labels, mixing, n_penalties)
        lost = np.zeros(n_penalties)
        for fold in range(int(fold_of.max()) + 1):
            train = fold_of != fold
            fits = path(values[train], labels[train], mixing, penalties)
            lost[: len(fits)] += [deviance(labels[~train], fit.log_odds(values[~train])) for fit in fits]
            lost[len(fits) :] = np.inf
        at = int(np.argmin(lost))
        if best is None or lost[at] < best[0]:
            best = (float(lost[at]), mixing, penalties[: at + 1])
    assert best is not None, "there is a mixing"
    return path(values, labels, best[1], best[2])[-1]


def deviance(labels: np.ndarray, log_odds: np.ndarray) -> float:
    """Minus twice the log-likelihood of labels (0 or 1, or booleans)."""
    return float(2 * (np.logaddexp(0, log_odds) - labels * log_odds).sum())
