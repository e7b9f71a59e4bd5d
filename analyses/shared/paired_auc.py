"""The area under the ROC curve of two scores on the same patients: each with its interval, and their difference with one.

    variance = var(placements of good) / n_good + var(placements of poor) / n_poor

DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837. A patient's placement is the share of the other class that her score is
on the right side of. Of a difference it is the difference of her two placements, so that what moves both alike cancels, as in
roc.test of R's pROC. A mean of several AUCs has the means of the placements: its interval is of other patients, not of other
draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analyses.shared.curves import NORMAL_95


class Placements(NamedTuple):
    """auc, and what it is the mean of: good (n_good,) and poor (n_poor,), in the order of the patients."""

    auc: float
    good: np.ndarray
    poor: np.ndarray


class Estimate(NamedTuple):
    """A value and its 95 % interval, or the reason for having none."""

    value: float
    lower: float | None
    upper: float | None
    reason: str | None


def placements(is_good: np.ndarray, draws: Sequence[np.ndarray]) -> Placements:
    """Of scores (patients,) that are higher in good; of several their mean. Raises ValueError where a class has nobody."""
    from scipy.stats import rankdata

    n_good, n_poor = int(is_good.sum()), int((~is_good).sum())
    if not (n_good and n_poor):
        raise ValueError(f"{n_good} good and {n_poor} poor: an AUC needs both")
    good, poor = np.zeros(n_good), np.zeros(n_poor)
    for scores in draws:
        ranks = rankdata(scores)
        good += (ranks[is_good] - rankdata(scores[is_good])) / n_poor
        poor += 1 - (ranks[~is_good] - rankdata(scores[~is_good])) / n_good
    good, poor = good / len(draws), poor / len(draws)
    return Placements(float(good.mean()), good, poor)


def with_interval(one: Placements) -> Estimate:
    """The AUC, its interval cut at 0 and 1."""
    error, reason = _error(one.good, one.poor)
    if error is None:
        return Estimate(one.auc, None, None, reason)
    half = NORMAL_95 * error
    return Estimate(one.auc, max(0.0, one.auc - half), min(1.0, one.auc + half), None)


def difference(one: Placements, other: Placements) -> Estimate:
    """One AUC less the other: of the same patients, in the same order."""
    value = one.auc - other.auc
    error, reason = _error(one.good - other.good, one.poor - other.poor)
    if error is None:
        return Estimate(value, None, None, reason)
    return Estimate(value, value - NORMAL_95 * error, value + NORMAL_95 * error, None)


def _error(good: np.ndarray, poor: np.ndarray) -> tuple[float | None, str | None]:
    """The standard error of what has these placements, or why there is none."""
    if min(len(good), len(poor)) < 2:
        return None, f"{len(good)} good and {len(poor)} poor: DeLong's variance needs two of each"
    error = float(np.sqrt(good.var(ddof=1) / len(good) + poor.var(ddof=1) / len(poor)))
    if error < 1e-12:
        return None, "all patients are placed alike: DeLong's variance is 0"
    return error, None
