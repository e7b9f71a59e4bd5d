"""Rows of schoenfeld_residuals: the models of a biomarker and its groups (`cox_models`), death by death.

Log hazard ratios per 1 of a term, times in days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analyses.shared.cox import cox
from analyses.shared.cox_models import GOOD, CoxSettings, three_models
from analyses.shared.imputed_cox import words_of
from analyses.shared.schoenfeld import scaled_residuals, smooth

if TYPE_CHECKING:
    import pandas as pd

NOT_POOLED = "covariates are imputed, and residuals are not pooled over data sets"
NO_CURVE = "deaths are at too few times for a smooth curve"


def residuals_of(
    data: pd.DataFrame,
    clinical: pd.DataFrame,
    name: str,
    prefix: str,
    settings: CoxSettings,
    seen_of=lambda _: None,
    adjusts_per_sd: bool = False,
    group: str = GOOD,
) -> list[dict]:
    """A row per death of each term of the three models; of a term without residuals a row with the reason.

    Arguments as of `cox_models.models_of`, whose models these are.
    """
    models, beside = three_models(data, clinical, name, settings, adjusts_per_sd, group)
    rows: list[dict] = []
    for model, frame, terms in models:
        shared = {"model": prefix + model, "endpoint": settings.endpoint, "censored_at_days": settings.censored_at}
        shared |= {"n": len(frame), "n_events": int(frame["event"].sum())}
        seen = seen_of(frame)
        if seen and not settings.allow_seen:
            rows += [shared | _none(term, f"refused: {seen}") for term in terms]
        elif model == "multivariable" and beside.gaps:
            rows += [shared | _none(term, f"{NOT_POOLED} ({words_of(beside.gaps)})") for term in terms]
        else:
            said = f"optimistic: {seen}" if seen else None
            rows += [shared | row for row in _of_model(frame, terms, settings, said)]
    return rows


def _of_model(frame: pd.DataFrame, terms: Sequence[str], settings: CoxSettings, said: str | None) -> Iterator[dict]:
    estimates = cox(frame, terms, settings.min_events, likelihood=settings.likelihood)
    for term in terms:
        if estimates[term]["coefficient"] is None:
            yield _none(term, estimates[term]["reason"])
    if all(estimates[term]["coefficient"] is None for term in terms):
        return
    found = scaled_residuals(frame, terms, settings.likelihood)
    for place, term in enumerate(found.terms):
        curve = smooth(found.km_time, found.values[:, place], found.variances[place])
        reason = "; ".join(filter(None, [said, estimates[term]["reason"], None if curve else NO_CURVE])) or None
        of_term = {name: estimates[term][name] for name in ("coefficient", "ph_p_value")} | {
            "term": term,
            "reason": reason,
        }
        for i, day in enumerate(found.days):
            row = {"position": i + 1, "time_days": float(day), "km_time": float(found.km_time[i])}
            row["value"] = float(found.values[i, place])
            if curve is not None:
                row |= {"smooth": float(curve.values[i]), "smooth_lower": float(curve.lower[i])}
                row["smooth_upper"] = float(curve.upper[i])
            yield of_term | row


def _none(term: str, reason: str) -> dict:
    return {"term": term, "position": 0, "reason": reason}
