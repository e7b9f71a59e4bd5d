"""The steps of a radiogenomic signature as scikit-learn's estimators: filter, genetic selection, harmonisation.

CorrelationFilter  of two features that go together (|r| above a threshold) the one that tells less is dropped
GeneticSelector    the subset that a genetic algorithm finds, judged by forests in cross-validation (`genetic`, `forest`)
Combat             location and scale of batches adjusted (Johnson, Li and Rabinovic 2007, doi:10.1093/biostatistics/kxj037)

All follow scikit-learn's conventions and pass its checks; none knows more than what `fit` is given, so that inside of a
cross-validation each is fitted on the training folds alone. Fan et al. 2023, Statistical analysis: r > 0.8, genetic algorithm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from analyses.signature import genetic
from analyses.signature.features import LEAST_PER_BATCH, vary
from analyses.signature.folds import METRICS, folds_of
from tshdb.extras import missing


class CorrelationFilter(SelectorMixin, BaseEstimator):
    """Drop features that go together with a better one.

    threshold: largest |r| (Pearson) between two features that stay. keep: which of a pair stays; auc: the one that tells the
    classes apart best alone; mean_correlation: the one with the smaller mean |r| to all (also where there are no classes).
    Features that do not vary are dropped.

    support_: (features,) whether it stays; similar_to_: (features,) the feature for which it was dropped, -1 for none;
    correlation_: (features,) its r with that one; strength_: (features,) what `keep` ranks by.
    """

    def __init__(self, threshold: float = 0.8, keep: str = "auc"):
        self.threshold = threshold
        self.keep = keep

    def fit(self, X, y=None) -> CorrelationFilter:
        """X: (patients, features) without missing values; y: (patients,) classes."""
        if self.keep not in ("auc", "mean_correlation"):
            raise ValueError(f"keep is '{self.keep}': expected auc or mean_correlation")
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        varies = vary(X)
        correlations = _correlations(X, varies)
        if self.keep == "auc" and y is not None and type_of_target(y) in ("binary", "multiclass"):
            self.strength_ = _univariate(X, np.asarray(y))
        else:
            self.strength_ = -np.abs(correlations).mean(axis=0)
        self.support_ = np.zeros(X.shape[1], dtype=bool)
        self.similar_to_ = np.full(X.shape[1], -1)
        self.correlation_ = np.full(X.shape[1], np.nan)
        for j in np.argsort(-self.strength_, kind="stable"):
            if not varies[j]:
                continue
            kept = np.flatnonzero(self.support_)
            r = correlations[j, kept]
            if len(kept) and np.abs(r).max() > self.threshold:
                nearest = int(np.abs(r).argmax())
                self.similar_to_[j], self.correlation_[j] = kept[nearest], r[nearest]
            else:
                self.support_[j] = True
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_


def _correlations(X: np.ndarray, varies: np.ndarray) -> np.ndarray:
    """(features, features) Pearson correlations, 0 for features that do not vary. Each pair in its own sum (no BLAS)."""
    centered = X - X.mean(axis=0)
    scale = np.sqrt((centered**2).sum(axis=0))
    standard = np.where(varies, centered / np.where(varies, scale, 1.0), 0.0)
    return np.clip(np.einsum("ij,ik->jk", standard, standard), -1.0, 1.0)


def _univariate(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(features,) how far the AUC of each alone is from one half, for the class that it tells best."""
    from scipy.stats import rankdata

    ranks = rankdata(X, axis=0)
    distances = np.zeros(X.shape[1])
    for one in np.unique(y):
        is_in_class = y == one
        n, others = int(is_in_class.sum()), int((~is_in_class).sum())
        if n and others:
            auc = (ranks[is_in_class].sum(axis=0) - n * (n + 1) / 2) / (n * others)
            distances = np.maximum(distances, np.abs(auc - 0.5))
    return distances


