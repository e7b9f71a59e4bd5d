"""The fitness by scikit-learn's own forests: the plain loop that `forest` stands in for."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from analyses.signature.folds import mean_over_folds


def plain_scores(
    values: np.ndarray, is_good: np.ndarray, fold_of: np.ndarray, n_trees: int, min_leaf: int, seed: int
) -> np.ndarray:
    """(patients,) out-of-fold probabilities of good. values: (patients, features) of the subset."""
    scores = np.zeros(len(is_good))
    for fold in range(int(fold_of.max()) + 1):
        train = fold_of != fold
        forest = RandomForestClassifier(n_trees, min_samples_leaf=min_leaf, random_state=seed % 2**32, n_jobs=1)
        scores[~train] = forest.fit(values[train], is_good[train]).predict_proba(values[~train])[:, 1]
    return scores


def plain_fitness(
    values: np.ndarray, is_good: np.ndarray, fold_of: np.ndarray, n_trees: int, min_leaf: int, seed: int, metric: str
) -> float:
    """The metric's mean over the folds."""
    scores = plain_scores(values, is_good, fold_of, n_trees, min_leaf, seed)
    return mean_over_folds(is_good, scores, fold_of, metric)
