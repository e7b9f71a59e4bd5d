"""The signature score of every examination, by the frozen signature.

The model is read, never fitted: a new patient costs one patient's arithmetic, and a later examination of hers gets a score as
the first does. Features that were made in another way are refused, other outlines and phases at other times degrade a score;
distance and n_outside say how far it is from the patients that were learned from (`analyses.signature.features.against`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import Field

from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import REGION_MAPS_OF_EXAMINATION, SAME_EXAMINATION
from tshdb.schema import FeatureSet, ImportedFeature, RadiomicFeature, SignatureModel, SignatureScore
from tshdb.vocabulary import Prognosis, ScoreStatus

if TYPE_CHECKING:
    import pandas as pd


BEYOND = 1e6  # root mean square of z scores from which it is no examination, but another unit or a slip


class SignatureScoreParameters(Parameters):
    """[signature_scores]"""

    slack_s: float = Field(default=60.0, ge=0)
    """how far outside of the training patients' times a phase may be, seconds"""
    most_distant: float = Field(default=3.0, gt=0)
    """a score of an examination farther away than so (root mean square of z scores) is degraded"""


@analysis(
    kind="apply",
    per="examination",
    needs={
        "sets": Need(FeatureSet, SAME_EXAMINATION),
        "computed": Need(RadiomicFeature, REGION_MAPS_OF_EXAMINATION, optional=True),
        "imported": Need(ImportedFeature, SAME_EXAMINATION, optional=True),
        "model": Model(SignatureModel),
    },
    makes=SignatureScore,
    params=SignatureScoreParameters,
    libraries=("numpy", "pandas", "skops"),
    strict_libraries=("scikit-learn",),
    tracks=("prognosis",),
    source="doi:10.1186/s12967-023-04748-6, Prognostic validation of the radiogenomic signatures",
)
def signature_scores(
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    model: pd.DataFrame,
    params: SignatureScoreParameters,
) -> pd.DataFrame:
    """One row per examination."""
    import numpy as np
    import pandas as pd

    from analyses.signature import artefact
    from analyses.signature.classes import row_classes
    from analyses.signature.features import UNKNOWN, against, table_of

    chosen = model.iloc[0]
    classes = row_classes(chosen)
    features = json.loads(chosen["features"])
    names = [f["feature"] for f in features]
    mean, sd, low, high = (np.array([f[key] for f in features]) for key in ("mean", "sd", "low", "high"))
    steps = None if chosen["reason"] else artefact.unpacked(chosen["object_path"], chosen["content"])
    tables = {source: table_of(sets, computed, imported, source) for source in sorted(set(sets["source"]))}
    rows, ready = [], []
    for _, one in sets.sort_values("examination").iterrows():
        row = {
            "examination": one["examination"], "patient_id": one["patient_id"], "source": one["source"],
            "time_point": one["time_point"], "status": ScoreStatus.REFUSED, "threshold": chosen["threshold"],
            **classes.columns,
        }  # fmt: skip
        rows.append(row)
        if steps is None:
            row["reason"] = f"no model: {chosen['reason']}"
            continue
        refusals, doubts = against(chosen, one, params.slack_s)
        if refusals:
            row["reason"] = "; ".join(refusals)
            continue
        table = tables[one["source"]]
        values = (
            table.reindex(columns=names).loc[one["examination"]].to_numpy(float)
            if one["examination"] in table.index
            else np.full(len(names), np.nan)
        )
        missing = [name for name, value in zip(names, values, strict=True) if not np.isfinite(value)]
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            row["reason"] = f"no value of {', '.join(missing[:3])}{more}"
            continue
        batch = one["batch"] if isinstance(one["batch"], str) else UNKNOWN
        if steps.harmonise is not None and batch not in set(steps.harmonise.batches_):
            row["reason"] = (
                f"no estimate for {batch}: no training patient was examined with it, and the model harmonises"
            )
            continue
        z = (values - mean) / np.where(sd > 0, sd, 1.0)
        row["distance"] = float(np.sqrt(np.mean(z**2)))
        row["n_outside"] = int(((values < low) | (values > high)).sum())
        if row["distance"] > BEYOND:
            row["reason"] = f"{row['distance']:.2g} times as far away as a training patient: no such features exist"
            continue
        if row["distance"] > params.most_distant:
            doubts.append(f"{row['distance']:.1f} times as far away as a training patient")
        row["status"] = ScoreStatus.DEGRADED if doubts else ScoreStatus.SCORED
        row["reason"] = "; ".join(doubts) or None
        ready.append((row, values, batch))
    if ready:  # each row of a forest's answer is its own, in whatever company
        scores = steps.scores(np.array([v for _, v, _ in ready]), np.array([b for _, _, b in ready]))
        for (row, _, _), score in zip(ready, scores, strict=True):
            good = score >= chosen["threshold"]
            row |= {"score": float(score), "prognosis": Prognosis.GOOD if good else Prognosis.POOR}
            row["label"] = classes.foretold if good else classes.against
    return pd.DataFrame(rows)
