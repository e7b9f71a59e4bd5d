"""The TSH model's machinery: training data, choice of features inside cross-validation, logistic regression, AUC.

The model gives the probability of a good prognosis from the tumour's abundances alone; its label is made of tumour and
stroma. Features are added one by one while the AUC of an inner cross-validation grows; everything that looks at a label
happens inside the folds of the outer cross-validation.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from analyses.shared.populations import in_table_order, only_unit
from tshdb.config import Parameters
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    import pandas as pd


INTERCEPT = "(intercept)"
LEAST_PER_CLASS = 4  # patients of a kind, so that every outer training set has two for the inner folds


class ModelParameters(Parameters):
    """What the model and its cross-validation share."""

    cohort: str = "tumor_stroma_development"
    unit: ExpressionUnit | None = None
    inverse_penalty: float = Field(default=1.0, gt=0)
    """C of the ridge-penalised logistic regression"""
    max_features: int = Field(default=5, ge=1)
    """populations in the model at the most"""
    least_gain: float = Field(default=0.005, ge=0)
    """of the AUC, by which one more population must better the model"""
    inner_folds: int = Field(default=5, ge=2)
    """that choose the populations"""
    min_per_class: int = Field(default=10, ge=2)
    """with fewer patients of a class there is no model"""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """a score of at least this is good"""


class Training(NamedTuple):
    """Patients (sorted), their label, and (patients, populations) tumour abundances."""

    patients: list[str]
    is_good: np.ndarray
    populations: list[str]
    values: np.ndarray
    unit: str | None
    transform: str | None

    def problem(self, least: int) -> str | None:
        """Why no model can be made, or None."""
        n_good, n = int(self.is_good.sum()), len(self.patients)
        if min(n_good, n - n_good) < least:
            return f"{n_good} good and {n - n_good} poor: fewer than {least} of one kind"
        return None


def training_data(tumor: pd.DataFrame, groups: pd.DataFrame, unit: ExpressionUnit | None, table: str) -> Training:
    """Patients with a prognosis and all abundances that anybody has. Raises ValueError for several units without `unit`."""
    chosen = only_unit(tumor, unit, table)
    rows = tumor[tumor["unit"] == chosen]
    known = groups[groups["prognosis"].notna()].drop_duplicates("patient_id").set_index("patient_id")["prognosis"]
    wide = rows[rows["patient_id"].isin(set(known.index))].pivot(
        index="patient_id", columns="population", values="abundance"
    )
    wide = wide.dropna(axis=1, how="all").dropna().sort_index()
    populations = in_table_order(wide.columns)
    label = (known.loc[wide.index].astype(str) == "good").to_numpy(bool) if len(wide) else np.zeros(0, dtype=bool)
    transform = rows["transform"].iloc[0] if len(rows) else None
    return Training(list(wide.index), label, populations, wide[populations].to_numpy(float), chosen, transform)


class Logistic(NamedTuple):
    """columns: the features; z = intercept + sum coefficients (x - center) / scale."""

    columns: tuple[int, ...]
    intercept: float
    coefficients: np.ndarray
    center: np.ndarray
    scale: np.ndarray

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Probabilities of a good prognosis; every patient's alone, in whatever company."""
        z = np.full(len(values), self.intercept)
        for j, coefficient, center, scale in zip(self.columns, self.coefficients, self.center, self.scale, strict=True):
            z = z + coefficient * ((values[:, j] - center) / scale)
        return 1.0 / (1.0 + np.exp(-z))


def fit(values: np.ndarray, is_good: np.ndarray, columns: tuple[int, ...], inverse_penalty: float) -> Logistic:
    """Logistic regression with a ridge penalty on standardised features."""
    from sklearn.linear_model import LogisticRegression

    chosen = values[:, columns]
    center, scale = chosen.mean(axis=0), chosen.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    model = LogisticRegression(C=inverse_penalty, tol=1e-8, max_iter=10_000)
    model.fit((chosen - center) / scale, is_good)
    return Logistic(columns, float(model.intercept_[0]), model.coef_[0].astype(float), center, scale)


def logistic_of(model: pd.DataFrame, populations: list[str]) -> Logistic:
    """The model of these rows, its columns being places in `populations`. Raises ValueError when one is not there."""
    terms = model[model["term"] != INTERCEPT].sort_values("position")
    missing = sorted(set(terms["term"]) - set(populations))
    if missing:
        raise ValueError(f"no abundance of {', '.join(missing)}, which the model reads")
    columns = tuple(populations.index(t) for t in terms["term"])
    intercept = float(model.loc[model["term"] == INTERCEPT, "coefficient"].iloc[0])
    numbers = (terms[name].to_numpy(float) for name in ("coefficient", "center", "scale"))
    return Logistic(columns, intercept, *numbers)


def auc(is_good: np.ndarray, scores: np.ndarray) -> float:
    """The area under the ROC curve: the share of (good, poor) pairs in the right order, ties counting one half."""
    from scipy.stats import rankdata

    n_good = int(is_good.sum())
    n_poor = len(is_good) - n_good
    return float((rankdata(scores)[is_good].sum() - n_good * (n_good + 1) / 2) / (n_good * n_poor))


def choose(values: np.ndarray, is_good: np.ndarray, params: ModelParameters, seed: int) -> tuple[int, ...]:
    """The features, added one by one while the inner AUC grows by at least `least_gain`."""
    folds = _folds(is_good, params.inner_folds, seed)
    chosen: tuple[int, ...] = ()
    best = 0.5
    while len(chosen) < min(params.max_features, values.shape[1]):
        candidates = [(*chosen, j) for j in range(values.shape[1]) if j not in chosen]
        reached = [_inner_auc(values, is_good, c, folds, params.inverse_penalty) for c in candidates]
        top = int(np.argmax(reached))
        if chosen and reached[top] < best + params.least_gain:
            break
        chosen, best = candidates[top], reached[top]
    return tuple(sorted(chosen))


def _inner_auc(values, is_good, columns, folds, inverse_penalty: float) -> float:
    aucs = []
    for train, test in folds:
        model = fit(values[train], is_good[train], columns, inverse_penalty)
        aucs.append(auc(is_good[test], model.scores(values[test])))
    return float(np.mean(aucs))


def _folds(is_good: np.ndarray, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stratified folds; fewer where a class is too small to be in every one."""
    from sklearn.model_selection import StratifiedKFold

    smallest = int(min(is_good.sum(), (~is_good).sum()))
    splitter = StratifiedKFold(max(2, min(n_folds, smallest)), shuffle=True, random_state=seed % 2**32)
    return list(splitter.split(np.zeros(len(is_good)), is_good))


def nested_scores(
    data: Training, params: ModelParameters, outer_folds: int, repeats: int, seed: int
) -> tuple[np.ndarray, list[Counter]]:
    """((repeats, patients) scores by models that had not seen the patient, features chosen for each patient's folds)."""
    generator = np.random.default_rng(seed)
    scores = np.full((repeats, len(data.patients)), np.nan)
    chosen = [Counter() for _ in data.patients]
    for repeat in range(repeats):
        for train, test in _folds(data.is_good, outer_folds, int(generator.integers(2**31))):
            columns = choose(data.values[train], data.is_good[train], params, int(generator.integers(2**31)))
            model = fit(data.values[train], data.is_good[train], columns, params.inverse_penalty)
            scores[repeat, test] = model.scores(data.values[test])
            for i in test:
                chosen[i].update(data.populations[c] for c in columns)
    return scores, chosen
