"""What one covariate is drawn from, given the others: the models of multiple imputation by chained equations.

numbers  predictive mean matching: a patient is given the value of one of the DONORS patients whose fitted value is nearest to
         hers; hers is by coefficients that are drawn (type 1 matching)      Little 1988, J Bus Econ Stat 6:287
classes  the proportional odds model, of two classes the logistic one        McCullagh 1980, J R Stat Soc B 42:109

Coefficients are drawn from their posterior, so that imputed values differ as they would if the model were known no better. The
classes' model is fitted with a few pseudo-observations of little weight (White, Daniel and Royston 2010,
doi:10.1016/j.csda.2010.04.005), without which classes that are separated in part have no finite coefficients.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

import numpy as np

DONORS = 5
MOST_STEPS = 200
STEPS_NEAR_BY, LEVEL, FLAT = (
    8,
    1e-9,
    1e-3,
)  # where the gradient is so small, and the information so large, a maximum is near
SAME = 1e-9


class Separation(enum.Enum):
    """How far the predictors separate classes: wholly, where they tell all patients; in part, where they tell some."""

    NONE = "none"
    IN_PART = "in part"
    WHOLE = "wholly"


class CannotImpute(Exception):
    """A covariate that has no model to be drawn from; the text says which and why."""


class OrderedFit(NamedTuple):
    """P(class <= k) = logistic(thresholds[k] - x slopes); covariance: of thresholds, then slopes."""

    thresholds: np.ndarray
    slopes: np.ndarray
    covariance: np.ndarray


class Weighted(NamedTuple):
    """x: (rows, predictors); classes: (rows,) counted from 0; weights: (rows,)."""

    x: np.ndarray
    classes: np.ndarray
    weights: np.ndarray


# --------------------------------------------------------------------------------------------------------- numbers


def matched(x: np.ndarray, values: np.ndarray, is_known: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(missing,) values of donors. x: (patients, predictors), standardised; values, is_known: (patients,)."""
    design = np.column_stack([np.ones(len(x)), x])
    known = design[is_known]
    left, sizes, right = np.linalg.svd(known, full_matrices=False)
    rank = int((sizes > SAME * sizes[0]).sum())
    inverse = right[:rank].T / sizes[:rank]
    fitted = inverse @ (left[:, :rank].T @ values[is_known])
    residuals = values[is_known] - known @ fitted
    sigma = np.sqrt(float(residuals @ residuals) / random.chisquare(max(len(known) - rank, 1)))
    drawn = fitted + sigma * inverse @ random.standard_normal(rank)
    near = donors(known @ fitted, design[~is_known] @ drawn, random.random(len(known)))
    chosen = random.integers(0, near.shape[1], len(near))
    return values[is_known][near[np.arange(len(near)), chosen]]


def donors(fitted: np.ndarray, wanted: np.ndarray, ties: np.ndarray, n: int = DONORS) -> np.ndarray:
    """(wanted, n) places of those whose fitted value is nearest, or of all if they are fewer; `ties` says who of equals.

    fitted, ties: (known,); wanted: (missing,).
    """
    n = min(n, len(fitted))
    order = np.lexsort((ties, fitted))
    first = np.searchsorted(fitted[order], wanted)[:, None] - n
    window = first + np.arange(2 * n)[None, :]
    is_there = (window >= 0) & (window < len(order))
    places = order[np.clip(window, 0, len(order) - 1)]
    far = np.where(is_there, np.abs(fitted[places] - wanted[:, None]), np.inf)
    nearest = np.lexsort((ties[places], far), axis=1)[:, :n]
    return np.take_along_axis(places, nearest, axis=1)


# --------------------------------------------------------------------------------------------------------- classes


class DrawnClasses(NamedTuple):
    """classes: (missing,) counted from 0; separation: of the known by their predictors."""

    classes: np.ndarray
    separation: Separation


