"""Folds, and what is measured on them."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedKFold

METRICS = ("auc", "balanced_accuracy", "accuracy")


def folds_of(is_good: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """(patients,) the fold in which each is held out, stratified; fewer folds where a class has fewer patients.

    Raises ValueError where a class has one patient.
    """
    smallest = int(min(is_good.sum(), (~is_good).sum()))
    if smallest < 2:
        raise ValueError(f"a class has {smallest} patient: cross-validation needs two of each")
    splitter = StratifiedKFold(max(2, min(folds, smallest)), shuffle=True, random_state=seed % 2**32)
    fold_of = np.empty(len(is_good), dtype=np.int64)
    for fold, (_, test) in enumerate(splitter.split(np.zeros(len(is_good)), is_good)):
        fold_of[test] = fold
    return fold_of


def mean_over_folds(is_good: np.ndarray, scores: np.ndarray, fold_of: np.ndarray, metric: str) -> float:
    """auc, balanced_accuracy or accuracy (at one half) in each fold, averaged over the folds that have both classes."""
    by_fold = []
    for fold in range(int(fold_of.max()) + 1):
        is_in_fold = fold_of == fold
        good, reached = is_good[is_in_fold], scores[is_in_fold]
        if good.all() or not good.any():
            continue
        if metric == "auc":
            difference = reached[good][:, None] - reached[~good][None, :]
            by_fold.append(float(np.mean((difference > 0) + 0.5 * (difference == 0))))
        else:
            right = (reached >= 0.5) == good
            by_fold.append(
                float(right.mean()) if metric == "accuracy" else float((right[good].mean() + right[~good].mean()) / 2)
            )
    return float(np.mean(by_fold)) if by_fold else 0.5
