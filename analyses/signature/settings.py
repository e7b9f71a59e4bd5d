"""Parameters that the signature's analyses share. They stand in [signature] of study.toml, once for all of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from analyses.signature.features import COMPUTED
from tshdb.config import Parameters
from tshdb.vocabulary import Endpoint

TSH, SURVIVAL = "tsh", "survival"


class LabelParameters(Parameters):
    """[signature]"""

    FOLLOWS = ("label", "positive", "negative", "endpoint", "horizon_days")
    label: str = TSH
    """tsh (the TSH score), survival, or a column: of the patients, TABLE.COLUMN, or clinical_values.FIELD"""
    positive: tuple[str, ...] = ()
    """of a column: the values of the class that is foretold"""
    negative: tuple[str, ...] = ()
    """of a column: those of the other class, all other known values if there are none here"""
    endpoint: Endpoint = Endpoint.OS
    """of label = survival"""
    horizon_days: float = Field(default=1826.25, gt=0)
    """of label = survival: an event up to this day is poor, to be known free of it on that day is good"""


class TrainingParameters(LabelParameters):
    """[signature]"""

    cohort: str = "radiogenomic_development"
    """the frozen cohort that is learned from"""
    features: str = COMPUTED
    """computed, or the name of an imported table"""
    only: str = ""
    """the beginning of the names of the features to take, such as tumor."""
    min_per_class: int = Field(default=10, ge=2)
    """fewer patients of a class are not learned from"""


class FilterParameters(TrainingParameters):
    """[signature]"""

    max_correlation: float = Field(default=0.8, gt=0, le=1)
    """of two features whose |r| is larger one is dropped, inside the folds (A16)"""
    keep: Literal["auc", "mean_correlation"] = "auc"
    """the one that tells the classes apart best alone, or that goes together least with all others"""
    harmonise: Literal["none", "combat"] = "none"
    """none, or combat over scanners (manufacturer, field strength), fitted on training patients alone"""


class SearchParameters(FilterParameters):
    """[signature]"""

    population: int = Field(default=100, ge=4)
    """of the genetic algorithm (A17)"""
    generations: int = Field(default=100, ge=0)
    """of the genetic algorithm (A17)"""
    folds: int = Field(default=10, ge=2)
    """of the forests that judge a subset"""
    metric: Literal["auc", "balanced_accuracy", "accuracy"] = "auc"
    """of the forests that judge a subset"""
    n_trees: int = Field(default=100, ge=1)
    """of the forests that judge a subset"""
    min_leaf: int = Field(default=1, ge=1)
    """of the forests that judge a subset"""
    parsimony: float = Field(default=0.002, ge=0)
    """taken off a subset's value for each of its features"""
    tournament: int = Field(default=3, ge=1)
    """subsets of which the best becomes a parent"""
    crossover: float = Field(default=0.8, ge=0, le=1)
    """chance that two parents mix"""
    mutation: float | None = Field(default=None, ge=0, le=1)
    """chance that a feature is swapped in or out, 1 / features if not set"""
    elite: int = Field(default=2, ge=0)
    """best subsets that go on as they are"""
    initial_share: float = Field(default=0.05, gt=0, le=1)
    """of the features in a first subset"""
    max_features: int | None = Field(default=None, ge=1)
    """of a subset"""
    forest: Literal["compiled", "scikit-learn"] = "compiled"
    """compiled (needs numba), or scikit-learn, many times slower"""


class ForestParameters(FilterParameters):
    """[signature]"""

    final_trees: int = Field(default=500, ge=1)
    """of the forest that is kept"""
    min_leaf: int = Field(default=1, ge=1)
    """of the forest that is kept"""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """a score of at least this foretells a good prognosis"""


class BesideParameters(Parameters):
    """[signature_ladder]: of the models that stand beside the signature without a search"""

    inner_folds: int = Field(default=5, ge=2)
    """in which the elastic net and the boosting choose, among the training patients of an outer fold"""
    mixings: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(default=(0.1, 0.5, 0.9), min_length=1)
    """of the elastic net, that it may choose from: 0 is ridge, 1 is the lasso"""
    n_penalties: int = Field(default=40, ge=2)
    """of the elastic net for each mixing, from the one that leaves no coefficient down to a hundredth of it"""
    most_trees: int = Field(default=200, ge=1)
    """of the boosting, which chooses how many"""
    depths: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(1, 2, 3), min_length=1)
    """of the boosting's trees, that it may choose from"""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """of the boosting"""
    least_in_leaf: int = Field(default=5, ge=1)
    """patients in a leaf of the boosting's trees"""