def drawn_classes(
    x: np.ndarray, classes: np.ndarray, is_known: np.ndarray, random: np.random.Generator
) -> DrawnClasses:
    """x: (patients, predictors), standardised; classes: (patients,) from 0; each occurs among the known."""
    found = ordered_fit(augmented(x, classes, is_known))
    n_thresholds = len(found.thresholds)
    # thresholds are drawn as the first and the logarithms of their distances, so that they keep their order
    gaps = np.diff(found.thresholds)
    change = np.eye(len(found.covariance))
    for i, gap in enumerate(gaps):
        change[i + 1, i], change[i + 1, i + 1] = -1 / gap, 1 / gap
    center = np.r_[found.thresholds[0], np.log(gaps), found.slopes]
    drawn = center + np.linalg.cholesky(change @ found.covariance @ change.T) @ random.standard_normal(len(center))
    thresholds = drawn[0] + np.r_[0.0, np.cumsum(np.exp(drawn[1:n_thresholds]))]
    below = _logistic(thresholds[None, :] - (x[~is_known] @ drawn[n_thresholds:])[:, None])
    chosen = (random.random(len(below))[:, None] > below).sum(axis=1)
    plain = Weighted(x[is_known], classes[is_known], np.ones(int(is_known.sum())))
    is_level = _has_maximum(plain, np.r_[found.thresholds, found.slopes])
    return DrawnClasses(chosen, Separation.NONE if is_level else separation_of(plain.x, plain.classes))


def augmented(x: np.ndarray, classes: np.ndarray, is_known: np.ndarray) -> Weighted:
    """The known, and of each class two pseudo-observations a predictor: half an SD below and above its mean, within its range.

    All of them together weigh as much as there are coefficients of a model of two classes.
    """
    n_predictors, n_classes = x.shape[1], int(classes[is_known].max()) + 1
    n = 2 * n_predictors * n_classes
    center, spread, low, high = x.mean(axis=0), x.std(axis=0, ddof=1), x.min(axis=0), x.max(axis=0)
    rows = [
        np.clip(center + side * spread * (np.arange(n_predictors) == j), low, high)
        for j in range(n_predictors)
        for _ in range(n_classes)
        for side in (0.5, -0.5)
    ]
    more = np.tile(np.repeat(np.arange(n_classes), 2), n_predictors)
    weights = np.r_[np.ones(is_known.sum()), np.full(n, (n_predictors + 1) / n if n else 0.0)]
    return Weighted(
        np.vstack([x[is_known], *rows]), np.r_[classes[is_known], more].astype(int), weights
    )  # fmt: skip


def ordered_fit(data: Weighted) -> OrderedFit:
    """The largest likelihood of the proportional odds model. Raises CannotImpute where Newton's method finds none."""
    n_thresholds = int(data.classes.max())
    total = data.weights.sum()
    at_most = np.array([data.weights[data.classes <= k].sum() for k in range(n_thresholds)]) / total
    at = np.r_[np.log(at_most / (1 - at_most)), np.zeros(data.x.shape[1])]
    here = _derivatives(at, data, n_thresholds)
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(here[2], here[1])
        if float(here[1] @ step) < 1e-22 * total:
            break
        for _ in range(MOST_STEPS):
            there = _derivatives(at + step, data, n_thresholds)
            if there[0] >= here[0] - 1e-12 * abs(here[0]):
                break
            step = step / 2
        at, here = at + step, there
    if not np.abs(here[1]).max() < 1e-7 * total:
        raise CannotImpute(f"its model does not converge (gradient {np.abs(here[1]).max():.2g})")
    return OrderedFit(at[:n_thresholds], at[n_thresholds:], np.linalg.inv(here[2]))


def _has_maximum(data: Weighted, at: np.ndarray) -> bool:
    """Whether the likelihood without pseudo-observations is seen to have a maximum near by: then no classes are separated.

    A quick answer; False means that it is not known.
    """
    for _ in range(STEPS_NEAR_BY):
        _, score, information = _derivatives(at, data, int(data.classes.max()))
        if np.linalg.eigvalsh(information)[0] < FLAT:
            return False
        if np.abs(score).max() < LEVEL:
            return True
        at = at + np.linalg.solve(information, score)
    return False


