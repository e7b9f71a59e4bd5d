"""What becomes of patients of whom a covariate of a model is not known: the choices of a study.

complete  they are not in the model (complete cases)
impute    the covariate is drawn several times (`imputation`), and what the models of all draws say is pooled (`rubin`)

A test that was done and left undecided (equivocal, indeterminate, 2+) counts as missing: the patient has a status, and it is not
known. Who does not believe that such patients are like those of whom it is known leaves them out (impute_undecided = false).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tshdb.config import Parameters

if TYPE_CHECKING:
    import pandas as pd

UNDECIDED = (
    "equivocal", "indeterminate", "inconclusive", "borderline", "intermediate", "ambiguous", "uncertain", "undetermined",
    "discrepan", "discordant", "2+", "++", "unbestimmt", "grenzwertig", "fraglich", "unklar",
)  # fmt: skip

# covariate -> patient_ids who leave a model though covariates are imputed; None: nothing is imputed
LeftOut = Mapping[str, set[str]] | None


class MissingParameters(Parameters):
    """How models take patients of whom a covariate is not known."""

    missing: Literal["complete", "impute"] = "complete"
    """of whom a covariate is not known: complete leaves them out of multivariable models, impute draws it (chained equations)"""
    impute_undecided: bool = True
    """a status that a test left undecided (equivocal, indeterminate) is imputed as well; false: such patients are left out"""


class ImputationParameters(MissingParameters):
    """With how many data sets are imputed."""

    n_imputations: int = Field(default=20, ge=2, le=1000)
    """completed data sets, whose models are pooled"""
    n_iterations: int = Field(default=10, ge=1, le=1000)
    """rounds of chained equations before each data set is taken"""


def left_out_of_imputation(params: MissingParameters, patients: pd.DataFrame, covariates: Sequence[str]) -> LeftOut:
    """patients: rows of patients, with the word of a status that is neither in the column's reason."""
    if params.missing == "complete":
        return None
    return {c: set() if params.impute_undecided else _undecided(patients, c) for c in covariates}


def _undecided(patients: pd.DataFrame, covariate: str) -> set[str]:
    reason = f"{covariate}_reason"
    if reason not in patients:
        return set()
    words = patients[reason].astype("string").str.lower().fillna("")
    is_undecided = words.map(lambda text: any(word in text for word in UNDECIDED)).astype(bool)
    return set(patients.loc[is_undecided & patients[covariate].isna(), "patient_id"])
