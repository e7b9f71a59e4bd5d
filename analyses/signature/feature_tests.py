"""Single features between good and poor: those of the signature, and those that the paper names (IDMN, flatness).

grouping  signature: by the signature's score, as the paper's Fig. 7a and b; label: by what it learns, where there is a label

Groups that the signature makes from a feature differ in that feature by construction: is_circular says so, and p then says
little. Mann-Whitney, two-sided, with the normal approximation (continuity, ties); the paper does not name its test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analyses.shared.multiple_testing import benjamini_hochberg
from analyses.signature.classes import Classes, classes_of, row_classes
from analyses.signature.validation import SOURCE, first_scores
from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import EXAMINATIONS_OF_PATIENT, IMPORTED_OF_PATIENT, REGION_MAPS_OF_PATIENT, SAME_PATIENT
from tshdb.schema import (
    FeatureSet,
    FeatureTest,
    ImportedFeature,
    RadiomicFeature,
    SignatureLabel,
    SignatureModel,
    SignatureScore,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAMED = (
    "tumor.shape.Flatness", "tumor.shape.Sphericity", "tumor.S0.glcm.Idmn", "tumor.SI.glcm.Idmn", "tumor.SL.glcm.Idmn",
    "stroma.S0.glcm.Idmn", "stroma.SI.glcm.Idmn", "stroma.SL.glcm.Idmn",
)  # fmt: skip


class FeatureTestParameters(Parameters):
    """[feature_tests]"""

    cohorts: tuple[str, ...] = (
        "radiogenomic_development", "prognostic_validation_ispy1", "prognostic_validation_nact",
    )  # fmt: skip
    features: tuple[str, ...] = NAMED
    """besides those of the signature"""
    use_degraded: bool = True
    """examinations whose score something speaks against count as well"""


@analysis(
    kind="summary",
    per="cohort",
    needs={
        "scores": Need(SignatureScore, EXAMINATIONS_OF_PATIENT),
        "labels": Need(SignatureLabel, SAME_PATIENT),
        "sets": Need(FeatureSet, EXAMINATIONS_OF_PATIENT),
        "computed": Need(RadiomicFeature, REGION_MAPS_OF_PATIENT),
        "imported": Need(ImportedFeature, IMPORTED_OF_PATIENT),
        "model": Model(SignatureModel),
    },
    makes=FeatureTest,
    params=FeatureTestParameters,
    cohorts="cohorts",
    tests=("labels",),
    libraries=("numpy", "pandas", "scipy"),
    source=SOURCE,
)
def feature_tests(
    scores: pd.DataFrame,
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    model: pd.DataFrame,
    params: FeatureTestParameters,
) -> pd.DataFrame:
    """One row per grouping and feature that the examinations have."""
    import numpy as np
    import pandas as pd

    from analyses.signature.features import table_of

    source = model["source"].iloc[0]
    used = {f["feature"] for f in json.loads(model["features"].iloc[0])}
    table = table_of(sets, computed, imported, source)
    names = [name for name in dict.fromkeys([*sorted(used), *params.features]) if name in table.columns]
    by_label = labels[labels["label"].notna()][["patient_id", "label"]]
    by_label = by_label.assign(is_good=by_label["label"].astype(str) == classes_of(labels).foretold)
    by_label = by_label.merge(sets[sets["source"] == source][["patient_id", "examination"]], on="patient_id")
    by_label = by_label.sort_values(["patient_id", "examination"]).drop_duplicates("patient_id")
    rows = []
    by_score = first_scores(scores, params.use_degraded)
    by_score["is_good"] = by_score["prognosis"] == "good"
    for grouping, groups in (("signature", by_score), ("label", by_label)):
        groups = groups[groups["examination"].isin(set(table.index))]
        if not len(groups):
            continue
        chosen = table.loc[list(groups["examination"]), names]
        is_good = groups["is_good"].to_numpy(bool)
        of = row_classes(model.iloc[0]) if grouping == "signature" else classes_of(labels)
        tests = [_test(name, chosen[name].to_numpy(float), is_good, of) for name in names]
        p = np.array([np.nan if row["p_value"] is None else row["p_value"] for row in tests])
        for row, adjusted in zip(tests, benjamini_hochberg(p), strict=True):
            circular = grouping == "signature" and row["feature"] in used
            rows.append(row | {"grouping": grouping, "p_adjusted": adjusted, "is_circular": circular})
    return pd.DataFrame(rows)


def _test(name: str, values: np.ndarray, is_good: np.ndarray, of: Classes) -> dict:
    import numpy as np
    from scipy.stats import mannwhitneyu

    known = np.isfinite(values)
    good, poor = values[known & is_good], values[known & ~is_good]
    row = {
        "feature": name, "n_good": len(good), "n_poor": len(poor),
        "median_good": float(np.median(good)) if len(good) else None,
        "median_poor": float(np.median(poor)) if len(poor) else None, "p_value": None, **of.columns,
    }  # fmt: skip
    if min(len(good), len(poor)) < 3:
        return row | {"reason": f"{of.counted(len(good), len(poor))}: fewer than three of one kind"}
    if np.ptp(values[known]) == 0:
        return row | {"reason": "the feature does not vary"}
    tested = mannwhitneyu(good, poor, alternative="two-sided", method="asymptotic")
    return row | {"statistic": float(tested.statistic), "p_value": float(tested.pvalue)}