def _derivatives(at: np.ndarray, data: Weighted, n_thresholds: int) -> tuple[float, np.ndarray, np.ndarray]:
    """The log-likelihood, its gradient, and its second derivatives, negated; minus infinity where thresholds are not in order."""
    thresholds = np.r_[-np.inf, at[:n_thresholds], np.inf]
    if not (np.diff(thresholds) > 0).all():
        return -np.inf, at, np.eye(len(at))
    eta = data.x @ at[n_thresholds:]
    upper, lower = _logistic(thresholds[data.classes + 1] - eta), _logistic(thresholds[data.classes] - eta)
    # P = F(upper) - F(lower), as F(u)(1 - F(l))(1 - exp(l - u)): exact where both are near 1
    gap = thresholds[data.classes + 1] - thresholds[data.classes]
    chance = upper * (1 - lower) * -np.expm1(-gap)
    dense_upper, dense_lower = upper * (1 - upper), lower * (1 - lower)
    # derivatives of log P by the upper and by the lower bound
    by_upper, by_lower = dense_upper / chance, -dense_lower / chance
    upper_upper = by_upper * (1 - 2 * upper) - by_upper**2
    lower_lower = by_lower * (1 - 2 * lower) - by_lower**2
    upper_lower = -by_upper * by_lower
    places = np.arange(n_thresholds)
    to_upper = np.column_stack([data.classes[:, None] == places, -data.x]).astype(float)
    to_lower = np.column_stack([data.classes[:, None] == places + 1, -data.x]).astype(float)
    w = data.weights
    score = to_upper.T @ (w * by_upper) + to_lower.T @ (w * by_lower)
    mixed = (to_upper * (w * upper_lower)[:, None]).T @ to_lower
    second = (to_upper * (w * upper_upper)[:, None]).T @ to_upper + (to_lower * (w * lower_lower)[:, None]).T @ to_lower
    return float(w @ np.log(chance)), score, -(second + mixed + mixed.T)


def _logistic(values: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return expit(values)


# ------------------------------------------------------------------------------------------------------ separation


def separation_of(x: np.ndarray, classes: np.ndarray) -> Separation:
    """Albert and Anderson 1984, Biometrika 71:1, by linear programmes. x: (patients, predictors), standardised; classes: from 0.

    In part: some direction has no patient on the wrong side of a threshold, and some on the right one; wholly: none on it.
    """
    from scipy.optimize import linprog

    n_thresholds, n_predictors = int(classes.max()), x.shape[1]
    places = np.arange(n_thresholds)
    above, below = classes[:, None] == places + 1, classes[:, None] == places
    inside = np.vstack(
        [
            np.column_stack([x, -above.astype(float)])[above.any(axis=1)],
            np.column_stack([-x, below.astype(float)])[below.any(axis=1)],
        ]
    )  # times (direction, thresholds): how far inside of its bounds each patient is
    bounds = [(-1.0, 1.0)] * n_predictors + [(None, None)] * n_thresholds
    exact = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(-inside.sum(axis=0), A_ub=-inside, b_ub=np.zeros(len(inside)), bounds=bounds, options=exact)
    if found.x is None:
        raise ArithmeticError(f"the search for separated classes did not end: {found.message}")
    if (inside @ found.x).max() <= 10 * SAME:
        return Separation.NONE
    least = linprog(
        np.r_[np.zeros(n_predictors + n_thresholds), -1.0], A_ub=np.column_stack([-inside, np.ones(len(inside))]),
        b_ub=np.zeros(len(inside)), bounds=[*bounds, (0.0, None)], options=exact,
    )  # fmt: skip
    return Separation.WHOLE if least.x is not None and least.x[-1] > 10 * SAME else Separation.IN_PART
