"""How well the signature tells its classes apart: by patients it had not seen, and, labelled, the ways that flatter it.

nested     scores of `signature_cross_validation`, everything fitted inside the outer folds: the figure to believe
search     what the search reached on its own folds, by its own forests: the figure that it optimised, and the paper's way.
           A mean over folds, of the measure that `metric` names; optimistic
refolded   the features that were found, judged by forests of scikit-learn on other folds. They were chosen by these very
           patients: optimistic
in-sample  the final forest on its own training patients: no measure of anything but memory

A nested AUC about one half beside a search above .6 is a leak made visible: the features fit these patients alone.
Intervals are of patients (bootstrap, DeLong), of the scores averaged over repeats.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import Field

from analyses.signature.needs import LIBRARIES, SOURCE, TRAINING
from analyses.signature.settings import SearchParameters
from tshdb.engine.analysis import Model, analysis
from tshdb.schema import ModelPerformance, SignatureFoldScore, SignatureModel

if TYPE_CHECKING:
    import pandas as pd

    from analyses.signature.features import Training
    from analyses.signature.training import Steps


class SignaturePerformanceParameters(SearchParameters):
    """[signature]"""

    n_bootstrap: int = Field(default=1_000, ge=0)
    """for the intervals"""


@analysis(
    kind="fit",
    per="cohort",
    needs={**TRAINING, "model": Model(SignatureModel), "fold_scores": Model(SignatureFoldScore)},
    makes=ModelPerformance,
    params=SignaturePerformanceParameters,
    cohorts="cohort",
    learns=(),
    libraries=(*LIBRARIES, "skops"),
    strict_libraries=("scikit-learn",),
    source=SOURCE,
    base="signature",
    tracks=("value",),
)
def signature_performance(
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    model: pd.DataFrame,
    fold_scores: pd.DataFrame,
    members: pd.DataFrame,
    params: SignaturePerformanceParameters,
    seed: int,
) -> pd.DataFrame:
    """One row per scheme and measure; none where there is no model."""
    import pandas as pd

    from analyses.shared.performance import measures
    from analyses.signature import artefact
    from analyses.signature.features import training_of
    from analyses.signature.folds import folds_of
    from analyses.signature.nested import LEAST_PER_CLASS, chosen_in_folds, mean_scores, unscored
    from analyses.signature.plain import plain_scores

    if model["reason"].notna().any():
        return pd.DataFrame()
    chosen = model.iloc[0]
    threshold = float(chosen["threshold"])
    nested = mean_scores(fold_scores)
    data = training_of(labels, sets, computed, imported, members, params.features, params.only)
    names = [f["feature"] for f in json.loads(chosen["features"])]
    steps = artefact.unpacked(chosen["object_path"], chosen["content"])
    scored = {"nested": nested} if 0 < nested[0].sum() < len(nested[0]) else {}
    changed = _changed(data, names, steps)
    if not changed:
        values, batches = data.values[:, [data.names.index(name) for name in names]], data.batches
        comparable = values if steps.harmonise is None else steps.harmonise.transform(values, batches)
        fold_of = folds_of(data.is_good, params.folds, seed)
        again = plain_scores(comparable, data.is_good, fold_of, params.n_trees, params.min_leaf, seed)
        scored |= {"refolded": (data.is_good, again), "in-sample": (data.is_good, steps.scores(values, batches))}
    rows = []
    for scheme, (is_good, scores) in scored.items():
        shared = {"scheme": scheme, "is_optimistic": scheme != "nested", "n": len(scores)}
        rows += [row | shared for row in measures(is_good, scores, threshold, params.n_bootstrap, seed)]
    left_out = unscored(fold_scores, len(data.patients)) if len(fold_scores) else None
    if scored.get("nested") is None:
        why = (
            left_out
            or data.problem(max(params.min_per_class, LEAST_PER_CLASS), params.harmonise)
            or "one kind alone has scores"
        )
        none = {"scheme": "nested", "measure": "auc", "value": None, "reason": f"no patient was scored unseen: {why}"}
        rows.append(none | {"n": len(nested[1]), "is_optimistic": False})
    elif left_out:
        for row in rows:
            if row["scheme"] == "nested":
                row["reason"] = "; ".join(filter(None, (row["reason"], left_out)))
    for scheme in ("refolded", "in-sample") if changed else ():
        none = {"scheme": scheme, "measure": "auc", "value": None, "reason": changed, "n": len(data.patients)}
        rows.append(none | {"is_optimistic": True})
    optimised = {"measure": params.metric, "value": float(chosen["search_fitness"]), "n": int(chosen["n"])}
    rows.append(optimised | {"scheme": "search", "is_optimistic": True})
    folds, times = chosen_in_folds(fold_scores)
    none = {"scheme": "nested", "n": len(nested[1])}
    if len(folds):
        fitness = float(folds["fold_fitness"].mean())
        rows.append(none | {"measure": "fold_fitness", "value": fitness, "is_optimistic": True})
    for name, n in sorted(times.items()):
        rows.append(none | {"measure": f"chosen: {name}", "value": n / len(folds), "is_optimistic": False})
    for row in rows:
        row["reason"] = data.classes.reworded(row.get("reason"))
    return pd.DataFrame(rows).assign(model="signature_model")


def _changed(data: Training, names: list[str], steps: Steps) -> str | None:
    """Why the training patients, as they are now, cannot be scored again; None where they can."""
    missing = [name for name in names if name not in data.names]
    unknown = set() if steps.harmonise is None else set(data.batches) - set(map(str, steps.harmonise.batches_))
    if problem := data.problem(2):
        return f"the training patients are others now: {problem}"
    if missing:
        return f"the training patients are others now: {len(missing)} of the model's features lack a value"
    return f"the training patients are others now: no estimate for {', '.join(sorted(unknown))}" if unknown else None
