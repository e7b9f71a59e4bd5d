"""The search for the radiogenomic signature: correlation filter, then a genetic algorithm, on all development patients.

Fan et al. 2023: |r| > 0.8 removed, population 100, 100 generations, random forest in tenfold cross-validation. The figure that a
search reaches is measured on the folds that it optimised. It is the paper's way of measuring, and optimistic: noise reaches .99;
`signature_cross_validation` says what the whole way is worth. Each generation is saved: a search that is stopped goes on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analyses.signature.needs import LIBRARIES, SOURCE, TRAINING
from analyses.signature.settings import SearchParameters
from tshdb.engine.analysis import Learns, analysis
from tshdb.engine.work import Work
from tshdb.schema import SearchGeneration

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="fit",
    per="cohort",
    needs=TRAINING,
    makes=SearchGeneration,
    params=SearchParameters,
    cohorts="cohort",
    learns=(Learns("labels"),),
    libraries=(*LIBRARIES, "numba"),
    source=SOURCE,
    base="signature",
)
def signature_search(
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    members: pd.DataFrame,
    params: SearchParameters,
    seed: int,
    work: Work,
) -> pd.DataFrame:
    """One row per generation, 0 the first population; or one row with the reason for having no search."""
    import numpy as np
    import pandas as pd

    from analyses.signature.features import training_of
    from analyses.signature.progress import Noted
    from analyses.signature.training import filtered, harmonised, searched

    data = training_of(labels, sets, computed, imported, members, params.features, params.only)
    row = {"n": len(data.patients), "n_good": int(data.is_good.sum()), "n_candidates": 0, "reason": None}
    row["reason"] = data.problem(params.min_per_class, params.harmonise)
    if row["reason"]:
        return pd.DataFrame([row | {"generation": 0, "n_best": 0, "n_evaluated": 0, "best": "[]"}])
    values, combat = harmonised(data.values, data.batches, params)
    left = np.flatnonzero(filtered(values, data.is_good, params, combat).support_)
    search = searched(
        values[:, left], data.is_good, params, seed, work.threads, Noted(work, "search", params.generations)
    )
    return pd.DataFrame(
        [
            row | {
                "generation": g.number, "best_fitness": g.best_fitness, "mean_fitness": g.mean_fitness,
                "n_best": len(g.best), "mean_size": g.mean_size, "n_evaluated": g.n_evaluated, "n_candidates": len(left),
                "best": json.dumps([data.names[left[j]] for j in g.best]),
            }
            for g in search.generations_
        ]
    )  # fmt: skip
