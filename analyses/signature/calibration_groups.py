"""Survival foretold from the signature's score beside survival seen, in parts of a cohort from low to high scores.

The score is a probability of a good TSH class, not of survival, and the development cohort has too few deaths to turn the one
into the other. So what is foretold comes from Cox models of the score within the validation cohort, each patient's from a model
that had not seen her (tenfold): it says whether the score is proportional to the log hazard over its range, not whether a risk
learned elsewhere holds here. Breslow's baseline; what is seen is Kaplan-Meier's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.shared.survival import fitted_cox, kaplan_meier, seen_in_training
from analyses.signature.validation import NEEDS, SOURCE, ValidationParameters, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import CalibrationGroup

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FOLDS = 10


class CalibrationParameters(ValidationParameters):
    """[signature_validation]"""

    calibration_days: float = Field(default=1095.75, gt=0)
    """survival at this time (three years)"""
    calibration_parts: int = Field(default=3, ge=2)
    """of the cohort"""


@analysis(
    kind="summary",
    per="cohort",
    needs=NEEDS,
    makes=CalibrationGroup,
    params=CalibrationParameters,
    cohorts="cohorts",
    libraries=("lifelines", "numpy", "pandas"),
    source=SOURCE,
    base="signature_validation",
)
def calibration_groups(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, trained_on: pd.DataFrame, params: CalibrationParameters, seed: int
) -> pd.DataFrame:
    """One row per endpoint and part; one row, part 1, with the reason where it cannot be said."""
    import numpy as np
    import pandas as pd

    rows = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        n_events = int(data["event"].sum())
        at = params.calibration_days
        row = {"endpoint": endpoint, "part": 1, "at_days": at, "n": len(data), "n_events": n_events}
        seen = seen_in_training(data, trained_on)
        if seen and not params.allow_training_patients:
            rows.append(row | {"reason": f"refused: {seen}"})
        elif n_events < max(params.min_events, 2 * params.calibration_parts):
            rows.append(row | {"reason": f"{n_events} events: too few for {params.calibration_parts} parts"})
        elif data["duration_days"].max() < at:
            rows.append(row | {"reason": f"nobody was observed for {at:.0f} days"})
        elif data["value"].nunique() < params.calibration_parts:
            rows.append(row | {"reason": "the scores do not vary"})
        else:
            foretold = _foretold(data, at, seed)
            order = np.argsort(data["value"].to_numpy(float), kind="stable")
            for part, places in enumerate(np.array_split(order, params.calibration_parts), 1):
                rows.append(_part(data.iloc[places], foretold[places], row | {"part": part}, seen))
    return pd.DataFrame(rows)


def _foretold(data: pd.DataFrame, at: float, seed: int) -> np.ndarray:
    """(patients,) survival at the time, by Cox models of the score fitted on the other folds."""
    import numpy as np

    fold_of = np.random.default_rng(seed).permutation(np.arange(len(data)) % FOLDS)
    frame = data[["value", "event", "duration_days"]].reset_index(drop=True)
    risk = np.full(len(data), np.nan)
    for fold in range(FOLDS):
        train, test = frame[fold_of != fold], frame[fold_of == fold]
        if not len(test) or train["event"].sum() < 2 or train["value"].nunique() < 2:
            continue
        risk[fold_of == fold] = (
            fitted_cox(train).predict_survival_function(test[["value"]], times=[at]).iloc[0].to_numpy(float)
        )
    return risk


def _part(data: pd.DataFrame, foretold: np.ndarray, row: dict, seen: str | None) -> dict:
    import numpy as np

    durations, events = data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)
    curve = kaplan_meier(durations, events)
    until = curve[curve["time_days"] <= row["at_days"]].iloc[-1]
    followed = durations.max() >= row["at_days"] or until["survival"] == 0
    reasons = [
        f"optimistic: {seen}" if seen else None,
        None if followed else "nobody of this part was observed so long",
    ]
    return row | {
        "n": len(data), "n_events": int((events & (durations <= row["at_days"])).sum()),
        "mean_score": float(data["value"].mean()),
        "foretold": float(np.mean(foretold)) if np.isfinite(foretold).all() else None,
        "seen": float(until["survival"]) if followed else None,
        "ci_lower": until["ci_lower"] if followed else None, "ci_upper": until["ci_upper"] if followed else None,
        "reason": "; ".join(filter(None, reasons)) or None,
    }  # fmt: skip
