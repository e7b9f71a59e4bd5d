"""The radiogenomic signature: the features that the search found, and a random forest of scikit-learn over them.

Refitted on all development patients that have a label and features. How good it is does not stand here: `model_performance` has
the nested figure, and the optimistic ones labelled so. The forest is kept as a file (skops) whose content is held against this
row whenever it is read; what its features were made with is kept beside it, since a score means nothing for others.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analyses.signature.needs import LIBRARIES, SOURCE, TRAINING
from analyses.signature.settings import ForestParameters
from tshdb.engine.analysis import Learns, Model, analysis
from tshdb.schema import SearchGeneration, SignatureModel

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="fit",
    per="cohort",
    needs={**TRAINING, "search": Model(SearchGeneration)},
    makes=SignatureModel,
    params=ForestParameters,
    cohorts="cohort",
    learns=(Learns("labels"),),
    libraries=(*LIBRARIES, "skops"),
    strict_libraries=("scikit-learn",),
    source=SOURCE,
    base="signature",
)
def signature_model(
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    search: pd.DataFrame,
    members: pd.DataFrame,
    params: ForestParameters,
    seed: int,
) -> pd.DataFrame:
    """One row: the model, or the reason for having none."""
    import numpy as np
    import pandas as pd

    from analyses.signature import artefact
    from analyses.signature.features import counts, ranges, shared, training_of
    from analyses.signature.training import fit, harmonised
    from tshdb.process import library_version

    data = training_of(labels, sets, computed, imported, members, params.features, params.only)
    last = search.sort_values("generation").iloc[-1]
    same, differing = shared(data.sets)
    row = {
        "source": params.features, "threshold": params.threshold, "n": len(data.patients),
        "n_good": int(data.is_good.sum()), "n_left_out": data.n_left_out, "n_features": 0, "features": "[]",
        **data.classes.columns, "harmonised": params.harmonise != "none", "seed": str(seed), "reason": last["reason"],
        "versions": json.dumps({name: library_version(name) for name in ("scikit-learn", "numpy", "skops")}),
    }  # fmt: skip
    if not row["reason"] and differing:
        row["reason"] = f"the training patients' features do not compare: they differ in {', '.join(differing)}"
    if row["reason"]:
        return pd.DataFrame([row])
    names = json.loads(last["best"])
    columns = np.array([data.names.index(name) for name in names])
    values, combat = harmonised(data.values, data.batches, params)
    steps = fit(values, data.is_good, combat, columns, params, seed)
    content = artefact.packed(steps)
    chosen = data.values[:, columns]
    row |= same | {
        "n_features": len(names),
        "features": json.dumps([
            {"feature": name, "mean": float(v.mean()), "sd": float(v.std()), "low": float(v.min()), "high": float(v.max())}
            for name, v in zip(names, chosen.T, strict=True)
        ]),
        "search_fitness": last["best_fitness"],
        "mask_kinds": json.dumps(counts(data.sets["mask_kind"])),
        "seconds": json.dumps(ranges(data.sets)),
        "batches": json.dumps(counts(data.sets["batch"])),
        "comparability": data.sets["comparability"].iloc[0],
        "content": artefact.content_of(steps),
        "object_id": content,
    }  # fmt: skip
    return pd.DataFrame([row])