class GeneticSelector(SelectorMixin, BaseEstimator):
    """The subset of features that a genetic algorithm finds for a random forest, judged in cross-validation on X itself.

    `fitness_` is reached on the folds that the search optimised: it says nothing about other patients.

    metric: auc, balanced_accuracy or accuracy, the mean over `folds` (stratified; fewer for small classes). n_trees, min_leaf: of
    the forests. The rest as in `genetic.GeneticSettings`; mutation None is 1 / features. forest: compiled (numba), or
    scikit-learn (the same search, many times slower). threads: for the compiled one; the result does not depend on it.
    checkpoint: an object with load() -> bytes or None, and save(bytes), told after each generation; a search goes on from it.

    support_, fitness_, generations_ (of `genetic.Generation`).
    """

    def __init__(
        self,
        population: int = 100,
        generations: int = 100,
        folds: int = 10,
        n_trees: int = 100,
        min_leaf: int = 1,
        metric: str = "auc",
        parsimony: float = 0.002,
        tournament: int = 3,
        crossover: float = 0.8,
        mutation: float | None = None,
        elite: int = 2,
        initial_share: float = 0.05,
        max_features: int | None = None,
        forest: str = "compiled",
        random_state: int | None = 0,
        threads: int = 1,
        checkpoint: Any = None,
    ):
        self.population = population
        self.generations = generations
        self.folds = folds
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.metric = metric
        self.parsimony = parsimony
        self.tournament = tournament
        self.crossover = crossover
        self.mutation = mutation
        self.elite = elite
        self.initial_share = initial_share
        self.max_features = max_features
        self.forest = forest
        self.random_state = random_state
        self.threads = threads
        self.checkpoint = checkpoint

    def fit(self, X, y) -> GeneticSelector:
        """X: (patients, features); y: (patients,) two classes, the second in their order being the positive one."""
        if self.metric not in METRICS:
            raise ValueError(f"metric is '{self.metric}': expected {', '.join(METRICS)}")
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        classes = np.unique(y)
        if len(classes) != 2:
            n_classes = "1 class" if len(classes) == 1 else f"{len(classes)} classes"
            raise ValueError(f"Only binary classification is supported: the target has {n_classes}.")
        is_good = y == classes[1]
        seed = 0 if self.random_state is None else int(self.random_state)
        fold_of = folds_of(is_good, self.folds, seed)
        begun = None
        if self.checkpoint is not None and (content := self.checkpoint.load()) is not None:
            begun = genetic.Search.from_bytes(content)
        search = genetic.search(
            self._fitness(X, is_good, fold_of, seed), X.shape[1], self._settings(), seed, begun, self._note
        )
        self.support_ = np.zeros(X.shape[1], dtype=bool)
        self.support_[list(search.best.best)] = True
        self.fitness_ = search.best.best_fitness
        self.generations_ = search.generations
        return self

    def _settings(self) -> genetic.GeneticSettings:
        return genetic.GeneticSettings(
            self.population, self.generations, self.tournament, self.crossover, self.mutation, self.elite, self.initial_share,
            self.parsimony, self.max_features,
        )  # fmt: skip

    def _note(self, state: genetic.Search) -> None:
        if self.checkpoint is not None:
            self.checkpoint.save(state.to_bytes())

    def _fitness(self, X, is_good, fold_of, seed: int) -> genetic.Fitness:
        if self.forest == "compiled":
            try:
                from analyses.signature.forest import FoldForests, ForestSettings
            except ModuleNotFoundError as error:
                raise ValueError(f'{missing(error)}, or [signature] forest = "scikit-learn"') from None

            forests = FoldForests(
                X, is_good, fold_of, ForestSettings(self.n_trees, None, self.min_leaf), seed, self.metric
            )
            return lambda subsets: forests.fitness_of(subsets, self.threads)
        if self.forest == "scikit-learn":
            from analyses.signature.plain import plain_fitness

            return lambda subsets: [
                plain_fitness(X[:, s], is_good, fold_of, self.n_trees, self.min_leaf, seed, self.metric)
                for s in subsets
            ]
        raise ValueError(f"forest is '{self.forest}': expected compiled or scikit-learn")

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


