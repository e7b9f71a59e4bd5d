"""Simulated feature tables with a planted truth, and the ladder on them: the tests run a few, `soak/ladder.py` all.

Tumours of log-normal volume; shape and many textures go with it, as radiomic features do. The label follows
    volume    the logarithm of volume alone
    texture   three textures that know nothing of volume
    nothing   a coin
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analyses.signature.features import COMPUTED
from analyses.signature.signature_cross_validation import (
    SignatureCrossValidationParameters,
    signature_cross_validation,
)
from analyses.signature.signature_ladder import SignatureLadderParameters, signature_ladder
from tests.analyses.test_signature import SET
from tshdb.engine.work import Work
from tshdb.images.feature_names import NAMES

STRENGTH = {"volume": 1.6, "texture": 4.0, "nothing": 0.0}  # of the truth in its SD, beside logistic noise of 1.1 SD
TRUTHS = tuple(STRENGTH)
VOLUME = "tumor.shape.MeshVolume"
TEXTURES = [f"{region}.SI.glcm.{name}" for region in ("tumor", "stroma") for name in NAMES["glcm"]]
PLANTED = TEXTURES[:3]
QUICK = {
    "population": 20, "generations": 20, "folds": 5, "n_trees": 20, "final_trees": 60, "parsimony": 0.01,
}  # fmt: skip
FEW_BESIDE = {"most_trees": 10, "depths": (1,), "n_penalties": 8, "inner_folds": 3}  # of the models without a search
NOTHING = pd.DataFrame(columns=["examination", "feature_table", "features"])
NO_CONTROLS = {
    "controls": pd.DataFrame(columns=["study_uid", "control", "feature", "feature_class", "value"]),
    "controls_made": pd.DataFrame({"analysis": ["control_features"], "parameters": ["{}"]}),
}


def tables(truth: str, seed: int, n: int = 90, strength: float | None = None) -> dict[str, pd.DataFrame]:
    """The inputs of a signature's analyses: labels, sets, computed, imported, patients, members.

    strength: of the truth, as in STRENGTH where it is None.
    """
    luck = np.random.default_rng([seed, TRUTHS.index(truth)])
    log_volume = luck.normal(size=n)
    features = {VOLUME: np.exp(8 + log_volume)}
    for name in NAMES["shape"]:
        weight = luck.uniform(0.5, 0.95)
        features.setdefault(f"tumor.shape.{name}", weight * log_volume + np.sqrt(1 - weight**2) * luck.normal(size=n))
    for name in TEXTURES:
        weight = 0.0 if name in PLANTED else luck.uniform(-0.9, 0.9)
        features[name] = weight * log_volume + np.sqrt(1 - weight**2) * luck.normal(size=n)
    signal = {
        "volume": log_volume,
        "texture": sum(features[name] for name in PLANTED) / np.sqrt(len(PLANTED)),
        "nothing": np.zeros(n),
    }[truth]
    strength = STRENGTH[truth] if strength is None else strength
    is_good = strength * signal + luck.logistic(size=n) * 0.6 > 0
    names, examinations = [f"P{i:03d}" for i in range(n)], [f"E{i:03d}" for i in range(n)]
    computed = pd.DataFrame({"study_uid": examinations, **features}).melt(
        "study_uid", var_name="feature", value_name="value"
    )
    sets = [
        SET | {"examination": e, "patient_id": p, "source": COMPUTED, "batch": "one", "comparability": "c"}
        for e, p in zip(examinations, names, strict=True)
    ]
    status = np.where(luck.random(n) < 0.5, "positive", "negative")
    return {
        "labels": pd.DataFrame({"patient_id": names, "label": np.where(is_good, "good", "poor")}),
        "sets": pd.DataFrame(sets),
        "computed": computed.assign(feature_class=computed["feature"].str.split(".").str[-2]),
        "imported": NOTHING,
        "patients": pd.DataFrame(
            {
                "patient_id": names, "age_years": luck.normal(55, 10, n), "er_status": status, "pr_status": status[::-1],
                "her2_status": None, "tumor_size_mm": np.exp(3 + log_volume / 3),
            }
        ),
        "members": pd.DataFrame({"patient_id": names}),
    }  # fmt: skip


def nested(data: dict[str, pd.DataFrame], seed: int = 1, **settings) -> pd.DataFrame:
    """The rows of signature_fold_scores on these tables."""
    given = {name: frame for name, frame in data.items() if name != "patients" and name not in NO_CONTROLS}
    params = SignatureCrossValidationParameters(**QUICK | {"outer_folds": 5} | settings)
    return signature_cross_validation.function(**given, params=params, seed=seed, work=Work())


def ladder(data: dict[str, pd.DataFrame], fold_scores: pd.DataFrame, seed: int = 1, **settings) -> pd.DataFrame:
    """The ladder's rows by their rung. Without draws, unless `settings` ask for them; without altered images, unless `data` has
    them."""
    params = SignatureLadderParameters(**QUICK | FEW_BESIDE | {"n_random": 0, "n_searched": 0} | settings)
    given = NO_CONTROLS | data
    rows = signature_ladder.function(**given, fold_scores=fold_scores, params=params, seed=seed, work=Work())
    return rows.set_index("rung")


def verdict(truth: str, seed: int) -> tuple[str, str]:
    """(the verdict, its words) on one simulated table."""
    data = tables(truth, seed)
    row = ladder(data, nested(data, seed), seed).loc["signature"]
    return str(row["verdict"]), row["finding"]
