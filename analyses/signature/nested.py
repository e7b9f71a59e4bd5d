"""What the nested cross-validation left: one score a patient, and what each fold's search chose."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def mean_scores(fold_scores: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(patients,) labels and scores averaged over repeats, sorted by patient. fold_scores: rows of signature_fold_scores."""
    mean = fold_scores.groupby("patient_id", sort=True).agg({"score": "mean", "is_good": "first"})
    return mean["is_good"].to_numpy(bool), mean["score"].to_numpy(float)


def chosen_in_folds(fold_scores: pd.DataFrame) -> tuple[pd.DataFrame, Counter[str]]:
    """(one row a repeat and fold, feature -> how many of them chose it)."""
    folds = fold_scores.drop_duplicates(["repeat", "fold"])
    return folds, Counter(name for text in folds["features"] for name in json.loads(text))