class Combat(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Batches brought to one location and scale, feature by feature, by empirical Bayes.

    min_batch: patients that a batch must have (a batch of one has no scale). Without `batch` all are one batch, and values stay
    as they are. A batch that was not there at fitting has no estimate: `transform` raises ValueError for it. A feature that does
    not vary among the patients of a batch has no scale there: it stays as it is, and does not move the others (as in sva 3.46).

    batches_: their names; gamma_, delta_: (batches, features) shift and variance, in units of the pooled SD; without_scale_:
    (features,) the number of the first batch in which a feature does not vary, -1 for those that are adjusted.
    """

    def __init__(self, min_batch: int = LEAST_PER_BATCH, tolerance: float = 1e-6):
        self.min_batch = min_batch
        self.tolerance = tolerance

    def fit(self, X, y=None, batch=None) -> Combat:
        """X: (patients, features) without missing values; batch: (patients,) names."""
        X = validate_data(self, X, dtype=np.float64)
        names = self._names(batch, len(X))
        self.batches_, place, counts = np.unique(names, return_inverse=True, return_counts=True)
        if len(self.batches_) > 1 and counts.min() < max(2, self.min_batch):
            small = self.batches_[counts.argmin()]
            raise ValueError(
                f"batch {small} has {counts.min()} patients: ComBat needs at least {max(2, self.min_batch)}"
            )
        varies = np.array([vary(X[place == b]) for b in range(len(counts))])
        self.without_scale_ = np.where(varies.all(axis=0), -1, np.argmin(varies, axis=0))
        adjusted = np.flatnonzero(self.without_scale_ < 0)
        self.mean_, self.scale_ = np.zeros(X.shape[1]), np.ones(X.shape[1])
        self.gamma_ = np.zeros((len(counts), X.shape[1]))
        self.delta_ = np.ones((len(counts), X.shape[1]))
        if len(counts) > 1 and len(adjusted):
            of_batches = X[:, adjusted]
            means = np.array([of_batches[place == b].mean(axis=0) for b in range(len(counts))])
            self.mean_[adjusted] = mean = (counts[:, None] * means).sum(axis=0) / len(X)
            self.scale_[adjusted] = scale = np.sqrt(((of_batches - means[place]) ** 2).sum(axis=0) / len(X))
            standard = (of_batches - mean) / scale
            for b in range(len(counts)):
                self.gamma_[b, adjusted], self.delta_[b, adjusted] = _shrunk(standard[place == b], self.tolerance)
        return self

    def transform(self, X, batch=None) -> np.ndarray:
        """The values with the batches' shifts and scales taken out. Raises ValueError for a batch that has no estimate."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if len(self.batches_) == 1 and batch is None:
            return X
        names = self._names(batch, len(X))
        if unknown := sorted(set(map(str, names)) - set(map(str, self.batches_))):
            raise ValueError(f"no estimate for batch {', '.join(unknown)}: it was not among the training patients")
        place = np.searchsorted(self.batches_, names)
        standard = (X - self.mean_) / self.scale_
        return (standard - self.gamma_[place]) / np.sqrt(self.delta_[place]) * self.scale_ + self.mean_

    def of_columns(self, columns: np.ndarray) -> Combat:
        """The same for these features alone, in this order."""
        check_is_fitted(self)
        part = Combat(self.min_batch, self.tolerance)
        part.batches_, part.n_features_in_ = self.batches_, len(columns)
        part.mean_, part.scale_ = self.mean_[columns], self.scale_[columns]
        part.gamma_, part.delta_ = self.gamma_[:, columns], self.delta_[:, columns]
        part.without_scale_ = self.without_scale_[columns]
        return part

    @staticmethod
    def _names(batch, n: int) -> np.ndarray:
        if batch is None:
            return np.full(n, "all")
        names = np.asarray(batch).astype(str)
        if names.shape != (n,):
            raise ValueError(f"batch has the shape {names.shape}, not ({n},): one name a patient")
        return names


def _shrunk(standard: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """(features,) shift and variance of one batch, drawn towards those of all its features (parametric priors).

    standard: (patients of the batch, features). Iterates the conditional means of Johnson et al. until they stand.
    """
    n, p = standard.shape
    shift, variance = standard.mean(axis=0), standard.var(axis=0, ddof=1)
    if p < 2:
        return shift, np.where(variance > 0, variance, 1.0)
    prior_mean, prior_variance = shift.mean(), shift.var(ddof=1)
    mean, spread = variance.mean(), variance.var(ddof=1)
    if not (prior_variance > 0 and spread > 0):
        return shift, np.where(variance > 0, variance, 1.0)
    shape = (2 * spread + mean**2) / spread
    rate = (mean * spread + mean**3) / spread
    gamma, delta = shift, variance
    for _ in range(1_000):
        new_gamma = (n * prior_variance * shift + delta * prior_mean) / (n * prior_variance + delta)
        residual = ((standard - new_gamma) ** 2).sum(axis=0)
        new_delta = (0.5 * residual + rate) / (n / 2 + shape - 1)
        moved = max(
            np.max(np.abs(new_gamma - gamma) / np.maximum(np.abs(gamma), 1e-12)),
            np.max(np.abs(new_delta - delta) / delta),
        )
        gamma, delta = new_gamma, new_delta
        if moved < tolerance:
            break
    return gamma, delta
