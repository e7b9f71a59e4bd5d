"""Clinical variables as numbers, for Cox models that adjust for them.

age_years in years; receptors 1 positive, 0 negative; tumor_size_mm in mm where it was measured; t_stage 1 to 4, the
proxy of size where it was not (A21); menopause 1 post, 0 pre or peri. What is not known stays missing (`missing` says
what becomes of the patient).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CODES = {
    "er_status": {"positive": 1.0, "negative": 0.0},
    "pr_status": {"positive": 1.0, "negative": 0.0},
    "her2_status": {"positive": 1.0, "negative": 0.0},
    "menopausal_status": {"post": 1.0, "pre": 0.0, "peri": 0.0},
}
KNOWN = ("age_years", "er_status", "pr_status", "her2_status", "tumor_size_mm", "t_stage", "menopausal_status")


def numeric(patients: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """patient_id and the named variables as numbers, NaN where they are not known. Raises ValueError for another name."""
    unknown = set(names) - set(KNOWN)
    if unknown:
        raise ValueError(f"no covariate {', '.join(sorted(unknown))}; there are {', '.join(KNOWN)}")
    covariates = patients[["patient_id"]].copy()
    for name in names:
        if name in CODES:
            covariates[name] = patients[name].map(CODES[name]).astype(float)
        elif name == "t_stage":
            covariates[name] = patients[name].astype("string").str.extract(r"^T([1-4])", expand=False).astype(float)
        else:
            covariates[name] = patients[name].astype(float)
    return covariates
