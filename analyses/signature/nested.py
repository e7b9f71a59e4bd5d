"""What the nested cross-validation left: one score a patient, and what each fold's search chose."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

LEAST_PER_CLASS = 4  # patients of a kind, so that every outer training set has two for the search's own folds

if TYPE_CHECKING:
    import pandas as pd


def mean_scores(fold_scores: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(patients,) labels and scores averaged over repeats, sorted by patient; of those who have one.

    fold_scores: rows of signature_fold_scores.
    """
    fold_scores = fold_scores[fold_scores["score"].notna()]
    mean = fold_scores.groupby("patient_id", sort=True).agg({"score": "mean", "is_good": "first"})
    return mean["is_good"].to_numpy(bool), mean["score"].to_numpy(float)


def chosen_in_folds(fold_scores: pd.DataFrame) -> tuple[pd.DataFrame, Counter[str]]:
    """(one row a repeat and fold that was searched, feature -> how many of them chose it)."""
    folds = fold_scores[fold_scores["fold_fitness"].notna()].drop_duplicates(["repeat", "fold"])
    return folds, Counter(name for text in folds["features"] for name in json.loads(text))


def unscored(fold_scores: pd.DataFrame, n: int) -> str | None:
    """How many of the patients have no score in any repeat, and the first reason; None where all have one."""
    known = set(fold_scores.loc[fold_scores["score"].notna(), "patient_id"])
    without = fold_scores[~fold_scores["patient_id"].isin(known)].drop_duplicates("patient_id")
    if not len(without):
        return None
    said = Counter(without["reason"]).most_common(1)[0][0]
    return f"{len(without)} of {n} patients have no score ({said})"
