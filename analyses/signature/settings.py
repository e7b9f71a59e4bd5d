"""Parameters that the signature's analyses share. They stand in [signature] of study.toml, once for all of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analyses.signature.features import COMPUTED
from tshdb.config import Parameters


class TrainingParameters(Parameters):
    """[signature]

    cohort: the frozen cohort that is learned from; features: computed, or the name of an imported table; only: the beginning
    of the names of the features to take, such as tumor.; min_per_class: fewer patients of a class are not learned from.
    """

    cohort: str = "radiogenomic_development"
    features: str = COMPUTED
    only: str = ""
    min_per_class: int = Field(default=10, ge=2)


class FilterParameters(TrainingParameters):
    """[signature]

    max_correlation: of two features whose |r| is larger one is dropped, inside the folds (A16); keep: the one that tells the
    classes apart best alone, or that goes together least with all others; harmonise: none, or combat over scanners
    (manufacturer, field strength), fitted on training patients alone.
    """

    max_correlation: float = Field(default=0.8, gt=0, le=1)
    keep: Literal["auc", "mean_correlation"] = "auc"
    harmonise: Literal["none", "combat"] = "none"


class SearchParameters(FilterParameters):
    """[signature]

    population, generations: of the genetic algorithm (A17); folds, metric, n_trees, min_leaf: of the forests that judge a subset;
    parsimony: taken off a subset's value for each of its features; tournament: subsets of which the best becomes a parent;
    crossover: chance that two parents mix; mutation: chance that a feature is swapped in or out, 1 / features if not set; elite:
    best subsets that go on as they are; initial_share: of the features in a first subset; max_features: of a subset; forest:
    compiled (needs numba), or scikit-learn, many times slower.
    """

    population: int = Field(default=100, ge=4)
    generations: int = Field(default=100, ge=0)
    folds: int = Field(default=10, ge=2)
    metric: Literal["auc", "balanced_accuracy", "accuracy"] = "auc"
    n_trees: int = Field(default=100, ge=1)
    min_leaf: int = Field(default=1, ge=1)
    parsimony: float = Field(default=0.002, ge=0)
    tournament: int = Field(default=3, ge=1)
    crossover: float = Field(default=0.8, ge=0, le=1)
    mutation: float | None = Field(default=None, ge=0, le=1)
    elite: int = Field(default=2, ge=0)
    initial_share: float = Field(default=0.05, gt=0, le=1)
    max_features: int | None = Field(default=None, ge=1)
    forest: Literal["compiled", "scikit-learn"] = "compiled"


class ForestParameters(FilterParameters):
    """[signature]

    final_trees, min_leaf: of the forest that is kept; threshold: a score of at least this foretells a good prognosis.
    """

    final_trees: int = Field(default=500, ge=1)
    min_leaf: int = Field(default=1, ge=1)
    threshold: float = Field(default=0.5, gt=0, lt=1)
