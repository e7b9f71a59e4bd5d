"""Cox models of a biomarker and its groups: alone, per standard deviation, and beside clinical variables.

group          good against poor prognosis
continuous     per standard deviation of the value
multivariable  the value with the clinical variables that are known for most patients: of complete cases, or of all, what is
               not known being imputed (`missing`)

Hazard ratios below 1 mean longer survival. Durations are in days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from analyses.shared.cox import Likelihood, cox, refused
from analyses.shared.imputation import Imputation
from analyses.shared.imputed_cox import imputed_cox, words_of
from analyses.shared.left_out import left_out
from analyses.shared.missing import LeftOut
from analyses.shared.survival import origin_of
from tshdb.vocabulary import Endpoint

if TYPE_CHECKING:
    import pandas as pd

GOOD = "good prognosis (against poor)"


class CoxSettings(NamedTuple):
    """min_known: share of the patients for whom a variable must be known to be in the model; imputation: None if nothing is."""

    endpoint: Endpoint
    censored_at: float | None
    min_events: int
    covariates: Sequence[str]
    min_known: float
    allow_seen: bool
    likelihood: Likelihood
    left_out: LeftOut = None
    imputation: Imputation | None = None


class Cohort(NamedTuple):
    """members: patient_ids; lacking: what patients must have to be in a model -> who has it; patients: their rows."""

    members: Iterable[str]
    lacking: dict[str, Iterable[str]]
    patients: pd.DataFrame


class Adjusted(NamedTuple):
    """variables: known for enough of the patients; frame: the patients of the model; known: variable -> share.

    gaps: variable -> of how many of the frame it is not known, of those that are not known of all; n_complete: of whom all are.
    """

    variables: list[str]
    frame: pd.DataFrame
    known: pd.Series
    gaps: dict[str, int]
    n_complete: int


def adjusted(
    data: pd.DataFrame, clinical: pd.DataFrame, covariates: Sequence[str], least: float, left_out: LeftOut = None
) -> Adjusted:
    """The patients with the clinical variables that are known for at least the share `least` of them.

    Complete cases; where covariates are imputed all, but for those whom `left_out` names.
    """
    known = data[["patient_id"]].merge(clinical, on="patient_id").notna().mean()
    variables = [c for c in covariates if known[c] >= least]
    frame = data.merge(clinical, on="patient_id")
    complete = frame.dropna(subset=variables)
    if left_out is None:
        return Adjusted(variables, complete, known, {}, len(complete))
    frame = frame[~frame["patient_id"].isin(set().union(*(left_out[c] for c in variables)))]
    gaps = {c: int(frame[c].isna().sum()) for c in variables if frame[c].isna().any()}
    return Adjusted(variables, frame, known, gaps, len(complete))


class Model(NamedTuple):
    """name: group, continuous or multivariable; frame: its patients, with a column for each of its terms."""

    name: str
    frame: pd.DataFrame
    terms: list[str]


def three_models(
    data: pd.DataFrame,
    clinical: pd.DataFrame,
    name: str,
    settings: CoxSettings,
    adjusts_per_sd: bool,
    group: str = GOOD,
) -> tuple[list[Model], Adjusted]:
    """The three models before they are fitted, and what clinical variables are in the last one. Arguments as of `models_of`."""
    per_sd = f"{name} (per SD)"
    spread = data["value"].std(ddof=1)
    standardised = (data["value"] - data["value"].mean()) / spread if spread > 0 else 0.0
    data = data.assign(
        **{group: (data["prognosis"] == "good").astype(float), per_sd: standardised, name: data["value"]}
    )
    beside = adjusted(data, clinical, settings.covariates, settings.min_known, settings.left_out)
    models = [Model("group", data, [group]), Model("continuous", data, [per_sd])]
    models.append(Model("multivariable", beside.frame, [per_sd if adjusts_per_sd else name, *beside.variables]))
    return models, beside


def models_of(
    data: pd.DataFrame,
    clinical: pd.DataFrame,
    name: str,
    prefix: str,
    cohort: Cohort,
    settings: CoxSettings,
    seen_of=lambda _: None,
    note: str | None = None,
    adjusts_per_sd: bool = False,
    group: str = GOOD,
    itself: str | None = None,
) -> list[dict]:
    """Rows of cox_terms of the three models; one that cannot be fitted has rows with the reason.

    data: patient_id, prognosis, value, event, duration_days, time_origin; clinical: patient_id and the variables as numbers;
    name: of the value; prefix: of the models' names; cohort: whose members are counted that a model lacks; seen_of: patients ->
    what must be said of them if the model has learned from them; note: said beside every estimate; adjusts_per_sd: the value
    beside clinical variables is per standard deviation; group: the term of the groups; itself: said of the multivariable model.
    """
    rows: list[dict] = []
    members = set(cohort.members)
    models, (used, _, known, gaps, n_complete) = three_models(data, clinical, name, settings, adjusts_per_sd, group)
    shared = {
        "endpoint": settings.endpoint,
        "time_origin": origin_of(data),
        "censored_at_days": settings.censored_at,
    }
    for model, frame, terms in models:
        seen = seen_of(frame)
        if seen and not settings.allow_seen:
            estimates = {term: refused(f"refused: {seen}") for term in terms}
        else:
            if model == "multivariable" and gaps and settings.imputation is not None:
                name = f"{prefix}{model}, {settings.endpoint}"
                estimates = imputed_cox(
                    frame, terms, settings.imputation, name, settings.min_events, settings.likelihood
                )
            else:
                estimates = cox(frame, terms, settings.min_events, likelihood=settings.likelihood)
            reasons = [f"optimistic: {seen}" if seen else None, note, itself if model == "multivariable" else None]
            estimates = {
                term: e | {"reason": "; ".join(filter(None, [*reasons, e["reason"]])) or None}
                for term, e in estimates.items()
            }
        lacks = left_out(
            members,
            frame["patient_id"],
            cohort.lacking,
            cohort.patients,
            clinical,
            [c for c in used if settings.left_out is None or settings.left_out[c]] if model == "multivariable" else (),
        )
        imputed = {}
        if model == "multivariable" and settings.imputation is not None:
            is_fitted = any(e["coefficient"] is not None for e in estimates.values())
            n_sets = settings.imputation.n_sets if gaps and is_fitted else 0
            imputed = {"n_complete": n_complete, "imputed": words_of(gaps) or None, "n_imputations": n_sets}
        for term in terms:
            rows.append(
                shared
                | imputed
                | {
                    "model": prefix + model,
                    "term": term,
                    "position": len(rows),
                    "n": len(frame),
                    "n_events": int(frame["event"].sum()),
                    "n_left_out": len(members) - len(frame),
                    "left_out": lacks,
                    **estimates[term],
                }
            )
    for covariate in settings.covariates:
        if covariate not in used:
            rows.append(
                shared
                | {
                    "model": prefix + "multivariable",
                    "term": covariate,
                    "position": len(rows),
                    "n": 0,
                    "n_events": 0,
                    "n_left_out": len(members),
                    **refused(f"not in the model: known for {known[covariate]:.0%} of the patients"),
                }
            )
    return rows
