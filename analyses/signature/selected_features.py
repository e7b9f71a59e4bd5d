"""The signature's features, and what became of all others: the paper's Table S6, with what it does not say.

status     selected, candidate (the filter left it, the search did not take it), or dropped and why
frequency  in how many outer folds the search chose it: a feature that is found in few is an accident of these patients
auc        of the feature alone on all development patients: not corrected for looking at all of them
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analyses.signature.needs import LIBRARIES, SOURCE, TRAINING
from analyses.signature.settings import FilterParameters
from tshdb.engine.analysis import Learns, Model, analysis
from tshdb.schema import SearchGeneration, SelectedFeature, SignatureFoldScore, SignatureModel
from tshdb.vocabulary import FeatureStatus

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="fit",
    per="cohort",
    needs={
        **TRAINING,
        "search": Model(SearchGeneration),
        "model": Model(SignatureModel),
        "fold_scores": Model(SignatureFoldScore),
    },
    makes=SelectedFeature,
    params=FilterParameters,
    cohorts="cohort",
    learns=(Learns("labels"),),
    libraries=(*LIBRARIES, "skops"),
    source=SOURCE,
    base="signature",
)
def selected_features(
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    search: pd.DataFrame,
    model: pd.DataFrame,
    fold_scores: pd.DataFrame,
    members: pd.DataFrame,
    params: FilterParameters,
) -> pd.DataFrame:
    """One row per feature; none where there is no model."""
    import numpy as np
    import pandas as pd

    from analyses.signature import artefact
    from analyses.signature.features import too_few, training_of
    from analyses.signature.nested import chosen_in_folds
    from analyses.signature.training import filtered, harmonised
    from analyses.tsh_model.tsh_modelling import auc

    if model["reason"].notna().any():
        return pd.DataFrame()
    chosen = [f["feature"] for f in json.loads(model["features"].iloc[0])]
    steps = artefact.unpacked(model["object_path"].iloc[0], model["content"].iloc[0])
    importance = dict(zip(chosen, map(float, steps.forest.feature_importances_), strict=True))
    data = training_of(labels, sets, computed, imported, members, params.features, params.only)
    few = too_few(data.batches) if params.harmonise != "none" else {}  # of patients who are others than the model's
    values, combat = (data.values, None) if few else harmonised(data.values, data.batches, params)
    kept = filtered(values, data.is_good, params, combat)
    folds, times = chosen_in_folds(fold_scores)
    rows = []
    for j, name in enumerate(data.names):
        column = values[:, j]
        row = {
            "feature": name, "status": FeatureStatus.DROPPED, "reason": None, "auc": auc(data.is_good, column),
            "mean_good": float(column[data.is_good].mean()), "mean_poor": float(column[~data.is_good].mean()),
            "importance": importance.get(name), "n_folds": times[name],
            "frequency": times[name] / len(folds) if len(folds) else None,
        }  # fmt: skip
        if name in importance:
            row["status"] = FeatureStatus.SELECTED
        elif kept.support_[j]:
            row["status"] = FeatureStatus.CANDIDATE
        elif kept.similar_to_[j] >= 0:
            row["reason"] = f"goes with {data.names[kept.similar_to_[j]]}, which stays (r {kept.correlation_[j]:.2f})"
        elif combat is not None and combat.without_scale_[j] >= 0 and np.ptp(column):
            batch = combat.batches_[combat.without_scale_[j]]
            row["reason"] = f"does not vary among the patients of {batch}: it cannot be harmonised"
        else:
            row["reason"] = "does not vary"
        rows.append(row)
    for name, why in sorted(data.the_label.items()):
        rows.append({"feature": name, "status": FeatureStatus.DROPPED, "n_folds": 0, "reason": why})
    for name, n in sorted(data.incomplete.items()):
        rows.append(
            {
                "feature": name,
                "status": FeatureStatus.DROPPED,
                "n_folds": 0,
                "reason": f"no value for {n} of {len(data.patients)} patients",
            }
        )
    return pd.DataFrame(rows)
