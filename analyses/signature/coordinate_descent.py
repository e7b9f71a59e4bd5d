"""The elastic net's coordinate descent, compiled: one penalty of a logistic regression.

    - log-likelihood / n + penalty ((1 - mixing) / 2 |b|^2 + mixing |b|_1)        Friedman, Hastie and Tibshirani 2010

Newton's quadratic approximation is solved coordinate by coordinate; a step that does not lower the objective is halved, so
that classes which the features separate have their (finite) coefficients as well. Needs numba.
"""

from __future__ import annotations

import numpy as np

from analyses.shared.compiling import kernel

MOST_STEPS = 50
MOST_SWEEPS = 10_000  # of one step; where they end it, the next step goes on from there
LEAST_WEIGHT = 1e-9  # of a patient in the quadratic approximation; where the gradient is 0 does not depend on it


@kernel
def lowest(columns, labels, mixing, penalty, start):
    """(intercept and coefficients, whether they converged). columns: (features, patients) standardised; labels: 0 or 1.

    start: intercept and coefficients to begin with.
    """
    n_columns, n = columns.shape
    at = start.copy()
    odds = np.empty(n)
    weights, rest, curvature = np.empty(n), np.empty(n), np.empty(n_columns)
    value = _objective(columns, labels, mixing, penalty, at, odds)
    for _ in range(MOST_STEPS):
        for i in range(n):
            probability = 1.0 / (1.0 + np.exp(-odds[i]))
            weights[i] = max(probability * (1.0 - probability), LEAST_WEIGHT)
            rest[i] = labels[i] - probability
        for j in range(n_columns):
            curvature[j] = 0.0
            for i in range(n):
                curvature[j] += weights[i] * columns[j, i] * columns[j, i]
            curvature[j] /= n
        there = at.copy()
        is_solved = _solve(columns, weights, rest, curvature, mixing, penalty, there)
        step = there - at
        found = _objective(columns, labels, mixing, penalty, there, odds)
        for _ in range(60):
            if found <= value + 1e-14 * abs(value):
                break
            step *= 0.5
            there = at + step
            found = _objective(columns, labels, mixing, penalty, there, odds)
        at, value = there, found
        if is_solved and np.abs(step).max() < 1e-9:
            return at, True
    return at, False


@kernel
def _solve(columns, weights, rest, curvature, mixing, penalty, at):
    """Move `at` to the lowest point of the quadratic approximation; whether it was reached.

    rest: what the approximation leaves of each patient, times her weight.
    """
    n_columns, n = columns.shape
    is_active = np.zeros(n_columns, np.bool_)
    total = weights.sum()
    of_all = True
    for _ in range(MOST_SWEEPS):
        moved = rest.sum() / total
        at[0] += moved
        for i in range(n):
            rest[i] -= weights[i] * moved
        largest = abs(moved)
        for j in range(n_columns):
            if not (of_all or is_active[j]):
                continue
            pull = 0.0
            for i in range(n):
                pull += columns[j, i] * rest[i]
            pull = pull / n + curvature[j] * at[j + 1]
            beyond = abs(pull) - penalty * mixing
            new = np.sign(pull) * beyond / (curvature[j] + penalty * (1.0 - mixing)) if beyond > 0 else 0.0
            moved = new - at[j + 1]
            if moved != 0.0:
                at[j + 1] = new
                is_active[j] = True
                for i in range(n):
                    rest[i] -= weights[i] * columns[j, i] * moved
                largest = max(largest, abs(moved))
        if largest < 1e-11:
            if of_all:
                return True
            of_all = True  # the active columns are done: do the others still stay at 0
        else:
            of_all = False
    return False


@kernel
def _objective(columns, labels, mixing, penalty, at, odds):
    """What is made small; writes the patients' log odds into `odds`."""
    n_columns, n = columns.shape
    odds[:] = at[0]
    of_size = 0.0
    for j in range(n_columns):
        slope = at[j + 1]
        if slope != 0.0:
            of_size += (1.0 - mixing) / 2.0 * slope * slope + mixing * abs(slope)
            for i in range(n):
                odds[i] += slope * columns[j, i]
    loss = 0.0
    for i in range(n):
        loss += max(odds[i], 0.0) + np.log1p(np.exp(-abs(odds[i]))) - labels[i] * odds[i]
    return loss / n + penalty * of_size
