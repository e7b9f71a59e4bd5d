"""Signature scores beside outcomes: what every prognostic validation of the signature begins with.

One examination a patient, the first (T0). Endpoints have clocks of their own (time_origin): NACT's DFS begins at surgery, after
the chemotherapy that the patient must have lived through; cohorts are never thrown together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from analyses.shared.cox import Likelihood
from analyses.shared.missing import MissingParameters
from analyses.shared.survival import censored
from analyses.signature.classes import NAMES, classes_of
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, Trained
from tshdb.engine.relations import EXAMINATIONS_OF_PATIENT, SAME_PATIENT
from tshdb.schema import FollowUp, Patient, SignatureScore
from tshdb.vocabulary import Endpoint, ScoreStatus

if TYPE_CHECKING:
    import pandas as pd

NEEDS = {
    "scores": Need(SignatureScore, EXAMINATIONS_OF_PATIENT),
    "follow_ups": Need(FollowUp, SAME_PATIENT),
    "trained_on": Trained(SignatureScore),
}
CLINICAL_NEEDS = {**NEEDS, "patients": Need(Patient, SAME_PATIENT)}
SOURCE = "doi:10.1186/s12967-023-04748-6, Prognostic validation of the radiogenomic signatures, Fig. 7; A07, A21"
SIGNATURE = "signature"
SCORE = "signature score"


class ValidationParameters(Parameters):
    """[signature_validation]"""

    cohorts: tuple[str, ...] = ("prognostic_validation_ispy1", "prognostic_validation_nact")
    """frozen or live"""
    endpoints: tuple[Endpoint, ...] = (Endpoint.OS, Endpoint.RFS, Endpoint.DFS)
    """those that a cohort has are evaluated"""
    censor_at_days: float | None = Field(default=3652.5, gt=0)
    use_degraded: bool = True
    """scores that something speaks against count as well (their number stands in the reason)"""
    allow_training_patients: bool = False
    """evaluate on them all the same, marked optimistic"""
    min_events: int = Field(default=5, ge=1)


class CovariateParameters(ValidationParameters, MissingParameters):
    """[signature_validation]"""

    covariates: tuple[str, ...] = ("age_years", "er_status", "pr_status", "her2_status", "tumor_size_mm")
    """clinical variables of the multivariable models"""
    min_known: float = Field(default=0.5, ge=0, le=1)
    """a variable known for a smaller share of the patients is left out"""
    likelihood: Likelihood = "partial"
    """of Cox models; penalised: Firth's, which has an estimate under separation"""


def first_scores(scores: pd.DataFrame, use_degraded: bool) -> pd.DataFrame:
    """examination, patient_id, prognosis, value, is_degraded, and what is asked: one examination a patient, sorted."""
    wanted = [str(ScoreStatus.SCORED)] + ([str(ScoreStatus.DEGRADED)] if use_degraded else [])
    known = scores[scores["status"].astype(str).isin(wanted) & scores["score"].notna()]
    known = known.sort_values(["patient_id", "examination"]).drop_duplicates("patient_id")
    scored = known[["examination", "patient_id", "prognosis", "score"]].rename(columns={"score": "value"})
    scored["prognosis"] = scored["prognosis"].astype(str)
    for name in NAMES:
        scored[name] = known[name].to_numpy() if name in known else None
    scored["is_degraded"] = (known["status"].astype(str) == str(ScoreStatus.DEGRADED)).to_numpy()
    return scored.reset_index(drop=True)


def outcomes(
    scores: pd.DataFrame, follow_ups: pd.DataFrame, params: ValidationParameters
) -> dict[Endpoint, pd.DataFrame]:
    """endpoint -> patient_id, prognosis, value, is_degraded, event, duration_days, time_origin; those that have patients."""
    scored = first_scores(scores, params.use_degraded)
    by_endpoint = {}
    for endpoint in params.endpoints:
        data = scored.merge(censored(follow_ups, endpoint, params.censor_at_days), on="patient_id")
        if len(data):
            by_endpoint[Endpoint(endpoint)] = data.sort_values("patient_id", ignore_index=True)
    return by_endpoint


def note_of(data: pd.DataFrame, covariates: Sequence[str] = ()) -> str | None:
    """What must be said of degraded scores, and of clinical variables in the model that the label itself was made of."""
    n = int(data["is_degraded"].sum())
    itself = classes_of(data).is_made_of(covariates)
    said = [
        f"{n} of {len(data)} scores are degraded (signature_scores says why)" if n else None,
        f"{', '.join(itself)} is what the signature foretells: it was learned from it" if itself else None,
    ]
    return "; ".join(filter(None, said)) or None
