"""A Cox model of data whose covariates are not all known: fitted to each of several completed data sets, and pooled.

See `imputation` for how they are completed, `rubin` for the pooling; t has events less terms degrees of freedom if nothing were
missing. A term without an estimate in any of the data sets has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analyses.shared.cox import Likelihood, cox, estimate, refused
from analyses.shared.imputation import Imputation, completed
from analyses.shared.imputation_models import CannotImpute
from analyses.shared.rubin import pooled

if TYPE_CHECKING:
    import pandas as pd

NOT_TESTED = "covariates are imputed: proportional hazards are not tested"
PENALISED = (
    'intervals by profile are not pooled over imputed data sets: set likelihood = "partial", or missing = "complete"'
)


def words_of(gaps: Mapping[str, int]) -> str:
    """gaps: covariate -> of how many patients it is not known."""
    return ", ".join(f"{covariate} of {n}" for covariate, n in gaps.items())


def imputed_cox(
    data: pd.DataFrame, terms: Sequence[str], how: Imputation, name: str, min_events: int, likelihood: Likelihood
) -> dict[str, dict]:
    """term -> its pooled estimate, or the reason for which there is none.

    data: patient_id, event, duration_days and the terms as numbers: the first, the score, complete, NaN where another is not
    known; name: of the model. degrees and missing_information are columns of cox_terms.
    """
    n_events = int(data["event"].sum())
    if n_events < min_events:
        return dict.fromkeys(terms, refused(f"{n_events} events, fewer than {min_events}"))
    if likelihood == "penalised":
        return dict.fromkeys(terms, refused(PENALISED))
    try:
        drawn = completed(data, terms[1:], terms[0], how, name)
    except CannotImpute as error:
        return dict.fromkeys(terms, refused(f"cannot be imputed: {error}"))
    fits = [cox(frame, terms, min_events, False, likelihood) for frame in drawn.sets]
    standing = [term for term in terms if all(fit[term]["coefficient"] is not None for fit in fits)]
    return {term: _of_term([fit[term] for fit in fits], n_events - len(standing), drawn.notes) for term in terms}


def _of_term(rows: Sequence[dict], complete_degrees: int, notes: Sequence[str]) -> dict:
    """rows: of one term, from each data set."""
    per_term = {"events_per_term": rows[0]["events_per_term"]}
    if none := [row["reason"] for row in rows if row["coefficient"] is None]:
        of_some = f" in {len(none)} of {len(rows)} imputed data sets" if len(none) < len(rows) else ""
        return refused(none[0] + of_some) | per_term
    found = pooled(
        np.array([row["coefficient"] for row in rows]),
        np.array([row["standard_error"] for row in rows]),
        max(complete_degrees, 1),
    )
    reasons = dict.fromkeys(filter(None, (row["reason"] for row in rows)))
    return (
        refused("; ".join([*reasons, *notes, NOT_TESTED]))
        | per_term
        | estimate(found.coefficient, found.standard_error, found.lower, found.upper)
        | {
            "wald": (found.coefficient / found.standard_error) ** 2, "p_value": found.p_value, "degrees": found.degrees,
            "missing_information": found.missing_information,
        }
    )  # fmt: skip
