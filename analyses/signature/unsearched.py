"""What the search was worth: models that take all features that the correlation filter leaves, on the signature's outer folds.

forest without search   the signature's own forest
elastic net             logistic regression; penalty and mixing by the deviance of inner folds (`elastic_net`)
gradient boosting       trees of scikit-learn, one upon the other (Friedman 2001); their number and depth by the same measure

Harmonisation, filter, scaling and every choice are of the training patients of an outer fold alone. The features are those that
the search of that fold could choose from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from analyses.signature.elastic_net import chosen, deviance
from analyses.signature.features import Training
from analyses.signature.folds import folds_of
from analyses.signature.rungs import Outer, by_steps, seed_of
from analyses.signature.settings import BesideParameters, ForestParameters
from analyses.signature.training import Steps, filtered, harmonised

Made = Callable[[np.ndarray, np.ndarray, Any, int], Any]  # (values, labels, parameters, seed) -> what has predict_proba


class Parameters(ForestParameters, BesideParameters):
    """What these models take of the ladder's parameters."""


def forest_of_all(values: np.ndarray, labels: np.ndarray, params: Parameters, seed: int) -> RandomForestClassifier:
    """The signature's forest, over all columns."""
    forest = RandomForestClassifier(
        params.final_trees, min_samples_leaf=params.min_leaf, random_state=seed % 2**31, n_jobs=1
    )
    return forest.fit(values, labels)


def elastic_net(values: np.ndarray, labels: np.ndarray, params: Parameters, seed: int) -> Any:
    """The elastic net, its penalty and mixing chosen in inner folds."""
    return chosen(values, labels, params.mixings, params.n_penalties, folds_of(labels, params.inner_folds, seed))


def boosting(values: np.ndarray, labels: np.ndarray, params: Parameters, seed: int) -> GradientBoostingClassifier:
    """Gradient boosting, with the depth and the number of trees whose held-out deviance is lowest; of equal ones the smallest."""

    def grown(train: np.ndarray, depth: int, n_trees: int) -> GradientBoostingClassifier:
        model = GradientBoostingClassifier(
            n_estimators=n_trees,
            learning_rate=params.learning_rate,
            max_depth=depth,
            min_samples_leaf=params.least_in_leaf,
            random_state=seed % 2**31,
        )
        return model.fit(values[train], labels[train])

    fold_of = folds_of(labels, params.inner_folds, seed)
    lost = np.zeros((len(params.depths), params.most_trees))
    for at, depth in enumerate(params.depths):
        for fold in range(int(fold_of.max()) + 1):
            held_out = fold_of == fold
            odds = grown(~held_out, depth, params.most_trees).staged_decision_function(values[held_out])
            lost[at] += [deviance(labels[held_out], stage.ravel()) for stage in odds]
    at, last = np.unravel_index(int(np.argmin(lost)), lost.shape)
    return grown(np.ones(len(labels), bool), params.depths[int(at)], int(last) + 1)


FOREST_OF_ALL = "forest without search"
BESIDE: Mapping[str, Made] = {
    FOREST_OF_ALL: forest_of_all,
    "elastic net": elastic_net,
    "gradient boosting": boosting,
}


def unsearched(
    name: str, outer: Outer, data: Training, params: Parameters, seed: int
) -> tuple[np.ndarray, Sequence[int]]:
    """(patients,) scores of one of `BESIDE`, and how many features it was given in each fold."""
    sizes = []

    def steps_of(repeat: int, fold: int, train: np.ndarray) -> tuple[np.ndarray, Steps]:
        labels = outer.is_good[train]
        values, combat = harmonised(data.values[train], data.batches[train], params)
        columns = np.flatnonzero(filtered(values, labels, params, combat).support_)
        scale = StandardScaler().fit(values[:, columns])
        own = seed_of(seed, *name.encode(), repeat, fold)
        model = BESIDE[name](scale.transform(values[:, columns]), labels, params, own)
        sizes.append(len(columns))
        return columns, Steps(None if combat is None else combat.of_columns(columns), scale, model)

    return by_steps(outer, data, params, steps_of), sizes
