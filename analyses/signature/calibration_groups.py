"""Survival foretold from the signature's score beside survival seen, in parts of a cohort from low to high scores.

The score is a probability of a good TSH class, not of survival, and the development cohort has too few deaths to turn the one
into the other. So what is foretold comes from Cox models of the score within the validation cohort, each patient's from a model
that had not seen her (tenfold): it says whether the score is proportional to the log hazard over its range, not whether a risk
learned elsewhere holds here. The baseline is Efron's, what is seen is Kaplan-Meier's. Patients of one score are in one part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.shared.cox import NoConvergence, survival_at
from analyses.shared.curves import kaplan_meier
from analyses.shared.survival import seen_in_training
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
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source=SOURCE,
    base="signature_validation",
)
def calibration_groups(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, trained_on: pd.DataFrame, params: CalibrationParameters, seed: int
) -> pd.DataFrame:
    """One row per endpoint and part; one row, part 1, with the reason where it cannot be said."""
    import pandas as pd

    rows = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        data = data.sort_values(["value", "duration_days", "event"], ignore_index=True)
        n_events = int(data["event"].sum())
        places = parts_of(data["value"].to_numpy(float), params.calibration_parts)
        at = params.calibration_days
        row = {"endpoint": endpoint, "part": 1, "at_days": at, "n": len(data), "n_events": n_events}
        seen = seen_in_training(data, trained_on)
        if seen and not params.allow_training_patients:
            rows.append(row | {"reason": f"refused: {seen}"})
        elif n_events < max(params.min_events, 2 * params.calibration_parts):
            rows.append(row | {"reason": f"{n_events} events: too few for {params.calibration_parts} parts"})
        elif data["duration_days"].max() < at:
            rows.append(row | {"reason": f"nobody was observed for {at:.0f} days"})
        elif places is None:
            n_values = data["value"].nunique()
            rows.append(row | {"reason": f"{n_values} different scores: too few for {params.calibration_parts} parts"})
        else:
            foretold, why = _foretold(data, at, seed)
            for part, mine in enumerate(places, 1):
                rows.append(_part(data.iloc[mine], foretold[mine], row | {"part": part}, seen, why))
    return pd.DataFrame(rows)


def parts_of(values: np.ndarray, n_parts: int) -> list[np.ndarray] | None:
    """The places of each part, from low to high values; None where there are fewer different values than parts.

    values: (patients,). A cut lies between two different values, as near to equal numbers as that allows.
    """
    import numpy as np

    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order])) + 1  # patients below each possible cut
    cuts: list[int] = []
    for part in range(1, n_parts):
        after = ends[ends > (cuts[-1] if cuts else 0)]
        usable = after[: len(after) - (n_parts - part - 1)]  # a cut is left for each part that follows
        if not len(usable):
            return None
        cuts.append(int(usable[np.argmin(np.abs(usable - part * len(values) / n_parts))]))
    return np.split(order, cuts)


def _foretold(data: pd.DataFrame, at: float, seed: int) -> tuple[np.ndarray, str | None]:
    """((patients,) survival at the time by Cox models of the score fitted on the other folds, why it is not known of some).

    data: sorted by score and outcome, so that names have no part in the folds.
    """
    import numpy as np

    fold_of = np.random.default_rng(seed).permutation(np.arange(len(data)) % FOLDS)
    foretold, reason = np.full(len(data), np.nan), None
    for fold in range(FOLDS):
        train, test = data[fold_of != fold], data[fold_of == fold]
        if not len(test):
            continue
        try:
            found = survival_at(train, test, "value", at) if train["event"].sum() >= 2 else None
        except NoConvergence as error:
            found, reason = None, f"nothing is foretold: no convergence, {error}"
        if found is None:
            reason = reason or "nothing is foretold: without a tenth of the patients the score has no estimate"
        else:
            foretold[fold_of == fold] = found
    return foretold, reason


def _part(data: pd.DataFrame, foretold: np.ndarray, row: dict, seen: str | None, why: str | None) -> dict:
    import numpy as np

    durations, events = data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)
    curve = kaplan_meier(durations, events)
    until = curve[curve["time_days"] <= row["at_days"]].iloc[-1]
    followed = durations.max() >= row["at_days"] or until["survival"] == 0
    reasons = [
        f"optimistic: {seen}" if seen else None,
        None if followed else "nobody of this part was observed so long",
        None if np.isfinite(foretold).all() else why,
    ]
    return row | {
        "n": len(data), "n_events": int((events & (durations <= row["at_days"])).sum()),
        "mean_score": float(data["value"].mean()),
        "foretold": float(np.mean(foretold)) if np.isfinite(foretold).all() else None,
        "seen": float(until["survival"]) if followed else None,
        "ci_lower": until["ci_lower"] if followed else None, "ci_upper": until["ci_upper"] if followed else None,
        "reason": "; ".join(filter(None, reasons)) or None,
    }  # fmt: skip
