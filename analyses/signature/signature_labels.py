"""The classes that the radiogenomic signature learns: good or poor, by the TSH score of the tumour's RNA.

Fan et al. 2023, Imaging cellular tumour-stroma heterogeneity: the predicted TSH score at 0.5 (46 good, 45 poor). The label is
another model's opinion, not an outcome: with two deaths among the paper's 91 patients no survival can be validated there, and
`logrank_tests` and `tsh_cox` of that cohort say so (events fewer than min_events).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.shared.populations import only_unit
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import SignatureLabel, TshScore
from tshdb.vocabulary import ExpressionUnit, Prognosis

if TYPE_CHECKING:
    import pandas as pd


class SignatureLabelParameters(Parameters):
    """[signature_labels]"""

    threshold: float = Field(default=0.5, gt=0, lt=1)
    """a TSH score of at least this is good"""
    unit: ExpressionUnit | None = None
    """of expression, where a study has scores of several"""


@analysis(
    kind="map",
    per="patient",
    needs={"scores": Need(TshScore, SAME_PATIENT)},
    makes=SignatureLabel,
    params=SignatureLabelParameters,
    libraries=("pandas",),
    tracks=("label",),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity; A20",
)
def signature_labels(scores: pd.DataFrame, params: SignatureLabelParameters) -> pd.DataFrame:
    """One row per patient with a row in tsh_scores. Raises ValueError for several units without `unit`."""
    import pandas as pd

    rows = []
    for patient_id, of_patient in scores.groupby("patient_id", sort=True):
        unit = only_unit(of_patient, params.unit, "signature_labels")
        of_unit = of_patient[of_patient["unit"] == unit]
        row = {"patient_id": patient_id, "score": None, "threshold": params.threshold, "label": None, "reason": None}
        if not len(of_unit):
            row["reason"] = f"no TSH score of {unit}"
        elif pd.isna(of_unit["score"].iloc[0]):
            row["reason"] = of_unit["reason"].iloc[0]
        else:
            score = float(of_unit["score"].iloc[0])
            row |= {"score": score, "label": Prognosis.GOOD if score >= params.threshold else Prognosis.POOR}
        rows.append(row)
    return pd.DataFrame(rows)
