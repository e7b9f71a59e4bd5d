"""From training patients to a signature: filter, search, refit. What is fitted here has seen the patients it is given, no others.

filter    of features that go together the better one stays (`estimators.CorrelationFilter`)
search    a genetic algorithm over what is left (`estimators.GeneticSelector`); for its forests scaling changes nothing
fit       harmonised (if asked for), standardised, a forest of scikit-learn
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from analyses.signature.estimators import Combat, CorrelationFilter, GeneticSelector
from analyses.signature.features import LEAST_PER_BATCH, Training, too_few, without_features
from analyses.signature.settings import FilterParameters, ForestParameters, SearchParameters

SELECTOR = (
    "population", "generations", "folds", "n_trees", "min_leaf", "metric", "parsimony", "tournament", "crossover", "mutation",
    "elite", "initial_share", "max_features", "forest",
)  # fmt: skip


class Steps(NamedTuple):
    """A fitted signature. harmonise: over the columns of the signature, or None; forest: classes False, True (good)."""

    harmonise: Combat | None
    scale: StandardScaler
    forest: RandomForestClassifier

    def scores(self, values: np.ndarray, batches: np.ndarray | None = None) -> np.ndarray:
        """(examinations,) probabilities of good; each row's is its own, in whatever company. Raises ValueError for a batch
        that the harmonisation has no estimate of."""
        if self.harmonise is not None:
            values = self.harmonise.transform(values, batches)
        return self.forest.predict_proba(self.scale.transform(values))[:, 1]


def harmonised(values: np.ndarray, batches: np.ndarray, params: FilterParameters) -> tuple[np.ndarray, Combat | None]:
    """The training values, and what brought them to one scale. Raises ValueError for a batch that is too small."""
    if params.harmonise == "none":
        return values, None
    combat = Combat().fit(values, batch=batches)
    return combat.transform(values, batches), combat


def filtered(
    values: np.ndarray, is_good: np.ndarray, params: FilterParameters, combat: Combat | None
) -> CorrelationFilter:
    """The correlation filter, fitted. combat: what harmonised the values; a feature that it could not bring to one scale is
    dropped, since it may tell the scanners apart."""
    usable = values if combat is None else np.where(combat.without_scale_ < 0, values, 0.0)
    return CorrelationFilter(params.max_correlation, params.keep).fit(usable, is_good)


def searched(
    values: np.ndarray, is_good: np.ndarray, params: SearchParameters, seed: int, threads: int, checkpoint: Any
) -> GeneticSelector:
    """The genetic selector, fitted. values: (patients, features that the filter left)."""
    chosen = {name: getattr(params, name) for name in SELECTOR}
    selector = GeneticSelector(**chosen, random_state=seed % 2**31, threads=threads, checkpoint=checkpoint)
    return selector.fit(values, is_good)


def fit(
    values: np.ndarray,
    is_good: np.ndarray,
    combat: Combat | None,
    columns: np.ndarray,
    params: ForestParameters,
    seed: int,
) -> Steps:
    """Scaler and forest over these columns of (harmonised) training values."""
    chosen = values[:, columns]
    scale = StandardScaler().fit(chosen)
    forest = RandomForestClassifier(
        params.final_trees, min_samples_leaf=params.min_leaf, random_state=seed % 2**31, n_jobs=1
    )
    forest.fit(scale.transform(chosen), is_good)
    return Steps(None if combat is None else combat.of_columns(columns), scale, forest)


def signature_of(
    values: np.ndarray, is_good: np.ndarray, batches: np.ndarray, search: SearchParameters, final: ForestParameters, seed: int,
    threads: int, checkpoint: Any,
) -> tuple[np.ndarray, float, Steps]:  # fmt: skip
    """The whole way on these patients: (columns, the search's own optimistic fitness, fitted steps)."""
    values, combat = harmonised(values, batches, search)
    left = np.flatnonzero(filtered(values, is_good, search, combat).support_)
    selector = searched(values[:, left], is_good, search, seed, threads, checkpoint)
    columns = left[selector.support_]
    return columns, selector.fitness_, fit(values, is_good, combat, columns, final, seed)


OF_FOLD = ", of those whom this fold learns from"


def learned_from(data: Training, train: np.ndarray, harmonise: str) -> tuple[np.ndarray, dict[int, str]]:
    """(patients,) those of the training patients whose scanner has enough of them, and number of a patient -> why a fold that
    learns from these has no score of her."""
    if harmonise == "none":
        nothing = without_features(data.values[train], None)
        return train, {} if nothing is None else dict.fromkeys(range(len(train)), f"{nothing}{OF_FOLD}")
    batches = data.batches
    few = too_few(batches[train])
    if few:
        train = train & ~np.isin(batches, list(few))
    if min(data.is_good[train].sum(), (~data.is_good[train]).sum()) < 2:
        why = f"without {', '.join(few)} there are fewer than 2 of a kind to learn from"
        return train, dict.fromkeys(range(len(batches)), why)
    if nothing := without_features(data.values[train], batches[train]):
        return train, dict.fromkeys(range(len(batches)), f"{nothing}{OF_FOLD}")
    known = set(batches[train])
    why = f"fewer than {LEAST_PER_BATCH} training patients of {{}} in this fold"
    return train, {i: why.format(batch) for i, batch in enumerate(batches) if batch not in known}
