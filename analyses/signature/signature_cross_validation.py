"""What the whole way to a signature is worth: scores of development patients by signatures that had not seen them.

Outer cross-validation, stratified: in each fold harmonisation, correlation filter, genetic search, scaling and forest are done
anew on the training patients alone. What a search thinks of its own features (`fold_fitness`) stands beside what they are worth.
Every generation of every fold is saved: a run that is stopped goes on. With harmonisation a scanner must have three training
patients: in a fold where it has fewer nothing is learned from it, and its patients there have no score but the reason.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import Field

from analyses.signature.needs import LIBRARIES, SOURCE, TRAINING
from analyses.signature.settings import ForestParameters, SearchParameters
from tshdb.engine.analysis import analysis
from tshdb.engine.work import Work
from tshdb.schema import SignatureFoldScore

if TYPE_CHECKING:
    import pandas as pd


class SignatureCrossValidationParameters(SearchParameters, ForestParameters):
    """[signature]"""

    outer_folds: int = Field(default=10, ge=2)
    """of the outer cross-validation"""
    repeats: int = Field(default=1, ge=1)
    """of the outer cross-validation"""


@analysis(
    kind="fit",
    per="cohort",
    needs=TRAINING,
    makes=SignatureFoldScore,
    params=SignatureCrossValidationParameters,
    cohorts="cohort",
    learns=(),
    libraries=(*LIBRARIES, "numba"),
    strict_libraries=("scikit-learn",),
    source=SOURCE,
    base="signature",
)
def signature_cross_validation(
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    members: pd.DataFrame,
    params: SignatureCrossValidationParameters,
    seed: int,
    work: Work,
) -> pd.DataFrame:
    """One row per patient and repeat; none where there is too little to learn from (`search_generations` says why, or the nested
    row of `model_performance` where there is enough for a search)."""
    import numpy as np
    import pandas as pd

    from analyses.signature.features import training_of
    from analyses.signature.folds import folds_of
    from analyses.signature.nested import LEAST_PER_CLASS
    from analyses.signature.progress import Noted
    from analyses.signature.training import learned_from, signature_of

    data = training_of(labels, sets, computed, imported, members, params.features, params.only)
    if data.problem(max(params.min_per_class, LEAST_PER_CLASS), params.harmonise):
        return pd.DataFrame()
    batches = data.batches
    rows = []
    for repeat in range(params.repeats):
        fold_of = folds_of(data.is_good, params.outer_folds, seed + repeat)
        n_folds = int(fold_of.max()) + 1
        for fold in range(n_folds):
            train, unscored = learned_from(data, fold_of != fold, params.harmonise)
            held_out = np.flatnonzero(fold_of == fold)
            test = np.array([i for i in held_out if i not in unscored], dtype=int)
            shared = {
                "repeat": repeat,
                "fold": fold,
                "score": None,
                "reason": None,
                "features": "[]",
                "fold_fitness": None,
            }
            scores = {}
            if len(test):
                at = repeat * n_folds + fold
                own_seed = int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1)[0])
                columns, reached, steps = signature_of(
                    data.values[train], data.is_good[train], batches[train], params, params, own_seed, work.threads,
                    Noted(work, f"search-{at}", params.generations, at, params.repeats * n_folds),
                )  # fmt: skip
                shared |= {"features": json.dumps([data.names[j] for j in columns]), "fold_fitness": reached}
                found = steps.scores(data.values[test][:, columns], batches[test])
                scores = dict(zip(test, found, strict=True))
            rows += [
                {**shared, "patient_id": data.patients[i], "is_good": data.is_good[i]}
                | ({"reason": unscored[i]} if i in unscored else {"score": scores[i]})
                for i in held_out
            ]
    return pd.DataFrame(rows)
