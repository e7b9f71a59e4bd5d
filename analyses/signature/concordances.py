"""How well models order the patients of a cohort by their outcome: Harrell's C, with a bootstrap interval over patients.

signature               the score as it is, fitted elsewhere: nothing here is fitted on these patients
clinical                a Cox model of the clinical variables, fitted on these patients: optimistic
clinical and signature  the same with the score: optimistic

The signature, alone and with the clinical variables, is held against the clinical model on the patients whom both know: the
difference of the two has an interval of its own (`analyses.shared.concordance`). It is optimistic where one of the two is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.shared.clinical_covariates import numeric
from analyses.shared.cox import cox
from analyses.shared.cox_models import adjusted
from analyses.shared.imputed_cox import words_of
from analyses.shared.missing import left_out_of_imputation
from analyses.shared.survival import seen_in_training
from analyses.signature.validation import CLINICAL_NEEDS, SOURCE, CovariateParameters, note_of, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import Concordance

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FEWEST_DRAWS = 20


class ConcordanceParameters(CovariateParameters):
    """[signature_validation]"""

    n_bootstrap: int = Field(default=1_000, ge=0)
    """for the intervals"""


@analysis(
    kind="summary",
    per="cohort",
    needs=CLINICAL_NEEDS,
    makes=Concordance,
    params=ConcordanceParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source=SOURCE,
    base="signature_validation",
    tracks=("c_index",),
)
def concordances(
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    patients: pd.DataFrame,
    params: ConcordanceParameters,
    seed: int,
) -> pd.DataFrame:
    """One row per endpoint and model."""
    import pandas as pd

    from analyses.shared.concordance import concordance, difference, pairs

    clinical = numeric(patients, params.covariates)
    left_out = left_out_of_imputation(params, patients, params.covariates)
    rows = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        used, both, _, gaps, _ = adjusted(data, clinical, params.covariates, params.min_known, left_out)
        seen = seen_in_training(data, trained_on)
        shared = {}  # model -> C of the patients whom all models know
        for model, frame, terms in (
            ("signature", data, []),
            ("clinical", both, used),
            ("clinical and signature", both, ["value", *used]),
        ):
            row = {
                "model": model, "endpoint": endpoint, "n": len(frame), "n_events": int(frame["event"].sum()),
                "n_bootstrap": 0, "is_optimistic": bool(terms) or bool(seen),
            }  # fmt: skip
            rows.append(row)
            risk, row["reason"] = _risk(frame, terms, model, params, gaps)
            if seen and not params.allow_training_patients and model != "clinical":
                risk, row["reason"] = None, f"refused: {seen}"
            if risk is not None:
                events, durations = frame["event"].to_numpy(bool), frame["duration_days"].to_numpy(float)
                of_all = of_shared = pairs(risk, durations, events)
                if model == "signature":
                    ours = (
                        -both["value"].to_numpy(float),
                        both["duration_days"].to_numpy(float),
                        both["event"].to_numpy(bool),
                    )
                    of_shared = pairs(*ours)
                row |= _with_interval(*of_all, params.n_bootstrap, seed)
                shared[model] = concordance(*of_shared)
                row["reason"] = note_of(frame, terms) if model != "clinical" else None
        for row in rows[-3:]:
            mine, clinical_one = shared.get(row["model"]), shared.get("clinical")
            if row["model"] != "clinical" and mine is not None and clinical_one is not None:
                value, lower, upper = difference(mine, clinical_one)
                row |= {
                    "n_shared": len(both),
                    "difference": value,
                    "difference_lower": lower,
                    "difference_upper": upper,
                }
    return pd.DataFrame(rows)


def _risk(
    frame: pd.DataFrame, terms: list[str], model: str, params: ConcordanceParameters, gaps: dict[str, int]
) -> tuple[np.ndarray | None, str | None]:
    """(patients,) what grows with the hazard, or None and why."""
    if model == "signature":
        if (n := int(frame["event"].sum())) < params.min_events:
            return None, f"{n} events, fewer than {params.min_events}"
        return -frame["value"].to_numpy(float), None
    if not terms:
        return None, "no clinical variable is known for enough patients"
    if gaps:
        return None, f"covariates are imputed ({words_of(gaps)}), and C is not pooled over data sets"
    fitted = cox(frame, terms, params.min_events, test_proportionality=False, likelihood=params.likelihood)
    if none := [t for t in terms if fitted[t]["coefficient"] is None]:
        reason = fitted[none[0]]["reason"]
        return None, reason if len(none) == len(terms) else f"{none[0]}: {reason}"
    return sum(frame[t].to_numpy(float) * fitted[t]["coefficient"] for t in terms), None


def _with_interval(ordered: np.ndarray, comparable: np.ndarray, n_bootstrap: int, seed: int) -> dict:
    """C of pairs, as `pairs` gives them, with its bootstrap interval."""
    import numpy as np

    from analyses.shared.concordance import concordance

    found, n = concordance(ordered, comparable), len(ordered)
    if found is None:
        return {"c_index": None}
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(n_bootstrap):
        times = np.bincount(generator.integers(0, n, n), minlength=n).astype(float)
        weight = times @ comparable @ times
        if weight > 0:
            drawn.append(float(times @ ordered @ times) / weight)
    interval = np.quantile(drawn, [0.025, 0.975]) if len(drawn) >= FEWEST_DRAWS else (None, None)
    return {
        "c_index": found.index, "ci_lower": interval[0], "ci_upper": interval[1],
        "n_bootstrap": len(drawn),
    }  # fmt: skip
