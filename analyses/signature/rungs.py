"""Ways to a score that stand beside the signature, each on the outer folds of its nested validation.

`Outer` has the folds. Every way learns from the training patients of a fold alone, and scores those who are held out; scores are
averaged over repeats, as the signature's own. A patient whom no fold could score has NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from analyses.signature.features import Training
from analyses.signature.settings import ForestParameters, SearchParameters
from analyses.signature.training import Steps, fit, harmonised, learned_from, signature_of

Scored = Callable[[int, int, np.ndarray, np.ndarray], np.ndarray]


class Outer(NamedTuple):
    """is_good: (patients,); fold_of: (repeats, patients) the fold in which each is held out."""

    is_good: np.ndarray
    fold_of: np.ndarray

    @property
    def n_folds(self) -> int:
        return int(self.fold_of.max()) + 1


def outer_of(fold_scores: pd.DataFrame, patients: Sequence[str]) -> Outer:
    """The folds of signature_fold_scores, for these patients, who all have rows of every repeat."""
    folds = fold_scores.pivot(index="repeat", columns="patient_id", values="fold")[list(patients)]
    is_good = fold_scores.drop_duplicates("patient_id").set_index("patient_id")["is_good"]
    return Outer(is_good[list(patients)].to_numpy(bool), folds.to_numpy(int))


def out_of_fold(outer: Outer, is_known: np.ndarray, scores_of: Scored) -> np.ndarray:
    """(patients,) mean scores over the repeats.

    is_known: (patients,) who can be learned from and scored; scores_of(repeat, fold, train, test): scores of the patients `test`
    (numbers) by what was learned from `train` (patients,), NaN for none.
    """
    total, times = np.zeros(len(is_known)), np.zeros(len(is_known))
    for repeat, fold_of in enumerate(outer.fold_of):
        for fold in range(outer.n_folds):
            test = np.flatnonzero((fold_of == fold) & is_known)
            train = (fold_of != fold) & is_known
            good = outer.is_good[train]
            if not len(test) or min(good.sum(), (~good).sum()) < 2:
                continue
            scores = scores_of(repeat, fold, train, test)
            has_score = ~np.isnan(scores)
            total[test[has_score]] += scores[has_score]
            times[test[has_score]] += 1
    return np.divide(total, times, out=np.full(len(total), np.nan), where=times > 0)


def logistic(outer: Outer, values: np.ndarray) -> np.ndarray:
    """(patients,) scores of a logistic regression (ridge, C = 1) of the standardised columns. values: NaN is not known."""

    def scores_of(repeat: int, fold: int, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        scale = StandardScaler().fit(values[train])
        model = LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000)
        model.fit(scale.transform(values[train]), outer.is_good[train])
        return model.predict_proba(scale.transform(values[test]))[:, 1]

    return out_of_fold(outer, _complete(values), scores_of)


def forest(outer: Outer, values: np.ndarray, params: ForestParameters, seeds: Sequence[int]) -> np.ndarray:
    """(patients,) scores of the signature's forest over all of the columns, without a search. values: NaN is not known."""
    columns = np.arange(values.shape[1])

    def scores_of(repeat: int, fold: int, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        own = seed_of(*seeds, repeat, fold)
        return fit(values[train], outer.is_good[train], None, columns, params, own).scores(values[test])

    return out_of_fold(outer, _complete(values), scores_of)


def random_columns(
    outer: Outer, data: Training, sizes: np.ndarray, params: ForestParameters, seeds: Sequence[int]
) -> np.ndarray:
    """(patients,) scores of the signature's forest over columns that were drawn: as many as the signature has in that fold.

    sizes: (repeats, folds), 0 where the signature has none.
    """

    def steps_of(repeat: int, fold: int, train: np.ndarray) -> tuple[np.ndarray, Steps] | None:
        n = min(int(sizes[repeat, fold]), len(data.names))
        if not n:
            return None
        own = seed_of(*seeds, repeat, fold)
        columns = np.sort(np.random.default_rng(own).choice(len(data.names), n, replace=False))
        values, combat = harmonised(data.values[train], data.batches[train], params)
        return columns, fit(values, outer.is_good[train], combat, columns, params, own)

    return by_steps(outer, data, params, steps_of)


def whole_way(
    outer: Outer,
    data: Training,
    search: SearchParameters,
    final: ForestParameters,
    seeds: Sequence[int],
    threads: int,
    noted: Callable[[int, int], Any],
) -> np.ndarray:
    """(patients,) scores by the signature's whole way, learned from these columns. noted: (repeat, fold) -> a checkpoint."""

    def steps_of(repeat: int, fold: int, train: np.ndarray) -> tuple[np.ndarray, Steps]:
        own, checkpoint = seed_of(*seeds, repeat, fold), noted(repeat, fold)
        columns, _, steps = signature_of(
            data.values[train], outer.is_good[train], data.batches[train], search, final, own, threads, checkpoint
        )
        return columns, steps

    return by_steps(outer, data, final, steps_of)


def by_steps(outer: Outer, data: Training, params: ForestParameters, steps_of) -> np.ndarray:
    """Scores by steps over all columns of `data`, without the patients of scanners that a fold has too few of."""

    def scores_of(repeat: int, fold: int, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        scores = np.full(len(test), np.nan)
        train, unscored = learned_from(data, train, params.harmonise)
        is_scored = np.array([i not in unscored for i in test])
        if is_scored.any() and (found := steps_of(repeat, fold, train)) is not None:
            columns, steps = found
            chosen = test[is_scored]
            scores[is_scored] = steps.scores(data.values[chosen][:, columns], data.batches[chosen])
        return scores

    return out_of_fold(outer, _complete(data.values), scores_of)


def noise(data: Training, seeds: Sequence[int]) -> Training:
    """The same patients with standard normal noise in the place of every feature."""
    return data._replace(values=np.random.default_rng(list(seeds)).standard_normal(data.values.shape))


def permuted(data: Training, seeds: Sequence[int]) -> Training:
    """The same labels, in the same folds, with the features and scanners of patients drawn anew: as if labels were permuted, and
    folds stratified by them."""
    order = np.random.default_rng(list(seeds)).permutation(len(data.values))
    return data._replace(values=data.values[order], sets=data.sets.iloc[order].reset_index(drop=True))


def seed_of(*numbers: int) -> int:
    """A seed of its own for each of these series of numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _complete(values: np.ndarray) -> np.ndarray:
    return ~np.isnan(values).any(axis=1)
